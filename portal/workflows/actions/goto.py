"""Go to: goes on at another step of the same line, or of a line around it, a bounded number of times."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Failed, Jump, Outcome
from portal.workflows.definition import MAX_JUMPS, Field


class GoTo:
    kind: ClassVar[str] = "goto"
    icon: ClassVar[str] = "corner-up-left"
    label: ClassVar[Any] = _l("Go to")
    description: ClassVar[Any] = _l("Go back or forward to another step")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("to", "step", _l("Step"), _l("One of the same lane, before or after this one"), required=True),
        Field("when", "expression", _l("Only if"), _l("Empty: always. Otherwise the run goes on with the next step.")),
        Field("most", "number", _l("Times at most"), default=10, least=1, most=MAX_JUMPS),
        Field(
            "if_spent",
            "choice",
            _l("After that"),
            choices=(("fail", _l("The step fails")), ("continue", _l("Go on with the next step"))),
            default="fail",
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("times", _l("How many times it went there")),)

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        when = call.config["when"]
        if when not in (True, False, "", None):
            return Failed("condition_not_boolean", detail=type(when).__name__)
        if when is False:
            return Done({"went": False})
        return Jump(str(call.config["to"]), int(call.config["most"]), fails=call.config["if_spent"] == "fail")

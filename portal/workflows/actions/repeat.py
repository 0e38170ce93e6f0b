"""Repeat until: runs its lane again and again until something is true, a bounded number of times."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Opened, Outcome
from portal.workflows.definition import MAX_ROUNDS, Field


class Repeat:
    kind: ClassVar[str] = "repeat"
    icon: ClassVar[str] = "repeat"
    label: ClassVar[Any] = _l("Repeat until")
    description: ClassVar[Any] = _l("Do something again until a condition is met")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("until", "expression", _l("Until"), _l("Looked at after each round, e.g. steps.ask.status == 200"), required=True, late=True),
        Field("rounds", "number", _l("Rounds at most"), default=10, least=1, most=MAX_ROUNDS),
        Field(
            "if_spent",
            "choice",
            _l("If it is not met by then"),
            choices=(("fail", _l("The step fails")), ("continue", _l("Go on"))),
            default="fail",
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("rounds", _l("How many rounds")), ("last", _l("Last result of the last round")))

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        return Opened({"total": int(call.config["rounds"]), "if_spent": call.config["if_spent"]})

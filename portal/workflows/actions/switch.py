"""Switch: takes the lane of the first case that is true, otherwise the last lane."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field


class Switch:
    kind: ClassVar[str] = "switch"
    icon: ClassVar[str] = "waypoints"
    label: ClassVar[Any] = _l("Switch")
    description: ClassVar[Any] = _l("Go one of several ways: the first case that is true")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "cases",
            "cases",
            _l("Cases"),
            _l("A name, and what must be true, e.g. input.days > 5. The first that is true is taken; each has a lane."),
            required=True,
            default=(),
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("case", _l("Name of the case that was taken")),)

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        for number, case in enumerate(call.config["cases"], 1):
            if not isinstance(case["value"], bool):
                return Failed("case_not_boolean", detail=str(case["name"])[:100])
            if case["value"]:
                return Done({"case": case["name"], "number": number}, port=f"case_{number}")
        return Done({"case": None, "number": 0}, port="otherwise")

"""If / else: chooses one of two lanes."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field


class Condition:
    kind: ClassVar[str] = "condition"
    icon: ClassVar[str] = "split"
    label: ClassVar[Any] = _l("Condition")
    description: ClassVar[Any] = _l("Go one way if something is true, the other way if not")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("when", "expression", _l("Condition"), _l("True or false, e.g. input.days > 5"), required=True),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("result", _l("Which way: true or false")),)

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        result = call.config["when"]
        if not isinstance(result, bool):
            return Failed("condition_not_boolean", detail=type(result).__name__)
        return Done({"result": result}, port="then" if result else "else")

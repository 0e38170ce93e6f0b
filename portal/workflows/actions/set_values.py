"""Name values, so that later steps can use them."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Outcome
from portal.workflows.definition import Field


class SetValues:
    kind: ClassVar[str] = "set"
    icon: ClassVar[str] = "variable"
    label: ClassVar[Any] = _l("Set values")
    description: ClassVar[Any] = _l("Compute values and give them names for later steps")
    fields: ClassVar[tuple[Field, ...]] = (Field("values", "pairs", _l("Values"), _l("Name and value of each"), required=True, default=()),)
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        return Done({pair["name"]: pair["value"] for pair in call.config["values"]})

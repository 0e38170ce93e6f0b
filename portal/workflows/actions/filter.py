"""Keep the items of a list that fit."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import lists
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field
from portal.workflows.expressions import ExpressionError


class Filter:
    kind: ClassVar[str] = "filter"
    icon: ClassVar[str] = "funnel"
    label: ClassVar[Any] = _l("Filter")
    description: ClassVar[Any] = _l("Keep only the items of a list that fit")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("list", "expression", _l("List"), _l("For example steps.orders.items"), required=True),
        Field("where", "item", _l("Keep an item if"), _l("True or false, with “item”, e.g. item.amount > 1000"), required=True),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("items", _l("Items that fit")),
        ("count", _l("How many items")),
        ("rest", _l("Items that do not fit")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        try:
            items = lists.items_of(call)
            fits = lists.worked_out(call, items, call.config["where"])
        except lists.NoList as wrong:
            return wrong.failed
        except ExpressionError as wrong:
            return Failed("expression", detail=str(wrong.message))
        odd = next((each for each in fits if not isinstance(each, bool)), None)
        if odd is not None:
            return Failed("condition_not_boolean", detail=type(odd).__name__)
        kept = [item for item, fit in zip(items, fits, strict=True) if fit]
        rest = [item for item, fit in zip(items, fits, strict=True) if not fit]
        return Done({"items": kept, "count": len(kept), "rest": rest})

"""Put the items of a list in order."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import lists
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field
from portal.workflows.expressions import ExpressionError


class Sort:
    kind: ClassVar[str] = "sort"
    icon: ClassVar[str] = "arrow-up-down"
    label: ClassVar[Any] = _l("Sort")
    description: ClassVar[Any] = _l("Put a list in order, Arabic words as people sort them")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("list", "expression", _l("List"), _l("For example steps.orders.items"), required=True),
        Field("by", "item", _l("By"), _l("With “item”, e.g. item.name"), required=True),
        Field("order", "choice", _l("Order"), choices=(("up", _l("Smallest first")), ("down", _l("Largest first"))), default="up"),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("items", _l("The list in order")), ("count", _l("How many items")))

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        try:
            items = lists.items_of(call)
            keys = lists.worked_out(call, items, call.config["by"])
        except lists.NoList as wrong:
            return wrong.failed
        except ExpressionError as wrong:
            return Failed("expression", detail=str(wrong.message))
        # What has no value stays last in both orders; equal ones stay as they were.
        empty = [item for item, key in zip(items, keys, strict=True) if key in (None, "")]
        full = [(lists.rank(key), item) for item, key in zip(items, keys, strict=True) if key not in (None, "")]
        ordered = sorted(full, key=lambda pair: pair[0], reverse=call.config["order"] == "down")
        return Done({"items": [item for _key, item in ordered] + empty, "count": len(items)})

"""Leave out the items of a list that came before."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import lists
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field
from portal.workflows.expressions import ExpressionError


class Dedupe:
    kind: ClassVar[str] = "dedupe"
    icon: ClassVar[str] = "copy-minus"
    label: ClassVar[Any] = _l("Remove doubles")
    description: ClassVar[Any] = _l("Keep each item of a list once")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("list", "expression", _l("List"), _l("For example steps.orders.items"), required=True),
        Field("by", "item", _l("Items are the same if this is the same"), _l("With “item”, e.g. item.email; empty compares whole items")),
        Field(
            "keep", "choice", _l("Keep"), choices=(("first", _l("the first of them")), ("last", _l("the last of them"))), default="first"
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("items", _l("Each item once")),
        ("count", _l("How many items")),
        ("removed", _l("How many were left out")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        try:
            items = lists.items_of(call)
            keys = lists.worked_out(call, items, call.config["by"]) if call.config.get("by") else items
        except lists.NoList as wrong:
            return wrong.failed
        except ExpressionError as wrong:
            return Failed("expression", detail=str(wrong.message))
        seen: dict[str, int] = {}
        for number, key in enumerate(keys):
            if call.config["keep"] == "last" or lists.mark(key) not in seen:
                seen[lists.mark(key)] = number
        kept = [items[number] for number in sorted(seen.values())]
        return Done({"items": kept, "count": len(kept), "removed": len(items) - len(kept)})

"""Take some items from the beginning or the end of a list."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import lists
from portal.workflows.actions.base import Call, Done, Outcome, whole
from portal.workflows.definition import Field

MOST = 1_000_000


class Limit:
    kind: ClassVar[str] = "limit"
    icon: ClassVar[str] = "list"
    label: ClassVar[Any] = _l("Limit")
    description: ClassVar[Any] = _l("Take the first or the last items of a list")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("list", "expression", _l("List"), _l("For example steps.orders.items"), required=True),
        Field("count", "number", _l("How many"), _l("A number of items; 0 for none"), required=True, default=10),
        Field("end", "choice", _l("From"), choices=(("first", _l("the beginning")), ("last", _l("the end"))), default="first"),
        Field("skip", "number", _l("Leave out before that"), _l("A number of items; 0 for none"), default=0),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("items", _l("The items taken")), ("count", _l("How many items")))

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        try:
            items = lists.items_of(call)
        except lists.NoList as wrong:
            return wrong.failed
        count = whole(call.config["count"], 0, least=0, most=MOST)
        skip = whole(call.config["skip"], 0, least=0, most=MOST)
        if call.config["end"] == "last":
            end = len(items) - skip
            taken = items[max(0, end - count) : max(0, end)]
        else:
            taken = items[skip : skip + count]
        return Done({"items": taken, "count": len(taken)})

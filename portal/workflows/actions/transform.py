"""Make another value of a value: the fields of each item anew, one expression for each item, or a path."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import answers, lists
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field
from portal.workflows.expressions import ExpressionError


class Transform:
    kind: ClassVar[str] = "transform"
    icon: ClassVar[str] = "shuffle"
    label: ClassVar[Any] = _l("Transform")
    description: ClassVar[Any] = _l("Give each item of a list another shape, or take a part out of an answer")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "mode",
            "choice",
            _l("How"),
            choices=(
                ("fields", _l("Name the fields of each item")),
                ("value", _l("Work out one value for each item")),
                ("path", _l("Take a part out with a path (JMESPath)")),
            ),
            default="fields",
        ),
        Field("list", "expression", _l("From"), _l("A list or an answer, e.g. steps.orders.items"), required=True),
        Field("fields", "item_pairs", _l("Fields"), _l("Name, and value with “item”, e.g. item.price * 1.15"), required=True, default=(), show_when=("mode", ("fields",))),
        Field("value", "item", _l("Value"), _l("With “item”, e.g. item.name"), required=True, show_when=("mode", ("value",))),
        Field("path", "code", _l("Path"), _l("For example people[?age > `30`].name"), required=True, show_when=("mode", ("path",))),
    )  # fmt: skip
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("items", _l("The new list")),
        ("count", _l("How many items")),
        ("value", _l("The part")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        try:
            if call.config["mode"] == "path":
                found = answers.pick(str(call.config["path"]), call.config["list"])
                return Done({"value": found, **({"items": found, "count": len(found)} if isinstance(found, list) else {})})
            items = lists.items_of(call)
            if call.config["mode"] == "value":
                made: list[Any] = lists.worked_out(call, items, call.config["value"])
            else:
                pairs = [(str(pair["name"]), pair["value"]) for pair in call.config["fields"] if pair["name"]]
                columns = [(name, lists.worked_out(call, items, value)) for name, value in pairs]
                made = [{name: column[number] for name, column in columns} for number in range(len(items))]
            return Done({"items": made, "count": len(made)})
        except lists.NoList as wrong:
            return wrong.failed
        except answers.PathRefused as wrong:
            return Failed("path_refused", detail=str(wrong))
        except ExpressionError as wrong:
            return Failed("expression", detail=str(wrong.message))

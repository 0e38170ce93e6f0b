"""For each: runs its lane once for every item of a list, some of them at the same time."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.core.digits import read_number
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Failed, Opened, Outcome
from portal.workflows.definition import MAX_AT_ONCE, MAX_ITEMS, Field


class ForEach:
    kind: ClassVar[str] = "foreach"
    icon: ClassVar[str] = "list-ordered"
    label: ClassVar[Any] = _l("For each")
    description: ClassVar[Any] = _l("Do the same for every item of a list")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "source",
            "choice",
            _l("Repeat for"),
            choices=(("list", _l("each item of a list")), ("times", _l("a number of times"))),
            default="list",
        ),
        Field("list", "expression", _l("List"), _l("e.g. steps.find.rows"), required=True, show_when=("source", ("list",))),
        Field("times", "number", _l("How many times"), required=True, default=3, least=0, most=MAX_ITEMS, show_when=("source", ("times",))),
        Field(
            "at_once", "number", _l("At the same time, at most"), _l("With 1, one after the other."), default=1, least=1, most=MAX_AT_ONCE
        ),
        Field(
            "if_fails",
            "choice",
            _l("If an item fails"),
            choices=(
                ("stop", _l("Stop: the step fails")),
                ("continue", _l("Pass it over: the step succeeds")),
                ("collect", _l("Do all the others, then fail with the list of errors")),
            ),
            default="stop",
        ),
        Field("need", "number", _l("How many must succeed"), _l("Empty: all of them. Otherwise it goes on as soon as so many have.")),
        Field(
            "rest",
            "choice",
            _l("The other items then"),
            choices=(("cancel", _l("are cancelled")), ("run", _l("may run to their end"))),
            default="cancel",
        ),
        Field("result", "expression", _l("Keep of each item"), _l("Empty: the last result inside, e.g. steps.call.body.id"), late=True),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("results", _l("What was kept of each item, in order")),
        ("count", _l("How many items")),
        ("succeeded", _l("How many succeeded")),
        ("failed", _l("How many failed")),
        ("errors", _l("The first errors")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        config = call.config
        at_once = _whole(config["at_once"], least=1, most=MAX_AT_ONCE)
        if at_once is None:
            return Failed("not_a_count", detail=str(config["at_once"])[:100])
        facts = {"at_once": at_once, "if_fails": config["if_fails"]}
        if config["need"] not in ("", None):
            need = _whole(config["need"], least=1, most=MAX_ITEMS)
            if need is None:
                return Failed("not_a_count", detail=str(config["need"])[:100])
            facts |= {"need": need, "rest": config["rest"]}
        if config["source"] == "times":
            times = _whole(config["times"], least=0, most=MAX_ITEMS)
            return Opened({**facts, "total": times}) if times is not None else Failed("not_a_count", detail=str(config["times"])[:100])
        items = config["list"]
        if not isinstance(items, list):
            return Failed("not_a_list", detail=type(items).__name__)
        if len(items) > MAX_ITEMS:
            return Failed("too_many_items", detail=str(len(items)))
        return Opened({**facts, "total": len(items)}, items)


def _whole(value: Any, *, least: int, most: int) -> int | None:
    number = read_number(value) if isinstance(value, str) else value
    if not isinstance(number, int | float) or isinstance(number, bool) or not float(number).is_integer():
        return None
    return int(number) if least <= number <= most else None

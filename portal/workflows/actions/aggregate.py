"""Group the items of a list and work out figures of each group: counts, sums, means, smallest and largest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import lists
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import FIGURE, Field
from portal.workflows.expressions import ExpressionError

Column = list[Any]


class NoNumber(Exception):
    """A value that should be added up is no number."""


def _numbers(values: Column) -> list[int | float]:
    found = [each for each in values if each is not None]
    if odd := [each for each in found if isinstance(each, bool) or not isinstance(each, int | float)]:
        raise NoNumber(type(odd[0]).__name__)
    return found


def _sum(values: Column) -> int | float:
    numbers = _numbers(values)
    return sum(numbers) if all(isinstance(each, int) for each in numbers) else math.fsum(numbers)


def _mean(values: Column) -> float | None:
    numbers = _numbers(values)
    return math.fsum(numbers) / len(numbers) if numbers else None


def _there(values: Column) -> Column:
    return [each for each in values if each is not None]


FIGURES: dict[str, Callable[[Column], Any]] = {
    "count": lambda values: len(_there(values)),
    "sum": _sum,
    "avg": _mean,
    "min": lambda values: min(_there(values), key=lists.rank, default=None),
    "max": lambda values: max(_there(values), key=lists.rank, default=None),
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "list": list,
}


class Aggregate:
    kind: ClassVar[str] = "aggregate"
    icon: ClassVar[str] = "sigma"
    label: ClassVar[Any] = _l("Aggregate")
    description: ClassVar[Any] = _l("Count, add up and compare the items of a list, in groups or all together")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("list", "expression", _l("List"), _l("For example steps.orders.items"), required=True),
        Field(
            "groups",
            "item_pairs",
            _l("Group by"),
            _l("Name, and value with “item”, e.g. item.city; empty for one group of all"),
            default=(),
        ),
        Field(
            "figures",
            "item_pairs",
            _l("Figures"),
            _l("Name, and count(), sum(item.x), avg(item.x), min(item.x), max(item.x), first(item.x), last(item.x) or list(item.x)"),
            required=True,
            default=(),
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("items", _l("One item for each group")),
        ("count", _l("How many groups")),
        ("first", _l("The first group")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        try:
            items = lists.items_of(call)
            groups = [(str(pair["name"]), lists.worked_out(call, items, pair["value"])) for pair in call.config["groups"] if pair["name"]]
            figures = [_figure(call, items, pair) for pair in call.config["figures"] if pair["name"]]
        except lists.NoList as wrong:
            return wrong.failed
        except ExpressionError as wrong:
            return Failed("expression", detail=str(wrong.message))
        except KeyError as wrong:
            return Failed("figure_unknown", detail=str(wrong.args[0])[:100])
        places: dict[tuple[str, ...], list[int]] = {} if groups else {(): []}
        for number in range(len(items)):
            places.setdefault(tuple(lists.mark(column[number]) for _name, column in groups), []).append(number)
        try:
            made = [_made(groups, figures, numbers) for numbers in places.values()]
        except NoNumber as wrong:
            return Failed("figure_no_number", detail=str(wrong))
        return Done({"items": made, "count": len(made), "first": made[0] if made else None})


def _figure(call: Call, items: list[Any], pair: dict[str, Any]) -> tuple[str, str, Column]:
    """Read one figure as its name, what to do, and a value of each item.

    Raises:
        KeyError: it is none.
    """
    found = FIGURE.match(str(pair["value"]).strip())
    if found is None:
        raise KeyError(pair["value"])
    about = found[2].strip()
    if not about and found[1] != "count":
        raise KeyError(pair["value"])
    return str(pair["name"]), found[1], lists.worked_out(call, items, about) if about else [True] * len(items)


def _made(groups: list[tuple[str, Column]], figures: list[tuple[str, str, Column]], numbers: list[int]) -> dict[str, Any]:
    made = {name: column[numbers[0]] for name, column in groups}
    for name, what, column in figures:
        made[name] = FIGURES[what]([column[number] for number in numbers])
    return made

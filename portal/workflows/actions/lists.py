"""Lists of items: what the kinds that work on them share. Pure."""

from __future__ import annotations

import json
from typing import Any

from portal.i18n.search import fold
from portal.workflows.actions.base import Call, Failed
from portal.workflows.definition import bare
from portal.workflows.expressions import compile_template

ORDER = ("bool", "number", "text", "other")


class NoList(Exception):
    """What should be a list is something else; `.failed` is the outcome."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.failed = Failed("list_expected", detail=type(value).__name__)


def items_of(call: Call) -> list[Any]:
    """Return the list that a step works on; nothing is an empty one.

    Raises:
        NoList: it is something else.
    """
    value = call.config.get("list")
    if value is None:
        return []
    if not isinstance(value, list):
        raise NoList(value)
    return value


def worked_out(call: Call, items: list[Any], expression: str) -> list[Any]:
    """Return the result of an expression about `item` for each item.

    Raises:
        ExpressionError: it cannot be worked out for one of them, or takes too much work.
    """
    if not items:
        return []
    context = {**call.context, "run": {**call.context.get("run", {}), "items": items}}
    found: list[Any] = compile_template(f"${{ run.items.map(item, {bare(expression)}) }}").evaluate(context)
    return found


def mark(value: Any) -> str:
    """Return what tells two values apart: 1 and 1.0 are the same, 1 and true are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def rank(value: Any) -> tuple[Any, ...]:
    """Return what a value is sorted by: truth, numbers, texts as people read them, then the rest; nothing comes last."""
    if value is None or value == "":
        return (len(ORDER), 0)
    if isinstance(value, bool):
        return (0, int(value))
    if isinstance(value, int | float):
        return (1, value)
    if isinstance(value, str):
        return (2, fold(value), value)
    return (3, mark(value))

"""Conditions on values of runs as a list has them: the fields of the form, what is wrong with them, and the words of a chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.i18n.words import lazy_gettext as _l
from portal.workflows import conditions

PARTS = ("where_path", "where_op", "where_value")
OPERATORS: dict[str, Any] = {
    "is": _l("is"), "is_not": _l("is not"), "contains": _l("contains"), "gt": _l("is greater than"), "lt": _l("is less than"),
    "exists": _l("is there"),
}  # fmt: skip
REFUSED: dict[tuple[str, str], Any] = {
    ("path", "empty"): _l("Write which field, e.g. input.amount or steps.first.id."),
    ("path", "root"): _l("Begin with input, output or steps, e.g. input.amount or steps.first.id."),
    ("path", "step"): _l("Write the key of a step behind steps, e.g. steps.first.id."),
    ("path", "syntax"): _l('This is no path. Write names with dots between them, items as [0], odd names as ["a b"].'),
    ("path", "long"): _l("The path is too long: use at most 200 characters and 12 parts."),
    ("op", "unknown"): _l("Choose how to compare."),
    ("value", "empty"): _l("Write the value to look for."),
    ("value", "long"): _l("Use at most 200 characters, on one line."),
    ("value", "unordered"): _l("Only numbers and days are greater or less. Write a number, or a day as year-month-day."),
}


def read(value: str) -> str | None:
    """Return a condition as it is kept, None for what is none."""
    try:
        return str(conditions.read(value))
    except conditions.Refused:
        return None


def join(path: str, op: str, value: str) -> str:
    """Put the three fields of the form together; what is wrong with them is said beside them (`problems`)."""
    if not path and not value:
        return ""
    try:
        return str(conditions.made(path, op or "is", value))
    except conditions.Refused:
        return " "  # no condition: the list says that a part of the address is not known


def problems(given: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with a condition as the form of the filters sends it, by field."""
    path, op, value = (given.get(name, "").strip() for name in PARTS)
    if not path and not value:
        return {}
    try:
        conditions.made(path, op or "is", value)
    except conditions.Refused as refused:
        return {f"where_{refused.field}": str(REFUSED.get((refused.field, refused.reason), REFUSED["path", "syntax"]))}
    return {}


def chip(written: str) -> tuple[str, str, str]:
    """Return a condition as its chip says it: path, operator, value."""
    condition = conditions.read(written)
    return condition.written, str(OPERATORS[condition.op]), condition.value

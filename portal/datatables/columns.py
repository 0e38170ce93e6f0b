"""Columns of data tables and the values they take. Pure."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from portal.core.digits import read_number
from portal.core.errors import Invalid
from portal.i18n import dates, names
from portal.i18n.words import lazy_gettext as _l

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
# What may not stand in a key, and how long one is that is made: its number has to fit behind it.
NO_KEY = re.compile(r"[^a-z0-9]+")
MADE_KEY = 36
TYPES = (
    ("text", _l("Text")),
    ("number", _l("Number")),
    ("boolean", _l("Yes or no")),
    ("date", _l("Date")),
    ("json", _l("JSON")),
)
NO_SUCH_COLUMN = _l("There is no such column.")
MAX_COLUMNS = 50
MAX_TEXT = 10_000


def keyed(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the columns with a key and a label each: a key that nobody gave comes from the Latin letters of the label, or is a number."""
    taken = {column["key"] for column in columns if column["key"]}
    done = []
    for number, column in enumerate(columns, 1):
        key = column["key"]
        if not key:
            said = NO_KEY.sub("_", column["label"].lower()).strip("_0123456789")[:MADE_KEY].rstrip("_")
            base = said or f"column_{number}"
            key = next(each for each in (base, *(f"{base}_{more}" for more in range(2, MAX_COLUMNS + 2))) if each not in taken)
            taken.add(key)
        done.append({**column, "key": key, "label": column["label"] or column["label_ar"] or key})
    return done


def check_columns(columns: list[dict[str, Any]]) -> dict[str, str]:
    """Return what is wrong with a table's columns: field → sentence."""
    problems: dict[str, str] = {}
    seen: set[str] = set()
    if not 1 <= len(columns) <= MAX_COLUMNS:
        problems["columns"] = _l("A data table has between 1 and %(num)d columns.", num=MAX_COLUMNS)
    for number, column in enumerate(columns):
        key = column["key"]
        if not KEY.match(key):
            problems[f"column-{number}-key"] = _l("Use a–z, 0–9 and _, beginning with a letter.")
        elif key in seen:
            problems[f"column-{number}-key"] = _l("Two columns have this key. Rename one.")
        if column["type"] not in dict(TYPES):
            problems[f"column-{number}-type"] = _l("Choose a type.")
        problems |= {f"column-{number}-{name}": wrong for name in ("label", "label_ar") if (wrong := names.problem(column.get(name)))}
        seen.add(key)
    return problems


def read_values(columns: list[dict[str, Any]], given: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """Return column → typed value.

    Args:
        whole: the values of a new row: required columns must be there. Otherwise a change or a filter.

    Raises:
        Invalid: `.problems` names each column that is unknown, missing or of the wrong type.
    """
    known = {column["key"]: column for column in columns}
    problems = {key: str(NO_SUCH_COLUMN) for key in given if key not in known}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            continue
        try:
            values[key] = _read(known[key]["type"], value)
        except ValueError as wrong:
            problems[key] = str(wrong)
    if whole:
        missing = [key for key, column in known.items() if column.get("required") and values.get(key) is None and key not in problems]
        problems |= {key: str(_l("This column may not be empty.")) for key in missing}
    if problems:
        raise Invalid(problems)
    return values


# How a filter may be written behind its column: `amount >= `, `name contains`. Without one the value must be equal.
OPERATORS = {"=": "=", "!=": "!=", "≠": "!=", ">": ">", ">=": ">=", "≥": ">=", "<": "<", "<=": "<=", "≤": "<=", "contains": "contains"}
ORDERED = ("number", "date", "text")
FILTER = re.compile(r"\s*([a-z][a-z0-9_]{0,39})\s*(.*?)\s*\Z")


@dataclass(frozen=True, slots=True)
class Condition:
    """One filter: a column, how it compares, and the typed value."""

    key: str
    kind: str
    operator: str
    value: Any


def read_filters(columns: list[dict[str, Any]], given: dict[str, Any]) -> list[Condition]:
    """Return the filters of a step: `{"amount >=": 5, "city": "جدة"}`.

    Raises:
        Invalid: `.problems` names each filter whose column, comparison or value is wrong.
    """
    known = {column["key"]: column for column in columns}
    found: list[Condition] = []
    problems: dict[str, str] = {}
    for name, value in given.items():
        match = FILTER.match(name)
        column = known.get(match[1]) if match else None
        operator = OPERATORS.get(match[2] or "=") if match else None
        if column is None:
            problems[name] = str(NO_SUCH_COLUMN)
        elif operator is None or (operator in (">", ">=", "<", "<=") and column["type"] not in ORDERED):
            problems[name] = str(_l("This column cannot be compared so."))
        else:
            try:
                typed = _text(value) if operator == "contains" else _read(column["type"], value)
                found.append(Condition(column["key"], column["type"], operator, typed))
            except ValueError as wrong:
                problems[name] = str(wrong)
    if problems:
        raise Invalid(problems)
    return found


def _read(kind: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    return _READERS[kind](value)


def _text(value: Any) -> str:
    text = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).replace("\x00", "")
    if len(text) > MAX_TEXT:
        raise ValueError(_l("A text has at most %(num)d characters.", num=MAX_TEXT))
    return text


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise ValueError(_l("This is not a number."))
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(_l("This is not a number."))
        return value
    number = read_number(str(value))
    if number is None:
        raise ValueError(_l("This is not a number."))
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() in ("true", "1", "yes"):
        return True
    if str(value).strip().lower() in ("false", "0", "no"):
        return False
    raise ValueError(_l("This is neither true nor false."))


def _date(value: Any) -> str:
    day = dates.read(str(value).strip().partition("T")[0])
    if day is None:
        raise ValueError(_l("This is not a date; write year-month-day."))
    return day.isoformat()


_READERS = {"text": _text, "number": _number, "boolean": _boolean, "date": _date, "json": lambda value: value}

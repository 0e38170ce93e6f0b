"""A condition on a value of a run, as the filter of the list of runs writes it: `input.amount gt 100`. Pure.

The path is what expressions and the copy buttons of a run's page say: `input.amount`, `output.total`, `steps.first.id`,
`steps.first.rows[0]["odd name"]`. Behind `steps.KEY` stands the step's result; `steps.KEY.output` says the same in full, and
`steps.KEY.input` means what the step was given.

What is compared follows the value that is looked for and the kind of value that the run holds:

- `is`, `is_not`: a text is the same letters; what reads as a number, `true`, `false` or `null` also is that number or word. In quotes
  it is a text only. `is_not` means another value: a run that has none there does not match.
- `contains`: a text that holds the letters, in upper or lower case; a list with an item that `is` the value.
- `gt`, `lt`: numbers among numbers, days (2026-12-31) among texts that begin with a day. Anything else does not match.
- `exists`: any value but null.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.core.digits import ascii_digits
from portal.workflows.definition import KEY

OPERATORS = ("is", "is_not", "contains", "gt", "lt", "exists")
ROOTS = ("input", "output", "steps")
LONGEST_PATH, LONGEST_VALUE, DEEPEST = 200, 200, 12
PART = re.compile(r'\.(?P<name>[^\s.\[\]"]+)|\[(?P<number>\d{1,6})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')
WRITTEN = re.compile(rf"(?P<op>{'|'.join(OPERATORS)})(?: (?P<value>.*))?\Z", re.DOTALL)
NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?\Z")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
WORDS = {"true": True, "false": False, "null": None}


class Refused(ValueError):
    """The condition cannot be read: `.field` is path, op or value, `.reason` a code."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Args:
        root: `input`, `output` (of the run), `step_input` or `step_output`.
        step: the step's key; "" for the run's own values.
        parts: the way from there: names of fields and numbers of items.
        written: the path as it was written.
    """

    root: str
    step: str
    parts: tuple[str | int, ...]
    op: str
    value: str
    written: str

    def __str__(self) -> str:
        return f"{self.written} {self.op}" + (f" {self.value}" if self.op != "exists" else "")

    @property
    def text(self) -> str:
        """The value as a text: without the quotes that say that it is one."""
        return _quoted(self.value) if _is_quoted(self.value) else self.value

    @property
    def number(self) -> Decimal | None:
        """The value as a number, if it reads as one."""
        return None if _is_quoted(self.value) else _number(self.value)

    @property
    def word(self) -> tuple[Any] | None:
        """The value as true, false or null in a tuple of one; None if it is none of them."""
        return (WORDS[self.value],) if self.value in WORDS else None

    @property
    def day(self) -> str | None:
        """The value as a day, if it is written as one."""
        plain = ascii_digits(self.text)
        return plain if DAY.match(plain) else None


def read(text: str) -> Condition:
    """Read a condition as an address has it.

    Raises:
        Refused: it is not one.
    """
    end = _path_end(text)
    rest = WRITTEN.match(text[end:].lstrip()) if text[end : end + 1].isspace() else None
    if rest is None:
        _path(text[:end] if end else text)
        raise Refused("op", "unknown")
    return made(text[:end], rest["op"], rest["value"] or "")


def made(path: str, op: str, value: str) -> Condition:
    """Return the condition that a form's three fields mean.

    Raises:
        Refused: one of them is wrong.
    """
    path, value = path.strip(), value.strip()
    root, step, parts = _path(path)
    if op not in OPERATORS:
        raise Refused("op", "unknown")
    if op == "exists":
        return Condition(root, step, parts, op, "", path)
    if not value:
        raise Refused("value", "empty")
    if len(value) > LONGEST_VALUE or not all(each.isprintable() for each in value):
        raise Refused("value", "long")
    found = Condition(root, step, parts, op, value, path)
    if op in ("gt", "lt") and found.number is None and found.day is None:
        raise Refused("value", "unordered")
    return found


def _path(path: str) -> tuple[str, str, tuple[str | int, ...]]:
    if not path:
        raise Refused("path", "empty")
    if len(path) > LONGEST_PATH:
        raise Refused("path", "long")
    root = path.partition(".")[0].partition("[")[0]
    if root not in ROOTS:
        raise Refused("path", "root")
    parts = _parts(path[len(root) :])
    if root != "steps":
        return root, "", parts
    if not parts or not isinstance(parts[0], str) or not KEY.match(parts[0]):
        raise Refused("path", "step")
    step, rest = parts[0], parts[1:]
    if rest[:1] == ("input",):
        return "step_input", step, rest[1:]
    return "step_output", step, rest[1:] if rest[:1] == ("output",) else rest


def _parts(text: str) -> tuple[str | int, ...]:
    found: list[str | int] = []
    place = 0
    while place < len(text):
        part = PART.match(text, place)
        if part is None:
            raise Refused("path", "syntax")
        found.append(int(part["number"]) if part["number"] else _quoted(part["quoted"]) if part["quoted"] else part["name"])
        place = part.end()
    if len(found) > DEEPEST:
        raise Refused("path", "long")
    if any(isinstance(each, str) and (each.startswith("$") or not each.isprintable()) for each in found):
        raise Refused("path", "syntax")  # marks of the house, behind which nobody looks
    return tuple(found)


def _path_end(text: str) -> int:
    """Return where the path of a written condition ends: at the first space outside of quotes."""
    is_quoted = False
    place = 0
    while place < len(text):
        if is_quoted and text[place] == "\\":
            place += 1
        elif text[place] == '"':
            is_quoted = not is_quoted
        elif text[place].isspace() and not is_quoted:
            return place
        place += 1
    return len(text)


def _quoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        raise Refused("path", "syntax") from None


def _is_quoted(text: str) -> bool:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return False
    try:
        return isinstance(json.loads(text), str)
    except ValueError:
        return False


def _number(text: str) -> Decimal | None:
    plain = ascii_digits(text)
    return Decimal(plain) if NUMBER.match(plain) else None

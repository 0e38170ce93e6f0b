"""How much work an expression can be, at most, before it is worked out. Pure.

CEL's own budget counts turns of loops, not bytes: `map` copies its list at each turn, `["a"].map(x, x + x + x + x)` written
twelve times asks for gigabytes, and one regular expression may run for minutes. A worker serves all tenants, so each
expression is judged first: an upper bound from its tree and from the real size of what it reads. One unit is about a byte
copied, or a nanosecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.cel.tree import Call, Collection, Const, Fold, Ident, Path, Select, Tree, path_of

MAX_COST = 64 * 1024 * 1024
MAX_DEPTH = 64
TURNS = 10_000  # CEL's own budget: it stops at the next turn, so no part of an expression is worked out more often
NODE = 64  # what one value weighs beside its text
SLOT = 32  # what one place in a list weighs
FORMATTED = 1_400  # the longest that `format` writes a number: 309 digits before the point, 1,000 after it
PATTERN_STEP = 100
INT64 = range(-(2**63), 2**63)
MAX_REPEATS = 1_000
REPEATS = re.compile(r"\{(\d+)(?:,(\d*))?\}")


class TooMuch(Exception):
    """The expression might take more than the limit."""


class TooDeep(Exception):
    """A value holds values inside values without end."""


class Foreign(ValueError):
    """CEL cannot take the value as it is: a whole number beyond 64 bits, half a character, or no JSON."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value can be at most: bytes in all, bytes if it is a text, places if it is a list or map, and what stands in them."""

    total: int = NODE
    text: int = 0
    count: int = 0
    child: Shape | None = None

    def inside(self) -> Shape:
        return self.child or SCALAR


SCALAR = Shape()


def text_shape(size: int) -> Shape:
    """Return the shape of a text of that many bytes."""
    return Shape(NODE + size, size)


def shape_of_const(literal: Const) -> Shape:
    """Measure a literal."""
    value = literal.value.encode() if isinstance(literal.value, str) else literal.value
    return text_shape(len(value)) if isinstance(value, bytes) else SCALAR


def either(one: Shape, other: Shape) -> Shape:
    """Return a shape that holds for both."""
    return Shape(max(one.total, other.total), max(one.text, other.text), max(one.count, other.count), _either_child(one.child, other.child))


def _either_child(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None or one is other:
        return one or other
    return either(one, other)


def shape_of(value: Any, depth: int = 0) -> Shape:
    """Measure a JSON value.

    Raises:
        TooDeep: more than 64 values inside each other; CEL reads such a value until its stack ends, and the process with it.
        ValueError: CEL cannot take it; see `made_fit`.
    """
    if isinstance(value, str):
        return text_shape(len(value) if value.isascii() else len(value.encode()))
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and value in INT64):
        return SCALAR
    if not isinstance(value, dict | list):
        raise Foreign
    if depth > MAX_DEPTH:
        raise TooDeep
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    total, child = NODE, None
    for part in parts:
        shape = shape_of(part, depth + 1)
        total += shape.total + SLOT
        child = _either_child(child, shape)
    return Shape(total, 0, len(value), child)


def made_fit(value: Any) -> Any:
    """Return a copy that CEL can take: whole numbers beyond 64 bits as text, so that no digit is lost.

    Raises:
        TypeError: something in it is no JSON.
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {made_fit(str(key)): made_fit(part) for key, part in value.items()}
    if isinstance(value, list):
        return [made_fit(part) for part in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if value in INT64 else str(value)
    raise TypeError(type(value).__name__)


def check_cost(tree: Tree, known: Mapping[Path, Shape]) -> None:
    """Refuse an expression that might take too much.

    Args:
        known: the shape of every path that `reads(tree)` names; a path without a shape is missing, and worth an error.

    Raises:
        TooMuch: it might.
    """
    bill = _Bill(known)
    bill.add(bill.shape(tree, {}, 1).total, 1)


class _Bill:
    """The sum so far."""

    def __init__(self, known: Mapping[Path, Shape]) -> None:
        self._known = known
        self._sum = 0

    def add(self, units: int, times: int) -> None:
        self._sum += units * times
        if self._sum > MAX_COST:
            raise TooMuch

    def shape(self, tree: Tree, local: Mapping[str, Shape], times: int) -> Shape:
        """Return what a part can be, and add what it takes to work it out so many times."""
        self.add(NODE, times)
        path = path_of(tree, frozenset(local))
        if path is not None:
            found = self._known.get(path, SCALAR)
            self.add(found.text, times)
            return found
        if isinstance(tree, Const):
            return shape_of_const(tree)
        if isinstance(tree, Ident):
            return local.get(tree.name, SCALAR)
        if isinstance(tree, Select):
            found = self.shape(tree.operand, local, times).inside()
            self.add(found.text, times)
            return SCALAR if tree.tests else found
        if isinstance(tree, Collection):
            return self._collection(tree, local, times)
        if isinstance(tree, Fold):
            return self._fold(tree, local, times)
        return self._call(tree, local, times)

    def _collection(self, tree: Collection, local: Mapping[str, Shape], times: int) -> Shape:
        total, child = NODE, None
        for item in tree.items:
            shape = self.shape(item, local, times)
            total += shape.total + SLOT
            child = _either_child(child, shape)
        self.add(SLOT * len(tree.items), times)
        return Shape(total, 0, len(tree.items), child)

    def _fold(self, tree: Fold, local: Mapping[str, Shape], times: int) -> Shape:
        over = self.shape(tree.over, local, times)
        start = self.shape(tree.start, local, times)
        turns = min(over.count, TURNS)
        inside = {**local, tree.variable: over.inside(), tree.carried: start}
        often = min(times * max(turns, 1), TURNS)
        self.shape(tree.condition, inside, often)
        step = self.shape(tree.step, inside, often)
        # Macros carry a truth, a number or a list that gets at most one value more at each turn, and copy it to do so.
        gained, more = max(step.total - start.total, 0), max(step.count - start.count, 0)
        self.add(SLOT * more * turns * turns // 2, times)
        carried = Shape(start.total + gained * turns, step.text, start.count + more * turns, _either_child(start.child, step.child))
        return self.shape(tree.result, {**local, tree.carried: carried}, times)

    def _call(self, tree: Call, local: Mapping[str, Shape], times: int) -> Shape:
        given = [self.shape(each, local, times) for each in tree.arguments]
        if tree.function == "matches":
            self._matches(tree, given, times)
            return SCALAR
        if tree.function in ("_==_", "_!=_", "@in"):
            self.add(sum(each.total for each in given), times)
            return SCALAR
        if tree.function == "_[_]":
            self.add(given[0].inside().text, times)
            return given[0].inside()
        if tree.function == "_?_:_":
            return either(given[1], given[2])
        made = _GROWTH.get(tree.function, _no_larger)(tree, given)
        self.add(made.text + SLOT * made.count + (0 if made.child is None else made.child.text), times)
        return made

    def _matches(self, tree: Call, given: list[Shape], times: int) -> None:
        """RE2 needs no more than text × pattern, but a pattern with repeats is as long as it is unrolled."""
        text, pattern = given[0].text, given[1].text
        steps = max(pattern, 1) * _repeats(tree.arguments[1])
        self.add(steps * PATTERN_STEP + steps * text, times)


def _repeats(pattern: Tree) -> int:
    """How often the longest part of a pattern is unrolled; RE2 refuses more than 1,000."""
    if not (isinstance(pattern, Const) and isinstance(pattern.value, str)):
        return MAX_REPEATS
    product = 1
    for least, most in REPEATS.findall(pattern.value):
        product = min(product * max(int(least), int(most or 0), 1), MAX_REPEATS)
    return product


def _no_larger(_tree: Call, given: list[Shape]) -> Shape:
    """Everything else gives a number, a truth, or a text no longer than what went in."""
    return text_shape(sum(each.text for each in given) + NODE) if any(each.text for each in given) else SCALAR


def _plus(_tree: Call, given: list[Shape]) -> Shape:
    one, other = given[0], given[-1]
    return Shape(one.total + other.total, one.text + other.text, one.count + other.count, _either_child(one.child, other.child))


def _replace(tree: Call, given: list[Shape]) -> Shape:
    text, new = given[0].text, given[2].text
    found = text // max(_length(tree.arguments[1]), 1) + 1
    return text_shape(text + found * new)


def _split(tree: Call, given: list[Shape]) -> Shape:
    count = given[0].text // max(_length(tree.arguments[1]), 1) + 1
    return Shape(NODE + given[0].text + count * (NODE + SLOT), 0, count, text_shape(given[0].text))


def _join(_tree: Call, given: list[Shape]) -> Shape:
    between = given[1].text if len(given) > 1 else 0
    return text_shape(given[0].total + given[0].count * between)


def _format(_tree: Call, given: list[Shape]) -> Shape:
    return text_shape(given[0].text + 6 * given[1].total + FORMATTED * given[1].count)


def _quote(_tree: Call, given: list[Shape]) -> Shape:
    return text_shape(NODE + 6 * given[0].text)


def _length(tree: Tree) -> int:
    return len(tree.value.encode()) if isinstance(tree, Const) and isinstance(tree.value, str) else 0


_GROWTH: dict[str, Callable[[Call, list[Shape]], Shape]] = {
    "_+_": _plus,
    "replace": _replace,
    "split": _split,
    "join": _join,
    "format": _format,
    "strings.quote": _quote,
}

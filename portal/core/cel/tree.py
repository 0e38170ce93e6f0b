"""The syntax tree of a compiled CEL expression, read from what the compiler writes down. Pure.

`cel_expr_python` shows no tree, but `Expression.serialize()` is Google's published `cel.expr.CheckedExpr` in protobuf's wire
format, which needs no more than numbers, lengths and bytes. The tree answers two questions that text search cannot: which
values an expression reads, and how much its result can grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Const:
    """A literal; only text, bytes and whole numbers keep their value."""

    value: str | bytes | int | None


@dataclass(frozen=True, slots=True)
class Ident:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`; `tests` when it stands in `has()`."""

    operand: Tree
    field: str
    tests: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator; the value before the dot is the first argument."""

    function: str
    arguments: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A list or map literal with all that stands in it."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """A loop: what `map`, `filter`, `all`, `exists` and `exists_one` become."""

    over: Tree
    variable: str
    carried: str
    start: Tree
    condition: Tree
    step: Tree
    result: Tree


Tree = Const | Ident | Select | Call | Collection | Fold


def read_tree(serialized: bytes) -> Tree:
    """Read `Expression.serialize()`.

    Raises:
        ValueError: it is not a checked expression.
    """
    try:
        checked = _one(serialized, 2)  # google.protobuf.Any: 1 is the type's name, 2 the message
        return _expr(_one(checked, 4))
    except (IndexError, KeyError) as broken:
        raise ValueError("not a checked expression") from broken


def reads(tree: Tree) -> set[Path]:
    """Return the variables that a tree reads, each as far as its path is known before the run."""
    found: set[Path] = set()
    _collect(tree, frozenset(), found)
    return found


def path_of(tree: Tree, hidden: frozenset[str] = frozenset()) -> Path | None:
    """Return `("input", "days")` for `input.days` and `input["days"]`; None for anything else."""
    if isinstance(tree, Ident):
        return None if tree.name in hidden else (tree.name,)
    if isinstance(tree, Select):
        before = path_of(tree.operand, hidden)
        return (*before, tree.field) if before else None
    if isinstance(tree, Call) and tree.function == "_[_]":
        operand, index = tree.arguments
        before = path_of(operand, hidden)
        if before and isinstance(index, Const) and isinstance(index.value, str):
            return (*before, index.value)
    return None


def _collect(tree: Tree, hidden: frozenset[str], found: set[Path]) -> None:
    path = path_of(tree, hidden)
    if path is not None:
        found.add(path)
        return
    if isinstance(tree, Select):
        _collect(tree.operand, hidden, found)
    elif isinstance(tree, Call):
        for each in tree.arguments:
            _collect(each, hidden, found)
    elif isinstance(tree, Collection):
        for each in tree.items:
            _collect(each, hidden, found)
    elif isinstance(tree, Fold):
        _collect(tree.over, hidden, found)
        _collect(tree.start, hidden, found)
        inside = hidden | {tree.variable, tree.carried}
        for each in (tree.condition, tree.step):
            _collect(each, inside, found)
        _collect(tree.result, hidden | {tree.carried}, found)


def _expr(message: bytes) -> Tree:
    kind, content = next((number, value) for number, value in _fields(message) if 3 <= number <= 9)
    if not isinstance(content, bytes):
        raise ValueError("not a checked expression")
    return _READ[kind](content)


def _const(message: bytes) -> Tree:
    for number, value in _fields(message):
        if number == 3 and isinstance(value, int):
            return Const(value - 2**64 if value >= 2**63 else value)
        if number == 6 and isinstance(value, bytes):
            return Const(value.decode("utf-8", "replace"))
        if number == 7:
            return Const(value)
    return Const(None)


def _ident(message: bytes) -> Tree:
    return Ident(_text(message, 1))


def _select(message: bytes) -> Tree:
    return Select(_expr(_one(message, 1)), _text(message, 2), any(number == 3 and value for number, value in _fields(message)))


def _call(message: bytes) -> Tree:
    target = [_expr(value) for value in _all(message, 1)]
    return Call(_text(message, 2), (*target, *(_expr(value) for value in _all(message, 3))))


def _list(message: bytes) -> Tree:
    return Collection(tuple(_expr(value) for value in _all(message, 1)))


def _struct(message: bytes) -> Tree:
    items: list[Tree] = []
    for entry in _all(message, 2):
        items += [_expr(value) for number in (3, 4) for value in _all(entry, number)]
    return Collection(tuple(items))


def _fold(message: bytes) -> Tree:
    over, start, condition, step, result = (_expr(_one(message, number)) for number in (2, 4, 5, 6, 7))
    return Fold(over, _text(message, 1), _text(message, 3), start, condition, step, result)


_READ = {3: _const, 4: _ident, 5: _select, 6: _call, 7: _list, 8: _struct, 9: _fold}


def _text(message: bytes, number: int) -> str:
    return _one(message, number).decode()


def _one(message: bytes, number: int) -> bytes:
    return _all(message, number)[-1]


def _all(message: bytes, number: int) -> list[bytes]:
    return [value for found, value in _fields(message) if found == number and isinstance(value, bytes)]


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Read protobuf's wire format: number and value of each field."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, place = _varint(message, place)
            yield number, value
        elif wire == 2:
            length, place = _varint(message, place)
            yield number, message[place : place + length]
            place += length
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
            yield number, message[place : place + length]
            place += length
        else:
            raise ValueError("not a checked expression")


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place

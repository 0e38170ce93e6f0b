"""A value of a run as a tree to be unfolded, each part with the path by which expressions and filters name it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST = 200  # parts that are shown of one value
LONGEST = 500  # characters of a text
DEEPEST = 12
SMALL = 25
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """One field or item.

    Args:
        kind: text, number, boolean, null, object or list.
        text: a plain value as it is read; how many parts a container has.
        place: which part of which part it is, as an id that stays the same.
    """

    name: str
    path: str
    kind: str
    text: str
    place: str
    parts: tuple[Part, ...] = ()
    is_cut: bool = False

    @property
    def is_container(self) -> bool:
        return self.kind in ("object", "list")


@dataclass(frozen=True, slots=True)
class Tree:
    """The parts of a value; `is_cut` when there are more than are shown."""

    root: Part
    is_cut: bool
    is_small: bool  # all of it can stand unfolded


def grow(value: Any, path: str) -> Tree:
    """Return a value as a tree.

    Args:
        path: what the whole value is called in expressions, e.g. `steps.first`.
    """
    budget = [MOST]
    root = _part("", path, value, budget, "0")
    return Tree(root, budget[0] <= 0, budget[0] >= MOST - SMALL)


def below(path: str, name: str | int) -> str:
    """Return the path of a part of what has a path: `.name`, `["odd name"]`, `[3]`."""
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if PLAIN.match(name) else f"{path}[{json.dumps(name, ensure_ascii=False)}]"


def _part(name: str, path: str, value: Any, budget: list[int], place: str) -> Part:
    budget[0] -= 1
    if isinstance(value, dict | list):
        kind, items = ("object", value.items()) if isinstance(value, dict) else ("list", enumerate(value))
        parts = tuple(_parts(path, items, budget, place))
        return Part(name, path, kind, str(len(value)), place, parts, is_cut=len(parts) < len(value))
    kind = "null" if value is None else "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "text"
    text = value if kind == "text" else json.dumps(value)
    return Part(name, path, kind, text if len(text) <= LONGEST else f"{text[:LONGEST]}…", place, is_cut=len(text) > LONGEST)


def _parts(path: str, items: Iterable[tuple[Any, Any]], budget: list[int], place: str) -> Iterable[Part]:
    if place.count("-") >= DEEPEST:
        budget[0] = 0
    for number, (name, value) in enumerate(items):
        if budget[0] <= 0:
            return
        yield _part(str(name), below(path, name), value, budget, f"{place}-{number}")

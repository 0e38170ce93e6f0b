"""Edits of several steps at once: they move, go and are copied together, with everything in their lanes. Pure.

Of a step and one inside it only the outer one counts: the inner one goes wherever the outer one goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from portal.core.errors import NotFound
from portal.workflows import expressions
from portal.workflows.definition import Field, Node, as_template
from portal.workflows.designer import edits
from portal.workflows.designer.edits import Line, Place

NUMBERED = re.compile(r"\s+\d+\Z")
BARE = ("expression", "item")
TEXTS = ("text", "long_text", "number", "duration", "datetime")


def tops(nodes: list[Node], keys: Iterable[str]) -> list[Node]:
    """Return the chosen steps in reading order, without those that stand inside another chosen one.

    Raises:
        NotFound: one of them is not there, or none is chosen.
    """
    wanted = set(keys)
    parents = {node["key"]: node.get("parent") for node in nodes}
    if not wanted or not wanted <= parents.keys():
        raise NotFound
    return [node for node in nodes if node["key"] in wanted and not _is_inside(node["key"], wanted, parents)]


def part_of(nodes: list[Node], keys: Iterable[str]) -> list[Node]:
    """Return the chosen steps with everything in their lanes, in reading order: those on top stand nowhere.

    Raises:
        NotFound: as `tops`.
    """
    on_top = {node["key"] for node in tops(nodes, keys)}
    parents = {node["key"]: node.get("parent") for node in nodes}
    held = [node for node in nodes if node["key"] in on_top or _is_inside(node["key"], on_top, parents)]
    return [{**node, "parent": None, "lane": None} if node["key"] in on_top else node for node in held]


def move(nodes: list[Node], keys: Iterable[str], place: Place) -> list[Node]:
    """Put steps at another place, one behind the other in their reading order.

    Raises:
        NotFound: one of them is not there, or the place is not there (or inside one of them).
    """
    moving = tops(nodes, keys)
    return _moved(nodes, moving, _settled(nodes, moving, place))


def shift(nodes: list[Node], keys: Iterable[str], by: int) -> list[Node]:
    """Move steps together one place up (-1) or down (1), counted from the first of them; at the end they stay.

    Raises:
        NotFound: one of them is not there.
    """
    moving = tops(nodes, keys)
    free = list(edits.places_in(without(nodes, moving)))
    position = free.index(edits.place_of(nodes, moving[0]["key"])) + by
    return _moved(nodes, moving, free[position]) if 0 <= position < len(free) else nodes


def delete(nodes: list[Node], keys: Iterable[str]) -> list[Node]:
    """Take steps away.

    Raises:
        NotFound: one of them is not there.
    """
    return list(edits.flat(without(nodes, tops(nodes, keys))))


def beside(nodes: list[Node], keys: Iterable[str]) -> str | None:
    """Return the step that takes the focus when these go."""
    going = {node["key"] for node in part_of(nodes, keys)}
    order = [node["key"] for node in nodes]
    last = max(order.index(key) for key in going)
    left = [key for key in [*order[last + 1 :], *reversed(order[:last])] if key not in going]
    return left[0] if left else None


def duplicate(nodes: list[Node], keys: Iterable[str], kinds: Mapping[str, tuple[Field, ...]]) -> tuple[list[Node], list[str]]:
    """Put a copy of steps behind the last of them; return the flow and the keys of the copies on top.

    Raises:
        NotFound: one of them is not there.
    """
    last = tops(nodes, keys := list(keys))[-1]
    return paste(nodes, part_of(nodes, keys), Place(last.get("parent"), last.get("lane"), last["key"]), kinds)


def paste(nodes: list[Node], part: list[Node], place: Place, kinds: Mapping[str, tuple[Field, ...]]) -> tuple[list[Node], list[str]]:
    """Put a copied part at a place under new keys; return the flow and the keys of the steps on top.

    What the steps of the part say of each other is said of the copies; what they say of steps outside stays, and the check names it
    where no such step is before them.

    Raises:
        NotFound: there is no such place.
    """
    new: dict[str, str] = {}
    every = list(nodes)
    for node in part:
        new[node["key"]] = edits.new_key(every, node["key"] if node["key"] not in {each["key"] for each in every} else node["kind"])
        every.append({"key": new[node["key"]]})
    names = {(node.get("name"), node.get("name_ar")) for node in nodes}
    made = []
    for node in part:
        parent = new.get(node.get("parent") or "")
        renamed = {**node, "key": new[node["key"]], "parent": parent, "lane": node.get("lane") if parent else None}
        made.append(_renumbered({**renamed, "config": _renamed(node, new, kinds.get(node["kind"], ()))}, names))
        names.add((made[-1].get("name"), made[-1].get("name_ar")))
    lines = edits.lines_of(made)
    on_top = [node for node in made if not node.get("parent")]
    grown = edits.lines_of(nodes)
    for line, members in lines.items():
        if line != edits.MAIN:
            grown[line] = members
    after = place
    for node in on_top:
        edits.put(grown, node, after)
        after = Place(place.parent, place.lane, node["key"])
    return list(edits.flat(grown)), [node["key"] for node in on_top]


def without(nodes: list[Node], gone: list[Node]) -> dict[Line, list[Node]]:
    """Return the lines of a flow with steps unhooked: they and their lanes are no longer reached from the main line."""
    lines = edits.lines_of(nodes)
    keys = {node["key"] for node in gone}
    return {line: [node for node in members if node["key"] not in keys] for line, members in lines.items()}


def _is_inside(key: str, holders: set[str], parents: Mapping[str, Any]) -> bool:
    passed: set[str] = set()
    around = parents.get(key)
    while around and around not in passed:
        if around in holders:
            return True
        passed.add(around)
        around = parents.get(around)
    return False


def _settled(nodes: list[Node], moving: list[Node], place: Place) -> Place:
    """Return a place as it is once the chosen steps are away: behind one of them is behind the last that stays before it."""
    keys = {node["key"] for node in moving}
    while place.after in keys:
        before = edits.place_of(nodes, str(place.after))
        if before.line != place.line:
            raise NotFound
        place = before
    return place


def _moved(nodes: list[Node], moving: list[Node], place: Place) -> list[Node]:
    lines = without(nodes, moving)
    for node in moving:
        edits.put(lines, node, place)
        place = Place(place.parent, place.lane, node["key"])
    return list(edits.flat(lines))


def _renumbered(node: Node, taken: set[Any]) -> Node:
    """Give a copy a name that no step has yet: “E-mail 2”, with the same number in both languages."""
    names = {name: NUMBERED.sub("", node[name]) for name in ("name", "name_ar") if node.get(name)}
    if (node.get("name"), node.get("name_ar")) not in taken or not names:
        return node
    for number in range(2, len(taken) + 3):
        numbered = {name: f"{words} {number}" for name, words in names.items()}
        if (numbered.get("name", node.get("name")), numbered.get("name_ar", node.get("name_ar"))) not in taken:
            break
    return {**node, **numbered}


def _renamed(node: Node, new: Mapping[str, str], fields: tuple[Field, ...]) -> dict[str, Any]:
    config = dict(node.get("config") or {})
    for field in fields:
        if field.name in config:
            config[field.name] = _renamed_value(field.type, config[field.name], new)
    return config


def _renamed_value(type_: str, value: Any, new: Mapping[str, str]) -> Any:
    if type_ == "step":
        return new.get(value, value) if isinstance(value, str) else value
    if isinstance(value, str) and type_ in BARE:
        return _renamed_expression(value, new)
    if isinstance(value, str) and type_ in TEXTS:
        return expressions.rename_steps(value, new)
    if isinstance(value, list) and type_ in ("pairs", "cases", "item_pairs"):
        change = expressions.rename_steps if type_ == "pairs" else _renamed_expression
        return [{**pair, "value": change(pair["value"], new)} if isinstance(pair.get("value"), str) else pair for pair in value]
    return value


def _renamed_expression(text: str, new: Mapping[str, str]) -> str:
    if as_template(text) == text.strip():
        return expressions.rename_steps(text, new)
    return expressions.rename_steps(text, new, is_bare=True)

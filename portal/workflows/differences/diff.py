"""What differs between two definitions: steps added, removed, changed (field by field) and moved; inputs; the other settings. Pure.

A step is the same step in both when it has the same key. A step has moved when it stands in another lane, or when it and another
step that both definitions have in that lane changed places: of those, as few as possible count as moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.workflows.definition import Node, Settings

Path = tuple[str, ...]
PLACE = ("parent", "lane")
OPENED = ("config", "retry")  # compared setting by setting


class _Absent:
    """The value of a field that is not there; None is a value."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent()
EMPTY: tuple[Any, ...] = (ABSENT, None, "", [], {}, (), False)


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; ABSENT for the side that does not have it."""

    path: Path
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Changed:
    """A step (or an input) that both have, with what differs."""

    key: str
    old: dict[str, Any]
    new: dict[str, Any]
    changes: tuple[Change, ...]
    is_moved: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs, in the reading order of the newer side (`removed`: of the older one)."""

    added: tuple[Node, ...]
    removed: tuple[Node, ...]
    changed: tuple[Changed, ...]
    moved: tuple[Changed, ...]
    inputs_added: tuple[dict[str, Any], ...]
    inputs_removed: tuple[dict[str, Any], ...]
    inputs_changed: tuple[Changed, ...]
    settings: tuple[Change, ...]
    order: tuple[str, ...] = ()
    inputs_order: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(
            self.added or self.removed or self.changed or self.moved
            or self.inputs_added or self.inputs_removed or self.inputs_changed or self.settings
        )  # fmt: skip


def compare(old: tuple[list[Node], Settings], new: tuple[list[Node], Settings]) -> Difference:
    """Say what turns one definition (nodes, settings) into another one."""
    (old_nodes, old_settings), (new_nodes, new_settings) = old, new
    before, after = _by_key(old_nodes), _by_key(new_nodes)
    moved_keys = _moved(old_nodes, new_nodes)
    changed, moved = [], []
    for key, node in after.items():
        if key not in before:
            continue
        changes = tuple(_changes(before[key], node, without=("key", *PLACE)))
        each = Changed(key, before[key], node, changes, key in moved_keys)
        if changes:
            changed.append(each)
        if each.is_moved:
            moved.append(each)
    old_inputs, new_inputs = (_by_key(settings.get("inputs") or []) for settings in (old_settings, new_settings))
    common = [key for key in new_inputs if key in old_inputs]
    settings = list(_changes(old_settings, new_settings, without=("inputs",), opened=()))
    if common != [key for key in old_inputs if key in new_inputs]:
        settings.append(Change(("inputs",), list(old_inputs), list(new_inputs)))
    return Difference(
        added=tuple(node for key, node in after.items() if key not in before),
        removed=tuple(node for key, node in before.items() if key not in after),
        changed=tuple(changed),
        moved=tuple(moved),
        inputs_added=tuple(each for key, each in new_inputs.items() if key not in old_inputs),
        inputs_removed=tuple(each for key, each in old_inputs.items() if key not in new_inputs),
        inputs_changed=tuple(
            Changed(key, old_inputs[key], new_inputs[key], found)
            for key in common
            if (found := tuple(_changes(old_inputs[key], new_inputs[key], without=("key",), opened=())))
        ),
        settings=tuple(settings),
        order=tuple(after),
        inputs_order=tuple(new_inputs),
    )


def apply(definition: tuple[list[Node], Settings], difference: Difference) -> tuple[list[Node], Settings]:
    """Make the newer definition from the older one and what differs: `apply(a, compare(a, b)) == b`."""
    nodes, settings = definition
    steps = {**_by_key(nodes), **_by_key(difference.added)}
    for each in difference.moved:
        steps[each.key] = {**steps[each.key], **{name: each.new[name] for name in PLACE if name in each.new}}
    for each in difference.changed:
        steps[each.key] = _changed(steps[each.key], each.changes)
    inputs = {**_by_key(settings.get("inputs") or []), **_by_key(difference.inputs_added)}
    for each in difference.inputs_changed:
        inputs[each.key] = _changed(inputs[each.key], each.changes)
    made = _changed(settings, [change for change in difference.settings if change.path != ("inputs",)])
    if "inputs" in made or difference.inputs_order:
        made["inputs"] = [inputs[key] for key in difference.inputs_order]
    return [steps[key] for key in difference.order], made


def changes_of(old: Mapping[str, Any], new: Mapping[str, Any], *, opened: tuple[str, ...] = OPENED) -> tuple[Change, ...]:
    """Say what differs between two steps, or two settings of a start; `opened` are compared setting by setting.

    A field that one side does not have and the other has empty is no difference: forms send empty fields too.
    """
    return tuple(
        each for each in _changes(old, new, without=("key", *PLACE), opened=opened) if each.old not in EMPTY or each.new not in EMPTY
    )


def with_changes(node: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Return a step with changes made to it; what they do not name stays as it is there."""
    opened = {name: dict(node.get(name) or {}) for name in OPENED if any(change.path[0] == name for change in changes)}
    return _changed({**node, **opened}, changes)


def _by_key(items: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["key"]: each for each in items}


def _changes(
    old: Mapping[str, Any], new: Mapping[str, Any], *, without: tuple[str, ...], opened: tuple[str, ...] = OPENED
) -> Iterable[Change]:
    for name in dict.fromkeys((*new, *old)):
        was, now = old.get(name, ABSENT), new.get(name, ABSENT)
        if name in without or was == now:
            continue
        if name in opened and isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from (Change((name, *change.path), change.old, change.new) for change in _changes(was, now, without=(), opened=()))
        else:
            yield Change((name,), was, now)


def _changed(old: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    made = dict(old)
    for change in changes:
        holder = made
        for name in change.path[:-1]:
            holder[name] = holder = dict(holder[name])
        if change.new is ABSENT:
            holder.pop(change.path[-1], None)
        else:
            holder[change.path[-1]] = change.new
    return made


def _moved(old: list[Node], new: list[Node]) -> set[str]:
    places = {node["key"]: (tuple(node.get(name) for name in PLACE), number) for number, node in enumerate(old)}
    lines: dict[Any, list[str]] = {}
    found = set()
    for node in new:
        key, line = node["key"], tuple(node.get(name) for name in PLACE)
        if key not in places:
            continue
        if places[key][0] != line:
            found.add(key)
        else:
            lines.setdefault(line, []).append(key)
    for keys in lines.values():
        found |= set(keys) - _longest_in_order(keys, {key: places[key][1] for key in keys})
    return found


def _longest_in_order(keys: list[str], rank: Mapping[str, int]) -> set[str]:
    """Return the longest part of a line that kept its order."""
    tails: list[int] = []
    ends: list[str] = []
    before: dict[str, str | None] = {}
    for key in keys:
        place = bisect_left(tails, rank[key])
        before[key] = ends[place - 1] if place else None
        tails[place : place + 1], ends[place : place + 1] = [rank[key]], [key]
    kept: set[str] = set()
    last = ends[-1] if ends else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return kept

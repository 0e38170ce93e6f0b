"""Differences in the reader's words: fields by their labels, values as short texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.registry import ACTIONS, FIELDS
from portal.workflows.differences.diff import ABSENT, Change, Changed, Difference, Path

LONGEST = 2_000
OWN: dict[Path, Any] = {
    ("name",): _l("Name"),
    ("name_ar",): _l("Name in Arabic"),
    ("kind",): _l("Kind of step"),
    ("timeout_s",): _l("Time limit in seconds"),
    ("on_error",): _l("When it fails"),
    ("undo",): _l("Undo lane"),
    ("note",): _l("Note"),
    ("sensitive",): _l("Sensitive values"),
    ("retry", "attempts"): _l("Attempts"),
    ("retry", "on"): _l("Tried again after"),
    ("deadline_s",): _l("Time limit in seconds"),
    ("error_workflow",): _l("Workflow that deals with failures"),
    ("inputs",): _l("Order of the inputs"),
    ("label",): _l("Label"),
    ("label_ar",): _l("Label in Arabic"),
    ("type",): _l("Type"),
    ("required",): _l("Required"),
    ("choices",): _l("Choices"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One field that differs; None for the side that has nothing there."""

    label: Any
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class StepLines:
    """A step in a difference, with what differs of it."""

    node: Mapping[str, Any]
    label: Any
    what: str  # added, removed, changed or moved
    lines: tuple[Line, ...] = ()
    is_moved: bool = False


def steps_of(found: Difference) -> list[StepLines]:
    """Return every step that differs, once: those of the newer side in its order, then what was removed."""
    shown = {node["key"]: StepLines(node, _kind(node), "added") for node in found.added}
    shown |= {each.key: StepLines(each.new, _kind(each.new), "moved", is_moved=True) for each in found.moved}
    shown |= {each.key: StepLines(each.new, _kind(each.new), "changed", lines_of(each), is_moved=each.is_moved) for each in found.changed}
    return [shown[key] for key in found.order if key in shown] + [StepLines(node, _kind(node), "removed") for node in found.removed]


def lines_of(changed: Changed) -> tuple[Line, ...]:
    """Return the fields of a step or an input that differ."""
    kind = changed.new.get("kind", "")
    return tuple(line_of(change, kind) for change in changed.changes)


def line_of(change: Change, kind: str) -> Line:
    """Return one field that differs, of a step of this kind; "" for the start."""
    return Line(_label(change.path, kind), short(change.old), short(change.new))


def settings_of(found: Difference) -> list[Line]:
    """Return the settings of the start that differ."""
    return [line_of(change, "") for change in found.settings]


def counts_of(found: Difference) -> dict[str, int]:
    """Return how many steps were added, removed, changed and moved."""
    steps = steps_of(found)
    counts = {what: sum(1 for each in steps if each.what == what) for what in ("added", "removed", "changed")}
    return {**counts, "moved": len(found.moved)}


def short(value: Any) -> str | None:
    """Write a value of a definition as a text of bounded length."""
    if value is ABSENT or value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list) and value and all(isinstance(each, Mapping) and set(each) == {"name", "value"} for each in value):
        text = "\n".join(f"{each['name']}: {each['value']}" for each in value)
    elif isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _label(path: Path, kind: str) -> Any:
    if path[0] == "config" and len(path) > 1:
        return next((field.label for field in FIELDS.get(kind, ()) if field.name == path[1]), path[1])
    return OWN.get(path, ".".join(path))


def _kind(node: Mapping[str, Any]) -> Any:
    return label_of(node.get("kind", ""))


def label_of(kind: str) -> Any:
    """Return what a kind of step is called."""
    return ACTIONS[kind].label if kind in ACTIONS else kind


def names_of(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return steps by key, to be named."""
    return {node["key"]: node for node in nodes}

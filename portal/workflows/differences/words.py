"""Differences in the reader's words: fields by their labels, values as short texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.registry import ACTIONS, FIELDS
from portal.workflows.definition import DEFAULT_ATTEMPTS, DEFAULT_TIMEOUT_S
from portal.workflows.differences.diff import ABSENT, EMPTY, OPENED, Change, Changed, Difference, Path, changes_of
from portal.workflows.engine.retry import DEFAULT_CLASSES

LONGEST = 2_000
ON_ERROR_LABELS = {
    "fail": _l("The run fails, or the step around it catches it"),
    "continue": _l("Go on as if nothing had happened"),
    "lane": _l("Go into an error lane"),
}
CLASS_LABELS = {
    "transient": _l("It may work a moment later (not reachable, busy)"),
    "timeout": _l("No answer in time"),
    "auth": _l("Access was refused"),
    "validation": _l("The values were not accepted"),
    "permanent": _l("Anything else"),
}
# What a step does that says nothing of it: whoever saves a form writes it down and has changed nothing.
USUAL: dict[Path, tuple[Any, ...]] = {
    ("on_error",): (ABSENT, "fail"),
    ("retry", "on"): (ABSENT, list(DEFAULT_CLASSES)),
    ("retry", "attempts"): (ABSENT, None, DEFAULT_ATTEMPTS),
    ("timeout_s",): (ABSENT, None, DEFAULT_TIMEOUT_S),
}
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
    ("retry", "base_s"): _l("First wait before trying again"),
    ("retry", "cap_s"): _l("Longest wait"),
    ("deadline_s",): _l("Time limit in seconds"),
    ("concurrency",): _l("Runs at once, at most"),
    ("priority",): _l("Urgency"),
    ("lane",): _l("Runs in the lane for bulk work"),
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
    shown = {node["key"]: StepLines(node, _kind(node), "added", _settings_of(node)) for node in found.added}
    shown |= {each.key: StepLines(each.new, _kind(each.new), "moved", is_moved=True) for each in found.moved}
    for each in found.changed:
        if lines := lines_of(each):
            shown[each.key] = StepLines(each.new, _kind(each.new), "changed", lines, is_moved=each.is_moved)
    return [shown[key] for key in found.order if key in shown] + [StepLines(node, _kind(node), "removed") for node in found.removed]


def _settings_of(node: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return what a new step is set to do: whoever approves it must see to whom it writes."""
    kind = str(node.get("kind", ""))
    changes = changes_of({"config": {}}, {"config": node.get("config") or {}})
    return tuple(line_of(change, kind) for change in changes if not _means_the_same(change))


def lines_of(changed: Changed) -> tuple[Line, ...]:
    """Return the fields of a step or an input that differ."""
    kind = changed.new.get("kind", "")
    return tuple(line_of(each, kind) for change in changed.changes for each in _opened(change) if not _means_the_same(each))


def _opened(change: Change) -> tuple[Change, ...]:
    """Take a group of settings that one side does not have at all apart, as the groups of both sides are."""
    if change.path[0] not in OPENED or len(change.path) > 1:
        return (change,)
    sides = ({change.path[0]: each if isinstance(each, Mapping) else {}} for each in (change.old, change.new))
    return changes_of(*sides)


def line_of(change: Change, kind: str) -> Line:
    """Return one field that differs, of a step of this kind; "" for the start."""
    return Line(_label(change.path, kind), _said(change.path, change.old, kind), _said(change.path, change.new, kind))


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


def _means_the_same(change: Change) -> bool:
    alike = USUAL.get(change.path, EMPTY)
    return change.old in alike and change.new in alike


def _said(path: Path, value: Any, kind: str) -> str | None:
    """Write a value in words where the form has words for it."""
    if path == ("kind",):
        return str(label_of(value))
    if path == ("on_error",) and value in ON_ERROR_LABELS:
        return str(ON_ERROR_LABELS[value])
    if path == ("retry", "on") and isinstance(value, list):
        return "\n".join(str(CLASS_LABELS.get(each, each)) for each in value) or None
    if path == ("sensitive",) and isinstance(value, list):
        return "\n".join(str(_label(("config", each), kind)) for each in value) or None
    if path == ("concurrency",) and isinstance(value, Mapping):
        return " · ".join(str(each) for each in (value.get("limit"), value.get("key")) if each) or None
    if path == ("lane",) and value == "bulk":
        return _("Yes")
    if path[0] == "config" and isinstance(value, str):
        field = next((each for each in FIELDS.get(kind, ()) if each.name == path[-1]), None)
        value = dict(field.choices).get(value, value) if field and field.type == "choice" else value
    return short(value)


def _label(path: Path, kind: str) -> Any:
    if path[0] == "config" and len(path) > 1:
        return next((field.label for field in FIELDS.get(kind, ()) if field.name == path[1]), path[1])
    return OWN.get(path, ".".join(path))


def _kind(node: Mapping[str, Any]) -> Any:
    return label_of(node.get("kind", ""))


def label_of(kind: Any) -> Any:
    """Return what a kind of step is called."""
    return ACTIONS[kind].label if kind in ACTIONS else kind


def names_of(nodes: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return steps by key, to be named."""
    return {node["key"]: node for node in nodes}

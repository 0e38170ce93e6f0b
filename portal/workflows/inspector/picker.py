"""The values that a step can use, in groups: inputs, what blocks around it add, each step that has surely ended before, the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.i18n.words import gettext as _
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import KEY, Node, Settings
from portal.workflows.inspector import tree
from portal.workflows.inspector.pins import INPUTS
from portal.workflows.inspector.sources import NONE, PINNED, RUN, Samples
from portal.workflows.inspector.tree import Value


@dataclass(frozen=True, slots=True)
class Group:
    """One source of values. `origin` says where its samples come from: pinned, run or none."""

    title: dict[str, Any]
    kind: str
    values: list[Value]
    origin: str = NONE

    @property
    def id(self) -> str:
        return f"{self.values[0].id}-group"


def groups(settings: Settings, before: Iterable[Node], samples: Samples) -> list[Group]:
    """Return the groups of the picker; of a step without a sample, the names that its kind declares.

    Args:
        before: the steps that have surely ended before, in reading order.
    """
    context, found = samples.context, []
    inputs = settings.get("inputs", [])
    if inputs:
        # The names of the author are in both languages, so they stay a pair.
        labels = [(each["key"], {"name": each.get("label") or each["key"], "name_ar": each.get("label_ar")}) for each in inputs]
        found.append(
            Group(_both(_("Inputs of the run")), "start", tree.values_in("input", context["input"], labels), samples.origin[INPUTS])
        )
    placed = [(name, label) for name, label in _placed() if name in context]
    if placed:
        values = []
        for name, label in placed:
            values.append(tree.value_at(name, name, context[name]))
            values[-1].label = _both(label)
        found.append(Group(_both(_("Of this turn")), "foreach", values))
    for node in before:
        key = node["key"]
        labels = [(name, _both(str(label))) for name, label in outputs(node)]
        has = samples.has(key)
        values = tree.values_in(f"steps.{key}", context["steps"].get(key) if has else None, labels)
        if values:
            found.append(Group(node, node["kind"], values, samples.origin.get(key, NONE)))
    run = [("id", _both(_("Number of the run"))), ("started_at", _both(_("When the run started")))]
    found.append(Group(_both(_("This run")), "start", tree.values_in("run", None, run)))
    return found


def origins() -> dict[str, Any]:
    """Return what the picker says of where samples come from."""
    return {PINNED: _("Pinned sample"), RUN: _("From the last run"), NONE: ""}


def outputs(node: Node) -> list[tuple[str, Any]]:
    """Return the names that the result of a step has, with their labels."""
    if node["kind"] == "set":
        pairs = (node.get("config") or {}).get("values") or ()
        return [(pair["name"], pair["name"]) for pair in pairs if KEY.match(str(pair.get("name", "")))]
    action = ACTIONS.get(node["kind"])
    return list(action.outputs) if action else []


def _placed() -> list[tuple[str, str]]:
    return [
        ("item", _("The item")), ("index", _("Its number, from 0")),
        ("round", _("The round, from 1")), ("previous", _("What the round before gave")),
        ("error", _("The error")),
    ]  # fmt: skip


def _both(text: str) -> dict[str, Any]:
    return {"name": text, "name_ar": text}

"""What the designer's page shows: the flow, the inspector of the selected step, the history, the problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from portal.connections import service as connections
from portal.core.access import Permission, access
from portal.datatables import service as tables
from portal.i18n.locale import plain_name
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import literals, people, queries, service, vetting
from portal.workflows.actions.base import Action
from portal.workflows.actions.registry import ACTIONS, begins
from portal.workflows.calendars import service as calendars
from portal.workflows.definition import DEFAULT_ATTEMPTS, DEFAULT_DEADLINE_S, MAX_ATTEMPTS, MAX_TIMEOUT_S, Node, Problem, timeout_of
from portal.workflows.designer import bounds, drafts, edits, fields
from portal.workflows.designer.edits import Card, Place
from portal.workflows.designer.fields import StartForm, StepForm
from portal.workflows.designer.flow import draft_tree
from portal.workflows.designer.lanes import lane_name
from portal.workflows.differences.words import CLASS_LABELS, ON_ERROR_LABELS
from portal.workflows.engine.retry import BASE_S, CAP_S, DEFAULT_CLASSES
from portal.workflows.inspector import functions, picker, pins, preview, sources, words
from portal.workflows.models import WorkflowTemplate
from portal.workflows.triggers import overview as triggers

HIDEABLE = ("text", "long_text", "number", "expression", "pairs", "code", "datetime")  # fields whose values can be kept secret
WHAT = {
    "created": _l("Creating the workflow"),
    "step.added": _l("Adding a step"),
    "step.changed": _l("Changing a step"),
    "step.moved": _l("Moving a step"),
    "step.deleted": _l("Deleting a step"),
    "steps.moved": _l("Moving steps"),
    "steps.deleted": _l("Deleting steps"),
    "steps.duplicated": _l("Duplicating steps"),
    "steps.pasted": _l("Pasting steps"),
    "start.changed": _l("Changing the start"),
    "version.restored": _l("Bringing back a version"),
}


def page_of(tenant_id: UUID, workflow_id: UUID, *, step: str = "", form: StepForm | StartForm | None = None) -> dict[str, Any]:
    """Return everything the templates need.

    Args:
        step: the selected card: a step's key, "start", or "" for none; an unknown key selects none.
        form: what was typed and refused, shown instead of what is stored.
    """
    workflow = queries.get_workflow(tenant_id, workflow_id)
    live = queries.get_version(tenant_id, workflow.published_version_id) if workflow.published_version_id else None
    problems = vetting.check_draft(workflow)
    cards = draft_tree(workflow.nodes, problems)
    for card in edits.every_card(cards):
        card.is_pinned = card.key in (workflow.pins or ())
    chosen = next((card for card in edits.every_card(cards) if card.key == step), None)
    starting = [problem for problem in problems if problem.step is None]
    history = drafts.history(workflow)
    always, added = triggers.ways_of(tenant_id, workflow_id) if step == "start" else ([], triggers.added_to(tenant_id, workflow_id))
    return {
        "workflow": workflow,
        "live": live,
        "draft_changed": service.is_draft_changed(workflow, live),
        "problems": problems,
        "warnings": literals.warnings_of(workflow.nodes),
        "cards": cards,
        "names": {node["key"]: node for node in workflow.nodes},
        "total": len(workflow.nodes),
        "start_problems": starting,
        "selected": step if step == "start" else chosen.key if chosen else "",
        "card": chosen,
        "starts": added,
        "every_start": [*added, *always],
        "undo": WHAT.get(history.undo or ""),
        "redo": WHAT.get(history.redo or ""),
        "inspector": _step(tenant_id, workflow, chosen, form) if chosen else _start(workflow, starting, form) if step == "start" else None,
    }


def _step(tenant_id: UUID, workflow: WorkflowTemplate, card: Card, form: Any) -> dict[str, Any]:
    node = {**card.node, **(form.typed if form else {})}
    action = ACTIONS.get(card.kind)
    # A step that was only just added is not scolded for being empty; its card says what is missing.
    is_new = card.node.get("config") == begins(action)
    now, typed = (each.get("config") or {} for each in (card.node, node))
    stored = {each.field: each.message for each in card.problems if not is_new and now.get(each.field) == typed.get(each.field)}
    errors = {**stored, **(form.errors if form else {})}
    shown = fields.shown_fields(node, action, choices=_choices(workflow, node, action), errors=errors) if action else []
    samples = sources.samples_of(workflow, card.key, may_read=access().can(Permission.RUN_READ))
    effect = action.effect(node.get("config") or {}) if action else "unsafe"
    attempts = node.get("attempts") or (node.get("retry") or {}).get("attempts", DEFAULT_ATTEMPTS)
    return {
        "node": node,
        "action": action,
        "types": list(fields.INPUT_TYPE_LABELS.items()),
        "fields": shown,
        "errors": errors,
        "values": picker.groups(workflow.settings, edits.surely_before(workflow.nodes, card.key), samples),
        "origins": picker.origins(),
        "previews": preview.Desk(node, workflow.nodes, workflow.settings, samples).previews() if action else {},
        "functions": functions.FUNCTIONS,
        "sample": sample_of(workflow, card.key),
        "fate": words.fate(effect, attempts=attempts, timeout_s=timeout_of(node)),
        "attempts": attempts,
        "between": fields.between,
        "most": {"attempts": MAX_ATTEMPTS, "timeout_s": MAX_TIMEOUT_S},
        "timeout_s": timeout_of(node),
        "waits": {name: node.get(name, (node.get("retry") or {}).get(name, "")) for name in fields.WAITS},
        "usual_waits": {"base_s": int(BASE_S), "cap_s": int(CAP_S)},
        "retry_on": (node.get("retry") or {}).get("on", DEFAULT_CLASSES),
        "classes": list(CLASS_LABELS.items()),
        "on_error": node.get("on_error") or "fail",
        "policy": words.policy(node.get("on_error") or "fail"),
        "on_errors": list(ON_ERROR_LABELS.items()),
        "hideable": [(each.name, each.label) for each in action.fields if each.type in HIDEABLE] if action else [],
        "sensitive": node.get("sensitive") or [],
        "has_undo": bool(node.get("undo")),
        "may_undo": not edits.is_undoing(workflow.nodes, card.key),
        "has_attempts": action is not None and effect != "pure",
        "can_up": edits.shifted_place(workflow.nodes, card.key, -1) is not None,
        "can_down": edits.shifted_place(workflow.nodes, card.key, 1) is not None,
        "places": _places(workflow.nodes, card),
        "inside": card.inside,
    }


def sample_of(workflow: WorkflowTemplate, key: str) -> dict[str, Any]:
    """Return the pinned sample of a step, or of the inputs; without one, what could be taken from the last run; and the run of either."""
    pinned = (workflow.pins or {}).get(key)
    if pinned is not None:
        return {"pinned": pinned, "value": literals.masked(pinned["value"]), "last": None, "run": pins.run_of(workflow, key)}
    last = None
    if access().can(Permission.RUN_READ):
        last = sources.last_inputs(workflow) if key == pins.INPUTS else sources.last_result(workflow, edits.find(workflow.nodes, key))
    return {"pinned": None, "value": last.value if last else _begin_with(workflow, key), "last": last, "run": last.run_id if last else None}


def _begin_with(workflow: WorkflowTemplate, key: str) -> Any:
    return sources.defaults(workflow.settings) if key == pins.INPUTS else sources.empty_result(edits.find(workflow.nodes, key))


def _start(workflow: WorkflowTemplate, problems: list[Problem], form: Any) -> dict[str, Any]:
    stored = {problem.field: problem.message for problem in problems}
    amount, unit = fields.deadline_parts(workflow.settings.get("deadline_s", DEFAULT_DEADLINE_S))
    given = form.typed if form else {}
    return {
        "inputs": given.get("inputs", workflow.settings.get("inputs", [])),
        "workflows": _workflows(workflow.tenant_id),
        "error_workflow": given.get("error_workflow", workflow.settings.get("error_workflow") or ""),
        "deadline": given.get("deadline", amount),
        "deadline_unit": given.get("deadline_unit", unit),
        "bounds": bounds.shown(workflow.settings, given),
        "errors": form.errors if form else {},
        "sample": sample_of(workflow, pins.INPUTS),
        "stored": stored,
        "types": list(fields.INPUT_TYPE_LABELS.items()),
        "units": list(fields.UNITS),
    }


def _choices(workflow: WorkflowTemplate, node: Node, action: Action) -> dict[str, list[tuple[str, Any]]]:
    """Return what can be chosen in the fields of a kind that stand for things of the tenant or of the flow."""
    sources: dict[str, Callable[[UUID], list[tuple[str, Any]]]] = {
        "table": _tables,
        "connection": lambda _tenant: _connections(workflow, node, action),
        "calendar": calendars.choices,
        "people": people.choices,
        "workflow": _workflows,
        "step": lambda _tenant: [(each["key"], plain_name(each)) for each in workflow.nodes if each["key"] != node["key"]],
    }
    types = {each.type for each in action.fields}
    return {name: source(workflow.tenant_id) for name, source in sources.items() if name in types}


def _connections(workflow: WorkflowTemplate, node: Node, action: Action) -> list[tuple[str, str]]:
    """Return the connections that a step may use; who may not use any sees the one that is chosen, and no other."""
    families = [family for each in action.fields if each.type == "connection" for family, _label in each.choices]
    found = connections.choices(workflow.tenant_id, families, workflow_id=workflow.id, step_kind=action.kind)
    chosen = str((node.get("config") or {}).get("connection") or "")
    return [each for each in found if each[0] == chosen or access().can(Permission.CONNECTION_USE)]


def _tables(tenant_id: UUID) -> list[tuple[str, str]]:
    return [(slug, plain_name({"name": name, "name_ar": name_ar})) for slug, (name, name_ar) in tables.names(tenant_id).items()]


def _workflows(tenant_id: UUID) -> list[tuple[str, str]]:
    names = queries.workflow_names(tenant_id)
    return [(str(row.id), plain_name({"name": row.name, "name_ar": row.name_ar})) for row in names]


def _places(nodes: list[Node], card: Card) -> list[tuple[str, str]]:
    """Every other place for a step, as (value, sentence)."""
    return [(place_value(place), place_sentence(nodes, place)) for place in edits.places(nodes, without=card.key) if place != card.place]


def place_value(place: Place) -> str:
    """Write a place as one form value."""
    return "|".join(part or "" for part in (place.parent, place.lane, place.after))


def read_place(value: str) -> Place:
    """Read what `place_value` wrote; a place that is not there is refused by the edit."""
    parent, lane, after = (part or None for part in ([*value.split("|"), "", "", ""])[:3])
    return Place(parent, lane, after)


def place_sentence(nodes: list[Node], place: Place) -> str:
    """Say where a place is."""
    if place.after:
        return _("After “%(step)s”", step=plain_name(edits.find(nodes, place.after)))
    if place.parent is None:
        return _("At the beginning")
    holder = edits.find(nodes, place.parent)
    name = plain_name(holder)
    if place.lane == "then":
        return _("In “%(step)s”, first if yes", step=name)
    if place.lane == "else":
        return _("In “%(step)s”, first if no", step=name)
    return _("In “%(step)s”, first in the lane “%(lane)s”", step=name, lane=lane_name(holder, place.lane or ""))

"""Where sample values come from: what is pinned, else the last real run that the reader may see, else values of the right type.

Secrets never come in: what is sealed in a run, what an input declares as sensitive and what looks like a secret is dots here, so that
no expression can give a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from portal.core import clock, db
from portal.workflows import literals, payloads, redaction
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import Node, as_template
from portal.workflows.expressions import ExpressionError, compile_template
from portal.workflows.inspector import pins
from portal.workflows.models import WorkflowTemplate

PINNED, RUN, NONE = "pinned", "run", "none"
MOST_RUNS = 20
LARGEST = 256 * 1024  # of one result
LARGEST_ALL = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Samples:
    """The variables of `${ … }` at one step, with sample values.

    Args:
        context: as the engine gives it: `input`, `steps`, `run`, and what blocks around the step add.
        origin: step (or `start` for the inputs) → pinned, run or none.
    """

    context: dict[str, Any]
    origin: Mapping[str, str] = field(default_factory=dict)

    def has(self, key: str) -> bool:
        return self.origin.get(key, NONE) != NONE


class Last(NamedTuple):
    """A value of a real run, secrets as dots, and the run."""

    value: Any
    run_id: UUID


def samples_of(workflow: WorkflowTemplate, key: str, *, may_read: bool) -> Samples:
    """Return the sample values at a step of the draft.

    Args:
        key: the step, whose own result is no value of it.
        may_read: whether results of real runs may be used.
    """
    pinned = workflow.pins or {}
    inputs = _inputs(workflow) if may_read and pins.INPUTS not in pinned else None
    steps = _results(workflow, [node["key"] for node in workflow.nodes if node["key"] not in (key, *pinned)]) if may_read else {}
    origin: dict[str, str] = {}
    given = defaults(workflow.settings)
    real = pinned[pins.INPUTS]["value"] if pins.INPUTS in pinned else inputs.value if inputs else None
    if isinstance(real, dict):
        given |= {name: each for name, each in pins.without_secrets(workflow.settings, real).items() if name in given}
    origin[pins.INPUTS] = PINNED if pins.INPUTS in pinned else RUN if inputs is not None else NONE
    results: dict[str, Any] = {}
    for node in workflow.nodes:
        name = node["key"]
        if name == key:
            continue
        if name in pinned:
            results[name], origin[name] = literals.masked(pinned[name]["value"]), PINNED
        elif name in steps and steps[name][0] == node["kind"]:
            results[name], origin[name] = literals.masked(steps[name][1]), RUN
        else:
            results[name], origin[name] = empty_result(node), NONE
    run = {"id": "00000000-0000-7000-8000-000000000000", "started_at": clock.now().isoformat(timespec="seconds"), "workflow": workflow.name}
    context = {"input": given, "steps": results, "run": run}
    return Samples({**context, **_placed(workflow.nodes, key, context)}, origin)


def last_result(workflow: WorkflowTemplate, node: Node) -> Last | None:
    """Return the last result of a step in a real run; None when there is none."""
    found = _results(workflow, [node["key"]]).get(node["key"])
    return Last(literals.masked(found[1]), found[2]) if found and found[0] == node["kind"] else None


def last_inputs(workflow: WorkflowTemplate) -> Last | None:
    """Return the inputs of the last real run; None when there is none."""
    found = _inputs(workflow)
    return None if found is None else Last(pins.without_secrets(workflow.settings, found.value), found.run_id)


def defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value of the right type for each input."""
    usual = {"number": 1, "date": clock.now().date().isoformat(), "email": "name@example.com", "boolean": False}
    return {
        each["key"]: (each.get("choices") or [""])[0] if each["type"] == "choice" else usual.get(each["type"], "")
        for each in settings.get("inputs", [])
        if each.get("key")
    }


def empty_result(node: Node) -> dict[str, Any]:
    """Return the names that a step's result has, without values."""
    if node["kind"] == "set":
        return {str(pair.get("name")): None for pair in (node.get("config") or {}).get("values") or () if pair.get("name")}
    action = ACTIONS.get(node["kind"])
    return {name: None for name, _label in action.outputs} if action else {}


def _placed(nodes: list[Node], key: str, context: dict[str, Any]) -> dict[str, Any]:
    """Return what the blocks around a step add: the first item of a for-each, the first round of a repeat, an error."""
    by_key = {node["key"]: node for node in nodes}
    found: dict[str, Any] = {}
    around: list[tuple[Node, str]] = []
    here = by_key.get(key)
    while here and (holder := by_key.get(here.get("parent") or "")) and len(around) < len(nodes):
        around.append((holder, str(here.get("lane"))))
        here = holder
    if key in by_key:
        around.insert(0, (by_key[key], "each"))  # a late field of a block is worked out inside it
    for holder, lane in reversed(around):
        if lane in ("error", "undo"):
            found["error"] = {"code": "failed", "step": holder["key"], "detail": ""}
        elif holder["kind"] == "foreach":
            found |= {"item": first_item(holder, {**context, **found}), "index": 0}
        elif holder["kind"] == "repeat":
            found |= {"round": 1, "previous": None}
    return found


def first_item(node: Node, context: dict[str, Any]) -> Any:
    """Return the first value of the list that a step works on; None when it cannot be told."""
    config = node.get("config") or {}
    if config.get("source") == "times":
        return 0
    text = config.get("list")
    if not text:
        return None
    try:
        value = compile_template(as_template(str(text))).evaluate(context)
    except ExpressionError:
        return None
    return value[0] if isinstance(value, list) and value else None


def _inputs(workflow: WorkflowTemplate) -> Last | None:
    """Return the inputs of the newest run, sensitive ones among them."""
    last = (
        db.session()
        .connection()
        .exec_driver_sql(
            "select id, input_data from workflow_executions where tenant_id = %s and workflow_id = %s order by created_at desc limit 1",
            (workflow.tenant_id, workflow.id),
        )
        .first()
    )
    inputs = None if last is None else redaction.shown(payloads.read_one(workflow.tenant_id, last.input_data))
    return Last(inputs, last.id) if last is not None and isinstance(inputs, dict) else None


def _results(workflow: WorkflowTemplate, keys: list[str]) -> dict[str, tuple[str, Any, UUID]]:
    """Return the result that each of these steps had in the newest run that has one: key → (kind, result, run)."""
    tenant_id = workflow.tenant_id
    # From run to run and to one row of it by the index: how often a step ran inside a loop makes no difference.
    rows = (
        db.session()
        .connection()
        .exec_driver_sql(
            """
            with runs as materialized (
              select id, created_at from workflow_executions where tenant_id = %s and workflow_id = %s order by created_at desc limit %s)
            select wanted.key, last.kind, last.output, last.run from unnest(%s::text[]) wanted(key) cross join lateral (
              select step.kind, step.output, runs.id as run from runs cross join lateral (
                select s.kind, s.output from workflow_steps s
                where s.tenant_id = %s and s.execution_id = runs.id and s.node_key = wanted.key and s.state = 'succeeded'
                order by s.scope_path desc, s.gen desc limit 1) step
              order by runs.created_at desc limit 1) last
            order by wanted.key
            """,
            (tenant_id, workflow.id, MOST_RUNS, keys, tenant_id),
        )
        .all()
    )
    room, steps = LARGEST_ALL, {}
    for row in rows:
        if payloads.looks_kept(row.output):
            size = int(row.output["size"])
            if size > LARGEST or size > room:
                continue
            room -= size
        steps[row.key] = (row.kind, redaction.shown(payloads.read_one(tenant_id, row.output)), row.run)
    return steps

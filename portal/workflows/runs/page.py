"""What the page of one run shows: its head, the flow with states, the timeline, and the step that is open in the inspector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response, request

from portal.core import clock
from portal.core.access import Access, Permission, access
from portal.core.render import render
from portal.i18n.locale import current
from portal.identity import service as identity
from portal.workflows import explain, queries, service, stored
from portal.workflows.designer import edits
from portal.workflows.designer.flow import run_tree
from portal.workflows.home.wording import brief_duration
from portal.workflows.runs import inspecting, timeline, usage
from portal.workflows.runs import queries as own
from portal.workflows.runs.spans import Span, spans_of
from portal.workflows.runs.timeline import Crowd
from portal.workflows.signals import service as signals
from portal.workflows.triggers import service as triggers
from portal.workflows.versions import moving

NEEDING = ("in_doubt", "waiting", "failed")  # what somebody who only listens must hear of
MOST_SAID = 3
STEP = "step"  # in the address, and in the forms of the inspector


def show_run(
    run_id: UUID, *, status: int = 200, typed: dict[str, str] | None = None, problems: dict[str, str] | None = None, said: str = "", tone: str = ""
) -> Response:  # fmt: skip
    """Answer with the page of a run, or with its live part; `said` is what became of something that was done to it."""
    here = access()
    found = queries.get_run(here.tenant_id, run_id)
    version = queries.get_version(here.tenant_id, found.version_id)
    steps = queries.shown_steps(here.tenant_id, run_id)
    due = queries.due_times(here.tenant_id, run_id)
    names = identity.names_of([found.executed_by] if found.executed_by else [])
    outline = own.outline(here.tenant_id, run_id)
    cards = run_tree(version.nodes, {step.node_key: explain.step_view(step, due.get(step.id)) for step in steps}, crowds_of(outline))
    files = stored.files_of(here.tenant_id, run_id) if here.can(Permission.FILE_READ) else []
    waits = _signals(here, run_id, steps)
    key = request.form.get(STEP) or request.args.get(STEP, "")
    card = next((each for each in edits.every_card(cards) if each.key == key), None)
    scope = request.form.get("scope") or request.args.get("scope")
    due_at = next((due.get(step.id) for step in steps if step.node_key == key), None)
    return render(
        "workflows/run.html",
        fragment="run_live",
        status=status,
        workflow=queries.get_workflow(here.tenant_id, found.workflow_id),
        run=explain.run_view(found, version.number, names, queries.run_of_step(here.tenant_id, found.parent_step_id)),
        flow=cards,
        chart=_chart(here, found, cards, outline),
        inspected=inspecting.inspect(here, found, card, scope=scope, signal=waits.get(key), files=files, due_at=due_at) if card else None,
        selected=card.key if card else "",
        as_json=request.args.get("view") == "json",
        has_undo=any(node.get("undo") for node in version.nodes),
        moves=moving.moves_of(here.tenant_id, run_id),
        files=files,
        used=usage.of_run(outline),
        ended=service.has_ended(found.status),
        start=triggers.start_of(here.tenant_id, run_id),
        typed=typed or {},
        problems=problems or {},
        said=said,
        beside=own.neighbours(here.tenant_id, found),
        needing=[each for each in edits.every_card(cards) if each.state and each.state.state in NEEDING][:MOST_SAID],
        tone=tone,
        can_operate=may_operate(here, found),
    )


def may_operate(here: Access, run: Any) -> bool:
    """Say whether the reader may handle a run: operators every one, members their own."""
    return here.can(Permission.RUN_OPERATE) or (here.can(Permission.RUN_START) and run.executed_by == here.person_id)


def crowds_of(outline: Sequence[Any]) -> dict[str, dict[str, int]]:
    """Return how often each node ran, by state."""
    found: dict[str, dict[str, int]] = {}
    for row in outline:
        found.setdefault(row.node_key, {})[row.state] = row.runs
    return found


def _chart(here: Access, run: Any, cards: Sequence[Any], outline: Sequence[Any]) -> timeline.Timeline:
    counts = {key: sum(states.values()) for key, states in crowds_of(outline).items()}
    rows = [row for row in outline if row.state != "skipped"]
    single = [row for row in rows if counts[row.node_key] == 1]
    attempts = own.attempts_of(here.tenant_id, [row.id for row in single])
    now = clock.now()
    spans: Mapping[str, Sequence[Span]] = {row.node_key: spans_of(row, attempts.get(row.id, []), now=now) for row in single}
    many: dict[str, list[Any]] = {}
    for row in rows:
        if counts[row.node_key] > 1:
            many.setdefault(row.node_key, []).append(row)
    crowds = {key: _crowd(each, counts[key]) for key, each in many.items()}
    return timeline.lay_out(
        cards, spans, crowds, begins=run.created_at, ends=run.completed_at, now=now, rtl=current().dir == "rtl", write=brief_duration
    )


def _crowd(rows: Sequence[Any], count: int) -> Crowd:
    ends = None if any(row.ends is None for row in rows) else max(row.ends for row in rows)
    return Crowd(count, min(row.begins for row in rows), ends)


def _signals(here: Access, run_id: UUID, steps: Sequence[Any]) -> dict[str, Any]:
    """Return what the reader may send to the steps that wait for it, by their keys."""
    if not here.can(Permission.SIGNAL_SEND):
        return {}
    waits = signals.waits_of(here.tenant_id, run_id)
    return {step.node_key: waits[step.id] for step in steps if step.id in waits}

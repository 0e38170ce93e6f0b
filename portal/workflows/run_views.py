"""The pages of runs: the list, a run as it goes on, what is done to it, what it left behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request, stream_with_context, url_for

from portal.core import paging
from portal.core.access import Access, Permission, access, requires
from portal.core.errors import Invalid, NotFound
from portal.core.forms import clean
from portal.core.render import changed, render, see_other, toast
from portal.i18n.locale import bilingual
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.lists import service as lists
from portal.workflows import explain, payloads, queries, service, stored, streams
from portal.workflows.actions import documents
from portal.workflows.designer.flow import run_tree
from portal.workflows.errors import WrongState
from portal.workflows.history import events
from portal.workflows.lists import RUNS, run_cells, run_filter, state_counts, state_lines, total_of
from portal.workflows.signals import service as signals
from portal.workflows.triggers import service as triggers
from portal.workflows.versions import moving
from portal.workflows.views import accepted, bp, names_in

SAVED_TYPES = frozenset({*documents.MEDIA_TYPES.values(), "application/json", "application/zip", "image/png", "image/jpeg", "text/plain"})


@bp.get("/runs")
@requires(Permission.RUN_READ)
def runs() -> Response:
    here = access()
    shown = lists.open_list(RUNS, request.args.to_dict(flat=False), here, url=url_for("workflows.runs"))
    wanted = run_filter(here.tenant_id, here.person_id, shown.state.filters)
    place = paging.read_place(shown.cursor, queries.run_sorts()[shown.state.sort_name].kind)
    found = queries.list_runs(here.tenant_id, wanted=wanted, sort=shown.state.sort, place=place)
    counts = state_counts(here.tenant_id, wanted, found)
    total = total_of(counts, wanted)
    listing = paging.counted(
        found, lambda limit: queries.count_runs(here.tenant_id, wanted=wanted, limit=limit) if total is None else total
    )
    workflows = queries.workflow_names(here.tenant_id)
    verbs = lists.verbs_for(RUNS, here)
    people = identity.names_of_members(here.tenant_id)
    names = people if people is not None else names_in(listing.items)
    return render(
        "workflows/runs.html",
        shown=shown,
        listing=listing,
        rows=run_cells([explain.run_row(row, names) for row in listing.items], shown.column_keys, can_choose=bool(verbs)),
        range=lists.range_of(listing),
        states=state_lines(shown, counts),
        verbs=verbs,
        deleted=lists.deleted_view(here, request.args.get("deleted")),
        workflows=workflows,
        people=people or {},
        names={**{str(row.id): bilingual(row) for row in workflows}, **{str(each): name for each, name in names.items()}},
        can_run=here.can(Permission.RUN_START),
    )


@bp.get("/runs/<uuid:run_id>")
@requires(Permission.RUN_READ)
def run(run_id: UUID) -> Response:
    return _run(run_id)


def _run(run_id: UUID, *, status: int = 200, typed: dict[str, str] | None = None, problems: dict[str, str] | None = None) -> Response:
    here = access()
    found = queries.get_run(here.tenant_id, run_id)
    version = queries.get_version(here.tenant_id, found.version_id)
    workflow = queries.get_workflow(here.tenant_id, found.workflow_id)
    steps = queries.shown_steps(here.tenant_id, run_id)
    due = queries.due_times(here.tenant_id, run_id)
    names = identity.names_of([found.executed_by] if found.executed_by else [])
    states = {step.node_key: explain.step_view(step, due.get(step.id)) for step in steps}
    return render(
        "workflows/run.html",
        fragment="run_live",
        status=status,
        workflow=workflow,
        run=explain.run_view(found, version.number, names, queries.run_of_step(here.tenant_id, found.parent_step_id)),
        flow=run_tree(version.nodes, states, queries.crowds(here.tenant_id, run_id)),
        has_undo=any(node.get("undo") for node in version.nodes),
        moves=moving.moves_of(here.tenant_id, run_id),
        files=stored.files_of(here.tenant_id, run_id) if here.can(Permission.FILE_READ) else [],
        ended=service.has_ended(found.status),
        signals=_signals(here, run_id, steps),
        start=triggers.start_of(here.tenant_id, run_id),
        typed=typed or {},
        problems=problems or {},
        can_operate=here.can(Permission.RUN_OPERATE) or (here.can(Permission.RUN_START) and found.executed_by == here.person_id),
    )


def _signals(here: Access, run_id: UUID, steps: Sequence[Any]) -> dict[str, Any]:
    """Return what the reader may send to the steps that wait for it, by their keys."""
    if not here.can(Permission.SIGNAL_SEND):
        return {}
    waits = signals.waits_of(here.tenant_id, run_id)
    return {step.node_key: waits[step.id] for step in steps if step.id in waits}


@bp.post("/runs/<uuid:run_id>/steps/<node_key>/signal")
@requires(Permission.SIGNAL_SEND)
def send_signal(run_id: UUID, node_key: str) -> Response:
    here, text = access(), clean(request.form.get("payload", ""))
    queries.get_run(here.tenant_id, run_id)
    try:
        payload = json.loads(text) if text else None
    except (ValueError, RecursionError):
        wrong = {f"payload-{node_key}": _('This is not JSON. Write texts in quotes, e.g. {"amount": 12}; or leave it empty.')}
        return _run(run_id, status=422, typed={node_key: text}, problems=wrong)
    try:
        signals.send_to_step(here.tenant_id, run_id, node_key, payload, by=here.actor)
    except WrongState:
        toast(_("The step waits for no signal any more."), "info")
    except Invalid as refused:
        return _run(run_id, status=422, typed={node_key: text}, problems={f"payload-{node_key}": next(iter(refused.problems.values()))})
    return changed(url_for("workflows.run", run_id=run_id), lambda: _run(run_id))


@bp.get("/runs/<uuid:run_id>/history")
@requires(Permission.RUN_READ)
def history(run_id: UUID) -> Response:
    """Hand out the history of a run with its hashes, as a file that can be checked without us."""
    return Response(
        stream_with_context(events.export(events.head_of(access().tenant_id, run_id))),
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="history-{run_id}.json"', "Cache-Control": "private, no-store"},
    )


@bp.get("/runs/<uuid:run_id>/values/<sha>")
@requires(Permission.RUN_READ)
def value(run_id: UUID, sha: str) -> Response:
    """Hand out a large value of a run whole; its page shows only the beginning."""
    found = payloads.of_run(access().tenant_id, run_id, sha)
    headers = {"Content-Disposition": f'attachment; filename="value-{sha[:12]}.json"', "Cache-Control": "private, no-store"}
    return Response(found, mimetype="application/json", headers=headers)


@bp.get("/runs/<uuid:run_id>/stream")
@requires(Permission.RUN_READ)
def stream(run_id: UUID) -> Response:
    tenant_id = access().tenant_id
    queries.get_run(tenant_id, run_id)
    bell = streams.hub.join(str(run_id))
    if bell is None:
        return Response(status=503, headers={"Retry-After": "15"})
    seen = request.headers.get("Last-Event-ID") or request.args.get("seen") or "-1"
    lines = streams.follow(tenant_id, run_id, bell, seen=int(seen) if seen.lstrip("-").isdigit() else -1)
    return Response(
        stream_with_context(lines),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
    )


@bp.get("/files/<uuid:file_id>/file")
@requires(Permission.FILE_READ)
def file(file_id: UUID) -> Response:
    """Hand out a file of a run, to be saved and never shown in place: what another system sent must not run as a page of ours."""
    kept = stored.get_file(access().tenant_id, file_id)
    answer = Response(kept.content, mimetype=stored.USUAL_TYPE)
    answer.headers["Content-Type"] = kept.media_type if kept.media_type in SAVED_TYPES else stored.USUAL_TYPE
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers.set("Content-Disposition", "attachment", filename=kept.name)
    return answer


@bp.post("/runs/<uuid:run_id>/cancel")
@requires(Permission.RUN_START)
def cancel(run_id: UUID) -> Response:
    done = partial(service.cancel_run, undo=request.form.get("undo") == "1")
    return _operated(run_id, done, _("The run had ended before it could be cancelled."))


@bp.post("/runs/<uuid:run_id>/pause")
@requires(Permission.RUN_START)
def pause(run_id: UUID) -> Response:
    return _operated(run_id, service.pause_run, _("The run cannot be paused any more."))


@bp.post("/runs/<uuid:run_id>/resume")
@requires(Permission.RUN_START)
def resume(run_id: UUID) -> Response:
    return _operated(run_id, service.resume_run, _("The run is not paused."))


@bp.get("/runs/<uuid:run_id>/steps/<uuid:step_id>/items")
@requires(Permission.RUN_READ)
def items(run_id: UUID, step_id: UUID) -> Response:
    here = access()
    found = queries.get_run(here.tenant_id, run_id)
    step = queries.get_step(here.tenant_id, run_id, step_id)
    version = queries.get_version(here.tenant_id, found.version_id)
    state = request.args.get("state", "")
    after = request.args.get("after", "-1")
    rows = queries.frames_of(here.tenant_id, step_id, after=int(after) if after.isdecimal() and len(after) < 8 else -1, state=state)
    return render(
        "workflows/items.html",
        run=found,
        workflow=queries.get_workflow(here.tenant_id, found.workflow_id),
        node=next(node for node in version.nodes if node["key"] == step.node_key),
        step_id=step_id,
        state=state,
        counts=queries.frame_counts(here.tenant_id, step_id),
        rows=[
            (row, explain.explain_error(row.error), *(explain.shown_value(here.tenant_id, each) for each in (row.value, row.result)))
            for row in rows[:50]
        ],
        more=rows[49].number if len(rows) > 50 else None,
        is_first=after == "-1",
    )


@bp.post("/runs/<uuid:run_id>/retry")
@requires(Permission.RUN_START)
def retry(run_id: UUID) -> Response:
    here = access()
    _may_operate(run_id)
    try:
        new_run = service.retry_run(here.tenant_id, run_id, by=here.actor)
    except WrongState:
        toast(_("Only a run that failed or was ended can be retried."), "info")
        return see_other(url_for("workflows.run", run_id=run_id))
    return accepted(new_run)


@bp.post("/runs/<uuid:run_id>/steps/<node_key>/decide")
@requires(Permission.RUN_START)
def decide(run_id: UUID, node_key: str) -> Response:
    done = partial(service.decide_step, node_key=node_key, decision=request.form.get("decision", ""), scope=request.form.get("scope"))
    return _operated(run_id, done, _("Somebody has already decided."))


def _operated(run_id: UUID, done: Callable[..., object], too_late: str) -> Response:
    """Do something to a run that its reader may handle, and show it; what came too late is said beside it."""
    here = access()
    _may_operate(run_id)
    try:
        done(here.tenant_id, run_id, by=here.actor)
    except WrongState:
        toast(too_late, "info")
    return changed(url_for("workflows.run", run_id=run_id), lambda: _run(run_id))


def _may_operate(run_id: UUID) -> None:
    """Operators handle every run, members their own; for all others it does not exist."""
    here = access()
    found = queries.get_run(here.tenant_id, run_id)
    if not here.can(Permission.RUN_OPERATE) and found.executed_by != here.person_id:
        raise NotFound

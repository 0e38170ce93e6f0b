"""The list of runs, the page of one, and the stream by which it stays true."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, stream_with_context, url_for

from portal.core import paging
from portal.core.access import Permission, access, requires
from portal.core.paging import Listing
from portal.core.render import render
from portal.i18n.locale import bilingual
from portal.identity import service as identity
from portal.lists import service as lists
from portal.workflows import explain, list_queries, queries, searching, streams, value_filters
from portal.workflows.definition import Node
from portal.workflows.errors import TooBroad
from portal.workflows.list_queries import RunFilter, StateCount
from portal.workflows.lists import RUNS, run_cells, run_filter, state_counts, state_lines, total_of
from portal.workflows.runs.page import show_run
from portal.workflows.views import bp, names_in

NOTHING: tuple[Listing[Any], dict[str, StateCount], bool] = (Listing([]), {}, True)


@bp.get("/runs")
@requires(Permission.RUN_READ)
def runs() -> Response:
    here = access()
    shown = lists.open_list(RUNS, request.args.to_dict(flat=False), here, url=url_for("workflows.runs"))
    wanted = run_filter(here.tenant_id, here.person_id, shown.state.filters)
    wrong: dict[str, str] = value_filters.problems(request.args)
    listing, counts, is_counted = NOTHING
    try:
        if not wrong:  # rows that nobody asked for would pass for those that were found
            listing, counts, is_counted = _found(here.tenant_id, wanted, shown)
    except TooBroad as broad:
        wrong = {"": broad.message}
    workflows = queries.workflow_names(here.tenant_id)
    verbs = lists.verbs_for(RUNS, here)
    people = identity.names_of_members(here.tenant_id)
    names = people if people is not None else names_in(listing.items)
    return render(
        "workflows/runs.html",
        status=422 if wrong else 200,
        problems=wrong,
        typed={name: request.args.get(name, "") for name in value_filters.PARTS} if wrong else {},
        operators=value_filters.OPERATORS,
        value_chip=value_filters.chip,
        shown=shown,
        listing=listing,
        rows=run_cells([explain.run_row(row, names) for row in listing.items], shown.column_keys, can_choose=bool(verbs)),
        range=lists.range_of(listing, is_counted=is_counted),
        states=state_lines(shown, counts),
        verbs=verbs,
        deleted=lists.deleted_view(here, request.args.get("deleted")),
        workflows=workflows,
        people=people or {},
        names={**{str(row.id): bilingual(row) for row in workflows}, **{str(each): name for each, name in names.items()}},
        can_run=here.can(Permission.RUN_START),
    )


def _found(tenant_id: UUID, wanted: RunFilter, shown: lists.Shown) -> tuple[Listing[Any], dict[str, StateCount], bool]:
    """Return one page of runs, how many stand in each state, and whether all of them were counted.

    Raises:
        TooBroad: the values of too many runs would have to be looked at.
    """
    place = paging.read_place(shown.cursor, list_queries.run_sorts()[shown.state.sort_name].kind)
    with searching.bounded(wanted.values):
        found = list_queries.list_runs(tenant_id, wanted=wanted, sort=shown.state.sort, place=place)
    counts = state_counts(tenant_id, wanted, found)
    total = total_of(counts, wanted) if counts or not wanted.values else None

    def count(limit: int) -> int:
        if total is not None:
            return total
        with searching.bounded(wanted.values):
            return list_queries.count_runs(tenant_id, wanted=wanted, limit=limit)

    try:
        return paging.counted(found, count), counts, True
    except TooBroad:
        return found, counts, False


@bp.get("/runs/<uuid:run_id>")
@requires(Permission.RUN_READ)
def run(run_id: UUID) -> Response:
    return show_run(run_id)


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
        firsts=_firsts(version.nodes, step.node_key),
        state=state,
        counts=queries.frame_counts(here.tenant_id, step_id),
        rows=[
            (row, explain.explain_error(row.error), *(explain.shown_value(here.tenant_id, each) for each in (row.value, row.result)))
            for row in rows[:50]
        ],
        more=rows[49].number if len(rows) > 50 else None,
        is_first=after == "-1",
    )


def _firsts(nodes: list[Node], key: str) -> dict[str, str]:
    """Return the first step of each lane of a block: where an item begins to be looked at."""
    return {node["lane"]: node["key"] for node in reversed(nodes) if node.get("parent") == key and node.get("lane")}

"""A run that has begun goes on with another version: only where nothing of it is in hand, and every step that it knows is there again.

A step is the same one when it has the same key, kind and region. What the new version has between steps that the run has passed
already is passed over; what stands behind the step that the run is at comes as in the new version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.core import db
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import BLOCKS, FORKS, branches, lanes_of, timeout_of
from portal.workflows.engine import plan
from portal.workflows.engine.plan import Graph, Stand
from portal.workflows.engine.states import RunStatus, StepState
from portal.workflows.engine.store.hints import publish, wake
from portal.workflows.engine.store.reading import locked_run, published
from portal.workflows.engine.store.rows import LIVE, Frame, Moves, Run, born
from portal.workflows.engine.store.sql import write_rows

MOVABLE = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a run cannot go on with another version: a code, and the step that it is about."""

    code: str
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a run fits a version, and which steps of the version it would pass over."""

    obstacle: Obstacle | None
    passed_over: tuple[str, ...] = ()


def look(connection: Connection, tenant_id: UUID, run_id: UUID, version_id: UUID) -> Fit:
    """Say whether a run could go on with a version now; takes the run's row for the rest of the transaction."""
    run, row = locked_run(connection, tenant_id, run_id)
    if run is None or row.status not in MOVABLE:
        return Fit(Obstacle("ended" if run is None else "ending"))
    if row.version_id == version_id:
        return Fit(Obstacle("same"))
    new = published(connection, tenant_id, version_id).graph
    steps = _steps(connection, tenant_id, run_id)
    obstacle = _obstacle(run, new, steps)
    return Fit(obstacle, () if obstacle else tuple(_passed_over(run, new)))


def move(tenant_id: UUID, run_id: UUID, version_id: UUID, *, number: int, actor: str) -> Fit:
    """Let a run go on with a version of its own workflow, in the open transaction; nothing changes where it does not fit."""
    connection = db.session().connection()
    fit = look(connection, tenant_id, run_id, version_id)
    if fit.obstacle is not None:
        return fit
    run, row = locked_run(connection, tenant_id, run_id)
    assert run is not None
    new = published(connection, tenant_id, version_id).graph
    old_version, run.graph = row.version_id, new
    run.status = row.status
    moves = Moves(run, connection, actor, may_carry=False)
    moves.tell("run.moved", version=number, before=str(old_version))
    moves.born += _rows_of(run, new, fit.passed_over)
    write_rows(connection, moves)
    _bring_up_to_date(connection, run, new)
    connection.exec_driver_sql(
        "update workflow_executions set version_id = %s, event_seq = %s where tenant_id = %s and id = %s",
        (version_id, run.event_seq, tenant_id, run_id),
    )
    seq = run.event_seq
    db.after_commit(wake)
    db.after_commit(lambda: publish(run_id, seq))
    return fit


def _steps(connection: Connection, tenant_id: UUID, run_id: UUID) -> list[Any]:
    """Return the steps of a run that count, each node and state once; the live ones are held until the transaction ends."""
    connection.exec_driver_sql(
        "select 1 from workflow_steps where tenant_id = %s and execution_id = %s and state = any(%s) for update",
        (tenant_id, run_id, list(LIVE)),
    )
    return list(
        connection.exec_driver_sql(
            "select distinct node_key, kind, state, port from workflow_steps where tenant_id = %s and execution_id = %s order by node_key",
            (tenant_id, run_id),
        )
    )


def _obstacle(run: Run, new: Graph, steps: list[Any]) -> Obstacle | None:
    for step in steps:
        if step.state in (StepState.LEASED, StepState.IN_DOUBT):
            return Obstacle("in_hand" if step.state == StepState.LEASED else "in_doubt", step.node_key)
    for step in steps:
        if code := _misfit(run.graph, new, step):
            return Obstacle(code, step.node_key)
    for frame in (*run.frames.values(), *run.ended.values()):
        if frame.region not in new.members:
            return Obstacle("lane_gone", frame.region[0])
    return _out_of_order(run, new)


def _misfit(old: Graph, new: Graph, step: Any) -> str | None:
    """Say why a step that the run has come to is not the same one in the new version."""
    node = new.nodes.get(step.node_key)
    if node is None:
        return "step_gone"
    if node["kind"] != step.kind:
        return "other_kind"
    if new.region[step.node_key] != old.region[step.node_key]:
        return "other_place"
    if step.port not in (None, "out", "jump") and step.port not in lanes_of(node):
        return "lane_gone"
    decided = (step.kind in FORKS and step.state == StepState.SUCCEEDED) or (step.kind in BLOCKS and step.state == StepState.WAITING)
    return "other_lanes" if decided and branches(node) != branches(old.nodes[step.node_key]) else None


def _out_of_order(run: Run, new: Graph) -> Obstacle | None:
    """Refuse where the new version would have a step of the past behind the one that the run is at."""
    for frame in run.frames.values():
        in_order = sorted(frame.stands, key=lambda each: new.position[each]) == sorted(
            frame.stands, key=lambda each: run.graph.position[each]
        )
        if frame.gen and (not in_order or _passed_in(frame, new)):
            return Obstacle("jumped_back", next(iter(frame.stands), None))  # what a jump erased is told by the order of the steps
        live = [key for key, stand in frame.stands.items() if stand.state in LIVE]
        for key in live:
            late = [
                each
                for each, stand in frame.stands.items()
                if stand.state not in LIVE
                and (new.position[each] < new.position[key]) != (run.graph.position[each] < run.graph.position[key])
            ]
            if late:
                return Obstacle("other_order", late[0])
    return None


def _passed_over(run: Run, new: Graph) -> list[str]:
    """Return the steps that the version has where the run has passed, of all its frames that live."""
    return list(dict.fromkeys(key for frame in run.frames.values() for key in _passed_in(frame, new)))


def _passed_in(frame: Frame, new: Graph) -> list[str]:
    """A frame has a single thread: whatever could begin beside the step that lives stands on a way that was passed."""
    stands = dict(frame.stands)
    if not any(stand.state in LIVE for stand in stands.values()):
        return []
    found = []
    entries = [key for key in new.entries(frame.region) if key not in stands]
    waiting = [*entries]
    for key in entries:
        stands[key] = Stand("skipped", None)
        found.append(key)
    waiting += [key for key, stand in stands.items() if stand.state not in LIVE and key not in waiting]
    while waiting:
        following = plan.after(new, stands, waiting.pop(0))
        for key in (*following.begin, *following.skip):
            stands[key] = Stand("skipped", None)
            found.append(key)
            waiting.append(key)
    return found


def _rows_of(run: Run, new: Graph, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = []
    for frame in run.frames.values():
        wanted = [key for key in _passed_in(frame, new) if key in keys]
        rows += [born(run, new.nodes[key], "skipped", frame=frame) for key in wanted]
    return rows


def _bring_up_to_date(connection: Connection, run: Run, new: Graph) -> None:
    """Give the steps that have still to begin the time limit and the effect class that they have in the new version."""
    keys = {key for frame in run.frames.values() for key, stand in frame.stands.items() if stand.state == StepState.READY}
    for key in sorted(keys):
        node = new.nodes[key]
        connection.exec_driver_sql(
            "update workflow_steps set timeout_s = %s, effect_class = %s where tenant_id = %s and execution_id = %s and node_key = %s"
            " and state = 'ready'",
            (timeout_of(node), ACTIONS[node["kind"]].effect(node.get("config") or {}), run.tenant_id, run.id, key),
        )

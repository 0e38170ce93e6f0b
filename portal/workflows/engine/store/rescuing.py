"""T9 and T12, and steps in doubt: what goes on without the worker that had it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db
from portal.workflows.actions.base import Done, Failed
from portal.workflows.definition import EXPIRED, port_of
from portal.workflows.engine.plan import Stand
from portal.workflows.engine.store.ending import end_cancelled
from portal.workflows.engine.store.failing import doubt
from portal.workflows.engine.store.following import drain, fail
from portal.workflows.engine.store.hints import publish, wake
from portal.workflows.engine.store.reading import locked_run
from portal.workflows.engine.store.rows import Lease, Moves, Run
from portal.workflows.engine.store.settling import continue_from, own_row, settle_in, write
from portal.workflows.engine.store.sql import write_settle

MAX_CRASHES = 3


def rescue(tenant_id: UUID, run_id: UUID, step_id: UUID) -> str | None:
    """Take an expired step from its worker: ready again, in doubt, or failed after too many crashes. Repeatable.

    A step that was still held when its time limit passed has taken too long: it fails as a timeout, and its retries count.

    Returns:
        The step's new state, or None when the lease was not expired any more.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("rescue")
        run, run_row = locked_run(connection, tenant_id, run_id)
        step = connection.exec_driver_sql(
            """
            select node_key, kind, effect_class, effect_at, idem_key, lease_epoch, attempt, timeout_s, crash_count, lease_owner, scope_path, gen,
                   hard_until < clock_timestamp() and effect_class not in ('pure', 'db') as is_late
            from workflow_steps where tenant_id = %s and id = %s and state = 'leased' and lease_until < clock_timestamp() for update
            """,
            (tenant_id, step_id),
        ).first()
        if step is None or run is None:
            return None
        connection.exec_driver_sql(
            "update workflow_steps set lease_epoch = lease_epoch + 1, crash_count = crash_count + 1, warning = %s"
            " where tenant_id = %s and id = %s",
            (
                "maybe_repeated" if step.effect_class == "at_least_once" and step.effect_at else None,
                tenant_id,
                step_id,
            ),
        )
        lease = Lease(
            tenant_id, run_id, step_id, step.node_key, step.kind, step.effect_class, step.idem_key,
            step.lease_epoch + 1, step.attempt, step.timeout_s, step.scope_path, step.gen, step.lease_owner or "",
        )  # fmt: skip
        doubtful = step.effect_at is not None and step.effect_class == "unsafe"
        if run_row.cancelled and not doubtful:
            end_cancelled(connection, run, lease, None)
            return "cancelled"
        return _rescued(connection, run, lease, step, doubtful=doubtful)


def _rescued(connection: Connection, run: Run, lease: Lease, step: Any, *, doubtful: bool) -> str:
    moves = Moves(run, connection, lease.worker, may_carry=False)
    frame = run.frames.get(lease.scope)
    if frame is None or (frame.is_closing and not doubtful):
        settle_in(moves, lease, None)
        return "cancelled"
    row = moves.own = own_row(lease)
    error = {"code": "worker_lost", "detail": "", "class": "transient", "attempt": step.attempt}
    if doubtful:
        doubt(moves, frame, row, lease.node_key, error)
    elif step.crash_count >= MAX_CRASHES:
        fail(moves, frame, run.graph.nodes[lease.node_key], row, {**error, "code": "crash_loop", "class": "permanent"})
    elif step.is_late:
        settle_in(moves, lease, Failed("timeout", detail=str(step.timeout_s), again=True, sent=None))
        db.after_commit(wake)
        return str(row["state"]) if moves.own is row else str(moves.own["state"])
    else:
        moves.tell("step.rescued", lease.node_key, frame, **error)
        row.update(state="ready", error=error)
        frame.stands[lease.node_key] = Stand("ready", None)
        db.after_commit(wake)
    drain(moves)
    write(moves, lease)
    return str(row["state"])


def fire(tenant_id: UUID, run_id: UUID, timer_id: UUID) -> bool:
    """End the wait that a due timer belongs to and begin what follows; a stale timer is marked and changes nothing."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("fire")
        run, row = locked_run(connection, tenant_id, run_id)
        if run is not None and row.status == "paused":
            return False  # it fires when the run goes on
        timer = connection.exec_driver_sql(
            """
            update workflow_timers t set fired_at = clock_timestamp() from workflow_steps s
            where t.tenant_id = %(tenant)s and t.id = %(timer)s and t.fired_at is null and t.due_at <= clock_timestamp()
              and s.tenant_id = t.tenant_id and s.id = t.step_id
            returning s.id, s.node_key, s.kind, s.effect_class, s.idem_key, s.lease_epoch, s.attempt, s.timeout_s, s.scope_path, s.gen,
                      s.output, t.fails_with, s.state = 'waiting' and s.lease_epoch = t.expect_epoch as fits
            """,
            {"tenant": tenant_id, "timer": timer_id},
        ).first()
        if run is None or timer is None or not timer.fits:
            return False
        lease = Lease(
            tenant_id, run_id, timer.id, timer.node_key, timer.kind, timer.effect_class, timer.idem_key,
            timer.lease_epoch, timer.attempt, timer.timeout_s, timer.scope_path, timer.gen, "clock",
        )  # fmt: skip
        way = port_of(run.graph.nodes[timer.node_key], EXPIRED)
        outcome = Failed(timer.fails_with) if timer.fails_with else Done(timer.output, way)
        continue_from(connection, run, lease, outcome)
        bus.announce(events.WaitExpired(tenant_id, run_id, timer.id, timer.node_key, timer.kind))
    return True


def decide(
    tenant_id: UUID, run_id: UUID, node_key: str, decision: str, *, actor: str, scope: str | None = None, step_id: UUID | None = None
) -> bool:
    """Answer for a step in doubt: `done` (it happened), `repeat` (do it again, same key) or `fail`.

    Args:
        scope: the path of the step's frame; None takes the first one of this step that is in doubt.
        step_id: the one step that is meant, of those.

    Returns:
        False when the step is not in doubt any more.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("decide")
        run, _row = locked_run(connection, tenant_id, run_id)
        step = connection.exec_driver_sql(
            """
            update workflow_steps set lease_epoch = lease_epoch + 1
            where tenant_id = %(tenant)s and id = (
              select id from workflow_steps where tenant_id = %(tenant)s and execution_id = %(run)s and node_key = %(key)s
                and state = 'in_doubt' and scope_path = coalesce(%(scope)s::text, scope_path) and id = coalesce(%(step)s::uuid, id)
              order by scope_path, gen limit 1)
            returning id, kind, effect_class, idem_key, lease_epoch, attempt, timeout_s, scope_path, gen
            """,
            {"tenant": tenant_id, "run": run_id, "key": node_key, "scope": scope, "step": step_id},
        ).first()
        if run is None or step is None:
            return False
        connection.exec_driver_sql(
            "update workflow_tasks set state = 'decided', outcome = %s, closed_at = clock_timestamp()"
            " where tenant_id = %s and step_id = %s and state = 'open'",
            (decision, tenant_id, step.id),
        )
        lease = Lease(
            tenant_id, run_id, step.id, node_key, step.kind, step.effect_class, step.idem_key,
            step.lease_epoch, step.attempt, step.timeout_s, step.scope_path, step.gen, actor,
        )  # fmt: skip
        if decision == "repeat":
            moves = Moves(run, connection, actor, may_carry=False)
            moves.tell("step.decided", node_key, decision=decision)
            write_settle(connection, lease, {**own_row(lease), "state": "ready"}, moves, None, None)
            db.after_commit(wake)
            db.after_commit(lambda: publish(run.id, run.event_seq))
            return True
        outcome = Done({"decided": "done"}) if decision == "done" else Failed("decided_failed", sent=False)
        continue_from(connection, run, lease, outcome)
    return True

"""T9 and T12, and steps in doubt: what goes on without the worker that had it."""

from __future__ import annotations

from uuid import UUID

from portal import events
from portal.core import bus, db
from portal.workflows.actions.base import Done, Failed
from portal.workflows.engine.store.ending import end_cancelled
from portal.workflows.engine.store.rows import (
    Lease,
    Moves,
    announce_after,
    ending_of,
    publish,
    stand,
    wake,
)
from portal.workflows.engine.store.settling import continue_from
from portal.workflows.engine.store.sql import locked_run, write_settle

MAX_CRASHES = 3


def rescue(tenant_id: UUID, run_id: UUID, step_id: UUID) -> str | None:
    """Take an expired step from its worker: ready again, in doubt, or failed after too many crashes. Repeatable.

    Returns:
        The step's new state, or None when the lease was not expired any more.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        run, run_row = locked_run(connection, tenant_id, run_id)
        step = connection.exec_driver_sql(
            """
            select node_key, kind, effect_class, effect_at, idem_key, lease_epoch, attempt, timeout_s, crash_count, lease_owner
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
            step.lease_epoch + 1, step.attempt, step.timeout_s, step.lease_owner or "",
        )  # fmt: skip
        doubtful = step.effect_at is not None and step.effect_class == "unsafe"
        if run_row.cancelled and not doubtful:
            end_cancelled(connection, run, lease, None, run_row.error)
            return "cancelled"
        moves = Moves(run, lease.worker, may_carry=False)
        error = {"code": "worker_lost", "detail": "", "attempt": step.attempt}
        if doubtful:
            moves.tell("step.in_doubt", step.node_key, **error)
            row = {**stand(run, run.graph.nodes[step.node_key], "in_doubt", error=error)}
        elif step.crash_count >= MAX_CRASHES:
            error["code"] = "crash_loop"
            moves.tell("step.failed", step.node_key, **error)
            moves.failed = {**error, "step": step.node_key}
            row = stand(run, run.graph.nodes[step.node_key], "failed", error=error)
        else:
            moves.tell("step.rescued", step.node_key, **error)
            row = stand(run, run.graph.nodes[step.node_key], "ready", error=error)
            db.after_commit(wake)
        status = ending_of(moves)
        write_settle(connection, lease, row, moves, status, None)
        announce_after(run, moves, status, lease if doubtful else None)
    return str(row["state"])


def fire(tenant_id: UUID, run_id: UUID, timer_id: UUID) -> bool:
    """End the wait that a due timer belongs to and begin what follows; a stale timer is marked and changes nothing."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        run, _row = locked_run(connection, tenant_id, run_id)
        timer = connection.exec_driver_sql(
            """
            update workflow_timers t set fired_at = clock_timestamp() from workflow_steps s
            where t.tenant_id = %(tenant)s and t.id = %(timer)s and t.fired_at is null and t.due_at <= clock_timestamp()
              and s.tenant_id = t.tenant_id and s.id = t.step_id
            returning s.id, s.node_key, s.kind, s.effect_class, s.idem_key, s.lease_epoch, s.attempt, s.timeout_s, s.output,
                      t.fails_with, s.state = 'waiting' and s.lease_epoch = t.expect_epoch as fits
            """,
            {"tenant": tenant_id, "timer": timer_id},
        ).first()
        if run is None or timer is None or not timer.fits:
            return False
        lease = Lease(
            tenant_id, run_id, timer.id, timer.node_key, timer.kind, timer.effect_class, timer.idem_key,
            timer.lease_epoch, timer.attempt, timer.timeout_s, "clock",
        )  # fmt: skip
        outcome = Failed(timer.fails_with) if timer.fails_with else Done(timer.output)
        continue_from(connection, run, lease, outcome)
        bus.announce(events.WaitExpired(tenant_id, run_id, timer.id, timer.node_key, timer.kind))
    return True


def decide(tenant_id: UUID, run_id: UUID, node_key: str, decision: str, *, actor: str) -> bool:
    """Answer for a step in doubt: `done` (it happened), `repeat` (do it again, same key) or `fail`.

    Returns:
        False when the step is not in doubt any more.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        run, _row = locked_run(connection, tenant_id, run_id)
        step = connection.exec_driver_sql(
            """
            update workflow_steps set lease_epoch = lease_epoch + 1
            where tenant_id = %s and execution_id = %s and node_key = %s and state = 'in_doubt'
            returning id, kind, effect_class, idem_key, lease_epoch, attempt, timeout_s
            """,
            (tenant_id, run_id, node_key),
        ).first()
        if run is None or step is None:
            return False
        lease = Lease(
            tenant_id, run_id, step.id, node_key, step.kind, step.effect_class, step.idem_key,
            step.lease_epoch, step.attempt, step.timeout_s, actor,
        )  # fmt: skip
        if decision == "repeat":
            moves = Moves(run, actor, may_carry=False)
            moves.tell("step.decided", node_key, decision=decision)
            write_settle(
                connection,
                lease,
                stand(run, run.graph.nodes[node_key], "ready"),
                moves,
                None,
                None,
            )
            db.after_commit(wake)
            db.after_commit(lambda: publish(run.id, run.event_seq))
            return True
        outcome = Done({"decided": "done"}) if decision == "done" else Failed("decided_failed", sent=False)
        continue_from(connection, run, lease, outcome)
    return True

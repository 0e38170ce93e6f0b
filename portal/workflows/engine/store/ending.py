"""T10 and T11: a run that is cancelled or timed out, and the steps that learn of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db
from portal.workflows.actions.base import Done
from portal.workflows.engine.store.rows import (
    Lease,
    Moves,
    Run,
    publish,
    stand,
)
from portal.workflows.engine.store.sql import (
    RUN_ENDS,
    locked_run,
    run_values,
    write_settle,
)


def cancel(tenant_id: UUID, run_id: UUID, *, actor: str, error: dict[str, Any] | None = None) -> bool:
    """Ask the run to end: what has not begun never begins; a leased step learns of it at its next sign of life.

    Args:
        error: why the engine itself cancels (the run's time limit); None for a person's wish.

    Returns:
        False when the run had ended already. Safe to repeat.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        run, row = locked_run(connection, tenant_id, run_id)
        if run is None:
            return False
        if row.cancelled:
            return True
        run.event_seq += 1
        connection.exec_driver_sql(
            """
            with steps as (
              update workflow_steps set state = 'cancelled', finished_at = clock_timestamp()
              where tenant_id = %(tenant)s and execution_id = %(run)s and state in ('ready', 'waiting', 'in_doubt')),
            timers as (
              update workflow_timers set fired_at = clock_timestamp()
              where tenant_id = %(tenant)s and execution_id = %(run)s and fired_at is null),
            told as (
              insert into workflow_events (tenant_id, execution_id, seq, kind, actor, data)
              values (%(tenant)s, %(run)s, %(seq)s::int, 'run.cancel_asked', %(actor)s::text, %(error)s::jsonb))
            update workflow_executions set cancel_at = clock_timestamp(), status = 'cancelling', event_seq = %(seq)s::int, error = %(error)s::jsonb
            where tenant_id = %(tenant)s and id = %(run)s
            """,
            {
                "tenant": tenant_id,
                "run": run_id,
                "seq": run.event_seq,
                "actor": actor,
                "error": db.to_json(error) if error else None,
            },
        )
        if not any(stand.state == "leased" for stand in run.stands.values()):
            _finish_cancelled(connection, run, error)
        db.after_commit(lambda: publish(run.id, run.event_seq))
    return True


def give_up(lease: Lease) -> None:
    """Return a leased step of a run that is ending: cancelled. A lost lease changes nothing."""
    with db.transaction(lease.tenant_id) as session:
        connection = session.connection()
        run, row = locked_run(connection, lease.tenant_id, lease.run_id)
        mine = connection.exec_driver_sql(
            "select 1 from workflow_steps where tenant_id = %s and id = %s and state = 'leased' and lease_epoch = %s for update",
            (lease.tenant_id, lease.step_id, lease.epoch),
        ).first()
        if run is not None and mine is not None and row.cancelled:
            end_cancelled(connection, run, lease, None, row.error)


def end_cancelled(
    connection: Connection,
    run: Run,
    lease: Lease,
    done: Done | None,
    error: dict[str, Any] | None,
) -> None:
    """End the leased step of a cancelled run; what it did stands, nothing follows it."""
    moves = Moves(run, lease.worker, may_carry=False)
    node = run.graph.nodes[lease.node_key]
    if done is not None:
        step = stand(run, node, "succeeded", port=done.port, output=done.output)
        moves.tell("step.succeeded", lease.node_key)
    else:
        step = stand(run, node, "cancelled")
        moves.tell("step.cancelled", lease.node_key)
    write_settle(connection, lease, step, moves, None, None)
    if not any(stand.state == "leased" for stand in run.stands.values()):
        _finish_cancelled(connection, run, error)
    db.after_commit(lambda: publish(run.id, run.event_seq))


def _finish_cancelled(connection: Connection, run: Run, error: dict[str, Any] | None) -> None:
    status = "timed_out" if error else "cancelled"
    run.event_seq += 1
    connection.exec_driver_sql(
        f"""
        with told as (
          insert into workflow_events (tenant_id, execution_id, seq, kind) values (%(tenant)s, %(run)s, %(seq)s::int, 'run.' || %(status)s::text))
        {RUN_ENDS}
        """,
        {
            "tenant": run.tenant_id,
            "run": run.id,
            "seq": run.event_seq,
            **run_values(status, error, None),
        },
    )
    bus.announce(events.RunFinished(run.tenant_id, run.id, run.workflow_id, status, run.executed_by))

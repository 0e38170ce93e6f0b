"""T10 and T11: a run that is cancelled or timed out, and the steps that learn of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.core import db
from portal.workflows.actions.base import Done
from portal.workflows.engine.store import compensating
from portal.workflows.engine.store.hints import publish
from portal.workflows.engine.store.reading import locked_run
from portal.workflows.engine.store.rows import Frame, Lease, Moves, Run, announce_end
from portal.workflows.engine.store.sql import HEAD, RUN_ENDS, run_values, write_settle

# What has not begun never begins. Leased steps stay: their workers learn of it, or their leases expire.
EVERYTHING = """
with steps as (
  update workflow_steps set state = 'cancelled', finished_at = clock_timestamp()
  where tenant_id = %(tenant)s and execution_id = %(run)s and state in ('ready', 'waiting', 'in_doubt')),
frames as (
  update workflow_frames set state = 'cancelled', ended_at = clock_timestamp()
  where tenant_id = %(tenant)s and execution_id = %(run)s and state in ('running', 'closing'))
update workflow_timers set fired_at = clock_timestamp()
where tenant_id = %(tenant)s and execution_id = %(run)s and fired_at is null
"""
CANCELS = f"""
with told as (
  insert into workflow_events (tenant_id, execution_id, seq, kind, actor, data)
  values (%(tenant)s, %(run)s, %(seq)s::int, 'run.cancel_asked', %(actor)s::text, %(error)s::jsonb) returning seq, hash)
update workflow_executions
set cancel_at = clock_timestamp(), status = 'cancelling', ends_as = %(ends_as)s::text, undo = %(undo)s::bool, event_seq = %(seq)s::int, {HEAD},
    error = %(error)s::jsonb
where tenant_id = %(tenant)s and id = %(run)s
"""


def cancel(
    tenant_id: UUID, run_id: UUID, *, actor: str, error: dict[str, Any] | None = None, undo: bool = False, ends_as: str = ""
) -> bool:
    """Ask the run to end: what has not begun never begins; a leased step learns of it at its next sign of life.

    Args:
        error: why the engine itself cancels (the run's time limit); None for a person's wish.
        ends_as: how it ends, where it is not `timed_out` with an error and `cancelled` without.
        undo: take back what was done, by the undo lanes of the steps that succeeded.

    Returns:
        False when the run had ended already. Safe to repeat; a run that is already ending goes on as it was told.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("cancel")
        run, row = locked_run(connection, tenant_id, run_id)
        if run is None:
            return False
        if row.status in ("cancelling", "compensating"):
            return True
        run.event_seq += 1
        values = {"tenant": tenant_id, "run": run_id, "seq": run.event_seq, "actor": actor, "undo": undo}
        ends_as = ends_as or ("timed_out" if error else "cancelled")
        connection.exec_driver_sql(CANCELS, {**values, "ends_as": ends_as, "error": db.to_json(error) if error else None})
        end_everything(connection, run)
        if not is_leased(connection, run):
            finish_closed(connection, run)
        db.after_commit(lambda: publish(run.id, run.event_seq))
    return True


def end_everything(connection: Connection, run: Run) -> None:
    """Cancel every step, frame and timer of a run that is ending, but for leased steps."""
    connection.exec_driver_sql(EVERYTHING, {"tenant": run.tenant_id, "run": run.id})


def is_leased(connection: Connection, run: Run) -> bool:
    """Say whether a worker holds any step of the run."""
    found = connection.exec_driver_sql(
        "select 1 from workflow_steps where tenant_id = %s and execution_id = %s and state = 'leased' limit 1", (run.tenant_id, run.id)
    )
    return found.first() is not None


def give_up(lease: Lease) -> None:
    """Return a leased step that may not be carried out any more: its run is ending, or its frame is closed.

    A lost lease changes nothing.
    """
    from portal.workflows.engine.store.settling import settle_in

    with db.transaction(lease.tenant_id) as session:
        connection = session.connection()
        db.commits("give_up")
        run, row = locked_run(connection, lease.tenant_id, lease.run_id)
        mine = connection.exec_driver_sql(
            "select 1 from workflow_steps where tenant_id = %s and id = %s and state = 'leased' and lease_epoch = %s for update",
            (lease.tenant_id, lease.step_id, lease.epoch),
        ).first()
        if run is None or mine is None:
            return
        frame = run.frames.get(lease.scope)
        if row.cancelled:
            end_cancelled(connection, run, lease, None)
        elif frame is None or frame.is_closing:
            settle_in(Moves(run, connection, lease.worker, may_carry=False), lease, None)


def end_cancelled(connection: Connection, run: Run, lease: Lease, done: Done | None, *, used: dict[str, int] | None = None) -> None:
    """End the leased step of a cancelled run; what it did stands, nothing follows it."""
    moves = Moves(run, connection, lease.worker, may_carry=False)
    frame = run.frame(lease.scope) or Frame(lease.scope)
    state = "succeeded" if done is not None else "cancelled"
    moves.tell(f"step.{state}", lease.node_key, frame)
    port, output = (done.port, done.output) if done is not None else (None, None)
    step = {"state": state, "port": port, "output": output, "error": None, "delay_s": 0, "seq": run.event_seq, "used": used}
    write_settle(connection, lease, step, moves, None, None)
    if not is_leased(connection, run):
        finish_closed(connection, run)
    db.after_commit(lambda: publish(run.id, run.event_seq))


def finish_closed(connection: Connection, run: Run) -> None:
    """End a run whose last leased step came back, as it was told to end; or begin to take back what it did."""
    row = connection.exec_driver_sql(
        "select ends_as, undo, error, output_data from workflow_executions where tenant_id = %s and id = %s", (run.tenant_id, run.id)
    ).one()
    if run.graph.undoable and (row.undo or row.ends_as == "failed"):
        compensating.begin(connection, run)
        return
    end_run(connection, run, row.ends_as or "cancelled", row.error, row.output_data)


def end_run(connection: Connection, run: Run, status: str, error: dict[str, Any] | None, output: Any = None) -> None:
    """Write the end of a run that no settle writes."""
    run.event_seq += 1
    connection.exec_driver_sql(
        f"""
        with told as (
          insert into workflow_events (tenant_id, execution_id, seq, kind) values (%(tenant)s, %(run)s, %(seq)s::int, 'run.' || %(status)s::text)
          returning seq, hash)
        {RUN_ENDS}
        """,
        {"tenant": run.tenant_id, "run": run.id, "seq": run.event_seq, "begun": None, **run_values(status, error, output)},
    )
    announce_end(run, status)

"""Pause and resume: a paused run ends what is in hand and begins nothing; its ready steps stand where no worker looks."""

from __future__ import annotations

from uuid import UUID

from portal.core import db
from portal.workflows.engine.lanes import GATED, PARKED
from portal.workflows.engine.store.hints import publish, wake
from portal.workflows.engine.store.sql import HEAD


def pause(tenant_id: UUID, run_id: UUID, *, actor: str) -> bool:
    """Pause a run; False when it is not in a state that can be paused. Safe to repeat."""
    return _switch(tenant_id, run_id, actor, before=("pending", "running"), status="paused")


def resume(tenant_id: UUID, run_id: UUID, *, actor: str) -> bool:
    """Let a paused run go on; False when it is not paused. Due timers fire at the next sweep. Safe to repeat."""
    return _switch(tenant_id, run_id, actor, before=("paused",), status="running")


def _switch(tenant_id: UUID, run_id: UUID, actor: str, *, before: tuple[str, ...], status: str) -> bool:
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("pause" if status == "paused" else "resume")
        values = {
            "tenant": tenant_id,
            "run": run_id,
            "actor": actor,
            "before": list(before),
            "status": status,
            "parked": PARKED,
            "gated": GATED,
        }
        row = connection.exec_driver_sql(
            """
            update workflow_executions
            set status = case when is_gated and %(status)s::text = 'running' then 'pending' else %(status)s::text end, event_seq = event_seq + 1,
                started_at = case when is_gated then started_at else coalesce(started_at, clock_timestamp()) end,
                pause_at = case when %(status)s::text = 'paused' then clock_timestamp() end
            where tenant_id = %(tenant)s and id = %(run)s and status = any(%(before)s) returning event_seq, is_gated
            """,
            values,
        ).first()
        if row is None:
            return False
        connection.exec_driver_sql(
            f"""
            with told as (insert into workflow_events (tenant_id, execution_id, seq, kind, actor)
                          values (%(tenant)s, %(run)s, %(seq)s::int, 'run.' || case when %(status)s::text = 'paused' then 'paused' else 'resumed' end, %(actor)s) returning seq, hash),
                 head as (update workflow_executions set {HEAD} where tenant_id = %(tenant)s and id = %(run)s)
            update workflow_steps
            set queue = case when %(status)s::text = 'paused' then %(parked)s::text when %(is_gated)s then %(gated)s::text else '' end
                        || split_part(queue, ':', -1),
                available_at = greatest(available_at, clock_timestamp())  -- standing still earns no place in the line
            where tenant_id = %(tenant)s and execution_id = %(run)s and state = 'ready'
            """,
            {**values, "seq": row.event_seq, "is_gated": row.is_gated},
        )
        db.after_commit(wake)
        db.after_commit(lambda: publish(run_id, row.event_seq))
    return True

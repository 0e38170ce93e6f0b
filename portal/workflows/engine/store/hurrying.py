"""What somebody sends on before its time: the next attempt of a step, or a wait that nobody needs any more."""

from __future__ import annotations

from uuid import UUID

from portal.core import db
from portal.workflows.actions.base import Done
from portal.workflows.engine.store.hints import publish, wake
from portal.workflows.engine.store.opening import waiting_step
from portal.workflows.engine.store.reading import locked_run
from portal.workflows.engine.store.rows import Moves
from portal.workflows.engine.store.settling import continue_from
from portal.workflows.engine.store.sql import write_rows

# Waits that end by themselves: people decide a task, and what a block or another run does is never passed over.
SKIPPABLE = frozenset({"wait", "signal", "callback"})


def hurry(tenant_id: UUID, run_id: UUID, step_id: UUID, *, actor: str) -> bool:
    """Let a step that waits for its next attempt begin now; False when it does not wait for one. Safe to repeat."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("hurry")
        run, _row = locked_run(connection, tenant_id, run_id)
        if run is None:
            return False
        step = connection.exec_driver_sql(
            "update workflow_steps set available_at = clock_timestamp() where tenant_id = %s and execution_id = %s and id = %s"
            " and state = 'ready' and attempt > 0 and available_at > clock_timestamp() returning node_key, scope_path",
            (tenant_id, run_id, step_id),
        ).first()
        if step is None:
            return False
        moves = Moves(run, connection, actor, may_carry=False)
        moves.tell("step.hurried", step.node_key, run.frames.get(step.scope_path))
        write_rows(connection, moves)
        db.after_commit(wake)
        db.after_commit(lambda: publish(run.id, run.event_seq))
    return True


def skip(tenant_id: UUID, run_id: UUID, step_id: UUID, *, actor: str) -> bool:
    """End a wait for a moment, a signal or a callback now, as if it had come; False when the step does not wait so. Safe to repeat."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("skip")
        run, row = locked_run(connection, tenant_id, run_id)
        if run is None or row.status == "paused":
            return False
        step = connection.exec_driver_sql(
            "select kind, output from workflow_steps where tenant_id = %s and execution_id = %s and id = %s and state = 'waiting' for update",
            (tenant_id, run_id, step_id),
        ).first()
        if step is None or step.kind not in SKIPPABLE:
            return False
        output = step.output if step.kind == "wait" else {"outcome": "skipped", "payload": None}
        continue_from(connection, run, waiting_step(connection, run, step_id, actor), Done(output))
    return True

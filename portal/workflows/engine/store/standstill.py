"""An organisation that stands still: nothing of its runs is begun, and once it goes on nothing has run out meanwhile.

While it is suspended no worker claims its steps (`claim_step`) and the dispatcher passes it by (`look`); what was in hand comes to its
end. What limits a time moves by as long as it stood still: the deadlines of runs, the limits of tasks and of steps that wait for somebody,
reminders, and how long signals and files are kept. A wait for a moment does not move: if the moment has passed, it ends at once.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from portal.core import db
from portal.workflows.engine.store.hints import wake

# What moves: table, column, and which rows of it.
MOVING = (
    ("workflow_executions", "deadline_at", "completed_at is null"),
    (
        "workflow_timers",
        "due_at",
        "fired_at is null and step_id in (select id from workflow_steps where tenant_id = :tenant and kind <> 'wait')",
    ),
    ("workflow_tasks", "due_at", "state = 'open'"),
    ("workflow_tasks", "remind_at", "state = 'open'"),
    ("workflow_tasks", "escalate_at", "state = 'open'"),
    ("workflow_signals", "expires_at", "consumed_at is null"),
    ("workflow_files", "expires_at", "true"),
)


def is_still(tenant_id: UUID) -> bool:
    """Say whether the organisation of the open transaction stands still, or is closed."""
    return db.session().scalar(text("select status <> 'active' from tenants where id = :tenant"), {"tenant": tenant_id}) is not False


def go_on(tenant_id: UUID, since: datetime) -> None:
    """Move what limits a time, in the transaction that lets the organisation go on."""
    values = {"tenant": tenant_id, "since": since}
    for table, column, which in MOVING:
        db.session().execute(
            text(
                f"update {table} set {column} = {column} + (clock_timestamp() - cast(:since as timestamptz))"
                f" where tenant_id = :tenant and {column} >= :since and {which}"
            ),
            values,
        )
    # In the same order as before; what they waited meanwhile was no wait for others.
    db.session().execute(
        text(
            "update workflow_steps set available_at = available_at + (clock_timestamp() - cast(:since as timestamptz))"
            " where tenant_id = :tenant and state = 'ready'"
        ),
        values,
    )
    db.after_commit(wake)

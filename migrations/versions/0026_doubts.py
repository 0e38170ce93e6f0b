"""Steps in doubt are tasks: a step that comes out of doubt closes its task; candidates can be taken out of a task again."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KINDS = "'comment','claimed','returned','delegated','reminded','escalated'"


def upgrade() -> None:
    _know("'removed'")
    _close("old.state in ('waiting', 'in_doubt') and new.state <> old.state")


def downgrade() -> None:
    op.execute("delete from workflow_task_notes where kind = 'removed'")
    for table in ("workflow_task_notes", "workflow_votes", "workflow_task_candidates"):
        op.execute(f"delete from {table} where task_id in (select id from workflow_tasks where kind = 'doubt')")
    op.execute("delete from workflow_tasks where kind = 'doubt'")
    _know()
    _close("old.state = 'waiting' and new.state <> 'waiting'")


def _know(*more: str) -> None:
    op.drop_constraint(op.f("ck_workflow_task_notes_kind_known"), "workflow_task_notes", type_="check")
    op.create_check_constraint(op.f("ck_workflow_task_notes_kind_known"), "workflow_task_notes", f"kind in ({', '.join([KINDS, *more])})")


def _close(when: str) -> None:
    op.execute("drop trigger waits_close on workflow_steps")
    op.execute(
        f"create trigger waits_close after update of state on workflow_steps for each row when ({when}) execute function close_waits()"
    )

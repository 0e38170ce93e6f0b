"""Frames of blocks, lists of for-each, sub-workflows, pause, compensation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
OLD_ENDED = "'succeeded','failed','cancelled','timed_out'"
ENDED = f"{OLD_ENDED},'compensated'"
LIVE = "'pending','running','cancelling','paused'"
FRAME_ENDED = "'succeeded','failed','cancelled'"
JSON = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column("workflow_steps", sa.Column("ended_seq", sa.Integer(), nullable=True))
    for name, kind in (("pause_at", sa.DateTime(timezone=True)), ("ends_as", sa.String()), ("parent_step_id", sa.UUID()),
                       ("root_id", sa.UUID()), ("error_of", sa.UUID())):  # fmt: skip
        op.add_column("workflow_executions", sa.Column(name, kind, nullable=True))
    op.add_column("workflow_executions", sa.Column("depth", sa.Integer(), server_default="0", nullable=False))
    op.add_column("workflow_executions", sa.Column("undo", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _statuses(LIVE + ",'compensating'", ENDED)
    op.create_foreign_key(
        op.f("fk_workflow_executions_tenant_id_parent_step_id"), "workflow_executions", "workflow_steps",
        ["tenant_id", "parent_step_id"], ["tenant_id", "id"], deferrable=True, initially="DEFERRED",
    )  # fmt: skip
    op.create_index("ix_workflow_executions_parent", "workflow_executions", ["tenant_id", "parent_step_id"], unique=True,
                    postgresql_where=sa.text("parent_step_id is not null"))  # fmt: skip
    op.create_index("ix_workflow_steps_calling", "workflow_steps", ["tenant_id", "id"],
                    postgresql_where=sa.text("state = 'waiting' and kind = 'subworkflow'"))  # fmt: skip
    _frames()
    op.create_table(
        "workflow_lists",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("step_id", sa.UUID(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "step_id"], ["workflow_steps.tenant_id", "workflow_steps.id"],
                                name=op.f("fk_workflow_lists_tenant_id_step_id")),
        sa.PrimaryKeyConstraint("tenant_id", "step_id", "page", name=op.f("pk_workflow_lists")),
    )  # fmt: skip
    for table, app in (("workflow_frames", "SELECT, INSERT, UPDATE, DELETE"), ("workflow_lists", "SELECT, INSERT, DELETE")):
        for statement in [*tenancy.wall(table, system=True), *tenancy.grants(table, app=app, system="SELECT")]:
            op.execute(statement)
    op.execute(
        "CREATE TRIGGER ended_never_changes BEFORE UPDATE ON workflow_frames FOR EACH ROW"
        f" WHEN (OLD.state IN ({FRAME_ENDED})) EXECUTE FUNCTION refuse_change()"
    )


def _statuses(live: str, ended: str) -> None:
    """Let the checks, the index of deadlines and the trigger know these statuses."""
    op.drop_constraint(op.f("ck_workflow_executions_status_known"), "workflow_executions")
    op.drop_constraint(op.f("ck_workflow_executions_finished_has_a_time"), "workflow_executions")
    op.create_check_constraint(op.f("ck_workflow_executions_status_known"), "workflow_executions", f"status in ({live},{ended})")
    op.create_check_constraint(
        op.f("ck_workflow_executions_finished_has_a_time"), "workflow_executions", f"(status in ({ended})) = (completed_at is not null)"
    )
    op.drop_index("ix_workflow_executions_deadline", table_name="workflow_executions")
    op.create_index("ix_workflow_executions_deadline", "workflow_executions", ["deadline_at"],
                    postgresql_where=sa.text(f"status not in ({ended})"))  # fmt: skip
    op.execute("DROP TRIGGER ended_never_changes ON workflow_executions")
    op.execute(
        "CREATE TRIGGER ended_never_changes BEFORE UPDATE ON workflow_executions FOR EACH ROW"
        f" WHEN (OLD.status IN ({ended})) EXECUTE FUNCTION refuse_change()"
    )


def _frames() -> None:
    op.create_table(
        "workflow_frames",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("step_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("execution_id", sa.UUID(), nullable=False),
        sa.Column("scope_path", sa.String(), nullable=False),
        sa.Column("parent_path", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("value", JSON, nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"state in ('running','closing',{FRAME_ENDED})", name=op.f("ck_workflow_frames_state_known")),
        sa.CheckConstraint(f"(state in ({FRAME_ENDED})) = (ended_at is not null)", name=op.f("ck_workflow_frames_ended_has_a_time")),
        sa.ForeignKeyConstraint(["tenant_id", "execution_id"], ["workflow_executions.tenant_id", "workflow_executions.id"],
                                name=op.f("fk_workflow_frames_tenant_id_execution_id")),
        sa.ForeignKeyConstraint(["tenant_id", "step_id"], ["workflow_steps.tenant_id", "workflow_steps.id"],
                                name=op.f("fk_workflow_frames_tenant_id_step_id")),
        sa.PrimaryKeyConstraint("tenant_id", "step_id", "number", name=op.f("pk_workflow_frames")),
        sa.UniqueConstraint("tenant_id", "execution_id", "scope_path",
                            name=op.f("uq_workflow_frames_tenant_id_execution_id_scope_path")),
    )  # fmt: skip
    op.create_index("ix_workflow_frames_live", "workflow_frames", ["tenant_id", "execution_id"],
                    postgresql_where=sa.text("state in ('running','closing')"))  # fmt: skip
    op.create_index("ix_workflow_frames_failed", "workflow_frames", ["tenant_id", "step_id"],
                    postgresql_where=sa.text("state = 'failed'"))  # fmt: skip


def downgrade() -> None:
    op.drop_table("workflow_lists")
    op.drop_table("workflow_frames")
    op.drop_index("ix_workflow_steps_calling", table_name="workflow_steps")
    op.drop_index("ix_workflow_executions_parent", table_name="workflow_executions")
    op.execute("alter table workflow_executions disable trigger ended_never_changes")
    op.execute("update workflow_executions set status = 'failed' where status = 'compensated'")
    op.execute("alter table workflow_executions enable trigger ended_never_changes")
    op.execute("update workflow_executions set status = 'cancelling' where status = 'compensating'")
    _statuses(LIVE, OLD_ENDED)
    op.drop_constraint(op.f("fk_workflow_executions_tenant_id_parent_step_id"), "workflow_executions")
    for name in ("undo", "depth", "error_of", "root_id", "parent_step_id", "ends_as", "pause_at"):
        op.drop_column("workflow_executions", name)
    op.drop_column("workflow_steps", "ended_seq")

"""The home page: first steps that were put away, and a short way to the steps that wait for a decision."""

import sqlalchemy as sa
from alembic import op

from portal.core import tenancy

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "onboardings",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dismissed_by", sa.UUID(), nullable=True),
        sa.ForeignKeyConstraint(["dismissed_by"], ["people.id"], name=op.f("fk_onboardings_dismissed_by")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_onboardings_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_onboardings")),
    )
    op.create_index(
        "ix_workflow_steps_in_doubt",
        "workflow_steps",
        ["tenant_id", "execution_id"],
        unique=False,
        postgresql_where=sa.text("state = 'in_doubt'"),
    )
    for statement in [*tenancy.wall("onboardings"), *tenancy.grants("onboardings", app="SELECT, INSERT, DELETE")]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_workflow_steps_in_doubt", table_name="workflow_steps")
    op.drop_table("onboardings")

"""What a step used outside; samples that were pinned from runs are asked to say from which."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table workflow_steps add column used jsonb")


def downgrade() -> None:
    op.execute("alter table workflow_steps drop column used")

"""Samples of steps, kept with a draft and no part of it."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table workflow_templates add column pins jsonb not null default '{}'")


def downgrade() -> None:
    op.execute("alter table workflow_templates drop column pins")

"""What a step used outside; samples that were taken from a run and do not say from which are removed: nobody could tell when to."""

from alembic import op

revision = "0033"
down_revision = "0032"  # it came to the house before this one
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table workflow_steps add column used jsonb")
    op.execute("alter table workflow_templates no force row level security")
    op.execute(
        "update workflow_templates set pins = (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(pins)"
        " where value ->> 'source' is distinct from 'run') where pins <> '{}'"
    )
    op.execute("alter table workflow_templates force row level security")


def downgrade() -> None:
    op.execute("alter table workflow_steps drop column used")

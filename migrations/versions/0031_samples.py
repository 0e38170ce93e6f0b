"""Templates that an organisation saves from its own workflows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLE = "workflow_samples"


def upgrade() -> None:
    json = postgresql.JSONB(astext_type=sa.Text())
    now = sa.text("clock_timestamp()")
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_ar", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("description_ar", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("icon", sa.String(), nullable=False),
        sa.Column("nodes", json, nullable=False),
        sa.Column("settings", json, nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{TABLE}_tenant_id")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f(f"fk_{TABLE}_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(f"ix_{TABLE}_category", TABLE, ["tenant_id", "category"])
    for statement in [*tenancy.wall(TABLE), *tenancy.grants(TABLE)]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table(TABLE)

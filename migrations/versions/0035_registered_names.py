"""Organisations that registered themselves are found by their names: their search keys had stayed empty."""

import sqlalchemy as sa
from alembic import op

from portal.i18n import search

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.text("select id, name, name_ar from tenants where search_key = ''")).all():
        connection.execute(
            sa.text("update tenants set search_key = :key where id = :id"), {"id": row.id, "key": search.key(row.name, row.name_ar)}
        )


def downgrade() -> None:
    """Nothing was there that could come back."""

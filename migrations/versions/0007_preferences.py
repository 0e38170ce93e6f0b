"""How each reader wants numbers, days and times; folded names to search and sort by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.i18n import search

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 1_000
NAMED = {
    "people": ("name", "name_ar"), "workflow_templates": ("name", "name_ar"), "data_tables": ("name", "name_ar", "slug"),
}  # fmt: skip


def upgrade() -> None:
    for table in ("people", "tenants"):
        op.add_column(
            table, sa.Column("preferences", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False)
        )
    # A trusted extension: the owner of the database may create it, and where an administrator has, nothing is done.
    op.execute("create extension if not exists pg_trgm")
    for table, names in NAMED.items():
        op.add_column(table, sa.Column("search_key", sa.String(), server_default="", nullable=False))
        fill(table, names)
        op.create_index(f"ix_{table}_search", table, ["search_key"], postgresql_using="gin", postgresql_ops={"search_key": "gin_trgm_ops"})


def fill(table: str, names: tuple[str, ...]) -> None:
    """Write the key of every row, in Python, because there it is written afterwards, too."""
    connection = op.get_bind()
    # The owner is held by the walls as everybody is (FORCE); it may take them down for its own transaction.
    walled = table != "people"
    if walled:
        op.execute(f"alter table {table} no force row level security")
    rows = connection.execute(sa.text(f"select id, {', '.join(names)} from {table} order by id")).all()
    for place in range(0, len(rows), BATCH):
        values = [{"id": row.id, "key": search.key(*row[1:])} for row in rows[place : place + BATCH]]
        connection.execute(sa.text(f"update {table} set search_key = :key where id = :id"), values)
    if walled:
        op.execute(f"alter table {table} force row level security")


def downgrade() -> None:
    for table in reversed(NAMED):
        op.drop_index(f"ix_{table}_search", table_name=table)
        op.drop_column(table, "search_key")
    for table in ("tenants", "people"):
        op.drop_column(table, "preferences")

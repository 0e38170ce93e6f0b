"""How each reader wants numbers, days and times; folded names to search and sort by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.i18n import search

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 1_000


def upgrade() -> None:
    for table in ("people", "tenants"):
        op.add_column(
            table, sa.Column("preferences", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False)
        )
    # A trusted extension: the owner of the database may create it, and where an administrator has, nothing is done.
    op.execute("create extension if not exists pg_trgm")
    for table in ("people", "workflow_templates"):
        op.add_column(table, sa.Column("search_key", sa.String(), server_default="", nullable=False))
        fill(table)
    op.create_index("ix_people_search", "people", ["search_key"], postgresql_using="gin", postgresql_ops={"search_key": "gin_trgm_ops"})
    op.create_index(
        "ix_workflow_templates_search",
        "workflow_templates",
        ["search_key"],
        postgresql_using="gin",
        postgresql_ops={"search_key": "gin_trgm_ops"},
    )


def fill(table: str) -> None:
    """Write the key of every row, in Python, because there it is written afterwards, too."""
    connection = op.get_bind()
    # The owner is held by the walls as everybody is (FORCE); it may take them down for its own transaction.
    walled = table == "workflow_templates"
    if walled:
        op.execute(f"alter table {table} no force row level security")
    rows = connection.execute(sa.text(f"select id, name, name_ar from {table} order by id")).all()
    for place in range(0, len(rows), BATCH):
        values = [{"id": row.id, "key": search.key(row.name, row.name_ar)} for row in rows[place : place + BATCH]]
        connection.execute(sa.text(f"update {table} set search_key = :key where id = :id"), values)
    if walled:
        op.execute(f"alter table {table} force row level security")


def downgrade() -> None:
    op.drop_index("ix_workflow_templates_search", table_name="workflow_templates")
    op.drop_index("ix_people_search", table_name="people")
    for table in ("workflow_templates", "people"):
        op.drop_column(table, "search_key")
    for table in ("tenants", "people"):
        op.drop_column(table, "preferences")

"""Lists: saved views, what a person chose for a list, one verb for many rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("saved_views", "list_choices", "bulk_actions")


def json() -> postgresql.JSONB:
    return postgresql.JSONB(astext_type=sa.Text())


def now() -> sa.TextClause:
    return sa.text("clock_timestamp()")


def person_of(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f(f"fk_{table}_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("list_name", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", json(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_saved_views_name_fits")),
        sa.CheckConstraint("jsonb_typeof(query) = 'object'", name=op.f("ck_saved_views_query_is_an_object")),
        *person_of("saved_views"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_saved_views_tenant_id_id")),
    )
    op.create_index("ix_saved_views_list", "saved_views", ["tenant_id", "list_name", "person_id"], unique=False)
    op.create_table(
        "list_choices",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("list_name", sa.String(), nullable=False),
        sa.Column("columns", json(), nullable=True),
        sa.Column("view_id", sa.UUID(), nullable=True),
        *person_of("list_choices"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "view_id"],
            ["saved_views.tenant_id", "saved_views.id"],
            name=op.f("fk_list_choices_tenant_id_view_id"),
            ondelete="SET NULL (view_id)",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "list_name", name=op.f("pk_list_choices")),
    )
    op.create_table(
        "bulk_actions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("list_name", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("query", json(), nullable=False),
        sa.Column("ids", json(), nullable=True),
        sa.Column("own_only", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skipped_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reasons", json(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("changed", json(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("cursor", sa.UUID(), nullable=True),
        sa.Column("undo_id", sa.UUID(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=now(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("state in ('waiting','running','done','undone','stopped')", name=op.f("ck_bulk_actions_state_known")),
        sa.CheckConstraint(
            "(state in ('done','undone','stopped')) = (finished_at is not null)", name=op.f("ck_bulk_actions_over_has_a_time")
        ),
        *person_of("bulk_actions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_actions")),
    )
    op.create_index("ix_bulk_actions_mine", "bulk_actions", ["tenant_id", "person_id", "asked_at"], unique=False)
    for table in TABLES:
        for statement in [*tenancy.wall(table, system=table != "list_choices"), *tenancy.grants(table, system=SYSTEM[table])]:
            op.execute(statement)


# The dispatcher deletes what is old.
SYSTEM = {"saved_views": "SELECT, DELETE", "bulk_actions": "SELECT, DELETE", "list_choices": ""}


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)

"""Connections with sealed secrets; files that runs make."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def json() -> postgresql.JSONB:
    return postgresql.JSONB(astext_type=sa.Text())


def moment(name: str, *, is_set: bool = False) -> sa.Column:
    if is_set:
        return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    op.create_table(
        "connections",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_ar", sa.String(), nullable=True),
        sa.Column("settings", json(), nullable=False),
        sa.Column("hosts", json(), nullable=False),
        sa.Column("scope", sa.String(), server_default="tenant", nullable=False),
        sa.Column("scope_items", json(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_before", sa.LargeBinary(), nullable=True),
        moment("before_until"),
        moment("rotated_at"),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        moment("token_until"),
        moment("token_lease_until"),
        moment("tested_at"),
        sa.Column("test_code", sa.String(), nullable=True),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        moment("created_at", is_set=True),
        moment("updated_at", is_set=True),
        sa.CheckConstraint("scope in ('tenant','workflows','kinds')", name=op.f("ck_connections_scope_known")),
        sa.CheckConstraint("(sealed_before is null) = (before_until is null)", name=op.f("ck_connections_before_has_an_end")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_connections_tenant_id")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_connections_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_connections_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_connections_tenant_id_name")),
    )
    op.create_index("ix_connections_before", "connections", ["before_until"], postgresql_where=sa.text("sealed_before is not null"))
    op.create_table(
        "workflow_files",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("execution_id", sa.UUID(), nullable=False),
        sa.Column("node_key", sa.String(), nullable=False),
        sa.Column("idem_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        moment("created_at", is_set=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("size = octet_length(content)", name=op.f("ck_workflow_files_size_is_right")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_workflow_files_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "execution_id"],
            ["workflow_executions.tenant_id", "workflow_executions.id"],
            name=op.f("fk_workflow_files_tenant_id_execution_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_files")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_workflow_files_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "execution_id", "idem_key", name=op.f("uq_workflow_files_tenant_id_execution_id_idem_key")),
    )
    op.create_index("ix_workflow_files_old", "workflow_files", ["expires_at"])
    for table in ("connections", "workflow_files"):
        for statement in [*tenancy.wall(table, system=True), *tenancy.grants(table)]:
            op.execute(statement)
    # The dispatcher tidies up, and reads neither secrets nor files.
    op.execute(f"GRANT SELECT (id, tenant_id, before_until), UPDATE (sealed_before, before_until) ON connections TO {tenancy.SYSTEM_ROLE}")
    op.execute(f"GRANT SELECT (id, expires_at), DELETE ON workflow_files TO {tenancy.SYSTEM_ROLE}")


def downgrade() -> None:
    op.drop_table("workflow_files")
    op.drop_table("connections")

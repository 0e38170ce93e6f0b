"""Published themes, their pictures, and the look of each organisation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenants", sa.Column("look", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("themes", sa.Column("version", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "theme_versions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("theme_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("css", sa.String(), nullable=False),
        sa.Column("sha", sa.String(), nullable=False),
        sa.Column("published_by", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["published_by"], ["people.id"], name=op.f("fk_theme_versions_published_by")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "theme_id"],
            ["themes.tenant_id", "themes.id"],
            name=op.f("fk_theme_versions_tenant_id_theme_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_theme_versions_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "theme_id", "number", name=op.f("pk_theme_versions")),
    )
    op.create_index("ix_theme_versions_sha", "theme_versions", ["tenant_id", "sha"], unique=False)
    op.create_table(
        "theme_assets",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.CheckConstraint("media_type in ('image/webp','image/svg+xml')", name=op.f("ck_theme_assets_media_type_known")),
        sa.CheckConstraint("octet_length(content) <= 2000000", name=op.f("ck_theme_assets_not_too_large")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_theme_assets_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_theme_assets")),
    )
    for table in ("theme_versions", "theme_assets"):
        for statement in [*tenancy.wall(table), *tenancy.grants(table, app="SELECT, INSERT, DELETE")]:
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("theme_assets")
    op.drop_table("theme_versions")
    op.drop_column("themes", "version")
    op.drop_column("tenants", "look")

"""Sign-in factors of people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = ("totp_factors", "passkeys", "recovery_codes")


def now() -> sa.TextClause:
    return sa.text("clock_timestamp()")


def person_of(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f(f"fk_{table}_person_id"), ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "totp_factors",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("label", sa.String(), server_default="", nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("length(label) <= 60", name=op.f("ck_totp_factors_label_fits")),
        sa.CheckConstraint("confirmed_at is not null or last_step is null", name=op.f("ck_totp_factors_used_after_confirmed")),
        person_of("totp_factors"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp_factors")),
    )
    op.create_index("ix_totp_factors_person", "totp_factors", ["person_id"], unique=False)
    op.create_index("uq_totp_factors_begun", "totp_factors", ["person_id"], unique=True, postgresql_where=sa.text("confirmed_at is null"))
    op.create_table(
        "passkeys",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("aaguid", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("is_backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("length(name) <= 60", name=op.f("ck_passkeys_name_fits")),
        person_of("passkeys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index("ix_passkeys_person", "passkeys", ["person_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        person_of("recovery_codes"),
        sa.PrimaryKeyConstraint("person_id", "hash", name=op.f("pk_recovery_codes")),
    )
    for table in TABLES:
        for statement in tenancy.grants(table):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)

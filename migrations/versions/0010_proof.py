"""Who somebody is, proven: devices, attempts, step-up, password resets; letters of the house; each tenant's own rules of security."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.add_column("tenants", sa.Column("security", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("people", sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("people", sa.Column("password_failures", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "devices",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_agent", sa.String(), server_default="", nullable=False),
        sa.Column("address", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_devices_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("person_id", "token_hash", name=op.f("uq_devices_person_id_token_hash")),
    )
    op.add_column("sessions", sa.Column("device_id", sa.UUID(), nullable=True))
    op.add_column("sessions", sa.Column("signed_in_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False))
    op.add_column("sessions", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_sessions_device_id"), "sessions", "devices", ["device_id"], ["id"], ondelete="SET NULL")
    op.create_table(
        "proof_attempts",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("wide_network", sa.String(), nullable=False),
        sa.Column("device_id", sa.UUID(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("outcome in ('failed','passed','refused')", name=op.f("ck_proof_attempts_outcome_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_attempts")),
    )
    for name, columns in (
        ("subject", ["subject", "at"]),
        ("network", ["network", "at"]),
        ("wide_network", ["wide_network", "at"]),
        ("old", ["at"]),
    ):
        op.create_index(f"ix_proof_attempts_{name}", "proof_attempts", columns)
    op.create_table(
        "password_resets",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_password_resets_person_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_resets")),
    )
    op.create_index("ix_password_resets_person", "password_resets", ["person_id"])
    op.create_table(
        "letters",
        sa.Column("tenant_id", sa.UUID(), nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("error", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_letters_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
    )
    op.create_index("ix_letters_old", "letters", ["created_at"])
    for table in ("devices", "proof_attempts", "password_resets", "letters"):
        for statement in tenancy.grants(table, system="SELECT, DELETE"):
            op.execute(statement)


def downgrade() -> None:
    for table in ("letters", "password_resets", "proof_attempts"):
        op.drop_table(table)
    op.drop_constraint(op.f("fk_sessions_device_id"), "sessions", type_="foreignkey")
    for column in ("confirmed_at", "signed_in_at", "device_id"):
        op.drop_column("sessions", column)
    op.drop_table("devices")
    for column in ("password_failures", "password_changed_at"):
        op.drop_column("people", column)
    op.drop_column("tenants", "security")

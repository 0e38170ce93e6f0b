"""Triggers of workflows, and what arrives at them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
KINDS = "'manual','api','form','webhook','schedule','event'"
OUTCOMES = "'waiting','queued','started','refused','filtered','skipped','missed','limited','too_deep','unpublished'"
# The dispatcher learns which schedule is due and which receipt waits, never what arrived.
SYSTEM = {
    "workflow_triggers": "SELECT (id, tenant_id, is_enabled, next_fire_at)",
    "workflow_receipts": "SELECT (id, tenant_id, trigger_id, outcome, received_at), DELETE",
}
# A request from outside brings the secret of an address and nothing else: whoever knows its hash sees the one trigger that it opens.
SHOWN_HASH = "decode(nullif(current_setting('app.shown_hash', true), ''), 'hex')"
# With the rights of its caller, behind the same walls. Names the tenant for the rest of the transaction.
FIND_TRIGGER = """
create function find_trigger(digest bytea) returns table (tenant_id uuid, id uuid)
language plpgsql volatile security invoker set search_path = public as $$
begin
  perform set_config('app.shown_hash', encode(digest, 'hex'), true);
  select w.tenant_id, w.id into find_trigger.tenant_id, find_trigger.id from workflow_triggers w where w.token_hash = digest;
  perform set_config('app.shown_hash', '', true);
  if find_trigger.id is not null then
    perform set_config('app.tenant_id', find_trigger.tenant_id::text, true);
    return next;
  end if;
end $$
"""


def moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def now(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "workflow_triggers",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("name_ar", sa.String(), nullable=True),
        sa.Column("config", JSONB, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("secrets", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("event_type", sa.String(), nullable=True),
        moment("next_fire_at"),
        moment("last_fired_at"),
        moment("rate_window_at"),
        sa.Column("rate_used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        now("created_at"),
        now("updated_at"),
        sa.CheckConstraint(f"kind in ({KINDS})", name=op.f("ck_workflow_triggers_kind_known")),
        sa.CheckConstraint("(token_hash is null) = (token_sealed is null)", name=op.f("ck_workflow_triggers_token_is_known_and_shown")),
        sa.CheckConstraint("jsonb_typeof(secrets) = 'array'", name=op.f("ck_workflow_triggers_secrets_is_a_list")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_workflow_triggers_tenant_id")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_workflow_triggers_created_by")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workflow_id"],
            ["workflow_templates.tenant_id", "workflow_templates.id"],
            name=op.f("fk_workflow_triggers_tenant_id_workflow_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_triggers")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_workflow_triggers_tenant_id_id")),
        sa.UniqueConstraint("token_hash", "tenant_id", name="uq_workflow_triggers_token_hash"),
    )
    op.create_index(
        "ix_workflow_triggers_due",
        "workflow_triggers",
        ["next_fire_at"],
        postgresql_where=sa.text("is_enabled and next_fire_at is not null"),
    )
    op.create_index("ix_workflow_triggers_of_workflow", "workflow_triggers", ["tenant_id", "workflow_id"])
    op.create_index(
        "ix_workflow_triggers_events",
        "workflow_triggers",
        ["tenant_id", "event_type"],
        postgresql_where=sa.text("is_enabled and event_type is not null"),
    )
    op.create_index(
        "uq_workflow_triggers_built_in",
        "workflow_triggers",
        ["tenant_id", "workflow_id", "kind"],
        unique=True,
        postgresql_where=sa.text("kind in ('manual','api')"),
    )
    op.create_table(
        "workflow_receipts",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("trigger_id", sa.UUID(), nullable=False),
        sa.Column("dedup_key", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("problems", JSONB, nullable=True),
        sa.Column("execution_id", sa.UUID(), nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=True),
        sa.Column("payload", JSONB, nullable=True),
        moment("nominal_at"),
        sa.Column("network", sa.LargeBinary(), nullable=True),
        sa.Column("depth", sa.Integer(), server_default="0", nullable=False),
        now("received_at"),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint(f"outcome in ({OUTCOMES})", name=op.f("ck_workflow_receipts_outcome_known")),
        sa.CheckConstraint("(outcome = 'started') = (execution_id is not null)", name=op.f("ck_workflow_receipts_started_has_a_run")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_workflow_receipts_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "trigger_id"],
            ["workflow_triggers.tenant_id", "workflow_triggers.id"],
            name=op.f("fk_workflow_receipts_tenant_id_trigger_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "execution_id"],
            ["workflow_executions.tenant_id", "workflow_executions.id"],
            name=op.f("fk_workflow_receipts_tenant_id_execution_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_receipts")),
        sa.UniqueConstraint("tenant_id", "trigger_id", "dedup_key", name=op.f("uq_workflow_receipts_tenant_id_trigger_id_dedup_key")),
    )
    op.create_index("ix_workflow_receipts_newest", "workflow_receipts", ["tenant_id", "trigger_id", "received_at", "id"])
    op.create_index(
        "ix_workflow_receipts_execution",
        "workflow_receipts",
        ["tenant_id", "execution_id"],
        postgresql_where=sa.text("execution_id is not null"),
    )
    op.create_index(
        "ix_workflow_receipts_open", "workflow_receipts", ["received_at"], postgresql_where=sa.text("outcome in ('waiting','queued')")
    )
    op.create_index(
        "ix_workflow_receipts_network",
        "workflow_receipts",
        ["tenant_id", "network", "received_at"],
        postgresql_where=sa.text("network is not null"),
    )
    op.create_index("ix_workflow_receipts_old", "workflow_receipts", ["received_at"])
    for table, system in SYSTEM.items():
        for statement in [*tenancy.wall(table, system=True), *tenancy.grants(table, system=system)]:
            op.execute(statement)
    op.execute(f"CREATE POLICY shown_address_opens ON workflow_triggers FOR SELECT TO {tenancy.APP_ROLE} USING (token_hash = {SHOWN_HASH})")
    op.execute(FIND_TRIGGER)
    op.execute("revoke execute on function find_trigger(bytea) from public")
    op.execute(f"grant execute on function find_trigger(bytea) to {tenancy.APP_ROLE}")


def downgrade() -> None:
    op.execute("drop function find_trigger(bytea)")
    op.drop_table("workflow_receipts")
    op.drop_table("workflow_triggers")

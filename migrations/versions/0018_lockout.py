"""Lockout where an organisation asks for it, and alarms about passwords that are tried at many accounts."""

import sqlalchemy as sa
from alembic import op

from portal.core import tenancy

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
PERSON = "NULLIF(current_setting('app.person_id', true), '')::uuid"
# Asked before anybody has signed in, so before a tenant is entered: what the organisations of one person ask for, and their locks on them.
OWN_LOCKOUTS = """
create function own_lockouts(person uuid)
returns table (tenant_id uuid, rule jsonb, until timestamptz)
language plpgsql volatile security invoker set search_path = public as $$
begin
  perform set_config('app.person_id', person::text, true);
  return query
    select t.id, t.security -> 'lockout', l.until
    from memberships m join tenants t on t.id = m.tenant_id and t.status = 'active'
    left join account_locks l on l.tenant_id = m.tenant_id and l.person_id = m.person_id
    where m.person_id = person and jsonb_typeof(t.security -> 'lockout') = 'object' order by t.id;
  perform set_config('app.person_id', '', true);
end $$
"""


def upgrade() -> None:
    op.create_table(
        "account_locks",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_account_locks_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("pk_account_locks")),
    )
    for statement in [*tenancy.wall("account_locks"), *tenancy.grants("account_locks", app="SELECT, INSERT, UPDATE")]:
        op.execute(statement)
    op.execute(f"CREATE POLICY own_locks ON account_locks FOR SELECT TO {tenancy.APP_ROLE} USING (person_id = {PERSON})")
    op.execute(OWN_LOCKOUTS)
    op.execute("revoke all on function own_lockouts(uuid) from public")
    op.execute(f"grant execute on function own_lockouts(uuid) to {tenancy.APP_ROLE}")
    op.create_table(
        "sign_in_alarms",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("network", sa.String(), server_default="", nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("kind in ('network','site')", name=op.f("ck_sign_in_alarms_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_alarms")),
    )
    op.create_index("ix_sign_in_alarms_at", "sign_in_alarms", ["at"])
    for statement in tenancy.grants("sign_in_alarms", system="SELECT"):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("sign_in_alarms")
    op.execute("drop function own_lockouts(uuid)")
    op.drop_table("account_locks")

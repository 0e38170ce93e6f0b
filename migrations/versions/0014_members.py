"""Organisations and their people: registrations, invitations, an organisation's own roles, groups, who left, and why one stands still."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
JSONB = postgresql.JSONB(astext_type=sa.Text())

# What `enter_role` did, and the permissions of the organisation's own role in the same round trip. Strict: without a tenant or a
# person there is no row, and no tenant is named. `enter_role` stays for one release, for processes that still run the old code.
ENTER_MEMBERSHIP = """
create function enter_membership(tenant uuid, person uuid) returns table (role text, role_id uuid, permissions jsonb)
language plpgsql volatile strict security invoker set search_path = public rows 1 as $$
begin
  perform set_config('app.tenant_id', tenant::text, true);
  return query
    select m.role::text, m.role_id, r.permissions
    from memberships m left join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
    where m.tenant_id = tenant and m.person_id = person;
  if not found then
    perform set_config('app.tenant_id', '', true);
  end if;
end $$
"""
# As `own_tenants`, with those that stand still, and with the last visit.
OWN_MEMBERSHIPS = """
create function own_memberships(person uuid)
returns table (id uuid, name text, name_ar text, role text, status text, status_reason text, status_reason_ar text, joined_at timestamptz,
               seen_at timestamptz)
language plpgsql volatile security invoker set search_path = public as $$
begin
  perform set_config('app.person_id', person::text, true);
  return query
    select t.id, t.name::text, t.name_ar::text, m.role::text, t.status::text, t.status_reason::text, t.status_reason_ar::text,
           m.created_at, m.seen_at
    from memberships m join tenants t on t.id = m.tenant_id and t.status in ('active', 'suspended')
    where m.person_id = person order by m.created_at, m.tenant_id;
  perform set_config('app.person_id', '', true);
end $$
"""
FUNCTIONS = ("enter_membership(uuid, uuid)", "own_memberships(uuid)")
ROLES = "'owner','admin','builder','member','auditor'"


def upgrade() -> None:
    for column in ("status_reason", "status_reason_ar"):
        op.add_column("tenants", sa.Column(column, sa.String(), nullable=True))
    op.add_column("tenants", sa.Column("status_at", sa.DateTime(timezone=True), nullable=True))
    _roles()
    _invitations()
    _groups()
    op.create_table(
        "former_members",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_former_members_tenant_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_former_members_person_id")),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", name=op.f("pk_former_members")),
    )
    for table in ("roles", "invitations", "groups", "group_members", "former_members"):
        for statement in [*tenancy.wall(table), *tenancy.grants(table)]:
            op.execute(statement)
    op.create_table(
        "registrations",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_registrations")),
    )
    op.create_index("ix_registrations_email", "registrations", ["email_key"])
    for statement in tenancy.grants("registrations", app="SELECT, INSERT, UPDATE, DELETE", system="SELECT, DELETE"):
        op.execute(statement)
    for statement in (ENTER_MEMBERSHIP, OWN_MEMBERSHIPS):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to {tenancy.APP_ROLE}")


def _roles() -> None:
    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_ar", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("permissions", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint("jsonb_typeof(permissions) = 'array'", name=op.f("ck_roles_permissions_are_a_list")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_roles_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_roles_tenant_id_id")),
    )
    op.add_column("memberships", sa.Column("role_id", sa.UUID(), nullable=True))
    op.add_column("memberships", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_memberships_role", "memberships", ["tenant_id", "role_id"], postgresql_where=sa.text("role_id is not null"))
    # Not checked while it is added: the table must not stand still for its own length.
    op.execute("alter table memberships drop constraint ck_memberships_role_known")
    _checked("memberships", "ck_memberships_role_known", f"check (role in ({ROLES},'staff','custom'))")
    _checked("memberships", "ck_memberships_own_role_is_named", "check ((role = 'custom') = (role_id is not null))")
    _checked("memberships", "fk_memberships_tenant_id_role_id", "foreign key (tenant_id, role_id) references roles (tenant_id, id)")


def _checked(table: str, name: str, rule: str) -> None:
    op.execute(f"alter table {table} add constraint {name} {rule} not valid")
    op.execute(f"alter table {table} validate constraint {name}")


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("role_id", sa.UUID(), nullable=True),
        sa.Column("locale", sa.String(), nullable=False),
        sa.Column("invited_by", sa.UUID(), nullable=False),
        sa.Column("resent", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint(f"role in ({ROLES},'custom')", name=op.f("ck_invitations_role_known")),
        sa.CheckConstraint("(role = 'custom') = (role_id is not null)", name=op.f("ck_invitations_own_role_is_named")),
        sa.CheckConstraint("accepted_at is null or revoked_at is null", name=op.f("ck_invitations_ends_once")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_invitations_tenant_id")),
        sa.ForeignKeyConstraint(["invited_by"], ["people.id"], name=op.f("fk_invitations_invited_by")),
        sa.ForeignKeyConstraint(["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"], name=op.f("fk_invitations_tenant_id_role_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_invitations_tenant_id_token_hash")),
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["tenant_id", "email_key"],
        unique=True,
        postgresql_where=sa.text("accepted_at is null and revoked_at is null"),
    )


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_ar", sa.String(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_groups_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_groups_tenant_id_id")),
    )
    op.create_table(
        "group_members",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("group_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_group_members_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["groups.tenant_id", "groups.id"],
            name=op.f("fk_group_members_tenant_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_group_members_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "person_id", name=op.f("pk_group_members")),
    )
    op.create_index("ix_group_members_person", "group_members", ["tenant_id", "person_id"])


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    for table in ("registrations", "former_members", "group_members", "groups", "invitations"):
        op.drop_table(table)
    # Who had a role of the organisation's own has the least one afterwards: nobody may gain by a step back.
    op.execute("alter table memberships no force row level security")
    op.execute("update memberships set role = 'auditor', role_id = null where role = 'custom'")
    op.execute("alter table memberships force row level security")
    for constraint in ("fk_memberships_tenant_id_role_id", "ck_memberships_own_role_is_named", "ck_memberships_role_known"):
        op.execute(f"alter table memberships drop constraint {constraint}")
    _checked("memberships", "ck_memberships_role_known", f"check (role in ({ROLES},'staff'))")
    op.drop_index("ix_memberships_role", table_name="memberships")
    for column in ("seen_at", "role_id"):
        op.drop_column("memberships", column)
    op.drop_table("roles")
    for column in ("status_at", "status_reason_ar", "status_reason"):
        op.drop_column("tenants", column)

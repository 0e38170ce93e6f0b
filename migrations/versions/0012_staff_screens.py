"""Staff apart from tenants, their screens, support by consent, announcements and switches."""

import sqlalchemy as sa
from alembic import op

from portal.core import tenancy
from portal.i18n import search

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
ROLES = "'owner','admin','builder','member','auditor'"

# Who works for the house belongs to the house alone, and nobody else belongs to it: held here, because a page must not be able to
# forget it.
APART = """
create function keep_staff_apart() returns trigger language plpgsql security invoker set search_path = public as $$
declare of_house boolean; works_here boolean;
begin
  select t.is_house into of_house from tenants t where t.id = new.tenant_id;
  select exists (select from staff s where s.person_id = new.person_id) into works_here;
  if of_house <> (new.role = 'staff') or works_here <> of_house then
    raise exception 'staff and members are different people' using errcode = 'check_violation';
  end if;
  return new;
end $$
"""


def _person(name: str, **more: bool) -> sa.Column:
    return sa.Column(name, sa.UUID(), nullable=more.get("nullable", False))


def _moment(name: str, *, is_now: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=NOW if is_now else None, nullable=nullable)


def upgrade() -> None:
    op.add_column("tenants", sa.Column("is_house", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("tenants", sa.Column("search_key", sa.String(), server_default="", nullable=False))
    connection = op.get_bind()
    for row in connection.execute(sa.text("select id, name, name_ar from tenants")).all():
        values = {"id": row.id, "key": search.key(row.name, row.name_ar)}
        connection.execute(sa.text("update tenants set search_key = :key where id = :id"), values)
    op.create_index("uq_tenants_is_house", "tenants", ["is_house"], unique=True, postgresql_where=sa.text("is_house"))
    op.drop_constraint(op.f("ck_memberships_role_known"), "memberships")
    op.create_check_constraint(op.f("ck_memberships_role_known"), "memberships", f"role in ({ROLES},'staff')")
    op.execute(APART)
    op.execute("create trigger staff_apart before insert or update on memberships for each row execute function keep_staff_apart()")
    op.create_table(
        "support_grants",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        _person("granted_by"),
        _moment("created_at", is_now=True),
        _moment("until"),
        _moment("ended_at", nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("until <= created_at + interval '24 hours 1 minute'", name=op.f("ck_support_grants_a_day_at_most")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_support_grants_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_grants")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_support_grants_tenant_id_id")),
    )
    op.create_table(
        "support_visits",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("grant_id", sa.UUID(), nullable=False),
        _person("staff_id"),
        _person("person_id"),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ticket", sa.String(), nullable=False),
        _moment("created_at", is_now=True),
        _moment("until"),
        _moment("ended_at", nullable=True),
        _person("ended_by", nullable=True),
        sa.Column("pages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_page", sa.String(), server_default="", nullable=False),
        _moment("seen_at", nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "grant_id"], ["support_grants.tenant_id", "support_grants.id"], name=op.f("fk_support_visits_tenant_id_grant_id")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_support_visits_tenant_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["people.id"], name=op.f("fk_support_visits_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_visits")),
    )
    op.create_index("ix_support_grants_newest", "support_grants", ["tenant_id", "created_at"])
    op.create_index("ix_support_visits_newest", "support_visits", ["tenant_id", "created_at"])
    for table in ("support_grants", "support_visits"):
        for statement in [*tenancy.wall(table, system=True), *tenancy.grants(table, app="SELECT, INSERT, UPDATE", system="SELECT")]:
            op.execute(statement)
    op.add_column("sessions", sa.Column("staff_id", sa.UUID(), nullable=True))
    op.add_column("sessions", sa.Column("visit_id", sa.UUID(), nullable=True))
    op.create_table(
        "announcements",
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("text_ar", sa.String(), nullable=False),
        sa.Column("tone", sa.String(), nullable=False),
        _moment("since"),
        _moment("until"),
        _moment("created_at", is_now=True),
        _person("created_by"),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("tone in ('info','warning','danger')", name=op.f("ck_announcements_tone_known")),
        sa.CheckConstraint("until > since", name=op.f("ck_announcements_ends_after_its_start")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_announcements_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    op.create_table(
        "flags",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        _moment("changed_at", is_now=True),
        _person("changed_by"),
        sa.ForeignKeyConstraint(["changed_by"], ["people.id"], name=op.f("fk_flags_changed_by")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_flags")),
    )
    # What staff see of all tenants they see as the system role, from the admin package alone.
    for statement in (
        *tenancy.grants("announcements", app="SELECT", system="SELECT, INSERT, UPDATE"),
        *tenancy.grants("flags", app="SELECT", system="SELECT, INSERT, UPDATE"),
        *(f"CREATE POLICY system_sees_all ON {table} FOR SELECT TO {tenancy.SYSTEM_ROLE} USING (true)" for table in SEEN),
        *(f"GRANT SELECT ON {table} TO {tenancy.SYSTEM_ROLE}" for table in (*SEEN, "people", "letters")),
        # The house's own acts stand in the house's book; the system role appends to it and to no other.
        f"CREATE POLICY system_keeps_the_houses_book ON audit_entries FOR INSERT TO {tenancy.SYSTEM_ROLE}"
        " WITH CHECK (tenant_id in (select id from tenants where is_house))",
        f"GRANT INSERT ON audit_entries TO {tenancy.SYSTEM_ROLE}",
    ):
        op.execute(statement)


SEEN = ("memberships", "audit_entries", "workflow_templates")


def downgrade() -> None:
    for table in SEEN:
        op.execute(f"drop policy system_sees_all on {table}")
    for table in SEEN:
        op.execute(f"revoke select on {table} from {tenancy.SYSTEM_ROLE}")
    op.execute("drop policy system_keeps_the_houses_book on audit_entries")
    op.execute(f"revoke insert on audit_entries from {tenancy.SYSTEM_ROLE}")
    op.drop_table("flags")
    op.drop_table("announcements")
    op.drop_column("sessions", "visit_id")
    op.drop_column("sessions", "staff_id")
    op.drop_table("support_visits")
    op.drop_table("support_grants")
    op.execute("drop trigger staff_apart on memberships")
    op.execute("drop function keep_staff_apart()")
    op.execute("delete from memberships where role = 'staff'")
    op.drop_constraint(op.f("ck_memberships_role_known"), "memberships")
    op.create_check_constraint(op.f("ck_memberships_role_known"), "memberships", f"role in ({ROLES})")
    op.drop_index("uq_tenants_is_house", table_name="tenants")
    op.drop_column("tenants", "is_house")
    op.drop_column("tenants", "search_key")

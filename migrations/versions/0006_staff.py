"""Who works for the house itself; and a person's memberships are found by the person."""

import sqlalchemy as sa
from alembic import op

from portal.core import tenancy

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# With the rights of its caller, behind the same wall: a person may look across it for their own memberships. The rest of the
# transaction is the tenant's own again, so that its lists of members gain no rows of other tenants.
OWN_TENANTS = """
create function own_tenants(person uuid) returns table (id uuid, name text, name_ar text, role text)
language plpgsql volatile security invoker set search_path = public as $$
begin
  perform set_config('app.person_id', person::text, true);
  return query
    select t.id, t.name::text, t.name_ar::text, m.role::text
    from memberships m join tenants t on t.id = m.tenant_id and t.status = 'active'
    where m.person_id = person order by m.created_at, m.tenant_id;
  perform set_config('app.person_id', '', true);
end $$
"""


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_staff_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_staff")),
    )
    # The application may read the list and never write it: nobody becomes staff through a page.
    for statement in tenancy.grants("staff", app="SELECT", system="SELECT, INSERT, UPDATE, DELETE"):
        op.execute(statement)
    # Each page asks for the organisations of its person, in one round trip.
    op.create_index("ix_memberships_person", "memberships", ["person_id"], unique=False)
    op.execute(OWN_TENANTS)
    op.execute("revoke execute on function own_tenants(uuid) from public")
    op.execute(f"grant execute on function own_tenants(uuid) to {tenancy.APP_ROLE}")


def downgrade() -> None:
    op.execute("drop function own_tenants(uuid)")
    op.drop_index("ix_memberships_person", table_name="memberships")
    op.drop_table("staff")

"""Who works for the house itself; and a person's memberships are found by the person."""

import sqlalchemy as sa
from alembic import op

from portal.core import tenancy

revision = "0005"
down_revision = "0001"
branch_labels = None
depends_on = None


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
    # Each page asks for the organisations of its person.
    op.create_index("ix_memberships_person", "memberships", ["person_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_memberships_person", table_name="memberships")
    op.drop_table("staff")

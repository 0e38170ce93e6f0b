"""Organisations that stand still take no turn, a tenant's own limit of a lane, names in requests to publish, replays with the same keys."""

import sqlalchemy as sa
from alembic import op

from portal.core import schema, tenancy

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CLAIM = "claim_step(text[], text, float8, text, uuid, float8)"
# What of the claim changes: as it was, as it is.
EDITS = (
    (
        "order by case when l.claimed_at >= head.available_at",
        "and exists (select from tenants o where o.id = present.tenant and o.status = 'active')\n"
        "        order by case when l.claimed_at >= head.available_at",
    ),
    ("if mine.cap is not null and", "if least(mine.cap, mine.own_cap) is not null and"),
    (">= mine.cap then", ">= least(mine.cap, mine.own_cap) then"),
)


def upgrade() -> None:
    op.add_column("workflow_lanes", sa.Column("own_cap", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_workflow_lanes_own_cap_is_sound"), "workflow_lanes", "own_cap > 0")
    # A tenant sets its own limit and nothing else of its lanes.
    op.execute(f"grant insert (lane, tenant_id, own_cap), update (own_cap) on workflow_lanes to {tenancy.APP_ROLE}")
    op.add_column("workflow_executions", sa.Column("keys_of", sa.UUID(), nullable=True))
    op.add_column("workflow_publish_requests", sa.Column("name", sa.String(), nullable=True))
    op.add_column("workflow_publish_requests", sa.Column("name_ar", sa.String(), nullable=True))
    schema.edit_function(op.get_bind(), CLAIM, EDITS)


def downgrade() -> None:
    schema.edit_function(op.get_bind(), CLAIM, ((new, old) for old, new in EDITS))
    op.drop_column("workflow_publish_requests", "name_ar")
    op.drop_column("workflow_publish_requests", "name")
    op.drop_column("workflow_executions", "keys_of")
    op.drop_constraint(op.f("ck_workflow_lanes_own_cap_is_sound"), "workflow_lanes")
    op.drop_column("workflow_lanes", "own_cap")

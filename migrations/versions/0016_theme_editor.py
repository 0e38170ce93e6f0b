"""Which open editor saved a theme's draft last: its own later changes are no clash."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("themes", sa.Column("saved_in", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("themes", "saved_in")

"""SAML: our key for each provider, sealed; what it signs and opens belongs to one connection."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

CHECK = "saml_has_a_key"


def upgrade() -> None:
    op.add_column("identity_providers", sa.Column("private_key", sa.LargeBinary(), nullable=True))
    # No provider of this kind could be made before; only new rows are meant, so nothing has to be read under the lock.
    op.execute(
        f"alter table identity_providers add constraint {op.f('ck_identity_providers_' + CHECK)}"
        " check ((kind = 'saml') = (private_key is not null)) not valid"
    )
    op.execute(f"alter table identity_providers validate constraint {op.f('ck_identity_providers_' + CHECK)}")


def downgrade() -> None:
    op.drop_constraint(op.f(f"ck_identity_providers_{CHECK}"), "identity_providers")
    op.drop_column("identity_providers", "private_key")

"""Names of versions, requests to publish, trials."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = ("workflow_version_labels", "workflow_publish_requests", "workflow_trials")


def json(name: str, default: str | None = None) -> sa.Column:
    kind = postgresql.JSONB(astext_type=sa.Text())
    return sa.Column(name, kind, server_default=sa.text(default) if default else None, nullable=False)


def moment(name: str, *, is_set: bool = False) -> sa.Column:
    if is_set:
        return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def of_tenant(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_tenant_id_{column}")
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=name)


def tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"))


def person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["people.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    labels, requests, trials = TABLES
    op.create_table(
        labels,
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("name_ar", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("changed_by", sa.UUID(), nullable=True),
        moment("changed_at", is_set=True),
        tenant(labels),
        person(labels, "changed_by"),
        of_tenant(labels, "version_id", "workflow_versions"),
        sa.PrimaryKeyConstraint("tenant_id", "version_id", name=op.f(f"pk_{labels}")),
    )
    op.create_table(
        requests,
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=True),
        sa.Column("base_version_id", sa.UUID(), nullable=True),
        json("nodes"),
        json("settings"),
        sa.Column("graph_hash", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        json("authors"),
        sa.Column("state", sa.String(), server_default="open", nullable=False),
        sa.Column("asked_by", sa.UUID(), nullable=False),
        moment("asked_at", is_set=True),
        sa.Column("decided_by", sa.UUID(), nullable=True),
        moment("decided_at"),
        sa.Column("decision_note", sa.String(), nullable=True),
        sa.Column("made_version_id", sa.UUID(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("state in ('open','approved','rejected','withdrawn','void')", name=op.f(f"ck_{requests}_state_known")),
        sa.CheckConstraint("(state = 'open') = (decided_at is null)", name=op.f(f"ck_{requests}_decided_has_a_time")),
        tenant(requests),
        person(requests, "asked_by"),
        person(requests, "decided_by"),
        of_tenant(requests, "workflow_id", "workflow_templates"),
        of_tenant(requests, "version_id", "workflow_versions"),
        of_tenant(requests, "base_version_id", "workflow_versions"),
        of_tenant(requests, "made_version_id", "workflow_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{requests}")),
    )
    open_one = sa.text("state = 'open'")
    op.create_index(f"uq_{requests}_open", requests, ["tenant_id", "workflow_id"], unique=True, postgresql_where=open_one)
    op.create_index(f"ix_{requests}_newest", requests, ["tenant_id", "workflow_id", "asked_at"])
    op.create_table(
        trials,
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("version_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        json("nodes"),
        json("settings"),
        json("given", "'{}'"),
        json("run_ids", "'[]'"),
        json("results", "'[]'"),
        sa.Column("state", sa.String(), server_default="running", nullable=False),
        sa.Column("asked_by", sa.UUID(), nullable=False),
        moment("asked_at", is_set=True),
        moment("finished_at"),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("kind in ('dry','simulation')", name=op.f(f"ck_{trials}_kind_known")),
        sa.CheckConstraint("state in ('running','done','stopped')", name=op.f(f"ck_{trials}_state_known")),
        sa.CheckConstraint("(state = 'running') = (finished_at is null)", name=op.f(f"ck_{trials}_finished_has_a_time")),
        tenant(trials),
        person(trials, "asked_by"),
        of_tenant(trials, "workflow_id", "workflow_templates"),
        of_tenant(trials, "version_id", "workflow_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{trials}")),
    )
    op.create_index(f"ix_{trials}_newest", trials, ["tenant_id", "workflow_id", "asked_at"])
    for table in TABLES:
        for statement in [*tenancy.wall(table), *tenancy.grants(table)]:
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)

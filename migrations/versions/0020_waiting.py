"""Waiting: business calendars, signals and who waits for them, tasks for people with their votes; a step that moves on closes what it waited for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from portal.core import tenancy

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
EMPTY = sa.text("'[]'")

# Whatever moves a waiting step on, in whichever way: nothing that it waited for stays open. In the schema, because every move
# that ends a step would have to remember it, those of tomorrow too.
CLOSE = """
create function close_waits() returns trigger language plpgsql security invoker set search_path = public as $$
begin
  update workflow_timers set fired_at = clock_timestamp() where tenant_id = new.tenant_id and step_id = new.id and fired_at is null;
  update workflow_waits set ended_at = clock_timestamp() where tenant_id = new.tenant_id and step_id = new.id and ended_at is null;
  update workflow_tasks set state = case when new.state = 'cancelled' then 'cancelled' else 'expired' end, closed_at = clock_timestamp()
  where tenant_id = new.tenant_id and step_id = new.id and state = 'open';
  return null;
end $$
"""


def _id(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.String(), nullable=nullable, server_default=default)


def _at(name: str, *, is_now: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=NOW if is_now else None, nullable=nullable)


def _int(name: str, default: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def _bool(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def _json(name: str, *, default: sa.TextClause | None = None, nullable: bool = False) -> sa.Column:
    return sa.Column(name, JSONB(), server_default=default, nullable=nullable)


def _tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"))


def _ours(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}")
    )


def _person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["people.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.add_column("workflow_timers", _text("fails_with", nullable=True))
    _calendars()
    _signals()
    _tasks()
    for table in ("business_calendars", "workflow_task_candidates"):
        _walls(table, app="SELECT, INSERT, UPDATE, DELETE")
    for table in ("workflow_waits", "workflow_tasks"):
        _walls(table, app="SELECT, INSERT, UPDATE", system="SELECT")
    _walls("workflow_signals", app="SELECT, INSERT, UPDATE", system="SELECT, DELETE")
    for table in ("workflow_votes", "workflow_task_notes"):
        _walls(table, app="SELECT, INSERT")
    op.execute(CLOSE)
    op.execute(
        "create trigger waits_close after update of state on workflow_steps for each row"
        " when (old.state = 'waiting' and new.state <> 'waiting') execute function close_waits()"
    )


def _walls(table: str, *, app: str, system: str = "") -> None:
    for statement in [*tenancy.wall(table, system=bool(system)), *tenancy.grants(table, app=app, system=system)]:
        op.execute(statement)


def _calendars() -> None:
    name = "business_calendars"
    op.create_table(
        name,
        _id("tenant_id"), _text("name"), _text("name_ar", nullable=True), _text("timezone"), _json("weekend"), _json("hours"),
        _json("ramadan_hours", default=EMPTY), _json("holidays", default=EMPTY), _bool("is_default"), _id("id"),
        _at("created_at", is_now=True), _at("updated_at", is_now=True), _tenant(name),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f(f"uq_{name}_tenant_id_id")),
    )  # fmt: skip
    op.create_index("uq_business_calendars_one_default", name, ["tenant_id"], unique=True, postgresql_where=sa.text("is_default"))


def _signals() -> None:
    name = "workflow_waits"
    op.create_table(
        name,
        _id("tenant_id"), _id("step_id"), _id("execution_id"), _text("name"), _text("corr_key", default=""), _at("created_at", is_now=True),
        _at("ended_at", nullable=True), _tenant(name), _ours(name, "execution_id", "workflow_executions"), _ours(name, "step_id", "workflow_steps"),
        sa.PrimaryKeyConstraint("tenant_id", "step_id", name=op.f(f"pk_{name}")),
    )  # fmt: skip
    named = ["tenant_id", "name", "corr_key", "created_at"]
    op.create_index("ix_workflow_waits_open", name, named, postgresql_where=sa.text("ended_at is null"))
    name = "workflow_signals"
    op.create_table(
        name,
        _id("tenant_id"), _text("name"), _text("corr_key", default=""), _text("dedup_key", nullable=True), _json("payload", nullable=True),
        _text("source"), _id("sent_by", nullable=True), _id("execution_id", nullable=True), _at("created_at", is_now=True), _at("expires_at"),
        _id("consumed_by", nullable=True), _at("consumed_at", nullable=True), _id("id"), _tenant(name), _person(name, "sent_by"),
        _ours(name, "execution_id", "workflow_executions"), _ours(name, "consumed_by", "workflow_steps"),
        sa.CheckConstraint("(consumed_by is null) = (consumed_at is null)", name=op.f(f"ck_{name}_consumed_has_a_time")),
        sa.CheckConstraint("source in ('api','run','page','callback')", name=op.f(f"ck_{name}_source_known")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f(f"uq_{name}_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", "dedup_key", name=op.f(f"uq_{name}_tenant_id_name_dedup_key")),
    )  # fmt: skip
    op.create_index("ix_workflow_signals_open", name, named, postgresql_where=sa.text("consumed_at is null"))


def _tasks() -> None:
    name = "workflow_tasks"
    op.create_table(
        name,
        _id("tenant_id"), _id("execution_id"), _id("step_id"), _text("node_key"), _text("kind"), _text("title"), _text("title_ar", nullable=True),
        _text("details", default=""), _json("form", default=EMPTY), _json("outcomes"), _text("quorum"), _int("quorum_count", "1"),
        _bool("bars_starter"), _bool("bars_deciders"), _text("state", default="open"), _int("gen", "0"), _id("claimed_by", nullable=True),
        _text("outcome", nullable=True), _at("created_at", is_now=True), _at("due_at", nullable=True), _at("remind_at", nullable=True),
        sa.Column("remind_every_s", sa.Integer(), nullable=True), _int("reminded", "0"), _at("escalate_at", nullable=True),
        _json("escalate_to", default=EMPTY), _at("closed_at", nullable=True), _id("id"),
        _tenant(name), _person(name, "claimed_by"), _ours(name, "execution_id", "workflow_executions"), _ours(name, "step_id", "workflow_steps"),
        sa.CheckConstraint("state in ('open','decided','expired','cancelled')", name=op.f(f"ck_{name}_state_known")),
        sa.CheckConstraint("(state = 'open') = (closed_at is null)", name=op.f(f"ck_{name}_closed_has_a_time")),
        sa.CheckConstraint("quorum in ('any','all','majority','count')", name=op.f(f"ck_{name}_quorum_known")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f(f"uq_{name}_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "step_id", name=op.f(f"uq_{name}_tenant_id_step_id")),
    )  # fmt: skip
    op.create_index("ix_workflow_tasks_newest", name, ["tenant_id", "created_at", "id"])
    op.create_index("ix_workflow_tasks_run", name, ["tenant_id", "execution_id"])
    for each in ("remind", "escalate"):
        op.create_index(f"ix_workflow_tasks_{each}", name, [f"{each}_at"], postgresql_where=sa.text("state = 'open'"))
    name = "workflow_task_candidates"
    op.create_table(
        name,
        _id("tenant_id"), _id("task_id"), _text("who"), _id("instead_of", nullable=True), _at("created_at", is_now=True), _tenant(name),
        _ours(name, "task_id", "workflow_tasks"), _person(name, "instead_of"),
        sa.PrimaryKeyConstraint("tenant_id", "task_id", "who", name=op.f(f"pk_{name}")),
    )  # fmt: skip
    op.create_index("ix_workflow_task_candidates_who", name, ["tenant_id", "who"])
    name = "workflow_votes"
    op.create_table(
        name,
        _id("tenant_id"), _id("task_id"), _id("person_id"), _int("gen", "0"), _text("outcome"), _json("given", default=sa.text("'{}'")),
        _text("note", default=""), _at("created_at", is_now=True), _id("id"), _tenant(name), _ours(name, "task_id", "workflow_tasks"),
        _person(name, "person_id"), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("tenant_id", "task_id", "person_id", "gen", name=op.f(f"uq_{name}_tenant_id_task_id_person_id_gen")),
    )  # fmt: skip
    op.create_index("ix_workflow_votes_person", name, ["tenant_id", "person_id"])
    name = "workflow_task_notes"
    op.create_table(
        name,
        _id("tenant_id"), _id("task_id"), _text("kind"), _id("person_id", nullable=True), _id("other_id", nullable=True), _text("text", default=""),
        _at("created_at", is_now=True), _id("id"), _tenant(name), _ours(name, "task_id", "workflow_tasks"),
        _person(name, "person_id"), _person(name, "other_id"),
        sa.CheckConstraint("kind in ('comment','claimed','returned','delegated','reminded','escalated')", name=op.f(f"ck_{name}_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )  # fmt: skip
    op.create_index("ix_workflow_task_notes_task", name, ["tenant_id", "task_id", "created_at"])


def downgrade() -> None:
    op.execute("drop trigger waits_close on workflow_steps")
    op.execute("drop function close_waits()")
    for table in ("task_notes", "votes", "task_candidates", "tasks", "signals", "waits"):
        op.drop_table(f"workflow_{table}")
    op.drop_table("business_calendars")
    op.drop_column("workflow_timers", "fails_with")

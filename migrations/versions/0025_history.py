"""The history of a run as a chain of hashes; how long runs are kept, legal holds, and what is left of deleted runs; large values apart."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from portal.core import tenancy

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# In the schema, so that whoever writes an event writes the chain, and with the moment that the row itself gets. The text is the
# canonical form that `portal/workflows/history/chain.py` writes again without a database.
TEXT = """json_build_array(
    {row}.tenant_id, {row}.execution_id, {row}.seq, to_char({row}.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), {row}.kind, {row}.actor,
    {row}.node_key, {row}.data, encode({row}.prev_hash, 'hex'))::text"""
# Runs for every event: one look at an index and one hash, with nothing set and nothing called besides.
CHAIN = f"""
create function chain_event() returns trigger language plpgsql security invoker as $$
begin
  if new.seq = 1 then
    new.prev_hash := ''::bytea;
  else
    select hash into new.prev_hash from public.workflow_events
    where tenant_id = new.tenant_id and execution_id = new.execution_id and seq = new.seq - 1;
    if new.prev_hash is null then
      raise exception 'event % of run % has no event before it', new.seq, new.execution_id using errcode = 'integrity_constraint_violation';
    end if;
  end if;
  new.hash := sha256(convert_to({TEXT.format(row="new")}, 'UTF8'));
  return new;
end $$
"""
# What was told before there was a chain gets one now: it says that nothing has changed since this day.
FILL = f"""
do $$
declare told workflow_events; before bytea;
begin
  for told in select * from workflow_events order by tenant_id, execution_id, seq loop
    told.prev_hash := case when told.seq = 1 then ''::bytea else before end;
    before := sha256(convert_to({TEXT.format(row="told")}, 'UTF8'));
    update workflow_events set prev_hash = told.prev_hash, hash = before
    where tenant_id = told.tenant_id and execution_id = told.execution_id and seq = told.seq;
  end loop;
end $$
"""
HEADS = """
update workflow_executions e set event_hash = v.hash from workflow_events v
where v.tenant_id = e.tenant_id and v.execution_id = e.id and v.seq = e.event_seq
"""

# Events go only with their run, and a run only once there is something that says so: what was deleted stays provable.
ONLY_WITH_TOMBSTONE = """
create function only_with_tombstone() returns trigger language plpgsql security invoker as $$
begin
  if not exists (select 1 from public.workflow_tombstones t where t.tenant_id = old.tenant_id and t.execution_id = old.execution_id) then
    raise exception 'events never go while their run stays' using errcode = 'restrict_violation';
  end if;
  return old;
end $$
"""
# What the dispatcher deletes with a run; the application itself may not.
RUN_TABLES = (
    "workflow_task_notes", "workflow_task_candidates", "workflow_votes", "workflow_tasks", "workflow_waits", "workflow_signals",
    "workflow_receipts", "workflow_lists", "workflow_attempts", "workflow_timers", "workflow_frames", "workflow_files",
    "workflow_payload_uses", "workflow_events", "workflow_steps", "workflow_executions",
)  # fmt: skip


def upgrade() -> None:
    _chain()
    _retention()
    _payloads()
    for table in RUN_TABLES:
        seen = op.get_bind().scalar(
            sa.text("select count(*) from pg_policies where tablename = :table and policyname = 'system_sees_all'"), {"table": table}
        )
        if not seen:
            op.execute(f"create policy system_sees_all on {table} to {tenancy.SYSTEM_ROLE} using (true) with check (true)")
        op.execute(f"grant select, delete on {table} to {tenancy.SYSTEM_ROLE}")


def _id(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _at(name: str, *, is_now: bool = False) -> sa.Column:
    default = sa.text("clock_timestamp()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not is_now)


def _days(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=True)


def _tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"))


def _ours(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=op.f(f"fk_{table}_tenant_id_{column}")
    )


def _walls(table: str, *, app: str, system: str) -> None:
    for statement in [*tenancy.wall(table, system=True), *tenancy.grants(table, app=app, system=system)]:
        op.execute(statement)


def _retention() -> None:
    name = "workflow_retention"
    op.create_table(
        name,
        _id("tenant_id"), _id("workflow_id", nullable=True), _days("succeeded_days"), _days("failed_days"), _id("id"), _tenant(name),
        _ours(name, "workflow_id", "workflow_templates"), sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.CheckConstraint("succeeded_days between 1 and 36500 and failed_days between 1 and 36500", name=op.f(f"ck_{name}_days_make_sense")),
    )  # fmt: skip
    op.create_index("uq_workflow_retention_of", name, ["tenant_id", "workflow_id"], unique=True, postgresql_nulls_not_distinct=True)
    _walls(name, app="SELECT, INSERT, UPDATE, DELETE", system="SELECT")
    name = "legal_holds"
    op.create_table(
        name,
        _id("tenant_id"), sa.Column("scope", sa.String(), nullable=False), _id("workflow_id", nullable=True), _id("run_id", nullable=True),
        sa.Column("reason", sa.String(), nullable=False), _id("placed_by", nullable=True), _at("placed_at", is_now=True),
        _id("lifted_by", nullable=True), _at("lifted_at"), sa.Column("lift_reason", sa.String(), nullable=True), _id("id"), _tenant(name),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        _ours(name, "workflow_id", "workflow_templates"),
        sa.ForeignKeyConstraint(["placed_by"], ["people.id"], name=op.f(f"fk_{name}_placed_by")),
        sa.ForeignKeyConstraint(["lifted_by"], ["people.id"], name=op.f(f"fk_{name}_lifted_by")),
        sa.CheckConstraint(
            "(scope = 'tenant' and workflow_id is null and run_id is null) or (scope = 'workflow' and workflow_id is not null and run_id is null)"
            " or (scope = 'run' and run_id is not null and workflow_id is null)",
            name=op.f(f"ck_{name}_names_what_it_holds"),
        ),
        sa.CheckConstraint("(lifted_at is null) = (lift_reason is null)", name=op.f(f"ck_{name}_lifted_with_a_reason")),
    )  # fmt: skip
    op.create_index(
        "uq_legal_holds_open", name, ["tenant_id", "workflow_id", "run_id"], unique=True, postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("lifted_at is null"),
    )  # fmt: skip
    _walls(name, app="SELECT, INSERT, UPDATE", system="SELECT")
    op.execute(
        "create trigger lifted_never_changes before update on legal_holds for each row"
        " when (old.lifted_at is not null) execute function refuse_change()"
    )
    name = "workflow_tombstones"
    op.create_table(
        name,
        _id("tenant_id"), _id("execution_id"), _id("workflow_id"), _id("root_id"), sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False), _at("created_at", is_now=True), _at("completed_at"),
        sa.Column("event_count", sa.Integer(), nullable=False), sa.Column("event_hash", sa.LargeBinary(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False), _at("begun_at", is_now=True), _at("deleted_at"), _tenant(name),
        sa.PrimaryKeyConstraint("tenant_id", "execution_id", name=op.f(f"pk_{name}")),
    )  # fmt: skip
    op.create_index("ix_workflow_tombstones_open", name, ["begun_at"], postgresql_where=sa.text("deleted_at is null"))
    op.create_index("ix_workflow_tombstones_newest", name, ["tenant_id", "deleted_at", "execution_id"])
    _walls(name, app="SELECT", system="SELECT, INSERT, UPDATE")
    op.execute(
        "create trigger deleted_never_changes before update or delete on workflow_tombstones for each row"
        " when (old.deleted_at is not null) execute function refuse_change()"
    )
    op.execute(ONLY_WITH_TOMBSTONE)
    op.execute("create trigger only_with_tombstone before delete on workflow_events for each row execute function only_with_tombstone()")
    # For the search of what is due, and for the checks of foreign keys when rows go.
    ended = sa.text("completed_at is not null and parent_step_id is null")
    op.create_index("ix_workflow_executions_ended", "workflow_executions", ["tenant_id", "completed_at"], postgresql_where=ended)
    op.create_index(
        "ix_workflow_executions_root", "workflow_executions", ["tenant_id", "root_id"], postgresql_where=sa.text("root_id is not null")
    )
    op.create_index("ix_workflow_timers_run", "workflow_timers", ["tenant_id", "execution_id"])
    op.create_index("ix_workflow_waits_run", "workflow_waits", ["tenant_id", "execution_id"])
    op.create_index(
        "ix_workflow_signals_run", "workflow_signals", ["tenant_id", "execution_id"], postgresql_where=sa.text("execution_id is not null")
    )
    op.create_index(
        "ix_workflow_signals_step", "workflow_signals", ["tenant_id", "consumed_by"], postgresql_where=sa.text("consumed_by is not null")
    )


def _payloads() -> None:
    name = "workflow_payloads"
    op.create_table(
        name,
        _id("tenant_id"), sa.Column("sha256", sa.LargeBinary(), nullable=False), sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", JSONB(), nullable=False), _at("created_at", is_now=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False), _tenant(name),
        sa.PrimaryKeyConstraint("tenant_id", "sha256", name=op.f(f"pk_{name}")),
    )  # fmt: skip
    op.create_index("ix_workflow_payloads_old", name, ["expires_at"])
    _walls(name, app="SELECT, INSERT, UPDATE", system="SELECT, DELETE")
    name = "workflow_payload_uses"
    op.create_table(
        name,
        _id("tenant_id"), _id("execution_id"), sa.Column("sha256", sa.LargeBinary(), nullable=False), _tenant(name),
        sa.PrimaryKeyConstraint("tenant_id", "execution_id", "sha256", name=op.f(f"pk_{name}")),
        _ours(name, "execution_id", "workflow_executions"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sha256"], ["workflow_payloads.tenant_id", "workflow_payloads.sha256"], name=op.f(f"fk_{name}_tenant_id_sha256")
        ),
    )  # fmt: skip
    op.create_index("ix_workflow_payload_uses_of", name, ["tenant_id", "sha256"])
    _walls(name, app="SELECT, INSERT", system="SELECT, DELETE")


def _chain() -> None:
    op.add_column("workflow_executions", sa.Column("event_hash", sa.LargeBinary(), nullable=True))
    for column in ("prev_hash", "hash"):
        op.add_column("workflow_events", sa.Column(column, sa.LargeBinary(), nullable=True))
    op.execute(FILL)
    op.execute("alter table workflow_executions disable trigger ended_never_changes")
    op.execute(HEADS)
    op.execute("alter table workflow_executions enable trigger ended_never_changes")
    for column in ("prev_hash", "hash"):
        op.alter_column("workflow_events", column, nullable=False)
    op.execute(CHAIN)
    op.execute("create trigger chained before insert on workflow_events for each row execute function chain_event()")


def downgrade() -> None:
    raise RuntimeError("runs that were deleted leave only their tombstones: restore a backup instead")

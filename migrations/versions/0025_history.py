"""The history of a run as a chain: each event carries the hash of the one before, the run the hash of its last one."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0022"
branch_labels = None
depends_on = None

# In the schema, so that whoever writes an event writes the chain, and with the moment that the row itself gets. The text is the
# canonical form that `portal/workflows/history/chain.py` writes again without a database.
CHAIN = """
create function chain_event() returns trigger language plpgsql security invoker set search_path = public as $$
declare before bytea;
begin
  if new.seq = 1 then
    before := ''::bytea;
  else
    select hash into before from workflow_events
    where tenant_id = new.tenant_id and execution_id = new.execution_id and seq = new.seq - 1;
    if before is null then
      raise exception 'event % of run % has no event before it', new.seq, new.execution_id using errcode = 'integrity_constraint_violation';
    end if;
  end if;
  new.prev_hash := before;
  new.hash := event_hash(new);
  return new;
end $$
"""
HASH = """
create function event_hash(told workflow_events) returns bytea language sql stable security invoker set search_path = public as $$
  select sha256(convert_to(json_build_array(
    told.tenant_id, told.execution_id, told.seq, to_char(told.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), told.kind, told.actor,
    told.node_key, told.data, encode(told.prev_hash, 'hex'))::text, 'UTF8'))
$$
"""
# What was told before there was a chain gets one now: it says that nothing has changed since this day.
FILL = """
do $$
declare told workflow_events; before bytea;
begin
  for told in select * from workflow_events order by tenant_id, execution_id, seq loop
    before := case when told.seq = 1 then ''::bytea else before end;
    told.prev_hash := before;
    before := event_hash(told);
    update workflow_events set prev_hash = told.prev_hash, hash = before
    where tenant_id = told.tenant_id and execution_id = told.execution_id and seq = told.seq;
  end loop;
end $$
"""
HEADS = """
update workflow_executions e set event_hash = v.hash from workflow_events v
where v.tenant_id = e.tenant_id and v.execution_id = e.id and v.seq = e.event_seq
"""


def upgrade() -> None:
    op.add_column("workflow_executions", sa.Column("event_hash", sa.LargeBinary(), nullable=True))
    for column in ("prev_hash", "hash"):
        op.add_column("workflow_events", sa.Column(column, sa.LargeBinary(), nullable=True))
    op.execute(HASH)
    op.execute(FILL)
    op.execute("alter table workflow_executions disable trigger ended_never_changes")
    op.execute(HEADS)
    op.execute("alter table workflow_executions enable trigger ended_never_changes")
    for column in ("prev_hash", "hash"):
        op.alter_column("workflow_events", column, nullable=False)
    op.execute(CHAIN)
    op.execute("create trigger chained before insert on workflow_events for each row execute function chain_event()")


def downgrade() -> None:
    op.execute("drop trigger chained on workflow_events")
    op.execute("drop function chain_event()")
    op.execute("drop function event_hash(workflow_events)")
    for column in ("prev_hash", "hash"):
        op.drop_column("workflow_events", column)
    op.drop_column("workflow_executions", "event_hash")

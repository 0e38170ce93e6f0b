"""Lanes shared fairly between tenants, gates of workflows, rates of connections, priorities."""

import sqlalchemy as sa
from alembic import op

from portal.core import tenancy

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

LANES = "'fast','io','ai','bulk'"
LIVE = "completed_at is null"
# What each role does with each: a tenant reads its lanes and shares; claims write them, and staff the weights and limits.
WALLED = {
    "workflow_lanes": ("SELECT", "SELECT, INSERT, UPDATE"),
    "workflow_shares": ("SELECT", "SELECT, INSERT, UPDATE, DELETE"),
    "workflow_gates": ("SELECT, INSERT, UPDATE, DELETE", "SELECT, DELETE"),
    "workflow_rates": ("SELECT, INSERT, UPDATE, DELETE", "SELECT (tenant_id, tat), DELETE"),
}
# The first due step of a tenant in a lane: the best rank of the first ones of each priority. A minute of waiting is worth one priority.
# `now_at` is a variable: an index does not serve a comparison with a function that changes.
FIRST_DUE = """
      select s.id, s.available_at
      from (values (1), (2), (3), (4), (5)) as band(p)
      cross join lateral (
        select t.id, t.available_at from workflow_steps t
        where t.state = 'ready' and t.queue = lane_name and t.tenant_id = {tenant} and t.priority = band.p and t.available_at <= now_at
        order by t.available_at, t.id limit 1 {lock}) s
      order by s.available_at + (band.p - 3) * interval '1 minute', s.id limit 1"""
CLAIM = f"""
create function claim_step(lanes text[], worker text, lease_s float8, owed_lane text, owed_tenant uuid, owed_s float8)
returns setof workflow_steps
language plpgsql volatile security invoker set search_path = public set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_variable
declare
  lane_name text;
  now_at timestamptz;
  line record;
  mine workflow_lanes;
  chosen record;
  floor_v float8;
  starts float8;
  is_new boolean;
  is_busy boolean := false;
  holds_one boolean := false;  -- a line that had nothing to give: who holds one waits for no other
begin
  -- A claim that a crash of PostgreSQL takes back has changed nothing: every later write of its worker finds the lease gone.
  perform set_config('synchronous_commit', 'off', true);
  if owed_s > 0 then
    update workflow_lanes l set vtime = l.vtime + owed_s / l.weight where l.lane = owed_lane and l.tenant_id = owed_tenant;
    insert into workflow_shares as h (tenant_id, lane, minute, served_s)
    values (owed_tenant, owed_lane, date_trunc('minute', clock_timestamp()), owed_s)
    on conflict on constraint pk_workflow_shares do update set served_s = h.served_s + excluded.served_s;
  end if;
  -- First without waiting for another worker's claim; then, holding nothing, in line behind it.
  for round in 1..2 loop
    exit when round = 2 and (owed_s > 0 or holds_one or not is_busy);
    foreach lane_name in array lanes loop
      now_at := clock_timestamp();
      for line in
        with recursive present(tenant) as (
          (select t.tenant_id from workflow_steps t where t.state = 'ready' and t.queue = lane_name order by t.tenant_id limit 1)
          union all
          select (select t.tenant_id from workflow_steps t
                  where t.state = 'ready' and t.queue = lane_name and t.tenant_id > present.tenant order by t.tenant_id limit 1)
          from present where present.tenant is not null)
        select present.tenant, l.tenant_id is null as is_unknown, count(*) over () as active
        from present
        cross join lateral ({FIRST_DUE.format(tenant="present.tenant", lock="")}) head
        left join workflow_lanes l on l.lane = lane_name and l.tenant_id = present.tenant
        where present.tenant is not null
        order by case when l.claimed_at >= head.available_at then l.vtime
                      else greatest(l.vtime, (select max(b.began) from workflow_lanes b where b.lane = lane_name)) end nulls first,
                 l.claimed_at nulls first
      loop
        if line.is_unknown then
          insert into workflow_lanes (lane, tenant_id) values (lane_name, line.tenant) on conflict do nothing;
        end if;
        if round = 1 or holds_one then
          select * into mine from workflow_lanes l where l.lane = lane_name and l.tenant_id = line.tenant for update skip locked;
        else
          select * into mine from workflow_lanes l where l.lane = lane_name and l.tenant_id = line.tenant for update;
        end if;
        if not found then
          is_busy := true;
          continue;
        end if;
        holds_one := true;
        -- From here on with new snapshots: what other claims of this line leased is seen.
        if mine.cap is not null and
           (select count(*) from workflow_steps t where t.state = 'leased' and t.queue = lane_name and t.tenant_id = line.tenant) >= mine.cap then
          -- Waiting for its own limit banks nothing.
          update workflow_lanes l set vtime = b.began
          from (select max(o.began) as began from workflow_lanes o where o.lane = lane_name) b
          where l.lane = lane_name and l.tenant_id = line.tenant and l.vtime < b.began - 1;
          continue;
        end if;
        now_at := clock_timestamp();
        {FIRST_DUE.format(tenant="line.tenant", lock="for update skip locked").replace("select s.id, s.available_at", "select s.id, s.available_at into chosen", 1)};
        if not found then
          continue;
        end if;
        is_new := mine.claimed_at is null or chosen.available_at > mine.claimed_at;
        starts := mine.vtime;
        if is_new then
          select max(b.began) into floor_v from workflow_lanes b where b.lane = lane_name;
          starts := greatest(starts, floor_v);
        end if;
        update workflow_lanes l set vtime = starts + 1.0 / l.weight, began = starts, claimed_at = now_at
        where l.lane = lane_name and l.tenant_id = line.tenant;
        insert into workflow_shares as h (tenant_id, lane, minute, claims, active, workers, waits, turns)
        values (line.tenant, lane_name, date_trunc('minute', now_at), 1, line.active, array[worker],
                wait_bin(array_fill(0, array[48]), now_at - chosen.available_at),
                wait_bin(array_fill(0, array[48]), now_at - greatest(chosen.available_at, mine.claimed_at)))
        on conflict on constraint pk_workflow_shares do update
        set claims = h.claims + 1, active = greatest(h.active, excluded.active),
            workers = case when worker = any(h.workers) then h.workers else h.workers || worker end,
            waits = wait_bin(coalesce(h.waits, array_fill(0, array[48])), now_at - chosen.available_at),
            turns = wait_bin(coalesce(h.turns, array_fill(0, array[48])), now_at - greatest(chosen.available_at, mine.claimed_at));
        return query
          update workflow_steps t
          set state = 'leased', lease_owner = worker, lease_epoch = t.lease_epoch + 1, attempt = t.attempt + 1,
              lease_until = clock_timestamp() + make_interval(secs => lease_s),
              hard_until = clock_timestamp() + make_interval(secs => t.timeout_s),
              started_at = coalesce(t.started_at, clock_timestamp())
          where t.id = chosen.id
          returning t.*;
        return;
      end loop;
    end loop;
  end loop;
end $$
"""
# Bins double every second one, from a millisecond to four hours: bin k holds waits of up to 2^(k/2) ms.
WAIT_BIN = """
create function wait_bin(bins int[], waited interval) returns int[] language plpgsql immutable set search_path = public as $$
declare
  k int := 1 + least(greatest(ceil(2 * ln(greatest(extract(epoch from waited)::float8 * 1000, 1)) / ln(2)), 0), 47)::int;
begin
  bins[k] := bins[k] + 1;
  return bins;
end $$
"""


def now(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def moment(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def number(name: str, kind: sa.types.TypeEngine | type = sa.Integer, default: str = "0") -> sa.Column:
    return sa.Column(name, kind, server_default=default, nullable=False)


def of_tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"))


def upgrade() -> None:
    op.create_table(
        "workflow_lanes",
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        number("weight", default="1"),
        sa.Column("cap", sa.Integer(), nullable=True),
        number("vtime", sa.Float()),
        number("began", sa.Float()),
        moment("claimed_at"),
        sa.CheckConstraint(f"lane in ({LANES})", name=op.f("ck_workflow_lanes_lane_known")),
        sa.CheckConstraint("weight between 1 and 100", name=op.f("ck_workflow_lanes_weight_is_sound")),
        sa.CheckConstraint("cap > 0", name=op.f("ck_workflow_lanes_cap_is_sound")),
        of_tenant("workflow_lanes"),
        sa.PrimaryKeyConstraint("lane", "tenant_id", name=op.f("pk_workflow_lanes")),
    )
    op.create_table(
        "workflow_shares",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        number("claims"),
        number("served_s", sa.Float()),
        number("active"),
        sa.Column("workers", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("waits", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("turns", sa.ARRAY(sa.Integer()), nullable=True),
        of_tenant("workflow_shares"),
        sa.PrimaryKeyConstraint("tenant_id", "lane", "minute", name=op.f("pk_workflow_shares")),
    )
    op.create_index("ix_workflow_shares_minute", "workflow_shares", ["minute"])
    op.create_table(
        "workflow_gates",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("workflow_id", sa.UUID(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("when_full", sa.String(), nullable=True),
        of_tenant("workflow_gates"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "workflow_id"],
            ["workflow_templates.tenant_id", "workflow_templates.id"],
            name=op.f("fk_workflow_gates_tenant_id_workflow_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_workflow_gates")),
    )
    op.create_table(
        "workflow_rates",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        now("tat"),
        of_tenant("workflow_rates"),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_workflow_rates")),
    )
    for table in ("workflow_lanes", "workflow_shares"):
        op.execute(f"alter table {table} set (fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)")
    for table, (app, system) in WALLED.items():
        for statement in [*tenancy.wall(table, system=True), *tenancy.grants(table, app=app, system=system)]:
            op.execute(statement)
    op.add_column("workflow_executions", number("priority", sa.SmallInteger(), "3"))
    op.add_column("workflow_executions", sa.Column("gate_key", sa.String(), nullable=True))
    op.add_column("workflow_executions", sa.Column("is_gated", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_check_constraint(op.f("ck_workflow_executions_priority_known"), "workflow_executions", "priority between 1 and 5")
    op.create_check_constraint(
        op.f("ck_workflow_executions_gated_has_a_gate"), "workflow_executions", "not is_gated or gate_key is not null"
    )
    op.create_index("ix_workflow_executions_inside", "workflow_executions", ["tenant_id", "gate_key"],
                    postgresql_where=sa.text(f"gate_key is not null and not is_gated and {LIVE}"))  # fmt: skip
    op.create_index("ix_workflow_executions_gated", "workflow_executions", ["tenant_id", "gate_key", "priority", "created_at", "id"],
                    postgresql_where=sa.text(f"is_gated and {LIVE}"))  # fmt: skip
    op.add_column("workflow_steps", number("priority", sa.SmallInteger(), "3"))
    op.add_column("workflow_steps", sa.Column("rate_key", sa.UUID(), nullable=True))
    op.create_index("ix_workflow_steps_rated", "workflow_steps", ["tenant_id", "rate_key", "available_at"],
                    postgresql_where=sa.text("state = 'ready' and rate_key is not null"))  # fmt: skip
    op.add_column("connections", sa.Column("rate_count", sa.Integer(), nullable=True))
    op.add_column("connections", sa.Column("rate_per", sa.String(), nullable=True))
    op.create_check_constraint(op.f("ck_connections_rate_is_whole"), "connections", "(rate_count is null) = (rate_per is null)")
    op.create_check_constraint(op.f("ck_connections_rate_is_sound"), "connections", "rate_count > 0 and rate_per in ('second','minute')")
    op.drop_index("ix_workflow_steps_ready", table_name="workflow_steps")
    op.create_index("ix_workflow_steps_ready", "workflow_steps", ["queue", "tenant_id", "priority", "available_at", "id"],
                    postgresql_where=sa.text("state = 'ready'"))  # fmt: skip
    # What was queued before there were lanes.
    op.execute("update workflow_steps set queue = 'parked:io' where queue = 'parked'")
    op.execute(WAIT_BIN)
    op.execute(CLAIM)
    for function in ("claim_step(text[], text, float8, text, uuid, float8)", "wait_bin(int[], interval)"):
        op.execute(f"revoke execute on function {function} from public")
        op.execute(f"grant execute on function {function} to {tenancy.SYSTEM_ROLE}")


def downgrade() -> None:
    op.execute("drop function claim_step(text[], text, float8, text, uuid, float8)")
    op.execute("drop function wait_bin(int[], interval)")
    op.execute("update workflow_steps set queue = case when queue like 'parked:%' then 'parked' else 'io' end where state = 'ready'")
    op.drop_index("ix_workflow_steps_ready", table_name="workflow_steps")
    op.create_index(
        "ix_workflow_steps_ready", "workflow_steps", ["queue", "available_at", "id"], postgresql_where=sa.text("state = 'ready'")
    )
    op.drop_constraint("ck_connections_rate_is_sound", "connections")
    op.drop_constraint("ck_connections_rate_is_whole", "connections")
    op.drop_column("connections", "rate_per")
    op.drop_column("connections", "rate_count")
    op.drop_index("ix_workflow_steps_rated", table_name="workflow_steps")
    op.drop_column("workflow_steps", "rate_key")
    op.drop_column("workflow_steps", "priority")
    for index in ("ix_workflow_executions_inside", "ix_workflow_executions_gated"):
        op.drop_index(index, table_name="workflow_executions")
    for constraint in ("gated_has_a_gate", "priority_known"):
        op.drop_constraint(f"ck_workflow_executions_{constraint}", "workflow_executions")
    for column in ("is_gated", "gate_key", "priority"):
        op.drop_column("workflow_executions", column)
    for table in WALLED:
        op.drop_table(table)

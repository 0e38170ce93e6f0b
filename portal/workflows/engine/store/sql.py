"""The statements that several moves share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from portal.core import db
from portal.core.config import current_settings
from portal.workflows.engine.lanes import GATED, PARKED
from portal.workflows.engine.states import STEP_ENDED
from portal.workflows.engine.store.rows import Lease, Moves
from portal.workflows.payloads import Apart

BORN = """
  insert into workflow_steps
    (id, tenant_id, execution_id, node_key, kind, scope_path, gen, queue, priority, state, attempt, lease_epoch, timeout_s, effect_class, idem_key,
     port, input, output, error, ended_seq, used, lease_owner, lease_until, hard_until, started_at, finished_at)
  select r.id, %(tenant)s, %(run)s, r.node_key, r.kind, r.scope, r.gen,
         case when r.state = 'ready' then %(aside)s::text else '' end || coalesce(%(lane)s::text, r.lane), %(priority)s::int, r.state, r.attempt, r.epoch, r.timeout_s, r.effect,
         r.idem_key, r.port, r.input, r.output, r.error, r.seq, r.used, case when r.leased then %(worker)s::text end,
         case when r.leased then clock_timestamp() + make_interval(secs => %(lease_s)s::float8) end,
         case when r.leased then clock_timestamp() + make_interval(secs => r.timeout_s) end,
         case when r.state in ('leased', 'waiting', 'succeeded', 'failed') then clock_timestamp() - make_interval(secs => r.took_s) end,
         case when r.state in ('succeeded', 'failed', 'skipped', 'cancelled') then clock_timestamp() end
  from jsonb_to_recordset(%(born)s::jsonb) as r(id uuid, node_key text, kind text, scope text, gen int, state text, attempt int, epoch int,
       took_s float8, leased bool, timeout_s int, effect text, lane text, idem_key text, port text, input jsonb, output jsonb, error jsonb, seq int, used jsonb)
"""
TOLD = """
  insert into workflow_events (tenant_id, execution_id, seq, kind, node_key, actor, data)
  select %(tenant)s, %(run)s, r.seq, r.kind, r.node_key, %(actor)s::text, r.data
  from jsonb_to_recordset(%(events)s::jsonb) as r(seq int, kind text, node_key text, data jsonb)
  returning seq, hash
"""
# The run keeps the hash of its last event, which the trigger of the events has made: so a missing tail is noticed.
HEAD = "event_hash = coalesce((select hash from told order by seq desc limit 1), event_hash)"
TIMED = """
  insert into workflow_timers (id, tenant_id, execution_id, step_id, due_at, expect_epoch, fails_with)
  select r.id, %(tenant)s, %(run)s, r.step_id, coalesce(r.due_at, clock_timestamp() + make_interval(secs => r.after_s)), r.epoch, r.fails_with
  from jsonb_to_recordset(%(timers)s::jsonb) as r(id uuid, step_id uuid, due_at timestamptz, after_s float8, epoch int, fails_with text)
"""
# What only workflows with blocks need: each is part of the statement only when it has rows.
PARTS = {
    "timers": f"timed as ({TIMED})",
    "frames": """framed as (
  insert into workflow_frames (tenant_id, execution_id, step_id, number, scope_path, parent_path, lane, state, value, result, error, ended_at)
  select %(tenant)s, %(run)s, r.step_id, r.number, r.path, r.parent, r.lane, r.state, r.value, r.result, r.error,
         case when r.state in ('succeeded', 'failed', 'cancelled') then clock_timestamp() end
  from jsonb_to_recordset(%(frames)s::jsonb) as r(step_id uuid, number int, path text, parent text, lane text, state text, value jsonb,
       result jsonb, error jsonb))""",
    "frame_ends": """unframed as (
  update workflow_frames f set state = r.state, result = r.result, error = r.error,
         ended_at = case when r.state in ('succeeded', 'failed', 'cancelled') then clock_timestamp() end
  from jsonb_to_recordset(%(frame_ends)s::jsonb) as r(path text, state text, result jsonb, error jsonb)
  where f.tenant_id = %(tenant)s and f.execution_id = %(run)s and f.scope_path = r.path)""",
    "shut": """shut as (
  update workflow_steps s set state = r.state, port = r.port, output = r.output, error = r.error, ended_seq = r.seq,
         finished_at = clock_timestamp()
  from jsonb_to_recordset(%(shut)s::jsonb) as r(id uuid, state text, port text, output jsonb, error jsonb, seq int)
  where s.tenant_id = %(tenant)s and s.id = r.id),
untimed as (
  update workflow_timers t set fired_at = clock_timestamp()
  from jsonb_to_recordset(%(shut)s::jsonb) as r(id uuid)
  where t.tenant_id = %(tenant)s and t.step_id = r.id and t.fired_at is null)""",
    "lists": """listed as (
  insert into workflow_lists (tenant_id, step_id, page, items)
  select %(tenant)s, r.step_id, r.page, r.items from jsonb_to_recordset(%(lists)s::jsonb) as r(step_id uuid, page int, items jsonb))""",
}
VALUES = ("input", "output", "value", "result")  # columns that may hold what is kept apart
MOVED = """moved as (
  update workflow_steps s
  set state = %(state)s::text, port = %(port)s::text, output = %(output)s::jsonb, error = %(error)s::jsonb, ended_seq = %(ended_seq)s::int,
      input = coalesce(%(input)s::jsonb, s.input), lease_owner = null, lease_until = null, hard_until = null,
      effect_at = case when %(state)s::text = 'ready' then null else s.effect_at end,
      queue = case when %(state)s::text = 'ready' then %(aside)s::text || s.queue else s.queue end,
      available_at = case when %(state)s::text = 'ready' then clock_timestamp() + make_interval(secs => %(delay_s)s::float8) else s.available_at end,
      finished_at = case when %(ended)s::bool then clock_timestamp() end{used}
  where s.tenant_id = %(tenant)s and s.id = %(step)s{still}
  returning s.id, s.started_at, s.attempt),
tried as (
  insert into workflow_attempts (tenant_id, step_id, epoch, number, worker, started_at, outcome, error_code)
  select %(tenant)s, m.id, %(epoch)s::int, m.attempt, %(worker)s::text,
         coalesce(was.hard_until - make_interval(secs => was.timeout_s), m.started_at), %(state)s::text, %(code)s::text
  from moved m join workflow_steps was on was.tenant_id = %(tenant)s and was.id = %(step)s  -- as it was before this statement
  on conflict do nothing),  -- a wait that ends is no second attempt
"""
# It is part of the statement only where something was measured: pure steps do not pay for it.
USED = ", used = %(used)s::jsonb"
# Attempts add up.
USED_MORE = """,
      used = (select coalesce(jsonb_object_agg(name, amount), '{}') from (
        select each.name, sum(each.amount::bigint) as amount from (
          select * from jsonb_each_text(coalesce(s.used, '{}')) union all select * from jsonb_each_text(%(used)s::jsonb)) as each(name, amount)
        group by each.name) as summed)"""
# The columns of a run that is accepted.
ACCEPTED = """id, tenant_id, workflow_id, version_id, executed_by, input_data, dedup_key, replay_of, deadline_at, parent_step_id, root_id,
  depth, error_of, priority, gate_key, is_gated, keys_of"""
ACCEPTED_VALUES = """%(id)s, %(tenant)s, %(workflow)s, %(version)s, %(by)s, %(input)s::jsonb, %(dedup)s, %(replay_of)s,
  clock_timestamp() + make_interval(secs => %(deadline_s)s), %(parent)s, %(root)s, %(depth)s, %(error_of)s,
  %(priority)s, %(gate)s, %(is_gated)s, %(keys_of)s"""
RUN_BEGINS = f"""
insert into workflow_executions
  ({ACCEPTED}, event_seq, event_hash, status, created_at, started_at, completed_at, output_data, error, error_message)
values ({ACCEPTED_VALUES}, %(seq)s::int, (select hash from told order by seq desc limit 1), coalesce(%(status)s::text, 'running'), %(begun)s::timestamptz, %(begun)s::timestamptz,
        case when %(status)s::text is not null then clock_timestamp() end, %(run_output)s::jsonb, %(run_error)s::jsonb, %(error_message)s::text)
"""
RUN_GOES_ON = f"""
update workflow_executions
set event_seq = %(seq)s::int, {HEAD}, status = case when %(begun)s::timestamptz is not null then 'running' else status end,
    started_at = coalesce(started_at, %(begun)s::timestamptz)
where tenant_id = %(tenant)s and id = %(run)s
"""
RUN_ENDS = f"""
update workflow_executions
set event_seq = %(seq)s::int, {HEAD}, status = %(status)s::text, completed_at = clock_timestamp(), output_data = %(run_output)s::jsonb,
    error = %(run_error)s::jsonb, error_message = %(error_message)s::text, started_at = coalesce(started_at, %(begun)s::timestamptz, clock_timestamp())
where tenant_id = %(tenant)s and id = %(run)s
"""
# The run will end as `ends_as` says once no worker holds a step of it any more, or once what it did is undone.
RUN_CLOSES = f"""
update workflow_executions
set event_seq = %(seq)s::int, {HEAD}, status = %(status)s::text, cancel_at = coalesce(cancel_at, clock_timestamp()), ends_as = %(ends_as)s::text,
    error = %(run_error)s::jsonb, error_message = %(error_message)s::text, output_data = %(run_output)s::jsonb,
    started_at = coalesce(started_at, %(begun)s::timestamptz, clock_timestamp())
where tenant_id = %(tenant)s and id = %(run)s
"""

# What nobody has read again must be as it was: the step that is settled, and the run's row.
STILL = " and s.state = 'leased' and s.lease_epoch = %(epoch)s::int"
GUESSED = """,
went as ({how} and status = %(known_status)s and event_seq = %(known_seq)s returning 1)
select must(exists (select from moved) and exists (select from went))
"""


def write_rows(connection: Connection, moves: Moves) -> None:
    """Write the rows of moves that settle no step of their own, and the run's last event."""
    write_moves(connection, moves, None)


def aside(run: Any) -> str:
    """Return where the ready steps of a run stand while no worker may take them."""
    return PARKED if run.status == "paused" else GATED if run.is_gated else ""


def _row_values(moves: Moves, apart: Apart) -> tuple[dict[str, Any], str]:
    run, worker = moves.run, moves.worker
    gathered = {name: rows for name in PARTS if (rows := getattr(moves, name))}
    values = {
        "tenant": run.tenant_id, "run": run.id, "aside": aside(run), "lane": run.lane,
        "priority": run.priority, "worker": worker or None,
        "actor": worker or "engine", "lease_s": current_settings().lease_s, "born": apart.rows(moves.born, VALUES),
        "events": apart.rows(moves.events, ()), **{name: apart.rows(rows, VALUES) for name, rows in gathered.items()},
    }  # fmt: skip
    return values, "".join(f",\n{PARTS[name]}" for name in gathered)


def write_settle(
    connection: Connection,
    lease: Lease,
    step: dict[str, Any],
    moves: Moves,
    status: str | None,
    config: dict[str, Any] | None,
    *,
    ends_as: str | None = None,
) -> None:
    """Write all of a settle in one statement; the step's row is already locked and known to be ours, or the moves guess that it is.

    Args:
        ends_as: the run does not end yet: `status` is what it is until then.
    """
    db.commits(f"settle.{step['state']}")
    apart = Apart(moves.run.tenant_id, moves.run.secrets)
    own = {
        "step": lease.step_id, "epoch": lease.epoch, "state": step["state"], "port": step["port"], "ended_seq": step["seq"],
        "output": apart.text_of(step["output"]),
        "error": db.to_json(apart.masked(step["error"])) if step["error"] else None, "code": (step["error"] or {}).get("code"),
        "input": apart.text_of(config), "delay_s": step["delay_s"], "ended": step["state"] in STEP_ENDED,
    }  # fmt: skip
    used, measured = step.get("used"), ""
    if used or (used is not None and lease.effect not in ("pure", "db")):
        own["used"], measured = db.to_json(used), USED if lease.attempt == 1 else USED_MORE
    moved = MOVED.format(still=STILL if moves.guess else "", used=measured)
    write_moves(connection, moves, status, ends_as=ends_as, moved=moved, own=own, apart=apart)


def write_moves(
    connection: Connection,
    moves: Moves,
    status: str | None,
    *,
    ends_as: str | None = None,
    accepted: dict[str, Any] | None = None,
    moved: str = "",
    own: dict[str, Any] | None = None,
    apart: Apart | None = None,
) -> None:
    """Write moves, and what becomes of their run, in one statement.

    Args:
        accepted: the values of a run that has no row yet.
        moved, own: the part of the statement that settles a step, and its values.
        apart: what is too large for the rows of `own` or `accepted`.
    """
    if status is not None:
        moves.tell(f"run.{status}")
    apart = apart or Apart(moves.run.tenant_id, moves.run.secrets)
    values, parts = _row_values(moves, apart)
    values |= {
        "seq": moves.run.event_seq,
        "begun": moves.begins_at,
        **run_values(status, apart.masked(moves.failed), moves.run.root.last if moves.ends else None, ends_as, apart),
    }
    how = RUN_BEGINS if accepted else RUN_CLOSES if ends_as else RUN_ENDS if status else RUN_GOES_ON
    if moves.guess is not None:
        how = GUESSED.format(how=how)
        values["known_status"], values["known_seq"] = moves.guess
    db.write_later(connection, f"with {moved}born as ({BORN}), told as ({TOLD}){parts}{how}", values | (own or {}) | (accepted or {}))
    apart.keep(connection, moves.run.id)


def run_values(
    status: str | None, error: dict[str, Any] | None, output: Any, ends_as: str | None = None, apart: Apart | None = None
) -> dict[str, Any]:
    message = f"{error.get('step') or ''}: {error['code']} {error.get('detail') or ''}".strip(" :") if error else None
    return {
        "status": status,
        "ends_as": ends_as,
        "run_output": (apart.text_of(output) if apart else db.to_json(output))
        if output is not None and "succeeded" in (status, ends_as)
        else None,
        "run_error": db.to_json(error) if error else None,
        "error_message": message,
    }

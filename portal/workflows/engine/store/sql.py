"""The statements that several moves share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.core import db
from portal.core.config import current_settings
from portal.workflows.engine.plan import Graph, Stand
from portal.workflows.engine.states import STEP_ENDED
from portal.workflows.engine.store.rows import QUEUE, Lease, Moves, Run

BORN = """
  insert into workflow_steps
    (id, tenant_id, execution_id, node_key, kind, queue, state, attempt, lease_epoch, timeout_s, effect_class, idem_key,
     port, input, output, error, lease_owner, lease_until, hard_until, started_at, finished_at)
  select r.id, %(tenant)s, %(run)s, r.node_key, r.kind, %(queue)s::text, r.state, r.attempt, r.epoch, r.timeout_s, r.effect, r.idem_key,
         r.port, r.input, r.output, r.error, case when r.leased then %(worker)s::text end,
         case when r.leased then clock_timestamp() + make_interval(secs => %(lease_s)s::float8) end,
         case when r.leased then clock_timestamp() + make_interval(secs => r.timeout_s) end,
         case when r.state in ('leased', 'waiting', 'succeeded', 'failed') then clock_timestamp() - make_interval(secs => r.took_s) end,
         case when r.state in ('succeeded', 'failed', 'skipped', 'cancelled') then clock_timestamp() end
  from jsonb_to_recordset(%(born)s::jsonb) as r(id uuid, node_key text, kind text, state text, attempt int, epoch int, took_s float8, leased bool,
       timeout_s int, effect text, idem_key text, port text, input jsonb, output jsonb, error jsonb)
"""
TOLD = """
  insert into workflow_events (tenant_id, execution_id, seq, kind, node_key, actor, data)
  select %(tenant)s, %(run)s, r.seq, r.kind, r.node_key, %(actor)s::text, r.data
  from jsonb_to_recordset(%(events)s::jsonb) as r(seq int, kind text, node_key text, data jsonb)
"""
TIMED = """
  insert into workflow_timers (id, tenant_id, execution_id, step_id, due_at, expect_epoch, fails_with)
  select r.id, %(tenant)s, %(run)s, r.step_id, coalesce(r.due_at, clock_timestamp() + make_interval(secs => r.after_s)), r.epoch, r.fails_with
  from jsonb_to_recordset(%(timers)s::jsonb) as r(id uuid, step_id uuid, due_at timestamptz, after_s float8, epoch int, fails_with text)
"""
SETTLE = f"""
with moved as (
  update workflow_steps s
  set state = %(state)s::text, port = %(port)s::text, output = %(output)s::jsonb, error = %(error)s::jsonb,
      input = coalesce(%(input)s::jsonb, s.input), lease_owner = null, lease_until = null, hard_until = null,
      effect_at = case when %(state)s::text = 'ready' then null else s.effect_at end,
      available_at = case when %(state)s::text = 'ready' then clock_timestamp() + make_interval(secs => %(delay_s)s::float8) else s.available_at end,
      finished_at = case when %(ended)s::bool then clock_timestamp() end
  where s.tenant_id = %(tenant)s and s.id = %(step)s
  returning s.id, s.started_at, s.attempt),
tried as (
  insert into workflow_attempts (tenant_id, step_id, epoch, number, worker, started_at, outcome, error_code)
  select %(tenant)s, id, %(epoch)s::int, attempt, %(worker)s::text, started_at, %(state)s::text, %(code)s::text from moved
  on conflict do nothing),  -- a wait that ends is no second attempt
born as ({BORN}),
told as ({TOLD}),
timed as ({TIMED})
"""
RUN_GOES_ON = """
update workflow_executions set event_seq = %(seq)s::int where tenant_id = %(tenant)s and id = %(run)s
"""
RUN_ENDS = """
update workflow_executions
set event_seq = %(seq)s::int, status = %(status)s::text, completed_at = clock_timestamp(), output_data = %(run_output)s::jsonb,
    error = %(run_error)s::jsonb, error_message = %(error_message)s::text, started_at = coalesce(started_at, clock_timestamp())
where tenant_id = %(tenant)s and id = %(run)s
"""


def write_rows(
    connection: Connection,
    tenant_id: UUID,
    run_id: UUID,
    born: list[dict[str, Any]],
    told: list[dict[str, Any]],
    timers: list[dict[str, Any]],
    *,
    worker: str,
) -> None:
    values = _row_values(tenant_id, run_id, born, told, timers, worker)
    timed = f", timed as ({TIMED})" if timers else ""
    connection.exec_driver_sql(f"with born as ({BORN}), told as ({TOLD}){timed} select 1", values)


def _row_values(
    tenant_id: UUID,
    run_id: UUID,
    born: list[Any],
    told: list[Any],
    timers: list[Any],
    worker: str,
) -> dict[str, Any]:
    return {
        "tenant": tenant_id, "run": run_id, "queue": QUEUE, "worker": worker or None, "actor": worker or "engine",
        "lease_s": current_settings().lease_s, "born": db.to_json(born), "events": db.to_json(told), "timers": db.to_json(timers),
    }  # fmt: skip


def write_settle(
    connection: Connection,
    lease: Lease,
    step: dict[str, Any],
    moves: Moves,
    status: str | None,
    config: dict[str, Any] | None,
) -> None:
    """Write all of a settle in one statement; the step's row is already locked and known to be ours."""
    run = moves.run
    if status is not None:
        moves.tell(f"run.{status}")
    values = _row_values(run.tenant_id, run.id, moves.born, moves.events, moves.timers, lease.worker)
    values |= {
        "step": lease.step_id, "epoch": lease.epoch, "state": step["state"], "port": step["port"],
        "output": db.to_json(step["output"]) if step["output"] is not None else None,
        "error": db.to_json(step["error"]) if step["error"] else None, "code": (step["error"] or {}).get("code"),
        "input": db.to_json(config) if config is not None else None, "delay_s": step["delay_s"], "ended": step["state"] in STEP_ENDED,
        "seq": run.event_seq, **run_values(status, moves.failed, moves.last_output),
    }  # fmt: skip
    connection.exec_driver_sql(SETTLE + (RUN_ENDS if status else RUN_GOES_ON), values)


def run_values(status: str | None, error: dict[str, Any] | None, output: Any) -> dict[str, Any]:
    message = f"{error.get('step')}: {error['code']} {error.get('detail') or ''}".strip() if error else None
    return {
        "status": status,
        "run_output": db.to_json(output) if output is not None and status == "succeeded" else None,
        "run_error": db.to_json(error) if error else None,
        "error_message": message,
    }


@dataclass(frozen=True, slots=True)
class Published:
    """What never changes of a published version."""

    graph: Graph
    settings: dict[str, Any]


_published: dict[UUID, Published] = {}


def published(connection: Connection, tenant_id: UUID, version_id: UUID) -> Published:
    """Return a version's graph and settings; versions never change, so the process keeps the last few hundred."""
    found = _published.get(version_id)
    if found is None:
        row = connection.exec_driver_sql(
            "select nodes, edges, settings from workflow_versions where tenant_id = %s and id = %s",
            (tenant_id, version_id),
        ).one()
        if len(_published) > 500:
            _published.clear()
        found = _published[version_id] = Published(Graph.of(row.nodes, row.edges), row.settings)
    return found


def read_steps(connection: Connection, run: Run) -> None:
    rows = connection.exec_driver_sql(
        "select node_key, state, port, output from workflow_steps where tenant_id = %s and execution_id = %s",
        (run.tenant_id, run.id),
    )
    run.stands, run.outputs = {}, {}
    for row in rows:
        run.stands[row.node_key] = Stand(row.state, row.port)
        if row.state == "succeeded":
            run.outputs[row.node_key] = row.output


def run_of(connection: Connection, tenant_id: UUID, run_id: UUID, row: Any) -> Run:
    """Build what a worker knows of a run from its row, with the steps read anew."""
    graph = published(connection, tenant_id, row.version_id).graph
    known = row.workflow_id, row.name, row.name_ar, graph, row.input_data, row.executed_by, row.started_at, row.event_seq
    run = Run(tenant_id, run_id, *known)
    read_steps(connection, run)
    return run


def locked_run(connection: Connection, tenant_id: UUID, run_id: UUID) -> tuple[Run | None, Any]:
    """Lock a run's row and read all of it; (None, row) when it has ended."""
    row = connection.exec_driver_sql(
        """
        select e.status, e.cancel_at is not null as cancelled, e.event_seq, e.error, e.version_id, e.workflow_id, t.name, t.name_ar, e.input_data,
               e.executed_by, coalesce(e.started_at, e.created_at) as started_at
        from workflow_executions e join workflow_templates t on t.tenant_id = e.tenant_id and t.id = e.workflow_id
        where e.tenant_id = %s and e.id = %s for update of e
        """,
        (tenant_id, run_id),
    ).first()
    if row is None or row.status in ("succeeded", "failed", "cancelled", "timed_out"):
        return None, row
    return run_of(connection, tenant_id, run_id, row), row

"""What waits for the dispatcher, and what must never be. An organisation that stands still waits for nobody."""

from __future__ import annotations

from uuid import UUID

from portal.core import db
from portal.workflows.engine.lanes import LANES, PARKED
from portal.workflows.engine.store.leasing import PRESENT

ACTIVE = "exists (select from tenants o where o.id = {row}.tenant_id and o.status = 'active')"


def expired(limit: int = 100) -> list[tuple[UUID, UUID, UUID]]:
    """Return (tenant, run, step) of leases that ran out; picked without locks, each is checked again under its own."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            f"select tenant_id, execution_id, id from workflow_steps s where state = 'leased' and lease_until < clock_timestamp()"
            f" and {ACTIVE.format(row='s')} order by lease_until limit %s",
            (limit,),
        )
        return [(row.tenant_id, row.execution_id, row.id) for row in rows]


def due_timers(limit: int = 100) -> list[tuple[UUID, UUID, UUID]]:
    """Return (tenant, run, timer) of timers that are due; picked without locks, each is checked again under its own."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            "select t.tenant_id, t.execution_id, t.id from workflow_timers t"
            " join workflow_executions e on e.tenant_id = t.tenant_id and e.id = t.execution_id and e.status <> 'paused'"
            f" where t.fired_at is null and t.due_at <= clock_timestamp() and {ACTIVE.format(row='t')} order by t.due_at limit %s",
            (limit,),
        )
        return [(row.tenant_id, row.execution_id, row.id) for row in rows]


def deliverable(limit: int = 100) -> list[tuple[UUID, UUID, UUID]]:
    """Return (tenant, run, step) of waits whose signal has come and was not handed over: whoever brought it died, or both came at once."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            f"""
            select w.tenant_id, w.execution_id, w.step_id
            from workflow_signals s join workflow_waits w on w.tenant_id = s.tenant_id and w.name = s.name and w.corr_key = s.corr_key
            where s.consumed_at is null and s.expires_at > clock_timestamp() and w.ended_at is null
              and (s.execution_id is null or s.execution_id = w.execution_id) and {ACTIVE.format(row="w")}
            order by s.created_at, w.created_at limit %s
            """,
            (limit,),
        )
        return list(dict.fromkeys((row.tenant_id, row.execution_id, row.step_id) for row in rows))


def due_tasks(limit: int = 100) -> list[tuple[UUID, UUID, UUID]]:
    """Return (tenant, run, task) of open tasks that want a reminder or an escalation now."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            f"""
            (select tenant_id, execution_id, id from workflow_tasks k
             where state = 'open' and remind_at <= clock_timestamp() and {ACTIVE.format(row="k")} order by remind_at limit %(limit)s)
            union
            (select tenant_id, execution_id, id from workflow_tasks k
             where state = 'open' and escalate_at <= clock_timestamp() and {ACTIVE.format(row="k")} order by escalate_at limit %(limit)s)
            """,
            {"limit": limit},
        )
        return [(row.tenant_id, row.execution_id, row.id) for row in rows]


def overdue(limit: int = 100) -> list[tuple[UUID, UUID]]:
    """Return (tenant, run) of runs past their time limit that nobody has asked to end."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            "select tenant_id, id from workflow_executions e where deadline_at < clock_timestamp() and cancel_at is null"
            f" and status not in ('succeeded','failed','cancelled','timed_out','compensated') and {ACTIVE.format(row='e')}"
            " order by deadline_at limit %s",
            (limit,),
        )
        return [(row.tenant_id, row.id) for row in rows]


# A step lives by itself when somebody will look at it: a worker, a person, the clock, a signal, the run that it called.
STUCK = """
select e.tenant_id, e.id from workflow_executions e
where e.status not in ('succeeded','failed','cancelled','timed_out','compensated')
  and not exists (
    select 1 from workflow_steps s where s.tenant_id = e.tenant_id and s.execution_id = e.id and (
      s.state in ('leased', 'in_doubt') or s.state = 'ready' and (s.queue not like %(parked)s or e.status = 'paused')
      or s.state = 'waiting' and (
        exists (select 1 from workflow_timers t where t.tenant_id = s.tenant_id and t.step_id = s.id and t.fired_at is null)
        or exists (select 1 from workflow_waits w where w.tenant_id = s.tenant_id and w.step_id = s.id and w.ended_at is null)
        or exists (select 1 from workflow_tasks k where k.tenant_id = s.tenant_id and k.step_id = s.id and k.state = 'open')
        or exists (select 1 from workflow_executions c where c.tenant_id = s.tenant_id and c.parent_step_id = s.id))))
"""


def stuck() -> list[UUID]:
    """Return runs that have not ended although nothing of them lives: must always be empty (I-7)."""
    return [run_id for _tenant_id, run_id in stuck_runs()]


def stuck_runs() -> list[tuple[UUID, UUID]]:
    """Return (tenant, run) of what `stuck` returns. A block lives only by what is inside it."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(STUCK, {"parked": f"{PARKED}%"})
        return [(row.tenant_id, row.id) for row in rows]


def answered(limit: int = 100) -> list[tuple[UUID, UUID, UUID]]:
    """Return (tenant, run, step) of steps that wait for a run which has ended."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            f"""
            select s.tenant_id, s.execution_id, s.id from workflow_steps s
            join workflow_executions e on e.tenant_id = s.tenant_id and e.parent_step_id = s.id
            join workflow_executions p on p.tenant_id = s.tenant_id and p.id = s.execution_id and p.status <> 'paused'
            where s.state = 'waiting' and s.kind = 'subworkflow' and e.completed_at is not null and {ACTIVE.format(row="s")}
            order by e.completed_at limit %s
            """,
            (limit,),
        )
        return [(row.tenant_id, row.execution_id, row.id) for row in rows]


def orphans(limit: int = 100) -> list[tuple[UUID, UUID]]:
    """Return (tenant, run) of runs whose caller does not wait for them any more."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            """
            select e.tenant_id, e.id from workflow_executions e
            join workflow_steps s on s.tenant_id = e.tenant_id and s.id = e.parent_step_id
            where e.parent_step_id is not null and e.completed_at is null and e.cancel_at is null
              and s.state in ('cancelled', 'failed') limit %s
            """,
            (limit,),
        )
        return [(row.tenant_id, row.id) for row in rows]


def gates(limit: int = 100) -> list[tuple[UUID, UUID, str, str | None]]:
    """Return (tenant, workflow, key, what happens when full) of gates at which runs wait although somebody could go in."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            f"""
            select g.tenant_id, g.workflow_id, g.key, g.when_full from workflow_gates g
            where {ACTIVE.format(row="g")} and exists (select from workflow_executions e where e.tenant_id = g.tenant_id and e.gate_key = g.key
                          and e.is_gated and e.completed_at is null)
              and (g.most is null or g.when_full = 'cancel' or g.most > (
                     select count(*) from workflow_executions e where e.tenant_id = g.tenant_id and e.gate_key = g.key
                       and not e.is_gated and e.completed_at is null))
            limit %s
            """,
            (limit,),
        )
        return [(row.tenant_id, row.workflow_id, row.key, row.when_full) for row in rows]


def ready_counts() -> dict[str, int]:
    """Return how many steps of each lane are due now and held by nobody, at most 1,000."""
    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            f"""
            select lane, (select count(*) from (select 1 from ({PRESENT}) p, lateral (
                            select 1 from workflow_steps s where s.state = 'ready' and s.queue = lane and s.tenant_id = p.tenant
                              and s.available_at <= clock_timestamp() limit 1000) of_one limit 1000) due) as due
            from unnest(%s::text[]) as lane
            """,
            (list(LANES),),
        )
        return {row.lane: row.due for row in rows}

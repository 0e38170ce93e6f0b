"""Delete runs whose time is over, in small batches, for the dispatcher. What is left of each is its tombstone.

A run goes with the runs that it called, the deepest first. Its tombstones are written before anything is deleted, so a sweep that
dies goes on where it stopped. A legal hold is looked at again under the locks of every batch: once it is placed, nothing more goes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal.audit import service as audit
from portal.core import db
from portal.core.access import SYSTEM

BATCH = 1000
RUNS_A_SWEEP = 200

HELD = """
exists (select 1 from legal_holds h where h.tenant_id = e.tenant_id and h.lifted_at is null and (
  h.scope = 'tenant'
  or h.run_id = e.id or h.workflow_id = e.workflow_id
  or exists (select 1 from workflow_executions c where c.tenant_id = e.tenant_id and c.root_id = e.id
             and (h.run_id = c.id or h.workflow_id = c.workflow_id))))
"""
# A workflow with a row of its own follows it wholly; the row of the tenant is for the others. No figure keeps for ever.
DAYS = """
case when e.status = 'succeeded' then case when w.id is not null then w.succeeded_days else d.succeeded_days end
     else case when w.id is not null then w.failed_days else d.failed_days end end
"""
DUE = f"""
select e.tenant_id, e.id, {DAYS} as days from workflow_executions e
left join workflow_retention w on w.tenant_id = e.tenant_id and w.workflow_id = e.workflow_id
left join workflow_retention d on d.tenant_id = e.tenant_id and d.workflow_id is null
where e.tenant_id = any(select distinct tenant_id from workflow_retention) and e.completed_at is not null and e.parent_step_id is null
  and e.completed_at < clock_timestamp() - make_interval(days => {DAYS})
  and not exists (select 1 from workflow_tombstones t where t.tenant_id = e.tenant_id and t.execution_id = e.id)
  and not exists (select 1 from workflow_executions c where c.tenant_id = e.tenant_id and c.root_id = e.id and c.completed_at is null)
  and not {HELD}
"""
BURY = """
insert into workflow_tombstones
  (tenant_id, execution_id, workflow_id, root_id, depth, status, created_at, completed_at, event_count, event_hash, days)
select tenant_id, id, workflow_id, :run, depth, status, created_at, completed_at, event_seq, event_hash, :days
from workflow_executions where tenant_id = :tenant and (id = :run or root_id = :run)
"""
# Locks the tombstone: two sweeps never work on the same run, and a hold that is placed locks it as well.
OPEN = f"""
select t.execution_id, t.event_count from workflow_tombstones t
where t.tenant_id = :tenant and t.execution_id = :run and t.deleted_at is null
  and not exists (select 1 from workflow_executions e where e.tenant_id = t.tenant_id and e.id = t.root_id and {HELD})
for update of t
"""
# In this order: what points at something goes before it.
OF_TASK = "tenant_id = :tenant and task_id in (select id from workflow_tasks where tenant_id = :tenant and execution_id = :run)"
OF_STEP = "tenant_id = :tenant and step_id in (select id from workflow_steps where tenant_id = :tenant and execution_id = :run)"
OF_RUN = "tenant_id = :tenant and execution_id = :run"
SIGNALS = (
    "tenant_id = :tenant and (execution_id = :run or consumed_by in"
    " (select id from workflow_steps where tenant_id = :tenant and execution_id = :run))"
)
PARTS = {
    "workflow_task_notes": OF_TASK, "workflow_task_candidates": OF_TASK, "workflow_votes": OF_TASK, "workflow_tasks": OF_RUN,
    "workflow_waits": OF_RUN, "workflow_signals": SIGNALS, "workflow_receipts": OF_RUN, "workflow_lists": OF_STEP,
    "workflow_attempts": OF_STEP, "workflow_timers": OF_RUN, "workflow_frames": OF_RUN, "workflow_files": OF_RUN,
    "workflow_payload_uses": OF_RUN, "workflow_events": OF_RUN, "workflow_steps": OF_RUN,
}  # fmt: skip
# Samples that somebody took from the run for the draft of its workflow: copies of what was in it, under the same rule and the same holds.
SAMPLES = f"""
update workflow_templates w set pins = (select coalesce(jsonb_object_agg(key, value), '{{}}') from jsonb_each(w.pins) where value ->> 'run' is distinct from :run_text)
from workflow_tombstones t
where w.tenant_id = :tenant and t.tenant_id = :tenant and t.execution_id = :run and t.workflow_id = w.id and t.deleted_at is null
  and exists (select 1 from jsonb_each(w.pins) where value ->> 'run' = :run_text)
  and not exists (select 1 from workflow_executions e where e.tenant_id = t.tenant_id and e.id = t.root_id and {HELD})
"""
# Only values that nothing uses, and none that somebody is just about to use: whoever does moves `expires_at` first.
PAYLOADS = """
delete from workflow_payloads p where (p.tenant_id, p.sha256) in (
  select p.tenant_id, p.sha256 from workflow_payloads p where p.expires_at < clock_timestamp()
    and not exists (select 1 from workflow_payload_uses u where u.tenant_id = p.tenant_id and u.sha256 = p.sha256) limit :batch)
  and p.expires_at < clock_timestamp()
"""


def sweep() -> int:
    """Delete what is due of every tenant; returns how many runs went. Safe to repeat, to interrupt, and to run twice at once."""
    with db.transaction(system=True) as session:
        due = session.execute(text(f"{DUE} order by e.completed_at limit :limit"), {"limit": RUNS_A_SWEEP}).all()
    for row in due:
        bury(row.tenant_id, row.id)
    gone: Counter[UUID] = Counter()
    for row in _unfinished():
        gone[row.tenant_id] += delete(row.tenant_id, row.execution_id)
    for tenant_id, count in gone.items():
        if count:
            with db.transaction(tenant_id):
                audit.record(tenant_id, SYSTEM, "runs.expired", runs=count)
    while _payloads_gone() == BATCH:
        pass
    return gone.total()


def bury(tenant_id: UUID, run_id: UUID) -> bool:
    """Write the tombstones of a run and of those that it called; False when it is not due any more."""
    with db.transaction(system=True) as session:
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:run, 26))"), {"run": str(run_id)})
        row = session.execute(text(f"{DUE} and e.tenant_id = :tenant and e.id = :run"), {"tenant": tenant_id, "run": run_id}).first()
        if row is None:
            return False
        session.execute(text(BURY), {"tenant": tenant_id, "run": run_id, "days": row.days})
    return True


def delete(tenant_id: UUID, run_id: UUID) -> bool:
    """Delete all of a buried run; False when a hold has stopped it or somebody else has finished it."""
    values = {"tenant": tenant_id, "run": run_id, "batch": BATCH}
    with db.transaction(tenant_id) as session:
        session.execute(text(SAMPLES), {"tenant": tenant_id, "run": run_id, "run_text": str(run_id)})
    while True:
        done = _batch(values)
        if done is None:
            return False
        if done:
            return True


def _batch(values: dict[str, Any]) -> bool | None:
    """Delete one batch in a transaction of its own; True when the run is gone, None when it may not go."""
    with db.transaction(system=True) as session:
        if session.execute(text(OPEN), values).first() is None:
            return None
        left = BATCH
        for table, which in PARTS.items():
            wanted = f"delete from {table} where ctid = any(array(select ctid from {table} where {which} limit :left))"
            left -= db.touched(session.execute(text(wanted), {**values, "left": left}))
            if left <= 0:
                return False
        session.execute(text("delete from workflow_executions where tenant_id = :tenant and id = :run"), values)
        session.execute(
            text("update workflow_tombstones set deleted_at = clock_timestamp() where tenant_id = :tenant and execution_id = :run"), values
        )
    return True


def _unfinished() -> list[Any]:
    with db.transaction(system=True) as session:
        return list(
            session.execute(
                text(
                    "select tenant_id, execution_id from workflow_tombstones where deleted_at is null order by depth desc, begun_at limit :limit"
                ),
                {"limit": RUNS_A_SWEEP * 10},
            )
        )


def _payloads_gone() -> int:
    with db.transaction(system=True) as session:
        return db.touched(session.execute(text(PAYLOADS), {"batch": BATCH}))

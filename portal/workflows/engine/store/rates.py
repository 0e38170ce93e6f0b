"""Rates of connections: calls leave evenly spread, and a step that is too early stands aside without spending an attempt.

The generic cell rate algorithm with one cell: `tat` says when the next call may leave. Whoever may not gets a place of its own
behind the last one that waits, so that what comes back does not come back at once.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.connections import service as connections
from portal.core import db
from portal.workflows.engine.lanes import PARKED
from portal.workflows.engine.store.leasing import IN_FRAME
from portal.workflows.engine.store.rows import Lease

LOCK = """
insert into workflow_rates (tenant_id, key) values (%(tenant)s, %(key)s::text)
on conflict (tenant_id, key) do update set tat = workflow_rates.tat
"""
# Who has been aside goes first: a step that has just come passes nobody whose place has come, or comes before the next call.
TAKE = """
update workflow_rates r set tat = clock_timestamp() + make_interval(secs => %(gap_s)s)
where r.tenant_id = %(tenant)s and r.key = %(key)s::text and r.tat <= clock_timestamp()
  and (exists (select from workflow_steps s where s.tenant_id = %(tenant)s and s.id = %(step)s and s.rate_key is not null)
       or not exists (select from workflow_steps w where w.tenant_id = %(tenant)s and w.rate_key = %(key)s::uuid and w.state = 'ready'
                      and w.available_at < clock_timestamp() + make_interval(secs => %(gap_s)s)))
returning 1
"""
BACK = "update workflow_steps set rate_key = null where tenant_id = %(tenant)s and id = %(step)s and rate_key is not null"
LIVES = """
select e.status from workflow_executions e
where e.tenant_id = %(tenant)s and e.id = %(run)s and e.status in ('pending', 'running', 'paused', 'compensating') {frame} for share of e
"""
ASIDE = """
update workflow_steps s
set state = 'ready', attempt = s.attempt - 1, lease_owner = null, lease_until = null, hard_until = null, rate_key = %(key)s::uuid,
    started_at = case when s.attempt > 1 then s.started_at end,
    queue = case when %(is_paused)s then %(parked)s::text else '' end || s.queue,
    available_at = greatest(clock_timestamp(), r.tat, w.last + make_interval(secs => %(gap_s)s))
from workflow_rates r, lateral (
  select max(o.available_at) as last from workflow_steps o
  where o.tenant_id = r.tenant_id and o.rate_key = %(key)s::uuid and o.state = 'ready') w
where r.tenant_id = %(tenant)s and r.key = %(key)s::text and s.tenant_id = %(tenant)s and s.id = %(step)s
  and s.state = 'leased' and s.lease_epoch = %(epoch)s
"""


def may_leave(lease: Lease, config: dict[str, Any]) -> bool:
    """Say whether the call of a step may leave now; if not, the step stands aside until its place comes, and its lease is gone."""
    chosen = str(config.get("connection") or "")
    if not chosen:
        return True
    try:
        connection_id = UUID(chosen)
    except ValueError:
        return True  # opening the connection says what is wrong
    with db.transaction(lease.tenant_id) as session:
        gap_s = connections.gap_s(lease.tenant_id, connection_id)
        return gap_s is None or _passed(session.connection(), lease, connection_id, gap_s)


def _passed(connection: Connection, lease: Lease, connection_id: UUID, gap_s: float) -> bool:
    values = {
        "tenant": lease.tenant_id, "key": str(connection_id), "run": lease.run_id, "step": lease.step_id, "scope": lease.scope,
        "epoch": lease.epoch, "gap_s": gap_s, "parked": PARKED,
    }  # fmt: skip
    connection.exec_driver_sql(LOCK, values)
    if connection.exec_driver_sql(TAKE, values).first() is not None:
        connection.exec_driver_sql(BACK, values)
        return True
    row = connection.exec_driver_sql(LIVES.format(frame=IN_FRAME if lease.scope else ""), values).first()
    if row is None:
        return True  # the run is ending: the fence says so, and gives the step its end
    connection.exec_driver_sql(ASIDE, {**values, "is_paused": row.status == "paused"})
    return False

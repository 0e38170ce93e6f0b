"""Gates: how many runs of a workflow, or of it and one key, may go on at once. Lock order: gate, then run.

A run that finds its gate full stays `pending`, with its first steps aside where no worker looks. What goes on is counted over live
rows while the gate's row is locked; who ends lets the next one in, in a transaction of its own, and the dispatcher looks again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.core import db
from portal.workflows.definition import as_template
from portal.workflows.engine.store.hints import publish, wake
from portal.workflows.errors import GateFull
from portal.workflows.expressions import ExpressionError, compile_template

# Locks the gate, and makes it first if need be.
LOCK = """
insert into workflow_gates (tenant_id, key, workflow_id) values (%(tenant)s, %(key)s, %(workflow)s)
on conflict (tenant_id, key) do update set workflow_id = excluded.workflow_id
"""
# The limit is the live version's: a change of it counts for every run that waits.
ROOM = """
select (v.settings -> 'concurrency' ->> 'limit')::int as most, v.settings -> 'concurrency' ->> 'when_full' as when_full,
       (select count(*) from workflow_executions e
        where e.tenant_id = t.tenant_id and e.gate_key = %(key)s and not e.is_gated and e.completed_at is null) as inside
from workflow_templates t left join workflow_versions v on v.tenant_id = t.tenant_id and v.id = t.published_version_id
where t.tenant_id = %(tenant)s and t.id = %(workflow)s
"""
ADMIT = """
with next as (
  select w.id, w.seq from (values (1), (2), (3), (4), (5)) as band(p)
  cross join lateral (
    select e.id, e.created_at, e.event_seq + 1 as seq from workflow_executions e
    where e.tenant_id = %(tenant)s and e.gate_key = %(key)s and e.is_gated and e.completed_at is null and e.priority = band.p
      and e.status = 'pending'
    order by e.created_at, e.id limit %(room)s for update skip locked) w
  order by w.created_at + (band.p - 3) * interval '1 minute', w.id limit %(room)s),
told as (
  insert into workflow_events (tenant_id, execution_id, seq, kind) select %(tenant)s, id, seq, 'run.admitted' from next
  returning execution_id, seq, hash),
let_in as (
  update workflow_executions e set is_gated = false, event_seq = told.seq, event_hash = told.hash from told
  where e.tenant_id = %(tenant)s and e.id = told.execution_id
  returning e.id, e.event_seq),
begun as (
  update workflow_steps s set queue = split_part(s.queue, ':', -1), available_at = clock_timestamp() from let_in
  where s.tenant_id = %(tenant)s and s.execution_id = let_in.id and s.state = 'ready'
  returning s.execution_id, s.queue)
select let_in.id, let_in.event_seq, array(select distinct queue from begun where execution_id = let_in.id) as lanes from let_in
"""
# Whom newer runs take the place of: all but the newest ones that the limit allows.
OLDER = """
select id from workflow_executions
where tenant_id = %(tenant)s and gate_key = %(key)s and completed_at is null and cancel_at is null
order by created_at desc, id desc offset %(most)s
"""


SUPERSEDED = {"code": "superseded", "step": None, "detail": ""}


@dataclass(frozen=True, slots=True)
class Gate:
    """Where a new run stands: the key that it is counted by, and whether it has to wait for its turn."""

    key: str
    is_full: bool


def key_of(workflow_id: UUID, wanted: dict[str, Any], given: dict[str, Any]) -> str:
    """Return what a run is counted by: its workflow, and the value of the key if there is one. A value that cannot be worked out is empty."""
    expression = str(wanted.get("key") or "").strip()
    if not expression:
        return str(workflow_id)
    try:
        value = compile_template(as_template(expression)).evaluate({"input": given})
    except ExpressionError:
        value = None
    return f"{workflow_id}:{hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]}"


def lock(connection: Connection, tenant_id: UUID, workflow_id: UUID, key: str) -> None:
    """Hold the gate until the open transaction ends."""
    connection.exec_driver_sql(LOCK, {"tenant": tenant_id, "key": key, "workflow": workflow_id})


def forget_limits(connection: Connection, tenant_id: UUID, workflow_id: UUID) -> None:
    """Have the dispatcher look at the gates of a workflow whose limit may have changed."""
    connection.exec_driver_sql("update workflow_gates set most = null where tenant_id = %s and workflow_id = %s", (tenant_id, workflow_id))


def sweep() -> int:
    """Forget gates that nobody stands at, and rates that nobody has used for a day."""
    with db.transaction(system=True) as session:
        connection = session.connection()
        swept = connection.exec_driver_sql(
            """
            delete from workflow_gates g
            where not exists (select from workflow_executions e where e.tenant_id = g.tenant_id and e.gate_key = g.key
                              and e.is_gated and e.completed_at is null)
              and not exists (select from workflow_executions e where e.tenant_id = g.tenant_id and e.gate_key = g.key
                              and not e.is_gated and e.completed_at is null)
            """
        )
        connection.exec_driver_sql("delete from workflow_rates where tat < clock_timestamp() - interval '1 day'")
    return db.touched(swept)


def enter(connection: Connection, tenant_id: UUID, workflow_id: UUID, key: str, when_full: str) -> Gate:
    """Find a new run its place at a gate that is locked.

    Raises:
        GateFull: the workflow refuses what is too much.
    """
    if _room(connection, tenant_id, workflow_id, key) > 0:
        return Gate(key, is_full=False)
    if when_full == "refuse":
        raise GateFull
    if when_full == "cancel":
        db.after_commit(partial(cancel_older, tenant_id, workflow_id, key))
    return Gate(key, is_full=True)


def admit(tenant_id: UUID, workflow_id: UUID, key: str) -> int:
    """Let in as many runs as there is room for, the first in line first; returns how many. Safe to repeat."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        lock(connection, tenant_id, workflow_id, key)
        room = _room(connection, tenant_id, workflow_id, key)
        if room <= 0:
            return 0
        rows = connection.exec_driver_sql(ADMIT, {"tenant": tenant_id, "key": key, "room": min(room, 100)}).all()
        for row in rows:
            db.after_commit(partial(wake, list(row.lanes)))
            db.after_commit(partial(publish, row.id, row.event_seq))
    return len(rows)


def cancel_older(tenant_id: UUID, workflow_id: UUID, key: str) -> int:
    """Ask the older runs of a gate to end until only as many are left as may go on at once: the newest. Safe to repeat."""
    from portal.workflows.engine.store import ending

    with db.transaction(tenant_id) as session:
        connection = session.connection()
        row = connection.exec_driver_sql(ROOM, {"tenant": tenant_id, "key": key, "workflow": workflow_id}).one()
        if row.most is None:
            return 0
        ids = connection.exec_driver_sql(OLDER, {"tenant": tenant_id, "key": key, "most": row.most}).scalars().all()
    ended = 0
    for run_id in ids:
        ended += ending.cancel(tenant_id, run_id, actor="engine", error=SUPERSEDED, ends_as="cancelled")
    return ended


def look_again(tenant_id: UUID, workflow_id: UUID, key: str, when_full: str | None) -> int:
    """Do for a gate what a process that died has left undone."""
    if when_full == "cancel":
        cancel_older(tenant_id, workflow_id, key)
    return admit(tenant_id, workflow_id, key)


def _room(connection: Connection, tenant_id: UUID, workflow_id: UUID, key: str) -> int:
    values = {"tenant": tenant_id, "key": key, "workflow": workflow_id}
    row = connection.exec_driver_sql(ROOM, values).one()
    # What the dispatcher goes by, which reads no versions.
    connection.exec_driver_sql(
        "update workflow_gates set most = %(most)s, when_full = %(when_full)s where tenant_id = %(tenant)s and key = %(key)s"
        " and (most, when_full) is distinct from (%(most)s::int, %(when_full)s::text)",
        {**values, "most": row.most, "when_full": row.when_full},
    )
    return 1_000_000 if row.most is None else row.most - row.inside

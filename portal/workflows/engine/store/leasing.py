"""T2 to T4: take a step, read its run, show a sign of life, write down that its effect leaves the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.core import db
from portal.workflows.engine.lanes import LANES
from portal.workflows.engine.states import RUN_CARRIED
from portal.workflows.engine.store.hints import publish
from portal.workflows.engine.store.reading import run_of
from portal.workflows.engine.store.rows import Lease, Moves, Run, begin_running
from portal.workflows.engine.store.sql import write_moves
from portal.workflows.payloads import Apart
from portal.workflows.redaction import Secrets

COLUMNS = "tenant_id, execution_id, id, node_key, kind, effect_class, idem_key, lease_epoch, attempt, timeout_s, scope_path, gen, queue"
# The rules of the line are in the function: which tenant is next, its limits, which of its steps (migration 0023, ADR 15).
NEXT = f"select {COLUMNS} from claim_step(%s::text[], %s, %s, %s, %s, %s)"
# Who has a ready step in a lane and does not stand still: a few looks into the index, however many steps there are.
PRESENT = """
  with recursive present(tenant) as (
    (select s.tenant_id from workflow_steps s where s.state = 'ready' and s.queue = lane order by s.tenant_id limit 1)
    union all
    select (select s.tenant_id from workflow_steps s
            where s.state = 'ready' and s.queue = lane and s.tenant_id > present.tenant order by s.tenant_id limit 1)
    from present where present.tenant is not null)
  select present.tenant from present join tenants o on o.id = present.tenant and o.status = 'active'
"""
# The first step of each tenant and priority that is not due yet: a few looks into the index, however many wait.
SOON = f"""
select extract(epoch from min(head.available_at) - clock_timestamp())::float8
from unnest(%s::text[]) as lane
cross join lateral ({PRESENT}) p
cross join (values (1), (2), (3), (4), (5)) as band(p)
cross join lateral (
  select s.available_at from workflow_steps s
  where s.state = 'ready' and s.queue = lane and s.tenant_id = p.tenant and s.priority = band.p order by s.available_at limit 1) head
"""
# A trial's steps are seen by its own transaction alone, so they stand in nobody's line.
IN_TREE = f"""
with due as (
  select s.id from workflow_steps s
  where s.state = 'ready' and s.available_at <= clock_timestamp() and s.tenant_id = %(tenant)s and strpos(s.queue, ':') = 0
    and s.execution_id in (select e.id from workflow_executions e where e.tenant_id = %(tenant)s and (e.id = %(run)s or e.root_id = %(run)s))
  order by s.available_at, s.id limit 1 for update skip locked)
update workflow_steps s
set state = 'leased', lease_owner = %(worker)s, lease_epoch = s.lease_epoch + 1, attempt = s.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s), hard_until = clock_timestamp() + make_interval(secs => s.timeout_s),
    started_at = coalesce(s.started_at, clock_timestamp())
from due where s.id = due.id
returning {", ".join(f"s.{name}" for name in COLUMNS.split(", "))}
"""
IN_FRAME = """and exists (select from workflow_frames f where f.tenant_id = %(tenant)s and f.execution_id = %(run)s
                             and f.scope_path = %(scope)s and f.state = 'running')"""


@dataclass(frozen=True, slots=True)
class Owed:
    """What a turn took of a worker's time: its tenant is charged for it with the worker's next claim."""

    lane: str
    tenant_id: UUID
    seconds: float


def claim(*, worker: str, lease_s: float, lanes: Sequence[str] = LANES, owed: Owed | None = None) -> Lease | None:
    """Take the next step: of the first of these lanes that has one due, from the tenant that has been served least for its weight.

    Uses the system role: which tenant has work is not known before the row is found. One statement, a transaction of its own.

    Args:
        owed: is charged first. With it, None may also mean that other workers were claiming just then: ask again without it.
    """
    debt = (owed.lane, owed.tenant_id, owed.seconds) if owed else (None, None, 0.0)
    with db.each_by_itself(system=True, move="claim") as connection:
        row = connection.exec_driver_sql(NEXT, (list(lanes), worker, lease_s, *debt)).first()
    return _lease(row, worker)


def due_in_s(lanes: Sequence[str]) -> float | None:
    """Return how long it is until the next step of these lanes is due, or None when none will be without something happening."""
    with db.each_by_itself(system=True) as connection:
        found: float | None = connection.exec_driver_sql(SOON, (list(lanes),)).scalar()
    return found


def claim_tree(tenant_id: UUID, run_id: UUID, *, worker: str, lease_s: float) -> Lease | None:
    """Take the first due step, of any kind, of a run or of one that it called, in the open transaction: for runs that are only tried."""
    values = {"tenant": tenant_id, "run": run_id, "worker": worker, "lease_s": lease_s}
    return _lease(db.session().connection().exec_driver_sql(IN_TREE, values).first(), worker)


def _lease(row: Any, worker: str) -> Lease | None:
    return Lease(*row[:-1], worker=worker, lane=row.queue) if row else None  # type: ignore[misc]  # the columns stand in the fields' order


def open_run(lease: Lease) -> Run | None:
    """Read what carrying the run forward needs; marks a pending run as running. None if the run is ending, or the lease is lost."""
    with db.transaction(lease.tenant_id) as session:
        db.commits("open")
        connection = session.connection()
        run = read_run(connection, lease)
        if run is not None and run.status == "pending":
            moves = Moves(run, connection, lease.worker, may_carry=False)
            begin_running(moves)
            write_moves(connection, moves, None)
            db.after_commit(lambda: publish(run.id, run.event_seq))
    return run


def read_run(connection: Connection, lease: Lease) -> Run | None:
    """Lock the run's row and the leased step's, and read what carrying the run forward needs. None as for `open_run`."""
    row = connection.exec_driver_sql(
        """
        select e.status, e.version_id, e.workflow_id, t.name, t.name_ar, e.input_data, e.executed_by,
               coalesce(e.started_at, clock_timestamp()) as started_at, e.event_seq, e.depth, e.root_id,
               e.priority, e.gate_key, e.is_gated, e.keys_of
        from workflow_executions e join workflow_templates t on t.tenant_id = e.tenant_id and t.id = e.workflow_id
        join workflow_steps s on s.tenant_id = e.tenant_id and s.execution_id = e.id
        where e.tenant_id = %s and e.id = %s and s.id = %s and s.state = 'leased' and s.lease_epoch = %s
        for update of e, s
        """,
        (lease.tenant_id, lease.run_id, lease.step_id, lease.epoch),
    ).first()
    return run_of(connection, lease.tenant_id, lease.run_id, row) if row is not None and row.status in RUN_CARRIED else None


def heartbeat(lease: Lease, *, lease_s: float) -> bool:
    """Extend the lease, never past the step's time limit; False when it is lost or the run was cancelled."""
    with db.transaction(lease.tenant_id) as session:
        db.commits("heartbeat")
        row = (
            session.connection()
            .exec_driver_sql(
                """
            update workflow_steps s set lease_until = least(clock_timestamp() + make_interval(secs => %s), s.hard_until)
            from workflow_executions e
            where s.tenant_id = %s and s.id = %s and s.lease_epoch = %s and s.state = 'leased'
              and e.tenant_id = s.tenant_id and e.id = s.execution_id
            returning e.status <> 'cancelling'
            """,
                (lease_s, lease.tenant_id, lease.step_id, lease.epoch),
            )
            .first()
        )
    return bool(row and row[0])


def fence(lease: Lease, config: dict[str, Any], secrets: Secrets | None = None) -> bool:
    """Write down that the effect is about to leave the house; False if the lease is lost, or the run or its frame is ending.

    From here on a crash is ambiguous, and the effect class decides what becomes of the step.
    """
    with db.transaction(lease.tenant_id) as session:
        db.commits("fence")
        apart = Apart(lease.tenant_id, secrets)
        stored = apart.text_of(config)
        apart.keep(session.connection(), lease.run_id)
        row = (
            session.connection()
            .exec_driver_sql(
                f"""
            with run as (select id from workflow_executions where tenant_id = %(tenant)s and id = %(run)s
                           and status in ('pending', 'running', 'paused', 'compensating') {IN_FRAME if lease.scope else ""} for share)
            update workflow_steps s set effect_at = clock_timestamp(), input = %(input)s::jsonb
            from run where s.tenant_id = %(tenant)s and s.id = %(step)s and s.lease_epoch = %(epoch)s and s.state = 'leased'
            returning s.id
            """,
                {
                    "tenant": lease.tenant_id,
                    "run": lease.run_id,
                    "scope": lease.scope,
                    "step": lease.step_id,
                    "epoch": lease.epoch,
                    "input": stored,
                },
            )
            .first()
        )
    return row is not None

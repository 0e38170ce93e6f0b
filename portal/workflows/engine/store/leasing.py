"""T2 to T4: take a step, read its run, show a sign of life, write down that its effect leaves the house."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.core import db
from portal.workflows.engine.states import RUN_CARRIED
from portal.workflows.engine.store.reading import run_of
from portal.workflows.engine.store.rows import QUEUE, Lease, Run, publish

CLAIM = """
with due as (
  select s.id from workflow_steps s where s.state = 'ready' and s.available_at <= clock_timestamp() and {which}
  limit 1 for update skip locked)
update workflow_steps s
set state = 'leased', lease_owner = %(worker)s, lease_epoch = s.lease_epoch + 1, attempt = s.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s), hard_until = clock_timestamp() + make_interval(secs => s.timeout_s),
    started_at = coalesce(s.started_at, clock_timestamp())
from due where s.id = due.id
returning s.tenant_id, s.execution_id, s.id, s.node_key, s.kind, s.effect_class, s.idem_key, s.lease_epoch, s.attempt, s.timeout_s,
          s.scope_path, s.gen
"""
ANYWHERE = "s.queue = %(queue)s order by s.available_at, s.id"
IN_RUN = "s.tenant_id = %(tenant)s and s.execution_id = %(run)s and s.effect_class in ('pure', 'db') order by s.id"
IN_FRAME = """and exists (select from workflow_frames f where f.tenant_id = %(tenant)s and f.execution_id = %(run)s
                             and f.scope_path = %(scope)s and f.state = 'running')"""


def claim(*, worker: str, lease_s: float) -> Lease | None:
    """Take the step that has been due for longest, of any tenant; None when nothing is due.

    Uses the system role: which tenant has work is not known before the row is found.
    """
    with db.transaction(system=True) as session:
        db.commits("claim")
        return _claimed(session.connection(), ANYWHERE, {"queue": QUEUE}, worker=worker, lease_s=lease_s)


def claim_here(tenant_id: UUID, run_id: UUID, *, worker: str, lease_s: float) -> Lease | None:
    """Take the first due step of one run in the open transaction, if it is a pure or db one; None otherwise."""
    return _claimed(db.session().connection(), IN_RUN, {"tenant": tenant_id, "run": run_id}, worker=worker, lease_s=lease_s)


def _claimed(connection: Connection, which: str, values: dict[str, Any], *, worker: str, lease_s: float) -> Lease | None:
    row = connection.exec_driver_sql(CLAIM.format(which=which), {**values, "worker": worker, "lease_s": lease_s}).first()
    return Lease(*row, worker=worker) if row else None  # type: ignore[misc]  # the columns stand in the fields' order


def open_run(lease: Lease) -> Run | None:
    """Read what carrying the run forward needs; marks a pending run as running. None if the run has ended or is ending."""
    with db.transaction(lease.tenant_id) as session:
        db.commits("open")
        return read_run(session.connection(), lease)


def read_run(connection: Connection, lease: Lease) -> Run | None:
    """Do what `open_run` does in the open transaction, which holds the run's row from here on."""
    row = connection.exec_driver_sql(
        """
        select e.status, e.version_id, e.workflow_id, t.name, t.name_ar, e.input_data, e.executed_by,
               coalesce(e.started_at, clock_timestamp()) as started_at, e.event_seq, e.depth, e.root_id,
               e.status = 'pending' and exists (select from workflow_steps s where s.tenant_id = e.tenant_id and s.id = %s and s.state = 'leased'
                                                and s.lease_epoch = %s) as begins
        from workflow_executions e join workflow_templates t on t.tenant_id = e.tenant_id and t.id = e.workflow_id
        where e.tenant_id = %s and e.id = %s for update of e
        """,
        (lease.step_id, lease.epoch, lease.tenant_id, lease.run_id),
    ).one()
    if row.status not in RUN_CARRIED:
        return None
    run = run_of(connection, lease.tenant_id, lease.run_id, row)
    if row.begins:  # a worker whose lease is lost changes nothing
        _mark_running(connection, run, lease.worker)
    return run


def _mark_running(connection: Connection, run: Run, worker: str) -> None:
    run.event_seq += 1
    run.status = "running"
    connection.exec_driver_sql(
        """
        with run as (update workflow_executions set status = 'running', started_at = %(at)s, event_seq = %(seq)s::int
                     where tenant_id = %(tenant)s and id = %(run)s)
        insert into workflow_events (tenant_id, execution_id, seq, kind, actor)
        values (%(tenant)s, %(run)s, %(seq)s::int, 'run.started', %(worker)s)
        """,
        {"tenant": run.tenant_id, "run": run.id, "at": run.started_at, "seq": run.event_seq, "worker": worker},
    )
    db.after_commit(lambda: publish(run.id, run.event_seq))


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


def fence(lease: Lease, config: dict[str, Any]) -> bool:
    """Write down that the effect is about to leave the house; False if the lease is lost, or the run or its frame is ending.

    From here on a crash is ambiguous, and the effect class decides what becomes of the step.
    """
    with db.transaction(lease.tenant_id) as session:
        db.commits("fence")
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
                    "input": db.to_json(config),
                },
            )
            .first()
        )
    return row is not None

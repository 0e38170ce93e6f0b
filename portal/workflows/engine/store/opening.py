"""T8: begin to wait for a signal or for people, in the transaction that lets the step wait."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db
from portal.core.ids import new_id
from portal.workflows.actions.base import Done, SignalWait, TaskWait, Waiting
from portal.workflows.engine.store.rows import Lease, Run


class Received(NamedTuple):
    """A signal that this wait has taken: who sent it, and what the step ends with."""

    sender: str
    outcome: Done


def open_wait(connection: Connection, run: Run, step_id: UUID, waiting: Waiting) -> Received | None:
    """Write down what a waiting step waits for; return the signal that was there already, taken."""
    if waiting.task is not None:
        _open_task(connection, run, step_id, waiting, waiting.task)
    return _open_signal(connection, run, step_id, waiting.signal) if waiting.signal is not None else None


def _open_signal(connection: Connection, run: Run, step_id: UUID, wanted: SignalWait) -> Received | None:
    connection.exec_driver_sql(
        "insert into workflow_waits (tenant_id, step_id, execution_id, name, corr_key) values (%s, %s, %s, %s, %s)",
        (run.tenant_id, step_id, run.id, wanted.name, wanted.key),
    )
    return take_signal(connection, run.tenant_id, run.id, step_id, wanted.name, wanted.key)


def take_signal(connection: Connection, tenant_id: UUID, run_id: UUID, step_id: UUID, name: str, key: str) -> Received | None:
    """Take the oldest signal of this name and key for a step; exactly one step gets it. None if there is none.

    A wait and its signal that are written at the same moment may not see each other; the dispatcher brings them together.
    """
    row = connection.exec_driver_sql(
        """
        update workflow_signals s set consumed_by = %(step)s, consumed_at = clock_timestamp()
        where s.id = (select id from workflow_signals
                      where tenant_id = %(tenant)s and name = %(name)s and corr_key = %(key)s and consumed_at is null
                        and (execution_id is null or execution_id = %(run)s) and expires_at > clock_timestamp()
                      order by created_at, id limit 1 for update skip locked)
          and s.tenant_id = %(tenant)s
        returning s.id, s.payload, s.source, s.sent_by, s.created_at, (select node_key from workflow_steps w
                                                          where w.tenant_id = %(tenant)s and w.id = %(step)s) as node_key
        """,
        {"tenant": tenant_id, "run": run_id, "step": step_id, "name": name, "key": key},
    ).first()
    if row is None:
        return None
    bus.announce(events.SignalReceived(tenant_id, row.id, run_id, row.node_key))
    output = {"outcome": "received", "payload": row.payload, "source": row.source, "sent_at": row.created_at.isoformat()}
    return Received(f"person:{row.sent_by}" if row.sent_by else row.source, Done(output))


def waiting_step(connection: Connection, run: Run, step_id: UUID, actor: str) -> Lease:
    """Return a waiting step as what `continue_from` ends; nobody leases it."""
    step = connection.exec_driver_sql(
        "select node_key, kind, effect_class, idem_key, lease_epoch, attempt, timeout_s, scope_path, gen from workflow_steps"
        " where tenant_id = %s and id = %s",
        (run.tenant_id, step_id),
    ).one()
    return Lease(
        run.tenant_id, run.id, step_id, step.node_key, step.kind, step.effect_class, step.idem_key, step.lease_epoch, step.attempt,
        step.timeout_s, step.scope_path, step.gen, actor,
    )  # fmt: skip


def _open_task(connection: Connection, run: Run, step_id: UUID, waiting: Waiting, task: TaskWait) -> None:
    task_id = new_id()
    node = connection.exec_driver_sql(
        "select node_key, kind, gen from workflow_steps where tenant_id = %s and id = %s", (run.tenant_id, step_id)
    ).one()
    connection.exec_driver_sql(
        """
        insert into workflow_tasks
          (id, tenant_id, execution_id, step_id, node_key, kind, gen, title, title_ar, details, form, outcomes, quorum, quorum_count,
           bars_starter, bars_deciders, due_at, remind_every_s, remind_at, escalate_at, escalate_to)
        values (%(id)s, %(tenant)s, %(run)s, %(step)s, %(node)s, %(kind)s, %(gen)s, %(title)s, %(title_ar)s, %(details)s, %(form)s::jsonb,
                %(outcomes)s::jsonb, %(quorum)s, %(count)s, %(starter)s, %(deciders)s, %(due)s, %(every)s::int,
                clock_timestamp() + make_interval(secs => %(every)s::int), %(escalate)s, %(escalate_to)s::jsonb)
        """,
        _task_values(task_id, run, step_id, node, waiting, task),
    )
    add_candidates(connection, run.tenant_id, task_id, task.candidates)
    bus.announce(events.TaskOpened(run.tenant_id, task_id, run.id))


def _task_values(task_id: UUID, run: Run, step_id: UUID, node: Any, waiting: Waiting, task: TaskWait) -> dict[str, Any]:
    return {
        "id": task_id, "tenant": run.tenant_id, "run": run.id, "step": step_id, "node": node.node_key, "kind": node.kind, "gen": node.gen,
        "title": task.title, "title_ar": task.title_ar or None, "details": task.details, "form": db.to_json(task.form),
        "outcomes": db.to_json(task.outcomes), "quorum": task.quorum, "count": task.quorum_count, "starter": task.bars_starter,
        "deciders": task.bars_deciders, "due": waiting.until, "every": task.remind_every_s, "escalate": task.escalate_at,
        "escalate_to": db.to_json(task.escalate_to),
    }  # fmt: skip


def add_candidates(connection: Connection, tenant_id: UUID, task_id: UUID, who: list[str], *, instead_of: UUID | None = None) -> None:
    """Let more people decide a task; who may already stays as they are."""
    connection.exec_driver_sql(
        "insert into workflow_task_candidates (tenant_id, task_id, who, instead_of)"
        " select %s, %s, who, %s from jsonb_array_elements_text(%s::jsonb) as who on conflict do nothing",
        (tenant_id, task_id, instead_of, db.to_json(list(dict.fromkeys(who)))),
    )

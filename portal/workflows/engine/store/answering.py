"""T12 and T13 for what people and other systems answer: signals handed over, votes, reminders, escalations.

Locks as everywhere: execution, step, then the task or the signal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db
from portal.core.errors import NotFound
from portal.core.ids import new_id
from portal.identity import service as identity
from portal.workflows import people
from portal.workflows.actions.base import Done
from portal.workflows.definition import port_of
from portal.workflows.engine import quorum
from portal.workflows.engine.store import rescuing, standstill
from portal.workflows.engine.store.opening import add_candidates, take_signal, waiting_step
from portal.workflows.engine.store.reading import locked_run
from portal.workflows.engine.store.rows import Run
from portal.workflows.engine.store.settling import continue_from
from portal.workflows.errors import AlreadyVoted, TaskClosed, TaskTaken

MOST_REMINDERS = 20
DOUBT = "doubt"  # the kind of a task that asks what became of a step that was cut off


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person decides.

    Args:
        given: the values of the task's form, read and typed.
    """

    person_id: UUID
    outcome: str
    given: dict[str, Any]
    note: str
    actor: str


def deliver(tenant_id: UUID, run_id: UUID, step_id: UUID) -> bool:
    """Hand a signal that has come to a step that waits for it, and begin what follows. Repeatable; False when there is nothing to do."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("deliver")
        if standstill.is_still(tenant_id):
            return False  # it stays where it is kept; the dispatcher brings both together
        run, _row = locked_run(connection, tenant_id, run_id)
        if run is None:
            return False
        wait = connection.exec_driver_sql(
            """
            select w.name, w.corr_key from workflow_steps s
            join workflow_waits w on w.tenant_id = s.tenant_id and w.step_id = s.id and w.ended_at is null
            where s.tenant_id = %s and s.id = %s and s.state = 'waiting' for update of s, w
            """,
            (tenant_id, step_id),
        ).first()
        received = take_signal(connection, tenant_id, run_id, step_id, wait.name, wait.corr_key) if wait else None
        if received is None:
            return False
        continue_from(connection, run, waiting_step(connection, run, step_id, received.sender), received.outcome)
    return True


def deliver_signal(tenant_id: UUID, signal_id: UUID) -> bool:
    """Hand a signal to the step that has waited for it longest; False when nobody waits, or it has been taken."""
    with db.transaction(tenant_id) as session:
        row = (
            session.connection()
            .exec_driver_sql(
                """
            select w.execution_id, w.step_id from workflow_signals s
            join workflow_waits w on w.tenant_id = s.tenant_id and w.name = s.name and w.corr_key = s.corr_key and w.ended_at is null
             and (s.execution_id is null or s.execution_id = w.execution_id)
            where s.tenant_id = %s and s.id = %s and s.consumed_at is null order by w.created_at, w.step_id limit 1
            """,
                (tenant_id, signal_id),
            )
            .first()
        )
    return row is not None and deliver(tenant_id, row.execution_id, row.step_id)


def vote(tenant_id: UUID, task_id: UUID, given: Vote) -> str | None:
    """Count one person's decision; return the outcome if the decision of the task has fallen with it, None while others must decide too.

    The same decision of the same person a second time changes nothing and gives the same answer.

    Raises:
        NotFound: no such task, or this person may not decide it.
        TaskClosed: it is decided otherwise, expired or cancelled.
        TaskTaken: somebody else has taken it.
        AlreadyVoted: this person decided something else before.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("vote")
        run, task = _locked_task(connection, tenant_id, task_id)
        mine = connection.exec_driver_sql(
            "select outcome from workflow_votes where tenant_id = %s and task_id = %s and person_id = %s and gen = %s",
            (tenant_id, task_id, given.person_id, task.gen),
        ).first()
        if mine is not None and mine.outcome == given.outcome:
            return str(task.outcome) if task.state == "decided" else None
        if task.state != "open" or run is None:
            raise TaskClosed(task.state if task.state != "open" else "cancelled", task.outcome)
        if mine is not None:
            raise AlreadyVoted
        _check_right(tenant_id, task, given.person_id)
        if given.outcome not in {each["key"] for each in task.outcomes}:
            raise NotFound
        connection.exec_driver_sql(
            "insert into workflow_votes (id, tenant_id, task_id, person_id, gen, outcome, given, note)"
            " values (%s, %s, %s, %s, %s, %s, %s::jsonb, %s)",
            (new_id(), tenant_id, task_id, given.person_id, task.gen, given.outcome, db.to_json(given.given), given.note),
        )
        return _count(connection, run, task, actor=given.actor)


def reconsider(tenant_id: UUID, task_id: UUID) -> str | None:
    """Count the votes again after somebody has left: those who remain may have decided already. Repeatable."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        run, task = _locked_task(connection, tenant_id, task_id)
        return _count(connection, run, task, actor="engine") if run is not None and task.state == "open" else None


def eligible(tenant_id: UUID, task: Any) -> set[UUID]:
    """Return who may decide a task now, whether or not they have."""
    with db.transaction(tenant_id) as session:
        rows = (
            session.connection()
            .exec_driver_sql(
                "select who, instead_of from workflow_task_candidates where tenant_id = %s and task_id = %s", (tenant_id, task.id)
            )
            .all()
        )
    able = people.named(tenant_id, [row.who for row in rows]) - {row.instead_of for row in rows}
    return able - people.barred(tenant_id, task.execution_id, starter=task.bars_starter, deciders=task.bars_deciders, but_task=task.id)


def nudge(tenant_id: UUID, _run_id: UUID, task_id: UUID) -> bool:
    """Remind those who may decide, or let others decide too, when it is time; both at most once for each time. Repeatable."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("nudge")
        task = connection.exec_driver_sql(
            """
            select id, execution_id, escalate_to, reminded, remind_at <= clock_timestamp() as reminds, escalate_at <= clock_timestamp() as escalates
            from workflow_tasks where tenant_id = %s and id = %s and state = 'open' for update
            """,
            (tenant_id, task_id),
        ).first()
        if task is None or not (task.reminds or task.escalates):
            return False
        if task.escalates:
            _escalate(connection, tenant_id, task)
        else:
            _remind(connection, tenant_id, task)
    return True


def _locked_task(connection: Connection, tenant_id: UUID, task_id: UUID) -> tuple[Run | None, Any]:
    where = connection.exec_driver_sql(
        "select execution_id, step_id from workflow_tasks where tenant_id = %s and id = %s", (tenant_id, task_id)
    ).first()
    if where is None:
        raise NotFound
    run, _row = locked_run(connection, tenant_id, where.execution_id)
    connection.exec_driver_sql("select 1 from workflow_steps where tenant_id = %s and id = %s for update", (tenant_id, where.step_id))
    task = connection.exec_driver_sql("select * from workflow_tasks where tenant_id = %s and id = %s for update", (tenant_id, task_id))
    return run, task.one()


def _check_right(tenant_id: UUID, task: Any, person_id: UUID) -> None:
    if person_id not in eligible(tenant_id, task):
        raise NotFound
    if task.claimed_by is not None and task.claimed_by != person_id:
        raise TaskTaken(task.claimed_by)


def _count(connection: Connection, run: Run, task: Any, *, actor: str) -> str | None:
    votes = connection.exec_driver_sql(
        "select person_id, outcome, given, note, created_at from workflow_votes where tenant_id = %s and task_id = %s and gen = %s order by created_at, id",
        (run.tenant_id, task.id, task.gen),
    ).all()
    counts: dict[str, int] = {}
    for each in votes:
        counts[each.outcome] = counts.get(each.outcome, 0) + 1
    voters = len(eligible(run.tenant_id, task) | {each.person_id for each in votes})
    need = quorum.needed(task.quorum, task.quorum_count, voters)
    decided = quorum.verdict(counts, [each["key"] for each in task.outcomes], need=need, voters=voters)
    if decided is None:
        return None
    connection.exec_driver_sql(
        "update workflow_tasks set state = 'decided', outcome = %s, closed_at = clock_timestamp() where tenant_id = %s and id = %s",
        (decided, run.tenant_id, task.id),
    )
    last = votes[-1]
    bus.announce(events.TaskDecided(run.tenant_id, task.id, run.id, decided, last.person_id))
    if task.kind == DOUBT:
        rescuing.decide(run.tenant_id, run.id, task.node_key, decided, actor=actor, step_id=task.step_id)
        return decided
    outcome = Done(_output(votes, decided), port_of(run.graph.nodes[task.node_key], decided))
    continue_from(connection, run, waiting_step(connection, run, task.step_id, actor), outcome)
    return decided


def _output(votes: Any, decided: str) -> dict[str, Any]:
    """Return what later steps can use: the outcome, the last values and note of those who wanted it, and every vote."""
    names = identity.names_of({each.person_id for each in votes})
    last = [each for each in votes if each.outcome == decided][-1]
    return {
        "outcome": decided,
        "values": last.given,
        "note": last.note,
        "by": names.get(last.person_id, ""),
        "votes": [
            {"by": names.get(each.person_id, ""), "outcome": each.outcome, "note": each.note, "at": each.created_at.isoformat()}
            for each in votes
        ],
    }


def _escalate(connection: Connection, tenant_id: UUID, task: Any) -> None:
    add_candidates(connection, tenant_id, task.id, task.escalate_to)
    connection.exec_driver_sql(
        "update workflow_tasks set escalate_at = null, claimed_by = null where tenant_id = %s and id = %s", (tenant_id, task.id)
    )
    _note(connection, tenant_id, task.id, "escalated")
    bus.announce(events.TaskEscalated(tenant_id, task.id, task.execution_id))


def _remind(connection: Connection, tenant_id: UUID, task: Any) -> None:
    connection.exec_driver_sql(
        """
        update workflow_tasks set reminded = reminded + 1,
          remind_at = case when reminded + 1 < %s then clock_timestamp() + make_interval(secs => remind_every_s) end
        where tenant_id = %s and id = %s
        """,
        (MOST_REMINDERS, tenant_id, task.id),
    )
    _note(connection, tenant_id, task.id, "reminded")
    bus.announce(events.TaskReminded(tenant_id, task.id, task.execution_id, task.reminded + 1))


def _note(connection: Connection, tenant_id: UUID, task_id: UUID, kind: str) -> None:
    connection.exec_driver_sql(
        "insert into workflow_task_notes (id, tenant_id, task_id, kind) values (%s, %s, %s, %s)", (new_id(), tenant_id, task_id, kind)
    )

"""What is told of tasks: the bell and a mail to those who may decide, in their language; what leavers held goes back."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from portal import events
from portal.core import bus, db
from portal.core.bus import listen
from portal.identity import service as identity
from portal.mail import service as mail
from portal.notifications import service as notifications
from portal.workflows import people
from portal.workflows.engine.runner import again
from portal.workflows.engine.store import answering
from portal.workflows.tasks import doubts, queries, service

MOST_MAILS = 100  # a question to everybody comes by the bell only


@listen(events.StepInDoubt)
def on_step_in_doubt(event: events.StepInDoubt) -> None:
    doubts.ask(event.tenant_id, event.run_id)


@listen(events.TaskOpened)
def on_task_opened(event: events.TaskOpened) -> None:
    _tell(event.tenant_id, event.task_id, "opened")


@listen(events.TaskReminded)
def on_task_reminded(event: events.TaskReminded) -> None:
    _tell(event.tenant_id, event.task_id, "reminded")


@listen(events.TaskEscalated)
def on_task_escalated(event: events.TaskEscalated) -> None:
    to = queries.get(event.tenant_id, event.task_id).escalate_to
    _tell(event.tenant_id, event.task_id, "escalated", only=people.named(event.tenant_id, to))


@listen(events.TaskDelegated)
def on_task_delegated(event: events.TaskDelegated) -> None:
    _tell(event.tenant_id, event.task_id, "delegated", only={event.to})


@listen(events.WaitExpired)
def on_wait_expired(event: events.WaitExpired) -> None:
    if (task_id := queries.task_of_step(event.tenant_id, event.step_id)) is not None:
        bus.announce(events.TaskExpired(event.tenant_id, task_id, event.run_id))


@listen(events.MemberRemoved)
def on_member_removed(event: events.MemberRemoved) -> None:
    _let_go(event.tenant_id, event.person_id)


@listen(events.MemberDeprovisioned)
def on_member_deprovisioned(event: events.MemberDeprovisioned) -> None:
    _let_go(event.tenant_id, event.person_id)


def _let_go(tenant_id: UUID, person_id: UUID) -> None:
    for task_id in service.leave(tenant_id, person_id):
        # After the commit: counting locks the run, which must not stand behind the lock of the membership.
        db.after_commit(partial(again, partial(answering.reconsider, tenant_id, task_id)))


def _tell(tenant_id: UUID, task_id: UUID, what: str, *, only: Iterable[UUID] | None = None) -> None:
    """Tell those who may decide and have not; the rows stand in the transaction of the fact, so nobody is told twice."""
    task = queries.get(tenant_id, task_id)
    able = answering.eligible(tenant_id, task) - {vote.person_id for vote in queries.votes_of(tenant_id, task_id) if vote.gen == task.gen}
    if task.claimed_by is not None:
        able &= {task.claimed_by}
    told = able & set(only) if only is not None else able
    link = f"/tasks/{task_id}"
    facts = {"task": task.title, "task_ar": task.title_ar or ""}
    notifications.notify(
        tenant_id,
        told,
        type="step.in_doubt" if task.kind == answering.DOUBT and what == "opened" else f"task.{what}",
        message="",
        severity="info" if what in ("opened", "delegated") and task.kind != answering.DOUBT else "warning",
        data=facts,
        link=link,
    )
    if len(told) > MOST_MAILS:
        return
    run = queries.run_of(tenant_id, task.execution_id)
    due = task.due_at.isoformat() if task.due_at else ""
    for row in identity.addresses_of(tenant_id, told):
        mail.post(
            row.email, "task", locale=row.locale, tenant_id=tenant_id, link=link, what=what, title=task.title, title_ar=task.title_ar or "",
            workflow=run.name, workflow_ar=run.name_ar or "", due=due,
        )  # fmt: skip

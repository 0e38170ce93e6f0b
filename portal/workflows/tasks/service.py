"""The verbs of tasks: decide, take, give back, hand on, comment. Each is one transaction, audited, announced."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Access, Permission
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import clean
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.workflows import inputs
from portal.workflows.engine.runner import again
from portal.workflows.engine.store import answering
from portal.workflows.engine.store.answering import Vote
from portal.workflows.engine.store.opening import add_candidates
from portal.workflows.errors import TaskClosed, TaskTaken
from portal.workflows.tasks import queries
from portal.workflows.tasks.models import WorkflowTask, WorkflowTaskCandidate, WorkflowTaskNote

LONGEST_NOTE = 4_000


def open_task(here: Access, task_id: UUID) -> WorkflowTask:
    """Return a task that the person may see: it is theirs, or they manage all.

    Raises:
        NotFound: no such task, or it is none of theirs.
    """
    task = queries.get(here.tenant_id, task_id)
    if not here.can(Permission.TASK_MANAGE) and not queries.is_named(here.tenant_id, task_id, here.person_id):
        raise NotFound
    return task


def may_decide(tenant_id: UUID, task: WorkflowTask, person_id: UUID) -> bool:
    """Say whether a person may decide a task now, leaving aside who has taken it."""
    return task.state == "open" and person_id in answering.eligible(tenant_id, task)


def decide(here: Access, task_id: UUID, *, outcome: str, given: dict[str, Any], note: str) -> str | None:
    """Decide a task as the person that asks; return the outcome if it has fallen with that, None while others must decide too.

    Raises:
        NotFound: no such task, no such outcome, or it is not theirs to decide.
        Invalid: `.problems` says which field of the form is wrong.
        TaskClosed, TaskTaken, AlreadyVoted: see `answering.vote`.
    """
    note = _note(note)
    with db.transaction(here.tenant_id):
        task = queries.get(here.tenant_id, task_id)
        values = inputs.read(task.form, given)
        vote = Vote(here.person_id, outcome, values, note, str(here.actor))
        decided = answering.vote(here.tenant_id, task_id, vote)
        audit.record(here.tenant_id, here.actor, "task.voted", task_id, outcome=outcome, decided=decided or "")
    return decided


def claim(here: Access, task_id: UUID) -> None:
    """Take a task, so that nobody else works on it meanwhile. Safe to repeat.

    Raises:
        NotFound: it is not theirs to decide.
        TaskClosed, TaskTaken: it is not free.
        Conflict: several decide it, so nobody can take it alone.
    """
    with db.transaction(here.tenant_id):
        task = _locked(here, task_id)
        if here.person_id not in answering.eligible(here.tenant_id, task):
            raise NotFound
        if task.quorum != "any":
            raise Conflict(_("Several people decide this, so nobody can take it alone."))
        if task.claimed_by == here.person_id:
            return
        if task.claimed_by is not None:
            raise TaskTaken(task.claimed_by)
        task.claimed_by = here.person_id
        _write(here, task_id, "claimed")


def give_back(here: Access, task_id: UUID) -> None:
    """Let a taken task be anybody's again: one's own, or everybody's for who manages tasks. Safe to repeat."""
    with db.transaction(here.tenant_id):
        task = _locked(here, task_id)
        if task.claimed_by is None:
            return
        if task.claimed_by != here.person_id and not here.can(Permission.TASK_MANAGE):
            raise TaskTaken(task.claimed_by)
        task.claimed_by = None
        _write(here, task_id, "returned")


def delegate(here: Access, task_id: UUID, to: UUID | None, *, note: str = "") -> None:
    """Hand a task on to another member, who decides instead; who manages tasks and may not decide adds them.

    Raises:
        NotFound: it is not theirs.
        Invalid: nobody is chosen, or the chosen one may not decide it.
        TaskClosed, TaskTaken: it is not theirs any more.
    """
    text = _note(note)
    with db.transaction(here.tenant_id) as session:
        task = _locked(here, task_id)
        mine = here.person_id in answering.eligible(here.tenant_id, task)
        if not mine and not here.can(Permission.TASK_MANAGE):
            raise NotFound
        if mine and task.claimed_by not in (None, here.person_id) and not here.can(Permission.TASK_MANAGE):
            raise TaskTaken(task.claimed_by)  # type: ignore[arg-type]  # none is in the list before
        if to is None or to == here.person_id or f"person:{to}" not in identity.designations_of(here.tenant_id, to):
            raise Invalid({"person": _("Choose a member.")})
        if any(each.person_id == here.person_id and each.gen == task.gen for each in queries.votes_of(here.tenant_id, task_id)):
            raise Conflict(_("You have decided already, so there is nothing to hand on."))
        _name(session, here, task, to, instead_of=here.person_id if mine else None)
        if to not in answering.eligible(here.tenant_id, task):
            raise Invalid(
                {"person": _("This person may not decide it: they started the run, decided another task of it, or handed it on.")}
            )
        task.claimed_by = to if task.quorum == "any" else None
        _write(here, task_id, "delegated", other=to, text=text)
        bus.announce(events.TaskDelegated(here.tenant_id, task_id, to, here.person_id, here.person_id if mine else None))


def _name(session: Any, here: Access, task: WorkflowTask, to: UUID, *, instead_of: UUID | None) -> None:
    """Name somebody for a task; an earlier naming of theirs gives way, so that it says for whom they decide."""
    ours = (WorkflowTaskCandidate.tenant_id == here.tenant_id) & (WorkflowTaskCandidate.task_id == task.id)
    if instead_of is not None:
        session.execute(
            delete(WorkflowTaskCandidate).where(
                ours, WorkflowTaskCandidate.who == f"person:{to}", WorkflowTaskCandidate.instead_of.is_(None)
            )
        )
    add_candidates(session.connection(), here.tenant_id, task.id, [f"person:{to}"], instead_of=instead_of)


def remove_candidate(here: Access, task_id: UUID, who: str) -> None:
    """Let somebody who was named decide no more; who had handed the task on to them may decide again. Safe to repeat.

    Raises:
        NotFound: no such task, or the person does not manage tasks.
        TaskClosed: it is decided.
        Conflict: too few would be left to decide it.
    """
    if not here.can(Permission.TASK_MANAGE):
        raise NotFound
    with db.transaction(here.tenant_id) as session:
        task = _locked(here, task_id)
        ours = (WorkflowTaskCandidate.tenant_id == here.tenant_id) & (WorkflowTaskCandidate.task_id == task_id)
        gone = session.scalars(
            delete(WorkflowTaskCandidate).where(ours, WorkflowTaskCandidate.who == who).returning(WorkflowTaskCandidate.who)
        ).all()
        if not gone:
            return
        able = answering.eligible(here.tenant_id, task)
        votes = [each for each in queries.votes_of(here.tenant_id, task_id) if each.gen == task.gen]
        if len(able | {each.person_id for each in votes}) < (task.quorum_count if task.quorum == "count" else 1):
            raise Conflict(_("Too few would be left to decide it. Hand the task on to somebody first."))
        if task.claimed_by is not None and task.claimed_by not in able:
            task.claimed_by = None
        _write(here, task_id, "removed", text=who)
        # After the commit, as when somebody leaves: those who remain may have decided already.
        db.after_commit(partial(again, partial(answering.reconsider, here.tenant_id, task_id)))


def comment(here: Access, task_id: UUID, text: str) -> None:
    """Say something about a task to everybody who sees it.

    Raises:
        NotFound: it is none of theirs.
        Invalid: it is empty, or too long.
    """
    with db.transaction(here.tenant_id):
        open_task(here, task_id)
        said = _note(text)
        if not said:
            raise Invalid({"comment": _("Write something first.")})
        _write(here, task_id, "comment", text=said)


def leave(tenant_id: UUID, person_id: UUID) -> list[UUID]:
    """Give the open tasks of somebody who has left back to those who may decide them; return the tasks whose votes want counting again."""
    with db.transaction(tenant_id) as session:
        held = queries.held_by(tenant_id, person_id)
        for task_id in held:
            task = queries.get(tenant_id, task_id, lock=True)
            if task.claimed_by == person_id:
                task.claimed_by = None
                session.add(WorkflowTaskNote(tenant_id=tenant_id, task_id=task_id, kind="returned", person_id=person_id))
            gone = delete(WorkflowTaskCandidate).where(
                WorkflowTaskCandidate.tenant_id == tenant_id, WorkflowTaskCandidate.task_id == task_id,
                WorkflowTaskCandidate.who == f"person:{person_id}", WorkflowTaskCandidate.instead_of.is_not(None),
            )  # fmt: skip
            session.execute(gone)
        return held


def _locked(here: Access, task_id: UUID) -> WorkflowTask:
    open_task(here, task_id)
    task = queries.get(here.tenant_id, task_id, lock=True)
    if task.state != "open":
        raise TaskClosed(task.state, task.outcome)
    return task


def _note(text: str) -> str:
    said = str(clean(text or "")).replace("\r\n", "\n")
    if len(said) > LONGEST_NOTE:
        raise Invalid({"note": _("Use at most %(num)d characters.", num=LONGEST_NOTE)})
    return said


def _write(here: Access, task_id: UUID, kind: str, *, other: UUID | None = None, text: str = "") -> None:
    note = WorkflowTaskNote(tenant_id=here.tenant_id, task_id=task_id, kind=kind, person_id=here.person_id, other_id=other, text=text)
    db.session().add(note)
    facts = {"to": other} if other else {"who": text} if kind == "removed" else {}
    audit.record(here.tenant_id, here.actor, "task.commented" if kind == "comment" else f"task.{kind}", task_id, **facts)

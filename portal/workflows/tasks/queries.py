"""Every SELECT of tasks; the tenant comes first, then who looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, text, true

from portal.core import db
from portal.core.errors import NotFound
from portal.core.paging import Listing, Place, SortKey, listing_of, narrowed, sorted_page
from portal.workflows import people
from portal.workflows.models import WorkflowExecution, WorkflowStep, WorkflowTemplate
from portal.workflows.tasks.models import WorkflowTask, WorkflowTaskCandidate, WorkflowTaskNote, WorkflowVote

FAR = "9999-01-01T00:00:00+00:00"
SHOWN = ("mine", "team", "decided", "all")
STATES = ("open", "decided", "expired", "cancelled")


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are meant; what is empty narrows nothing.

    Args:
        person_id: who looks.
        which: "mine" (what waits for the person), "team" (also what others have taken), "decided" (by the person), "all".
        due_from, due_before: between which moments their time is up.
        until: rows that came later are not meant.
    """

    person_id: UUID
    which: str = "mine"
    states: Sequence[str] = ()
    workflow_id: UUID | None = None
    due_from: datetime | None = None
    due_before: datetime | None = None
    until: datetime | None = None


def sorts() -> dict[str, SortKey]:
    """Return what the list can be sorted by."""
    far = func.coalesce(WorkflowTask.due_at, text(f"timestamptz '{FAR}'"))
    tasks = WorkflowTask.__table__.c
    return {
        "due": SortKey(far, "time"),
        "opened": SortKey(tasks.created_at, "time"),
        "state": SortKey(tasks.state, "text"),
        "workflow": SortKey(func.coalesce(WorkflowTemplate.__table__.c.search_key, ""), "text"),
    }


def _of(tenant_id: UUID) -> Select[Any]:
    columns = (
        WorkflowTask.id, WorkflowTask.title, WorkflowTask.title_ar, WorkflowTask.state, WorkflowTask.outcome, WorkflowTask.outcomes,
        WorkflowTask.created_at, WorkflowTask.due_at, WorkflowTask.claimed_by, WorkflowTask.execution_id,
        WorkflowTemplate.name, WorkflowTemplate.name_ar,
    )  # fmt: skip
    run = and_(WorkflowExecution.tenant_id == WorkflowTask.tenant_id, WorkflowExecution.id == WorkflowTask.execution_id)
    workflow = and_(WorkflowTemplate.tenant_id == WorkflowTask.tenant_id, WorkflowTemplate.id == WorkflowExecution.workflow_id)
    wanted = select(*columns).select_from(WorkflowTask).join(WorkflowExecution, run).join(WorkflowTemplate, workflow)
    return wanted.where(WorkflowTask.tenant_id == tenant_id)


def _named(tenant_id: UUID, person_id: UUID) -> ColumnElement[bool]:
    """Whether a task names the person, does not bar them, and they have not handed it on."""
    ours = and_(WorkflowTaskCandidate.tenant_id == WorkflowTask.tenant_id, WorkflowTaskCandidate.task_id == WorkflowTask.id)
    other = WorkflowVote.__table__.alias("other_votes")
    task = WorkflowTask.__table__.alias("other_tasks")
    decided_another = exists().where(
        other.c.tenant_id == tenant_id, other.c.person_id == person_id, task.c.tenant_id == tenant_id, task.c.id == other.c.task_id,
        task.c.execution_id == WorkflowTask.execution_id, task.c.id != WorkflowTask.id,
    )  # fmt: skip
    return and_(
        exists().where(ours, WorkflowTaskCandidate.who.in_(people.names_for(tenant_id, person_id))),
        ~exists().where(ours, WorkflowTaskCandidate.instead_of == person_id),
        or_(~WorkflowTask.bars_starter, WorkflowExecution.executed_by.is_distinct_from(person_id)),
        or_(~WorkflowTask.bars_deciders, ~decided_another),
    )


def _voted(person_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        WorkflowVote.tenant_id == WorkflowTask.tenant_id,
        WorkflowVote.task_id == WorkflowTask.id,
        WorkflowVote.person_id == person_id,
        WorkflowVote.gen == WorkflowTask.gen,
    )


def _shown(tenant_id: UUID, person_id: UUID, which: str) -> ColumnElement[bool]:
    is_open = WorkflowTask.state == "open"
    if which == "decided":
        return _voted(person_id)
    if which == "all":
        return true()
    waits = and_(is_open, _named(tenant_id, person_id), ~_voted(person_id))
    if which == "team":
        return waits
    return and_(waits, or_(WorkflowTask.claimed_by.is_(None), WorkflowTask.claimed_by == person_id))


def _meant(tenant_id: UUID, wanted: TaskFilter) -> Select[Any]:
    return narrowed(
        _of(tenant_id).where(_shown(tenant_id, wanted.person_id, wanted.which)),
        (wanted.states, WorkflowTask.state.in_),
        (wanted.workflow_id, lambda flow: WorkflowExecution.workflow_id == flow),
        (wanted.due_from, lambda at: WorkflowTask.due_at >= at),
        (wanted.due_before, lambda at: WorkflowTask.due_at < at),
        (wanted.until, lambda at: WorkflowTask.created_at <= at),
    )


def list_tasks(tenant_id: UUID, wanted: TaskFilter, *, sort: str = "due", place: Place | None, limit: int = 25) -> Listing[Row[Any]]:
    """Return one page of tasks.

    Args:
        sort: a name of `sorts`, with a minus for downwards.
    """
    key = sorts()[sort.removeprefix("-")]
    rows = _meant(tenant_id, wanted)
    page = sorted_page(rows, key, WorkflowTask.__table__.c.id, is_down=sort.startswith("-"), place=place, limit=limit)
    return listing_of(list(db.session().execute(page)), place=place, limit=limit)


def count_tasks(tenant_id: UUID, wanted: TaskFilter, *, limit: int | None = 10_001) -> int:
    """Return how many tasks such a list has, up to a limit."""
    rows = _meant(tenant_id, wanted).with_only_columns(WorkflowTask.id).limit(limit).subquery()
    return db.session().scalar(select(func.count()).select_from(rows)) or 0


def task_ids(tenant_id: UUID, wanted: TaskFilter, *, after: UUID | None, limit: int) -> list[UUID]:
    """Return ids of the tasks that match, smallest first."""
    rows = _meant(tenant_id, wanted).with_only_columns(WorkflowTask.id)
    if after is not None:
        rows = rows.where(WorkflowTask.id > after)
    return list(db.session().scalars(rows.order_by(WorkflowTask.id).limit(limit)))


def titles_of(tenant_id: UUID, ids: Sequence[UUID]) -> list[Row[Any]]:
    """Return id and headlines of these tasks."""
    wanted = select(WorkflowTask.id, WorkflowTask.title, WorkflowTask.title_ar)
    return list(db.session().execute(wanted.where(WorkflowTask.tenant_id == tenant_id, WorkflowTask.id.in_(ids))))


def get(tenant_id: UUID, task_id: UUID, *, lock: bool = False) -> WorkflowTask:
    """Return a task.

    Raises:
        NotFound: there is no such one in this tenant.
    """
    wanted = select(WorkflowTask).where(WorkflowTask.tenant_id == tenant_id, WorkflowTask.id == task_id)
    wanted = wanted.execution_options(populate_existing=True)
    found = db.session().scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound
    return found


def is_named(tenant_id: UUID, task_id: UUID, person_id: UUID) -> bool:
    """Say whether a task is a person's: they may decide it, have decided it, or handed it on."""
    names = people.names_for(tenant_id, person_id)
    candidate = exists().where(
        WorkflowTaskCandidate.tenant_id == tenant_id, WorkflowTaskCandidate.task_id == task_id,
        or_(WorkflowTaskCandidate.who.in_(names), WorkflowTaskCandidate.instead_of == person_id),
    )  # fmt: skip
    voted = exists().where(WorkflowVote.tenant_id == tenant_id, WorkflowVote.task_id == task_id, WorkflowVote.person_id == person_id)
    return bool(db.session().scalar(select(or_(candidate, voted))))


def candidates_of(tenant_id: UUID, task_id: UUID) -> list[WorkflowTaskCandidate]:
    """Return who may decide a task, by name."""
    ours = select(WorkflowTaskCandidate).where(WorkflowTaskCandidate.tenant_id == tenant_id, WorkflowTaskCandidate.task_id == task_id)
    return list(db.session().scalars(ours.order_by(WorkflowTaskCandidate.created_at, WorkflowTaskCandidate.who)))


def votes_of(tenant_id: UUID, task_id: UUID) -> list[WorkflowVote]:
    """Return the decisions of a task, oldest first."""
    ours = select(WorkflowVote).where(WorkflowVote.tenant_id == tenant_id, WorkflowVote.task_id == task_id)
    return list(db.session().scalars(ours.order_by(WorkflowVote.created_at, WorkflowVote.id)))


def notes_of(tenant_id: UUID, task_id: UUID) -> list[WorkflowTaskNote]:
    """Return what else happened to a task, oldest first."""
    ours = select(WorkflowTaskNote).where(WorkflowTaskNote.tenant_id == tenant_id, WorkflowTaskNote.task_id == task_id)
    return list(db.session().scalars(ours.order_by(WorkflowTaskNote.created_at, WorkflowTaskNote.id)))


def held_by(tenant_id: UUID, person_id: UUID) -> list[UUID]:
    """Return the open tasks that a person has taken, was handed, or is named for."""
    ours = and_(WorkflowTaskCandidate.tenant_id == tenant_id, WorkflowTaskCandidate.task_id == WorkflowTask.id)
    held = or_(
        WorkflowTask.claimed_by == person_id,
        exists().where(ours, WorkflowTaskCandidate.who == f"person:{person_id}"),
        WorkflowTask.quorum != "any",
    )
    return list(
        db.session().scalars(select(WorkflowTask.id).where(WorkflowTask.tenant_id == tenant_id, WorkflowTask.state == "open", held))
    )


def run_of(tenant_id: UUID, run_id: UUID) -> Row[Any]:
    """Return the run of a task: id, workflow_id, the workflow's names, input_data, executed_by, started."""
    run = select(
        WorkflowExecution.id, WorkflowExecution.workflow_id, WorkflowTemplate.name, WorkflowTemplate.name_ar, WorkflowExecution.input_data,
        WorkflowExecution.executed_by, WorkflowExecution.created_at, WorkflowExecution.version_id,
    )  # fmt: skip
    join = and_(WorkflowTemplate.tenant_id == WorkflowExecution.tenant_id, WorkflowTemplate.id == WorkflowExecution.workflow_id)
    return (
        db.session()
        .execute(run.join(WorkflowTemplate, join).where(WorkflowExecution.tenant_id == tenant_id, WorkflowExecution.id == run_id))
        .one()
    )


def task_of_step(tenant_id: UUID, step_id: UUID) -> UUID | None:
    """Return the task by which a step asks people, None if it asks nobody."""
    return db.session().scalar(select(WorkflowTask.id).where(WorkflowTask.tenant_id == tenant_id, WorkflowTask.step_id == step_id))


def workflows_of(tenant_id: UUID, *, limit: int = 200) -> list[Row[Any]]:
    """Return id and names of the workflows that have asked somebody, by name."""
    run = and_(WorkflowExecution.tenant_id == WorkflowTask.tenant_id, WorkflowExecution.id == WorkflowTask.execution_id)
    asked = select(WorkflowExecution.workflow_id).select_from(WorkflowTask).join(WorkflowExecution, run)
    columns = WorkflowTemplate.id, WorkflowTemplate.name, WorkflowTemplate.name_ar
    wanted = select(*columns).where(
        WorkflowTemplate.tenant_id == tenant_id, WorkflowTemplate.id.in_(asked.where(WorkflowTask.tenant_id == tenant_id))
    )
    return list(db.session().execute(wanted.order_by(WorkflowTemplate.name, WorkflowTemplate.id).limit(limit)))


def step_of(tenant_id: UUID, step_id: UUID) -> WorkflowStep:
    """Return the step that asks."""
    return db.session().scalars(select(WorkflowStep).where(WorkflowStep.tenant_id == tenant_id, WorkflowStep.id == step_id)).one()

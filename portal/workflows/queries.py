"""Every SELECT of workflows and runs; the tenant comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Row, bindparam, func, select, text, tuple_
from sqlalchemy.orm import defer

from portal.core import db
from portal.core.errors import NotFound
from portal.core.paging import Listing, Page, write_cursor
from portal.i18n.search import holds_words
from portal.workflows.models import WorkflowExecution, WorkflowStep, WorkflowTemplate, WorkflowVersion

# Built once and on plain tables: these are the queries of the pages that are opened most, and building one costs as much as
# running it. The ORM's own selects write out pending changes first; these do not, so they are for pages, not for verbs.
TENANT: BindParameter[UUID] = bindparam("tenant")
LIVE = (
    select(WorkflowTemplate.is_active, WorkflowVersion.id, WorkflowVersion.number)
    .outerjoin(
        WorkflowVersion,
        (WorkflowVersion.tenant_id == WorkflowTemplate.tenant_id) & (WorkflowVersion.id == WorkflowTemplate.published_version_id),
    )
    .where(WorkflowTemplate.tenant_id == TENANT, WorkflowTemplate.id == bindparam("workflow"))
)
W, E = WorkflowTemplate.__table__.c, WorkflowExecution.__table__.c
NAMES = select(W.id, W.name, W.name_ar).where(W.tenant_id == TENANT).order_by(W.name)
COUNTS = select(E.status, func.count()).where(E.tenant_id == TENANT).group_by(E.status)
RUNS = (
    select(E.id, E.status, E.created_at, E.started_at, E.completed_at, E.executed_by, E.workflow_id, W.name, W.name_ar)
    .join_from(WorkflowExecution.__table__, WorkflowTemplate.__table__, (W.tenant_id == E.tenant_id) & (W.id == E.workflow_id))
    .where(E.tenant_id == TENANT)
    .order_by(E.created_at.desc(), E.id.desc())
)


def get_workflow(tenant_id: UUID, workflow_id: UUID, *, lock: bool = False) -> WorkflowTemplate:
    """Return a workflow.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    wanted = select(WorkflowTemplate).where(WorkflowTemplate.tenant_id == tenant_id, WorkflowTemplate.id == workflow_id)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None:
        raise NotFound
    return found


def list_workflows(tenant_id: UUID) -> list[Row[Any]]:
    """Return every workflow with its live version's number and its last run, last changed first."""
    return list(
        db.session().execute(
            text(
                """
                select w.id, w.name, w.name_ar, w.description, w.description_ar, w.is_active, w.updated_at, w.draft_revision,
                       v.number as published_number, v.graph_hash, w.nodes, w.settings, r.id as run_id, r.status, r.created_at as run_at
                from workflow_templates w
                left join workflow_versions v on v.tenant_id = w.tenant_id and v.id = w.published_version_id
                left join lateral (
                  select e.id, e.status, e.created_at from workflow_executions e
                  where e.tenant_id = w.tenant_id and e.workflow_id = w.id order by e.created_at desc limit 1) r on true
                where w.tenant_id = :tenant order by w.updated_at desc, w.id desc limit 500
                """
            ),
            {"tenant": tenant_id},
        )
    )


def workflow_names(tenant_id: UUID) -> list[Row[Any]]:
    """Return id and names of every workflow, for filters."""
    return list(db.session().execute(NAMES, {"tenant": tenant_id}))


def names_of(tenant_id: UUID, workflow_id: UUID) -> dict[str, Any]:
    """Return a workflow's names as notices carry them: `workflow_id`, `workflow`, `workflow_ar`."""
    row = db.session().execute(NAMES.where(W.id == workflow_id), {"tenant": tenant_id}).one()
    return {"workflow_id": str(workflow_id), "workflow": row.name, "workflow_ar": row.name_ar}


def find_workflows(tenant_id: UUID, words: str, *, limit: int) -> list[Row[Any]]:
    """Return id and names of the workflows whose names hold each word of a folded text, last changed first."""
    columns = WorkflowTemplate.id, WorkflowTemplate.name, WorkflowTemplate.name_ar
    named = holds_words(words, WorkflowTemplate.search_key)
    found = select(*columns).where(WorkflowTemplate.tenant_id == tenant_id, named).order_by(WorkflowTemplate.updated_at.desc()).limit(limit)
    return list(db.session().execute(found))


def find_runs(tenant_id: UUID, first: UUID, last: UUID, *, limit: int) -> list[Row[Any]]:
    """Return the runs whose id stands between two, newest first: all that begin with the same characters."""
    return list(db.session().execute(RUNS.where(E.id.between(first, last)).limit(limit), {"tenant": tenant_id}))


def get_version(tenant_id: UUID, version_id: UUID) -> WorkflowVersion:
    """Return a published version.

    Raises:
        NotFound: no such version in this tenant.
    """
    found = db.session().scalar(select(WorkflowVersion).where(WorkflowVersion.tenant_id == tenant_id, WorkflowVersion.id == version_id))
    if found is None:
        raise NotFound
    return found


def live_version(tenant_id: UUID, workflow_id: UUID) -> Row[Any] | None:
    """Return id and number of a workflow's live version; None while it has none or is switched off.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    row = db.session().execute(LIVE, {"tenant": tenant_id, "workflow": workflow_id}).first()
    if row is None:
        raise NotFound
    return row if row.is_active and row.id is not None else None


def list_versions(tenant_id: UUID, workflow_id: UUID) -> Sequence[WorkflowVersion]:
    """Return the published versions of a workflow, newest first."""
    rows = (
        select(WorkflowVersion)
        .where(WorkflowVersion.tenant_id == tenant_id, WorkflowVersion.template_id == workflow_id)
        .options(defer(WorkflowVersion.nodes), defer(WorkflowVersion.edges))
        .order_by(WorkflowVersion.number.desc())
        .limit(100)
    )
    return db.session().scalars(rows).all()


def next_version_number(tenant_id: UUID, workflow_id: UUID) -> int:
    """Return the number that the next published version gets; call it with the workflow locked."""
    highest = db.session().scalar(
        select(func.max(WorkflowVersion.number)).where(WorkflowVersion.tenant_id == tenant_id, WorkflowVersion.template_id == workflow_id)
    )
    return (highest or 0) + 1


def get_run(tenant_id: UUID, run_id: UUID) -> WorkflowExecution:
    """Return a run.

    Raises:
        NotFound: no such run in this tenant.
    """
    found = db.session().scalar(select(WorkflowExecution).where(WorkflowExecution.tenant_id == tenant_id, WorkflowExecution.id == run_id))
    if found is None:
        raise NotFound
    return found


def run_stand(tenant_id: UUID, run_id: UUID) -> tuple[int, str] | None:
    """Return the number of a run's last event and its status; None if there is no such run in this tenant."""
    row = (
        db.session()
        .execute(
            select(WorkflowExecution.event_seq, WorkflowExecution.status).where(
                WorkflowExecution.tenant_id == tenant_id, WorkflowExecution.id == run_id
            )
        )
        .first()
    )
    return (row.event_seq, row.status) if row else None


def steps_of(tenant_id: UUID, run_id: UUID) -> Sequence[WorkflowStep]:
    """Return the steps of a run that have begun."""
    rows = select(WorkflowStep).where(WorkflowStep.tenant_id == tenant_id, WorkflowStep.execution_id == run_id)
    return db.session().scalars(rows.order_by(WorkflowStep.created_at, WorkflowStep.id)).all()


def due_times(tenant_id: UUID, run_id: UUID) -> dict[UUID, Any]:
    """Return when the waiting steps of a run go on, by step id."""
    rows = db.session().execute(
        text("select step_id, due_at from workflow_timers where tenant_id = :tenant and execution_id = :run and fired_at is null"),
        {"tenant": tenant_id, "run": run_id},
    )
    return {row.step_id: row.due_at for row in rows}


def list_runs(
    tenant_id: UUID, *, status: str | None, workflow_id: UUID | None, person_id: UUID | None = None, page: Page
) -> Listing[Row[Any]]:
    """Return runs with their workflow's and starter's names, newest first."""
    wanted = RUNS.limit(page.limit + 1)
    if status is not None:
        wanted = wanted.where(E.status == status)
    if workflow_id is not None:
        wanted = wanted.where(E.workflow_id == workflow_id)
    if person_id is not None:
        wanted = wanted.where(E.executed_by == person_id)
    if page.after is not None:
        wanted = wanted.where(tuple_(E.created_at, E.id) < page.after)
    rows = list(db.session().execute(wanted, {"tenant": tenant_id}))
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    return Listing(rows, write_cursor(rows[-1].created_at, rows[-1].id) if more else None)


def count_runs(tenant_id: UUID) -> dict[str, int]:
    """Return how many runs stand in each status."""
    return {row[0]: row[1] for row in db.session().execute(COUNTS, {"tenant": tenant_id})}

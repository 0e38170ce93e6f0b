"""Every SELECT of workflows, versions and runs but for those of their lists (`list_queries`); the tenant comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Row,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.orm import defer

from portal.core import db
from portal.core.errors import NotFound
from portal.i18n.search import holds_words
from portal.workflows.models import WorkflowExecution, WorkflowFrame, WorkflowStep, WorkflowTemplate, WorkflowVersion

# Built once and on plain tables: these are the queries of the pages that are opened most, and building one costs as much as
# running it. The ORM's own selects write out pending changes first; these do not, so they are for pages, not for verbs.
TENANT: BindParameter[UUID] = bindparam("tenant")
LIVE = """
select t.is_active, v.id, v.number from workflow_templates t
left join workflow_versions v on v.tenant_id = t.tenant_id and v.id = t.published_version_id
where t.tenant_id = %s and t.id = %s
"""
W_TABLE, E_TABLE, V_TABLE = WorkflowTemplate.__table__, WorkflowExecution.__table__, WorkflowVersion.__table__
W, E, V = W_TABLE.c, E_TABLE.c, V_TABLE.c
OF_RUN = (W.tenant_id == E.tenant_id) & (W.id == E.workflow_id)
NAMES = select(W.id, W.name, W.name_ar).where(W.tenant_id == TENANT).order_by(W.name)
RUNS = (
    select(E.id, E.status, E.created_at, E.started_at, E.completed_at, E.executed_by, E.workflow_id, W.name, W.name_ar)
    .join_from(E_TABLE, W_TABLE, OF_RUN)
    .where(E.tenant_id == TENANT)
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


def workflow_names_of(tenant_id: UUID, ids: Sequence[UUID]) -> list[Row[Any]]:
    """Return id and names of these workflows."""
    return list(db.session().execute(NAMES.where(W.id.in_(ids)), {"tenant": tenant_id}))


def run_names_of(tenant_id: UUID, ids: Sequence[UUID]) -> list[Row[Any]]:
    """Return the ids of these runs with the names of their workflows."""
    wanted = select(E.id, W.name, W.name_ar).join_from(E_TABLE, W_TABLE, OF_RUN).where(E.tenant_id == TENANT, E.id.in_(ids))
    return list(db.session().execute(wanted, {"tenant": tenant_id}))


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
    session = db.session()
    session.flush()
    row = session.connection().exec_driver_sql(LIVE, (tenant_id, workflow_id)).first()
    if row is None:
        raise NotFound
    return row if row.is_active and row.id is not None else None


def called_version(tenant_id: UUID, workflow_id: object) -> WorkflowVersion | None:
    """Return the live version of a workflow that another one names; None while there is none that could run."""
    try:
        live = live_version(tenant_id, UUID(str(workflow_id)))
    except (ValueError, NotFound):
        return None
    return get_version(tenant_id, live.id) if live is not None else None


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


def steps_of(tenant_id: UUID, run_id: UUID, *, scope: str | None = None) -> Sequence[WorkflowStep]:
    """Return the steps of a run that have begun; with `scope` only those of one frame."""
    rows = select(WorkflowStep).where(WorkflowStep.tenant_id == tenant_id, WorkflowStep.execution_id == run_id)
    if scope is not None:
        rows = rows.where(WorkflowStep.scope_path == scope)
    return db.session().scalars(rows.order_by(WorkflowStep.created_at, WorkflowStep.id)).all()


def shown_steps(tenant_id: UUID, run_id: UUID) -> Sequence[WorkflowStep]:
    """Return one step of a run for each node that has begun: one that needs a decision, else the newest."""
    rows = (
        select(WorkflowStep)
        .where(WorkflowStep.tenant_id == tenant_id, WorkflowStep.execution_id == run_id)
        .distinct(WorkflowStep.node_key)
        .order_by(WorkflowStep.node_key, (WorkflowStep.state == "in_doubt").desc(), WorkflowStep.created_at.desc(), WorkflowStep.id.desc())
    )
    return db.session().scalars(rows).all()


def get_step(tenant_id: UUID, run_id: UUID, step_id: UUID) -> WorkflowStep:
    """Return a step of a run.

    Raises:
        NotFound: no such step in this run of this tenant.
    """
    wanted = select(WorkflowStep).where(
        WorkflowStep.tenant_id == tenant_id, WorkflowStep.execution_id == run_id, WorkflowStep.id == step_id
    )
    found = db.session().scalar(wanted)
    if found is None:
        raise NotFound
    return found


def frames_of(tenant_id: UUID, step_id: UUID, *, after: int, state: str = "", limit: int = 50) -> Sequence[WorkflowFrame]:
    """Return lanes, items or rounds of a block in order, those behind the number `after`, and one more than `limit`."""
    rows = select(WorkflowFrame).where(
        WorkflowFrame.tenant_id == tenant_id, WorkflowFrame.step_id == step_id, WorkflowFrame.number > max(after, -1)
    )
    if state:
        rows = rows.where(WorkflowFrame.state == state)
    return db.session().scalars(rows.order_by(WorkflowFrame.number).limit(limit + 1)).all()


def frame_counts(tenant_id: UUID, step_id: UUID) -> dict[str, int]:
    """Return how many lanes, items or rounds of a block stand where."""
    rows = db.session().execute(
        text(
            "select state, count(*) as frames from workflow_frames where tenant_id = :tenant and step_id = :step and number >= 0"
            " group by state order by state"
        ),
        {"tenant": tenant_id, "step": step_id},
    )
    return {row.state: row.frames for row in rows}


def run_of_step(tenant_id: UUID, step_id: UUID | None) -> UUID | None:
    """Return the run that a step belongs to."""
    if step_id is None:
        return None
    return db.session().scalar(select(WorkflowStep.execution_id).where(WorkflowStep.tenant_id == tenant_id, WorkflowStep.id == step_id))


def due_times(tenant_id: UUID, run_id: UUID) -> dict[UUID, Any]:
    """Return when the waiting steps of a run go on, by step id."""
    rows = db.session().execute(
        text("select step_id, due_at from workflow_timers where tenant_id = :tenant and execution_id = :run and fired_at is null"),
        {"tenant": tenant_id, "run": run_id},
    )
    return {row.step_id: row.due_at for row in rows}


def is_retried(tenant_id: UUID, run_id: UUID) -> bool:
    """Say whether another run has taken over from this one."""
    old = WorkflowExecution.__table__.alias().c
    # By the key that keeps a second retry from starting: it is indexed, `replay_of` is not.
    new = select(E.id).where(E.tenant_id == old.tenant_id, E.workflow_id == old.workflow_id, E.dedup_key == f"retry:{run_id}").exists()
    return bool(db.session().scalar(select(new).where(old.tenant_id == tenant_id, old.id == run_id)))


def workflow_of(tenant_id: UUID, run_id: UUID) -> UUID | None:
    """Return the workflow that a run is of."""
    wanted = select(WorkflowExecution.workflow_id).where(WorkflowExecution.tenant_id == tenant_id, WorkflowExecution.id == run_id)
    return db.session().scalar(wanted)


def uses_of_connections(tenant_id: UUID) -> Sequence[Row[Any]]:
    """Return (connection, workflow id, name, name_ar, steps, is_live) for each workflow that uses a connection.

    Looked at are drafts, live versions, and the versions of runs that have not ended.
    """
    return (
        db.session()
        .execute(
            text(
                """
                with looked_at as (
                  select t.id, t.nodes, false as is_live from workflow_templates t where t.tenant_id = :tenant
                  union all
                  select v.template_id, v.nodes, true from workflow_versions v where v.tenant_id = :tenant and (
                    exists (select 1 from workflow_templates t where t.tenant_id = :tenant and t.published_version_id = v.id)
                    or exists (select 1 from workflow_executions e where e.tenant_id = :tenant and e.version_id = v.id
                               and e.completed_at is null))
                )
                select n.node -> 'config' ->> 'connection' as connection, t.id, t.name, t.name_ar,
                       array_agg(distinct n.node ->> 'key' order by n.node ->> 'key') as steps, bool_or(l.is_live) as is_live
                from looked_at l cross join lateral jsonb_array_elements(l.nodes) n(node)
                join workflow_templates t on t.tenant_id = :tenant and t.id = l.id
                where coalesce(n.node -> 'config' ->> 'connection', '') <> ''
                group by 1, 2, 3, 4 order by t.name, t.id
                """
            ),
            {"tenant": tenant_id},
        )
        .all()
    )


def names_of_workflows(tenant_id: UUID, *, limit: int) -> Sequence[Row[Any]]:
    """Return id and names of workflows, by name."""
    columns = WorkflowTemplate.id, WorkflowTemplate.name, WorkflowTemplate.name_ar
    wanted = select(*columns).where(WorkflowTemplate.tenant_id == tenant_id)
    return db.session().execute(wanted.order_by(WorkflowTemplate.name, WorkflowTemplate.id).limit(limit)).all()


def task_of_doubt(tenant_id: UUID, run_id: UUID, node_key: str, *, scope: str | None) -> UUID | None:
    """Return the open task that asks what became of a step that was cut off; the first one where no frame is named."""
    return db.session().scalar(
        text(
            """
            select t.id from workflow_tasks t join workflow_steps s on s.tenant_id = t.tenant_id and s.id = t.step_id
            where t.tenant_id = :tenant and t.execution_id = :run and t.node_key = :key and t.kind = 'doubt' and t.state = 'open'
              and s.state = 'in_doubt' and s.scope_path = coalesce(cast(:scope as text), s.scope_path) order by s.scope_path, s.gen limit 1
            """
        ),
        {"tenant": tenant_id, "run": run_id, "key": node_key, "scope": scope},
    )

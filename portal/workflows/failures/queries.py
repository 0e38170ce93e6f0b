"""Every SELECT of runs that failed for good; the tenant comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, and_, case, cast, exists, func, literal, or_, select

from portal.core import db
from portal.core.paging import Listing, Place, SortKey, listing_of, narrowed, sorted_page
from portal.core.render import language
from portal.workflows.list_queries import NAME_AR, NAME_EN, NEVER
from portal.workflows.models import WorkflowExecution, WorkflowStep, WorkflowTemplate, WorkflowVersion

RUN, FLOW, STEP = WorkflowExecution.__table__, WorkflowTemplate.__table__, WorkflowStep.__table__
E, W = RUN.c, FLOW.c
FAILED = ("failed", "timed_out")
STEP_KEY: ColumnElement[str] = func.coalesce(E.error["step"].astext, "")
CODE: ColumnElement[str] = func.coalesce(E.error["code"].astext, "")
# The time limit of a whole run has no class of its own in its error.
CLASS = case((E.status == "timed_out", "timeout"), else_=func.coalesce(E.error["class"].astext, "permanent"))
AGAIN = RUN.alias("again")
RETRIED = exists().where(
    AGAIN.c.tenant_id == E.tenant_id, AGAIN.c.workflow_id == E.workflow_id, AGAIN.c.dedup_key == func.concat("retry:", cast(E.id, Text))
)
# A step that brought its workers down, wherever it stands in the run: at the root the run's own error says it.
POISON = or_(
    CODE == "crash_loop",
    exists().where(STEP.c.tenant_id == E.tenant_id, STEP.c.execution_id == E.id, STEP.c.state == "failed", STEP.c.error["code"].astext == "crash_loop"),
)  # fmt: skip
MOST_KINDS = 50


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which failed runs are meant; what is empty narrows nothing.

    Args:
        until: runs that failed later are not meant.
        ids: only these.
    """

    workflow_id: UUID | None = None
    step: str = ""
    code: str = ""
    classes: Sequence[str] = ()
    started_by: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None
    until: datetime | None = None
    retried_too: bool = False
    ids: Sequence[UUID] | None = None

    def narrow(self, wanted: Select[Any]) -> Select[Any]:
        """Return the query for these runs only."""
        wanted = narrowed(
            wanted,
            (self.workflow_id, lambda flow: E.workflow_id == flow),
            (self.step, lambda step: step == STEP_KEY),
            (self.code, lambda code: code == CODE),
            (self.classes, CLASS.in_),
            (self.started_by, lambda person: E.executed_by == person),
            (self.since, lambda at: E.completed_at >= at),
            (self.before, lambda at: E.completed_at < at),
            (self.until, lambda at: E.completed_at <= at),
        )
        if self.ids is not None:
            return wanted.where(E.id.in_(self.ids))
        return wanted if self.retried_too else wanted.where(~RETRIED)


def _failed(tenant_id: UUID, *columns: Any) -> Select[Any]:
    of_run = and_(W.tenant_id == E.tenant_id, W.id == E.workflow_id)
    return select(*columns).select_from(RUN.join(FLOW, of_run)).where(E.tenant_id == tenant_id, E.status.in_(FAILED))


def sorts() -> dict[str, SortKey]:
    """Return what the list can be sorted by; names in the reader's language."""
    return {
        "ended": SortKey(func.coalesce(E.completed_at, NEVER), "time"),
        "workflow": SortKey(NAME_AR if language() == "ar" else NAME_EN, "text"),
        "step": SortKey(STEP_KEY, "text"),
        "code": SortKey(CODE, "text"),
    }


def list_failures(tenant_id: UUID, wanted: FailureFilter, *, sort: str, place: Place | None, limit: int = 50) -> Listing[Row[Any]]:
    """Return failed runs with their workflow's names; `sort` is a name of `sorts`, with a minus for downwards."""
    rows = _failed(
        tenant_id, E.id, E.workflow_id, E.version_id, E.status, E.error, E.completed_at, E.executed_by, E.parent_step_id, W.name, W.name_ar,
        STEP_KEY.label("step"), CODE.label("code"), CLASS.label("error_class"), RETRIED.label("is_retried"),
    )  # fmt: skip
    page = sorted_page(wanted.narrow(rows), sorts()[sort.removeprefix("-")], E.id, is_down=sort.startswith("-"), place=place, limit=limit)
    return listing_of(list(db.session().execute(page)), place=place, limit=limit)


def count_failures(tenant_id: UUID, wanted: FailureFilter, *, limit: int | None = None) -> int:
    """Return how many failed runs match; at most `limit` are counted."""
    rows = wanted.narrow(_failed(tenant_id, E.id)).limit(limit).subquery()
    return db.session().scalar(select(func.count()).select_from(rows)) or 0


def failure_ids(tenant_id: UUID, wanted: FailureFilter, *, after: UUID | None, limit: int) -> list[UUID]:
    """Return ids of the failed runs that match, smallest first."""
    rows = wanted.narrow(_failed(tenant_id, E.id))
    if after is not None:
        rows = rows.where(E.id > after)
    return list(db.session().scalars(rows.order_by(E.id).limit(limit)))


def _refusal(own_only: UUID | None) -> ColumnElement[str]:
    """Return why a run is not taken up again with many, "" for none; the first that applies, in the order in which people can help it."""
    others = [(E.executed_by.is_distinct_from(own_only), "others")] if own_only is not None else []
    return case(*others, (RETRIED, "retried"), (E.parent_step_id.is_not(None), "called"), (POISON, "poison"), else_="")


def why_not(tenant_id: UUID, run_id: UUID, *, own_only: UUID | None) -> str | None:
    """Return why one run is not taken up again, "" for no reason, None for a run that has not failed.

    Args:
        own_only: who may handle only their own runs.
    """
    return db.session().scalar(_failed(tenant_id, _refusal(own_only)).where(E.id == run_id))


def rehearsed(tenant_id: UUID, wanted: FailureFilter, *, own_only: UUID | None) -> list[Row[Any]]:
    """Return the failed runs that match as (refusal, workflow_id, version_id, name, name_ar, step, number), the largest groups first."""
    columns = _refusal(own_only).label("refusal"), E.workflow_id, E.version_id, W.name, W.name_ar, STEP_KEY.label("step")
    rows = wanted.narrow(_failed(tenant_id, *columns)).subquery().c
    groups = rows.refusal, rows.workflow_id, rows.version_id, rows.name, rows.name_ar, rows.step
    number = func.count().label("number")
    return list(db.session().execute(select(*groups, number).group_by(*groups).order_by(number.desc(), *groups)))


def step_names(tenant_id: UUID, version_ids: Sequence[UUID]) -> dict[tuple[UUID, str], dict[str, Any]]:
    """Return the names of the steps of these versions, by version and key."""
    node = func.jsonb_array_elements(WorkflowVersion.nodes).table_valued("value").render_derived(name="node")
    value = node.c.value
    key, name, name_ar = (func.jsonb_extract_path_text(value, part) for part in ("key", "name", "name_ar"))
    wanted = (
        select(WorkflowVersion.id, key.label("key"), name.label("name"), name_ar.label("name_ar"))
        .select_from(WorkflowVersion)
        .join(node, literal(True))
    )
    rows = db.session().execute(wanted.where(WorkflowVersion.tenant_id == tenant_id, WorkflowVersion.id.in_(version_ids)))
    return {(row.id, row.key): {"name": row.name, "name_ar": row.name_ar} for row in rows}


def kinds_of(tenant_id: UUID) -> list[Row[Any]]:
    """Return which workflows, steps and codes there are among failed runs, the most frequent first: what a filter can choose."""
    columns = E.workflow_id, W.name, W.name_ar, STEP_KEY.label("step"), CODE.label("code")
    rows = _failed(tenant_id, *columns, E.version_id).where(~RETRIED).order_by(E.created_at.desc()).limit(2_000).subquery().c
    groups = rows.workflow_id, rows.name, rows.name_ar, rows.step, rows.code
    # The newest version knows the step's name best; ids of versions grow with time.
    newest = func.max(cast(rows.version_id, Text)).label("version_id")
    return list(
        db.session().execute(select(*groups, newest, func.count()).group_by(*groups).order_by(func.count().desc()).limit(MOST_KINDS))
    )


def names_of(tenant_id: UUID, ids: Sequence[UUID]) -> list[Row[Any]]:
    """Return the ids of these runs with the names of their workflows."""
    return list(db.session().execute(_failed(tenant_id, E.id, W.name, W.name_ar).where(E.id.in_(ids))))

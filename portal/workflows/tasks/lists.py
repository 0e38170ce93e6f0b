"""The inbox as a list: whose tasks, filters, sorts, taking and giving back many at once, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from portal.core import clock, ids
from portal.core.access import Access, Actor, Permission
from portal.core.errors import Conflict
from portal.exports import service as exports
from portal.i18n.locale import bilingual
from portal.i18n.words import lazy_gettext as _l
from portal.i18n.words import ngettext
from portal.identity import service as identity
from portal.lists import service as lists
from portal.lists.service import Asked, Column, Filter, ListKind, Verb, filing
from portal.workflows.errors import TaskClosed, TaskTaken
from portal.workflows.tasks import queries, service
from portal.workflows.tasks.queries import TaskFilter
from portal.workflows.tasks.wording import STATES, outcome_of, title_of

SHOWS = {
    "mine": _l("For you"), "team": _l("Open to you and others"), "decided": _l("Decided by you"), "all": _l("All tasks"),
}  # fmt: skip
DUES = {"late": _l("Overdue"), "today": _l("Due today"), "7d": _l("Due within 7 days")}
PAGE_ROWS = 500
HEADS = (
    _l("Task"), _l("Workflow"), _l("Asked"), _l("Due"), _l("State"), _l("Decision"), _l("Taken by"), _l("Run"),
)  # fmt: skip


def task_filter(
    tenant_id: UUID, person_id: UUID, filters: Mapping[str, Sequence[str]], *, sees_all: bool, at: datetime | None = None
) -> TaskFilter:
    """Return which tasks the filters of the inbox mean.

    Args:
        sees_all: whether the person manages tasks; for everybody else the list of all of them is that of those open to them.
        at: the moment that "today" is seen from, and after which tasks are not meant; None means now, and all.
    """
    given = {name: values[0] for name, values in filters.items() if values}
    which = given.get("show", "mine")
    since, before = _due(tenant_id, person_id, given.get("due"), at or clock.now())
    return TaskFilter(
        person_id=person_id,
        which="team" if which == "all" and not sees_all else which,
        states=tuple(filters.get("state", ())),
        workflow_id=UUID(given["workflow"]) if "workflow" in given else None,
        due_from=since,
        due_before=before,
        until=at,
    )


def _due(tenant_id: UUID, person_id: UUID, due: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    if due is None:
        return None, None
    if due == "late":
        return None, now
    zone = identity.zone_of(tenant_id, person_id)
    today = now.astimezone(zone).date()
    ends = datetime.combine(today + timedelta(days=1 if due == "today" else 7), time(), zone)
    return datetime.combine(today, time(), zone) if due == "today" else now, ends


def _asked(tenant_id: UUID, asked: Asked) -> TaskFilter:
    return task_filter(tenant_id, asked.person_id, asked.filters, sees_all=not asked.own_only, at=asked.at)


def _pick(tenant_id: UUID, asked: Asked, after: UUID | None, limit: int) -> list[UUID]:
    return queries.task_ids(tenant_id, _asked(tenant_id, asked), after=after, limit=limit)


def _count(tenant_id: UUID, asked: Asked) -> int:
    return queries.count_tasks(tenant_id, _asked(tenant_id, asked), limit=None)


def _names(tenant_id: UUID, found: Sequence[UUID]) -> dict[UUID, str]:
    return {row.id: title_of(row) for row in queries.titles_of(tenant_id, found)}


def _acting(tenant_id: UUID, by: Actor) -> Access:
    """Return the person who asked for a verb on many rows as one who asks for it on one: a job has nobody signed in."""
    assert by.id is not None
    may = identity.permissions_of(tenant_id, by.id)
    return Access(by.id, tenant_id, role="", permissions=may, person_name="", tenant_name="", tenant_name_ar=None)


def claim_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Take a task as one of many."""
    here = _acting(tenant_id, by)
    if queries.get(tenant_id, row_id).claimed_by == here.person_id:
        return "yours"
    return _tried(lambda: service.claim(here, row_id))


def free_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Give a task back as one of many."""
    here = _acting(tenant_id, by)
    service.open_task(here, row_id)
    if queries.get(tenant_id, row_id).claimed_by is None:
        return "free"
    return _tried(lambda: service.give_back(here, row_id))


def _tried(verb: Any) -> str | None:
    try:
        verb()
    except TaskClosed:
        return "closed"
    except TaskTaken:
        return "taken"
    except Conflict:
        return "several"
    return None


REASONS = {
    "closed": _l("There is nothing to decide any more."),
    "taken": _l("Somebody else has taken it."),
    "several": _l("Several people decide it, so nobody can take it alone."),
    "yours": _l("It was yours already."),
    "free": _l("Nobody had taken it."),
}
TASKS = ListKind(
    "tasks",
    _l("Tasks"),
    Permission.TASK_READ,
    "tasks.listing",
    columns=(
        Column("task", _l("Task"), is_fixed=True),
        Column("workflow", _l("Workflow"), "workflow"),
        Column("due", _l("Due"), "due"),
        Column("state", _l("State"), "state"),
        Column("opened", _l("Asked"), "opened", is_usual=False),
    ),
    usual_sort="due",
    filters=(
        Filter("show", _l("Which tasks"), lambda value: value if value in queries.SHOWN else None),
        Filter("due", _l("Due"), lambda value: value if value in DUES else None),
        Filter("workflow", _l("Workflow"), lambda value: str(found) if (found := ids.as_uuid(value)) else None),
        Filter("state", _l("State"), lambda value: value if value in queries.STATES else None, is_many=True),
    ),
    pick=_pick,
    count=_count,
    verbs=(
        Verb(
            "claim", _l("Take them"), lambda num: ngettext("Take %(num)d task", "Take %(num)d tasks", num), "hand",
            Permission.TASK_DECIDE, claim_one, REASONS, beyond_own=Permission.TASK_MANAGE, undo="free",
        ),
        Verb(
            "free", _l("Give them back"), lambda num: ngettext("Give %(num)d task back", "Give %(num)d tasks back", num), "undo-2",
            Permission.TASK_DECIDE, free_one, REASONS, beyond_own=Permission.TASK_MANAGE,
        ),
    ),
    row_endpoint="tasks.show",
    row_argument="task_id",
    names=_names,
)  # fmt: skip


def task_rows(tenant_id: UUID, kept: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Give every task that matches, sorted as the page was; what the person may see is asked anew."""
    state, person_id = filing.state_of(TASKS, kept), filing.reader_of(kept)
    if person_id is None:
        return  # nobody's list
    sees_all = Permission.TASK_MANAGE in identity.permissions_of(tenant_id, person_id)
    wanted = task_filter(tenant_id, person_id, state.filters, sees_all=sees_all)
    read = partial(queries.list_tasks, tenant_id, wanted, sort=state.sort, limit=PAGE_ROWS)
    for rows in filing.pages(lambda place: read(place=place), queries.sorts()[state.sort_name].kind):
        names = identity.names_of({row.claimed_by for row in rows if row.claimed_by})
        for row in rows:
            decision = outcome_of(row, row.outcome) if row.outcome else None
            taken = names.get(row.claimed_by) if row.claimed_by else None
            said = str(STATES[row.state])
            yield title_of(row), bilingual(row), row.created_at, row.due_at, said, decision, taken, str(row.execution_id)


def register() -> None:
    """Let the inbox have views, columns and verbs, and be a file."""
    lists.register(TASKS)
    exports.register(
        exports.Source("tasks.listing", TASKS.title, TASKS.permission, TASKS.endpoint, partial(filing.kept_of, TASKS), HEADS, task_rows)
    )

"""The lists of runs and workflows: their columns, sorts, filters, and what can be done to many rows at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.core import clock
from portal.core.access import Actor, Permission
from portal.core.paging import Listing
from portal.core.render import url_of
from portal.i18n import formats, names
from portal.i18n.locale import bilingual, named
from portal.i18n.search import fold
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.i18n.words import ngettext
from portal.identity import service as identity
from portal.lists import service as lists
from portal.lists.service import Asked, Column, Filter, ListKind, Shown, Verb
from portal.workflows import conditions, list_queries, queries, searching, service, value_filters
from portal.workflows.engine.states import RunStatus
from portal.workflows.errors import WrongState
from portal.workflows.explain import RunRow
from portal.workflows.list_queries import RunFilter, StateCount, WorkflowFilter
from portal.workflows.versions import moving

ME = "me"
STATES = ("live", "draft", "off")
LONGEST_WORDS = 100


def _read_id(value: str) -> str | None:
    try:
        return str(UUID(value))
    except ValueError:
        return None


def _read_person(value: str) -> str | None:
    return value if value == ME else _read_id(value)


def _read_words(value: str) -> str | None:
    words = str(names.tidy(value))[:LONGEST_WORDS]
    return words if fold(words) else None


def workflow_filter(filters: dict[str, tuple[str, ...]]) -> WorkflowFilter:
    """Return which workflows the filters of a list mean."""
    return WorkflowFilter(states=filters.get("state", ()), words=next(iter(filters.get("q", ())), ""))


def run_filter(tenant_id: UUID, person_id: UUID | None, filters: dict[str, tuple[str, ...]], *, at: datetime | None = None) -> RunFilter:
    """Return which runs the filters of a list mean.

    Args:
        person_id: who "me" is, and whose days they are.
        at: the moment that "today" is seen from, and after which runs are not meant; None means now, and all.
    """
    given = {name: values[0] for name, values in filters.items() if values}
    since, before = None, None
    if period := given.get("period"):
        since, before = lists.periods.bounds(period, now=at or clock.now(), zone=identity.zone_of(tenant_id, person_id))
    by = given.get("by")
    return RunFilter(
        statuses=filters.get("status", ()),
        workflow_id=UUID(given["workflow"]) if "workflow" in given else None,
        started_by=person_id if by == ME else UUID(by) if by else None,
        since=since,
        before=before,
        until=at,
        values=tuple(conditions.read(each) for each in filters.get("where", ())),
    )


def _asked_runs(tenant_id: UUID, asked: Asked) -> RunFilter | None:
    """Return which runs are meant, None for none: whoever handles only their own runs cannot mean those of others."""
    filters = dict(asked.filters)
    if asked.own_only:
        if filters.get("by", (ME,))[0] not in (ME, str(asked.person_id)):
            return None
        filters["by"] = (ME,)
    return run_filter(tenant_id, asked.person_id, filters, at=asked.at)


def _pick_runs(tenant_id: UUID, asked: Asked, after: UUID | None, limit: int) -> list[UUID]:
    wanted = _asked_runs(tenant_id, asked)
    return list_queries.run_ids(tenant_id, wanted=wanted, after=after, limit=limit) if wanted else []


def _count_runs(tenant_id: UUID, asked: Asked) -> int:
    wanted = _asked_runs(tenant_id, asked)
    if wanted is None:
        return 0
    with searching.bounded(wanted.values):
        return list_queries.count_runs(tenant_id, wanted=wanted)


def _pick_workflows(tenant_id: UUID, asked: Asked, after: UUID | None, limit: int) -> list[UUID]:
    return list_queries.workflow_ids(tenant_id, wanted=workflow_filter(asked.filters), at=asked.at, after=after, limit=limit)


def _count_workflows(tenant_id: UUID, asked: Asked) -> int:
    return list_queries.count_workflows(tenant_id, wanted=workflow_filter(asked.filters))


def _run_names(tenant_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    return {row.id: bilingual(row) for row in queries.run_names_of(tenant_id, ids)}


def _workflow_names(tenant_id: UUID, ids: Sequence[UUID]) -> dict[UUID, str]:
    return {row.id: bilingual(row) for row in queries.workflow_names_of(tenant_id, ids)}


def cancel_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Cancel a run as one of many."""
    if _is_others(tenant_id, row_id, by, own_only=own_only):
        return "others"
    try:
        service.cancel_run(tenant_id, row_id, by=by)
    except WrongState:
        return "ended"
    return None


def retry_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Retry a run as one of many."""
    if _is_others(tenant_id, row_id, by, own_only=own_only):
        return "others"
    if queries.is_retried(tenant_id, row_id):
        return "retried"
    try:
        service.retry_run(tenant_id, row_id, by=by)
    except WrongState:
        return "not_failed"
    return None


def _is_others(tenant_id: UUID, run_id: UUID, by: Actor, *, own_only: bool) -> bool:
    return own_only and queries.get_run(tenant_id, run_id).executed_by != by.id


def switch_off_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Switch a workflow off as one of many."""
    return None if service.switch_workflow(tenant_id, row_id, is_active=False, by=by) else "is_off"


def switch_on_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Switch a workflow on as one of many."""
    return None if service.switch_workflow(tenant_id, row_id, is_active=True, by=by) else "is_on"


OTHERS = {"others": _l("Somebody else started it, and your role handles only your own runs.")}

RUNS = ListKind(
    "runs",
    _l("Runs"),
    Permission.RUN_READ,
    "workflows.runs",
    columns=(
        Column("workflow", _l("Workflow"), "workflow", is_fixed=True),
        Column("status", _l("Status"), "status"),
        Column("started", _l("Started"), "started"),
        Column("ended", _l("Ended"), "ended", is_usual=False),
        Column("duration", _l("Duration"), "duration", style="is-number"),
        Column("by", _l("Started by"), "by"),
    ),
    usual_sort="-started",
    filters=(
        Filter("status", _l("Status"), lambda value: value if value in set(RunStatus) else None, is_many=True),
        Filter("workflow", _l("Workflow"), _read_id),
        Filter("by", _l("Started by"), _read_person),
        Filter("period", _l("Period"), lists.periods.read, is_period=True),
        Filter("where", _l("Value"), value_filters.read, is_many=True, parts=value_filters.PARTS, join=value_filters.join),
    ),
    pick=_pick_runs,
    count=_count_runs,
    verbs=(
        Verb(
            "cancel", _l("Cancel the runs"), lambda num: ngettext("Cancel %(num)d run", "Cancel %(num)d runs", num), "ban",
            Permission.RUN_START, cancel_one, {"ended": _l("It had ended already."), **OTHERS},
            beyond_own=Permission.RUN_OPERATE, is_danger=True,
        ),
        Verb(
            "retry", _l("Retry what failed"), lambda num: ngettext("Retry %(num)d run", "Retry %(num)d runs", num), "rotate-ccw",
            Permission.RUN_START, retry_one, {"not_failed": _l("It has not failed, so there is nothing to retry."), "retried": _l("It was retried already."), **OTHERS},
            beyond_own=Permission.RUN_OPERATE,
        ),
        Verb(
            "move", _l("Go on with the live version"), lambda num: ngettext("Move %(num)d run to the live version", "Move %(num)d runs to the live version", num), "rocket",
            Permission.RUN_OPERATE, moving.move_one, moving.REASONS,
        ),
    ),
    row_endpoint="workflows.run",
    row_argument="run_id",
    names=_run_names,
)  # fmt: skip

WORKFLOWS = ListKind(
    "workflows",
    _l("Workflows"),
    Permission.WORKFLOW_READ,
    "workflows.listing",
    columns=(
        Column("name", _l("Name"), "name", is_fixed=True),
        Column("state", _l("State"), "state"),
        Column("last", _l("Last run"), "last"),
        Column("changed", _l("Changed"), "changed"),
    ),
    usual_sort="-changed",
    filters=(
        Filter("q", _l("Name"), _read_words, is_text=True),
        Filter("state", _l("State"), lambda value: value if value in STATES else None, is_many=True),
    ),
    pick=_pick_workflows,
    count=_count_workflows,
    verbs=(
        Verb(
            "off", _l("Pause"), lambda num: ngettext("Pause %(num)d workflow", "Pause %(num)d workflows", num), "circle-pause",
            Permission.WORKFLOW_EDIT, switch_off_one, {"is_off": _l("It was paused already.")}, undo="on",
        ),
        Verb(
            "on", _l("Let run again"), lambda num: ngettext("Let %(num)d workflow run again", "Let %(num)d workflows run again", num), "play",
            Permission.WORKFLOW_EDIT, switch_on_one, {"is_on": _l("It was not paused.")}, undo="off",
        ),
    ),
    row_endpoint="workflows.detail",
    row_argument="workflow_id",
    names=_workflow_names,
)  # fmt: skip


def run_cells(runs: Sequence[RunRow], columns: str, *, can_choose: bool) -> list[tuple[str, ...]]:
    """Return what `ui.run_row` takes for each run. In Python, because a page has fifty rows and a template pays for each call."""
    has_end = "ended" in columns
    return [
        (
            url_of("workflows.run", run_id=run.id),
            name.text,
            run.status,
            run.started_at.isoformat(),
            formats.moment(run.started_at),
            formats.moment_title(run.started_at),
            formats.duration(run.duration_ms),
            run.executed_by_name or "",
            columns,
            run.completed_at.isoformat() if has_end and run.completed_at else "",
            formats.moment(run.completed_at) if has_end else "",
            formats.moment_title(run.completed_at) if has_end else "",
            str(run.id) if can_choose else "",
            name.lang if name.is_other else "",
        )
        for run, name in ((run, named(run)) for run in runs)
    ]


def state_counts(tenant_id: UUID, wanted: RunFilter, found: Listing[Any]) -> dict[str, StateCount]:
    """Return how many runs are in each state under the other filters; asks only when they do not all stand on this page."""
    is_whole = found.next_cursor is None and found.previous_cursor is None and not found.before
    if wanted.values and not is_whole:
        return {}  # nobody counts what every run has to be opened for
    if is_whole and (wanted.values or not wanted.statuses):
        return {state: StateCount(number) for state, number in Counter(row.status for row in found.items).items()}
    return list_queries.count_states(tenant_id, list(RunStatus), wanted=wanted)


def total_of(counts: dict[str, StateCount], wanted: RunFilter) -> int | None:
    """Return how many runs there are if the counts of the states tell it exactly."""
    meant = [each for state, each in counts.items() if state in wanted.statuses or not wanted.statuses]
    return None if any(each.is_more for each in meant) else sum(each.number for each in meant)


def state_lines(shown: Shown, counts: dict[str, StateCount]) -> str:
    """Return what `ui.state_chips` takes: the states that have runs or are chosen; nothing where there is no choice."""
    chosen = shown.state.filters.get("status", ())
    states = [each for each in RunStatus if each in counts or each in chosen]
    if len(states) < 2 and not chosen:
        return ""
    return "\n".join(_state_line(shown, each, counts.get(each, StateCount(0)), is_chosen=each in chosen) for each in states)


def _state_line(shown: Shown, state: str, count: StateCount, *, is_chosen: bool) -> str:
    others = {name: values for name, values in shown.state.filters.items() if name != "status"}
    left = tuple(each for each in shown.state.filters.get("status", ()) if each != state) if is_chosen else (state,)
    href = shown.href(replace(shown.state, filters={**others, "status": left} if left else others))
    number = formats.number(count.number)
    if count.is_more:
        number = _("%(number)s+", number=number)
    return f"{href}|{state}|{number}|{'1' if is_chosen else ''}"


def register() -> None:
    """Let both lists have views, columns and verbs."""
    lists.register(RUNS)
    lists.register(WORKFLOWS)

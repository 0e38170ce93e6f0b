"""Failed runs as a list: filters, sorts, taking many up again after a rehearsal, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from portal.core import clock, ids
from portal.core.access import Actor, Permission
from portal.exports import service as exports
from portal.i18n.locale import bilingual
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.i18n.words import ngettext
from portal.identity import service as identity
from portal.lists import service as lists
from portal.lists.service import Asked, Column, Filter, ListKind, Rehearsal, Verb, filing
from portal.workflows import service
from portal.workflows.definition import ERROR_CLASSES, KEY
from portal.workflows.errors import WrongState
from portal.workflows.explain import REASONS, UNKNOWN
from portal.workflows.failures import queries
from portal.workflows.failures.queries import FailureFilter

ME = "me"
PAGE_ROWS = 500
CLASS_NAMES: dict[str, Any] = {
    "transient": _l("Passing"), "timeout": _l("No answer in time"), "auth": _l("Access refused"), "validation": _l("Values refused"),
    "permanent": _l("Lasting"),
}  # fmt: skip
HEADS = (_l("Workflow"), _l("Step"), _l("Reason"), _l("Code"), _l("Kind of failure"), _l("Failed"), _l("Started by"), _l("Run"))


def failure_filter(
    tenant_id: UUID, person_id: UUID | None, filters: Mapping[str, Sequence[str]], *, at: datetime | None = None
) -> FailureFilter:
    """Return which failed runs the filters of the list mean.

    Args:
        person_id: who "me" is, and whose days they are.
        at: the moment that "today" is seen from, and after which runs are not meant; None means now, and all.
    """
    given = {name: values[0] for name, values in filters.items() if values}
    since, before = None, None
    if period := given.get("period"):
        since, before = lists.periods.bounds(period, now=at or clock.now(), zone=identity.zone_of(tenant_id, person_id))
    by = given.get("by")
    return FailureFilter(
        workflow_id=UUID(given["workflow"]) if "workflow" in given else None,
        step=given.get("step", ""),
        code=given.get("code", ""),
        classes=tuple(filters.get("class", ())),
        started_by=person_id if by == ME else UUID(by) if by else None,
        since=since,
        before=before,
        until=at,
        retried_too="retried" in given,
    )


def _pick(tenant_id: UUID, asked: Asked, after: UUID | None, limit: int) -> list[UUID]:
    return queries.failure_ids(tenant_id, failure_filter(tenant_id, asked.person_id, asked.filters, at=asked.at), after=after, limit=limit)


def _count(tenant_id: UUID, asked: Asked) -> int:
    return queries.count_failures(tenant_id, failure_filter(tenant_id, asked.person_id, asked.filters, at=asked.at))


def _names(tenant_id: UUID, found: Sequence[UUID]) -> dict[UUID, str]:
    return {row.id: bilingual(row) for row in queries.names_of(tenant_id, found)}


def redrive_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Take a failed run up again as one of many; what would fail the same way, or was taken up already, is left alone."""
    why = queries.why_not(tenant_id, row_id, own_only=by.id if own_only else None)
    if why is None:
        return "not_failed"
    if why:
        return why
    try:
        service.retry_run(tenant_id, row_id, by=by)
    except WrongState:
        return "not_failed"
    return None


def rehearse(tenant_id: UUID, asked: Asked, chosen: list[UUID] | None) -> Rehearsal:
    """Say which runs would be taken up again, from which steps, and which would not and why."""
    wanted = failure_filter(tenant_id, asked.person_id, asked.filters, at=asked.at)
    if chosen is not None:
        wanted = FailureFilter(ids=chosen)
    rows = queries.rehearsed(tenant_id, wanted, own_only=asked.person_id if asked.own_only else None)
    refused: dict[str, int] = {}
    doing: list[Any] = []
    for row in rows:
        if row.refusal:
            refused[row.refusal] = refused.get(row.refusal, 0) + row.number
        else:
            doing.append(row)
    total = sum(row.number for row in rows)
    if chosen is not None and len(chosen) > total:  # they have been dealt with since the page was shown
        refused["not_failed"] = len(chosen) - total
        total = len(chosen)
    names = queries.step_names(tenant_id, [row.version_id for row in doing[: queries.MOST_KINDS]])
    cells: list[tuple[tuple[str, ...], int]] = [
        ((bilingual(row), step_name(names, row)), row.number) for row in doing[: queries.MOST_KINDS]
    ]
    return Rehearsal(total, cells, refused, is_cut=len(doing) > queries.MOST_KINDS)


def step_name(names: Mapping[tuple[UUID, str], Any], row: Any) -> str:
    """Return the name of the step at which a run failed, in the reader's language; its key where it has no name."""
    if not row.step:
        return _("where it stopped")
    found = names.get((row.version_id, row.step))
    return (bilingual(found) if found else "") or str(row.step)


def reason_of(code: str) -> Any:
    """Return why a run failed as a sentence."""
    return REASONS.get(code, UNKNOWN)


FAILURES = ListKind(
    "failures",
    _l("Failed runs"),
    Permission.RUN_READ,
    "failures.listing",
    columns=(
        Column("workflow", _l("Workflow"), "workflow", is_fixed=True),
        Column("step", _l("Step"), "step"),
        Column("code", _l("Reason"), "code"),
        Column("class", _l("Kind of failure"), is_usual=False),
        Column("ended", _l("Failed"), "ended"),
        Column("by", _l("Started by"), is_usual=False),
    ),
    usual_sort="-ended",
    filters=(
        Filter("workflow", _l("Workflow"), lambda value: str(found) if (found := ids.as_uuid(value)) else None),
        Filter("step", _l("Step"), lambda value: value if KEY.match(value) else None),
        Filter("code", _l("Reason"), lambda value: value if value in REASONS else None),
        Filter("class", _l("Kind of failure"), lambda value: value if value in ERROR_CLASSES else None, is_many=True),
        Filter("by", _l("Started by"), lambda value: value if value == ME else str(found) if (found := ids.as_uuid(value)) else None),
        Filter("period", _l("Period"), lists.periods.read, is_period=True),
        Filter("retried", _l("Taken up again"), lambda value: value if value == "too" else None),
    ),
    pick=_pick,
    count=_count,
    verbs=(
        Verb(
            "redrive", _l("Take up again"), lambda num: ngettext("Take %(num)d run up again", "Take %(num)d runs up again", num), "rotate-ccw",
            Permission.RUN_START, redrive_one,
            {
                "not_failed": _l("It has not failed, so there is nothing to retry."),
                "retried": _l("It was taken up again already."),
                "called": _l("Another run called it, and has failed with it: take that one up again."),
                "poison": _l("A step brought its worker down again and again. Look at it first; then retry that run by itself."),
                "others": _l("Somebody else started it, and your role handles only your own runs."),
            },
            beyond_own=Permission.RUN_OPERATE, rehearse=rehearse, rehearsed=(_l("Workflow"), _l("From the step")),
        ),
    ),
    row_endpoint="workflows.run",
    row_argument="run_id",
    names=_names,
)  # fmt: skip


def failure_rows(tenant_id: UUID, kept: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Give every failed run that matches, sorted as the page was, read in pages."""
    state, reader = filing.state_of(FAILURES, kept), filing.reader_of(kept)
    if reader is None:
        return  # nobody's list
    read = partial(queries.list_failures, tenant_id, failure_filter(tenant_id, reader, state.filters), sort=state.sort, limit=PAGE_ROWS)
    for rows in filing.pages(lambda place: read(place=place), queries.sorts()[state.sort_name].kind):
        people = identity.names_of({row.executed_by for row in rows if row.executed_by})
        names = queries.step_names(tenant_id, list({row.version_id for row in rows}))
        for row in rows:
            said, kind = str(reason_of(row.code)), str(CLASS_NAMES.get(row.error_class, row.error_class))
            step = step_name(names, row) if row.step else None
            yield bilingual(row), step, said, row.code, kind, row.completed_at, people.get(row.executed_by), str(row.id)


def register() -> None:
    """Let the list have views, columns and its verb, and be a file."""
    lists.register(FAILURES)
    exports.register(
        exports.Source(
            "failures.listing",
            FAILURES.title,
            FAILURES.permission,
            FAILURES.endpoint,
            partial(filing.kept_of, FAILURES),
            HEADS,
            failure_rows,
        )
    )

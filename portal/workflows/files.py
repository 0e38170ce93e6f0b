"""The lists of workflows as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from portal.core import ids
from portal.core.access import Permission, access
from portal.core.paging import Listing, Place, read_place
from portal.exports import service as exports
from portal.i18n.locale import bilingual
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.lists import service as lists
from portal.lists.service import ListKind, ListState
from portal.workflows import explain, queries
from portal.workflows.lists import ME, RUNS, WORKFLOWS, run_filter, workflow_filter

PAGE_ROWS = 1_000
READER = "reader"
RUN_HEADS = (
    _l("Workflow"), _l("Status"), _l("Started"), _l("Ended"), _l("Duration in seconds"), _l("Started by"), _l("Run"),
)  # fmt: skip
WORKFLOW_HEADS = (
    _l("Name"), _l("State"), _l("Version"), _l("Last run"), _l("Last run at"), _l("Changed"), _l("Workflow"),
)  # fmt: skip


def read_filters(kind: ListKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read filters and sort of a list as its page reads them; "me" becomes the person, because a job has nobody."""
    state = lists.read(kind, MultiDict(given).to_dict(flat=False))
    found: dict[str, Any] = {name: list(values) for name, values in state.filters.items()}
    if ME in found.get("by", ()):
        found["by"] = [str(access().person_id)]
    if "period" in found:
        found[READER] = [str(access().person_id)]  # "today" is a day of their time zone, in the job as on the page
    return found if state.sort == kind.usual_sort else {**found, "sort": [state.sort]}


def _state(kind: ListKind, filters: dict[str, Any]) -> ListState:
    return lists.read_stored(kind, {"filters": filters, "sort": next(iter(filters.get("sort") or ()), "")})


def run_rows(tenant_id: UUID, filters: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Give every run that matches, sorted as the page was, read in pages."""
    state = _state(RUNS, filters)
    reader = ids.as_uuid(next(iter(filters.get(READER, ())), None))
    wanted, kind = run_filter(tenant_id, reader, state.filters), queries.run_sorts()[state.sort_name].kind
    for rows in _pages(lambda place: queries.list_runs(tenant_id, wanted=wanted, sort=state.sort, place=place, limit=PAGE_ROWS), kind):
        names = identity.names_of(row.executed_by for row in rows if row.executed_by)
        for row in rows:
            run = explain.run_row(row, names)
            took_s = None if run.duration_ms is None else round(run.duration_ms / 1000, 3)
            yield bilingual(run), _status(run.status), run.started_at, run.completed_at, took_s, run.executed_by_name, str(run.id)


def workflow_rows(tenant_id: UUID, filters: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Give every workflow that matches, sorted as the page was, read in pages."""
    state = _state(WORKFLOWS, filters)
    wanted, kind = workflow_filter(state.filters), queries.workflow_sorts()[state.sort_name].kind
    for rows in _pages(lambda place: queries.list_workflows(tenant_id, wanted=wanted, sort=state.sort, place=place), kind):
        for row in rows:
            found = explain.workflow_row(row)
            said = _l("Paused") if not row.is_active else _l("Draft") if row.published_number is None else _l("Published")
            last = _status(row.status) if row.run_id else None
            yield bilingual(found), str(said), row.published_number, last, row.run_at, row.updated_at, str(row.id)


def _pages(read: Callable[[Place | None], Listing[Any]], kind: str) -> Iterator[list[Any]]:
    place: Place | None = None
    while True:
        listing = read(place)
        yield listing.items
        place = read_place(listing.next_cursor, kind)
        if place is None:
            return


def _status(status: str) -> str:
    said: Markup = current_app.jinja_env.globals["ui"].status_label(status)  # type: ignore[attr-defined]  # our components
    return str(said.striptags())


def register() -> None:
    """Let both lists be exported."""
    for key, kind, permission, heads, rows in (
        ("workflows.runs", RUNS, Permission.RUN_READ, RUN_HEADS, run_rows),
        ("workflows.listing", WORKFLOWS, Permission.WORKFLOW_READ, WORKFLOW_HEADS, workflow_rows),
    ):
        exports.register(exports.Source(key, kind.title, permission, kind.endpoint, partial(read_filters, kind), heads, rows))

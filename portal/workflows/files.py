"""The lists of workflows as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import current_app
from markupsafe import Markup

from portal.core.access import Permission
from portal.core.ids import as_uuid
from portal.core.paging import Page, read_cursor
from portal.exports import service as exports
from portal.i18n.locale import bilingual
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.workflows import explain, queries
from portal.workflows.engine.states import RunStatus

PAGE_ROWS = 1_000
RUN_HEADS = (
    _l("Workflow"), _l("Status"), _l("Started"), _l("Ended"), _l("Duration in seconds"), _l("Started by"), _l("Run"),
)  # fmt: skip


def read_run_filters(given: Mapping[str, str]) -> dict[str, Any]:
    """Read the filters of the runs list; what is not known means no filter."""
    status = given.get("status") or None
    return {"status": status if status in set(RunStatus) else None, "workflow": _id(given, "workflow"), "by": _id(given, "by")}


def _id(given: Mapping[str, str], name: str) -> str | None:
    found = as_uuid(given.get(name))
    return str(found) if found else None


def run_rows(tenant_id: UUID, filters: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Give every run that matches, newest first, read in pages."""
    after: str | None = None
    while True:
        page = Page(after=read_cursor(after), limit=PAGE_ROWS)
        listing = queries.list_runs(
            tenant_id,
            status=filters.get("status"),
            workflow_id=as_uuid(filters.get("workflow")),
            person_id=as_uuid(filters.get("by")),
            page=page,
        )
        names = identity.names_of(row.executed_by for row in listing.items if row.executed_by)
        for row in listing.items:
            run = explain.run_row(row, names)
            took_s = None if run.duration_ms is None else round(run.duration_ms / 1000, 3)
            yield bilingual(run), _status(run.status), run.started_at, run.completed_at, took_s, run.executed_by_name, str(run.id)
        after = listing.next_cursor
        if after is None:
            return


def _status(status: str) -> str:
    said: Markup = current_app.jinja_env.globals["ui"].status_label(status)  # type: ignore[attr-defined]  # our components
    return str(said.striptags())


def register() -> None:
    """Let the runs list be exported."""
    exports.register(
        exports.Source(
            "workflows.runs", _l("Runs"), Permission.RUN_READ, "workflows.runs", read_run_filters, RUN_HEADS, run_rows
        )
    )  # fmt: skip

"""The lists of workflows as files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app
from markupsafe import Markup

from portal.core.access import Permission
from portal.exports import service as exports
from portal.i18n.locale import bilingual
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.lists.service import filing
from portal.workflows import conditions, explain, list_queries, redaction
from portal.workflows.lists import RUNS, WORKFLOWS, run_filter, workflow_filter

PAGE_ROWS = 1_000
RUN_HEADS = (
    _l("Workflow"), _l("Status"), _l("Started"), _l("Ended"), _l("Duration in seconds"), _l("Started by"), _l("Run"),
)  # fmt: skip
WORKFLOW_HEADS = (
    _l("Name"), _l("State"), _l("Version"), _l("Last run"), _l("Last run at"), _l("Changed"), _l("Workflow"),
)  # fmt: skip


def run_rows(tenant_id: UUID, filters: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Give every run that matches, sorted as the page was, read in pages."""
    state = filing.state_of(RUNS, filters)
    wanted, kind = run_filter(tenant_id, filing.reader_of(filters), state.filters), list_queries.run_sorts()[state.sort_name].kind
    for rows in filing.pages(
        lambda place: list_queries.list_runs(tenant_id, wanted=wanted, sort=state.sort, place=place, limit=PAGE_ROWS), kind
    ):
        names = identity.names_of(row.executed_by for row in rows if row.executed_by)
        asked = list_queries.values_of_runs(tenant_id, [row.id for row in rows], wanted.values) if wanted.values else {}
        for row in rows:
            more = [_plain(each) for each in asked.get(row.id, ())]
            run = explain.run_row(row, names)
            took_s = None if run.duration_ms is None else round(run.duration_ms / 1000, 3)
            yield bilingual(run), _status(run.status), run.started_at, run.completed_at, took_s, run.executed_by_name, str(run.id), *more


def run_heads(filters: dict[str, Any]) -> list[str]:
    """Return the fields that the list is searched by: each is a column of its own."""
    return [conditions.read(each).written for each in filing.state_of(RUNS, filters).filters.get("where", ())]


def _plain(value: Any) -> Any:
    """Return a value of a run as a cell: dots for what is sealed, JSON for what holds more than one."""
    shown = redaction.shown(value)
    return json.dumps(shown, ensure_ascii=False) if isinstance(shown, dict | list | bool) else shown


def workflow_rows(tenant_id: UUID, filters: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """Give every workflow that matches, sorted as the page was, read in pages."""
    state = filing.state_of(WORKFLOWS, filters)
    wanted, kind = workflow_filter(state.filters), list_queries.workflow_sorts()[state.sort_name].kind
    for rows in filing.pages(lambda place: list_queries.list_workflows(tenant_id, wanted=wanted, sort=state.sort, place=place), kind):
        for row in rows:
            found = explain.workflow_row(row)
            said = _l("Paused") if not row.is_active else _l("Draft") if row.published_number is None else _l("Published")
            last = _status(row.status) if row.run_id else None
            yield bilingual(found), str(said), row.published_number, last, row.run_at, row.updated_at, str(row.id)


def _status(status: str) -> str:
    said: Markup = current_app.jinja_env.globals["ui"].status_label(status)  # type: ignore[attr-defined]  # our components
    return str(said.striptags())


def register() -> None:
    """Let both lists be exported."""
    for key, kind, permission, heads, rows, more in (
        ("workflows.runs", RUNS, Permission.RUN_READ, RUN_HEADS, run_rows, run_heads),
        ("workflows.listing", WORKFLOWS, Permission.WORKFLOW_READ, WORKFLOW_HEADS, workflow_rows, None),
    ):
        exports.register(exports.Source(key, kind.title, permission, kind.endpoint, partial(filing.kept_of, kind), heads, rows, more))

"""What the palette finds of workflows: their pages, each by its names, runs by id, and people by the runs they started."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import url_for

from portal.core.access import Permission, access
from portal.core.errors import NotFound
from portal.core.palette import Entry, Kind, entry
from portal.i18n.formats import datetime
from portal.i18n.locale import bilingual
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.workflows import queries

LIMIT = 20
# Shorter beginnings of an id are words as often as ids, and would fit every run of the same hour.
SHORTEST_ID = 6
HEX = frozenset("0123456789abcdef")


def find(text: str) -> Iterable[Entry]:
    """Give what the person may see of workflows and runs for a folded text."""
    here = access()
    if here.can(Permission.RUN_READ):
        yield entry(Kind.PAGE, _l("Home"), "house", url_for("home.show"))
    if here.can(Permission.WORKFLOW_READ):
        yield entry(Kind.PAGE, _l("Workflows"), "workflow", url_for("workflows.listing"))
    if here.can(Permission.RUN_READ):
        yield entry(Kind.PAGE, _l("Runs"), "activity", url_for("workflows.runs"))
    if here.can(Permission.WORKFLOW_EDIT):
        yield entry(Kind.ACTION, _l("New workflow"), "plus", url_for("workflows.new"), also=_l("Add"))
    if text and here.can(Permission.WORKFLOW_READ):
        yield from map(_workflow, queries.find_workflows(here.tenant_id, text, limit=LIMIT))
    if text and here.can(Permission.RUN_READ):
        yield from (_run(row) for row in _runs_of_id(here.tenant_id, text))
        yield from map(_person, identity.find_members(here.tenant_id, text))


def recall_workflow(workflow_id: UUID) -> Entry | None:
    """Give the entry of one workflow."""
    here = access()
    try:
        return _workflow(queries.get_workflow(here.tenant_id, workflow_id)) if here.can(Permission.WORKFLOW_READ) else None
    except NotFound:
        return None


def recall_run(run_id: UUID) -> Entry | None:
    """Give the entry of one run."""
    here = access()
    rows = queries.find_runs(here.tenant_id, run_id, run_id, limit=1) if here.can(Permission.RUN_READ) else []
    return _run(rows[0], _("Run of %(workflow)s", workflow=bilingual(rows[0]))) if rows else None


def _runs_of_id(tenant_id: UUID, text: str) -> list[Any]:
    """Return the runs whose id begins with the text, which may be cut anywhere."""
    digits = text.replace("-", "").replace(" ", "")
    if not SHORTEST_ID <= len(digits) <= 32 or not set(digits) <= HEX:
        return []
    return queries.find_runs(tenant_id, UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")), limit=5)


def _workflow(row: Any) -> Entry:
    url = url_for("workflows.detail", workflow_id=row.id)
    return Entry(Kind.WORKFLOW, bilingual(row), "workflow", url, words=(row.name, row.name_ar or ""))


def _run(row: Any, label: str = "") -> Entry:
    about = datetime(row.created_at) if label else f"{bilingual(row)} · {datetime(row.created_at)}"
    url = url_for("workflows.run", run_id=row.id)
    return Entry(Kind.RUN, label or str(row.id), "activity", url, about=about, words=(row.id.hex,), is_technical=not label)


def _person(row: Any) -> Entry:
    url = url_for("workflows.runs", by=row.id)
    return Entry(Kind.PERSON, bilingual(row), "user", url, about=_("Runs started by this person"), words=(row.name, row.name_ar or ""))

"""The home page and the first steps on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for

from portal.core import clock
from portal.core.access import Access, Permission, access, requires
from portal.core.render import is_fragment_request, render, see_other, toast
from portal.i18n import zones
from portal.i18n.reader import current
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.workflows import explain, list_queries, people
from portal.workflows.home import board, onboarding, periods, queries

bp = Blueprint("home", __name__)

SHOWN = 4
RECENT = 6
STALE = timedelta(days=30)  # a failure that nobody retried for this long is history, not work


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for this person: its kind, how many there are, and the first of them."""

    kind: str
    total: int
    rows: list[Any]


@bp.get("/home")
@requires(Permission.RUN_READ)
def show() -> Response:
    here = access()
    zone = current().preferences.timezone
    period, is_known = periods.read(request.args.get("period"))
    window = periods.window(period, now=clock.now(), zone=ZoneInfo(zone))
    recent = list_queries.list_runs(here.tenant_id, limit=RECENT).items
    names = identity.names_of(row.executed_by for row in recent if row.executed_by)
    return render(
        "home/show.html",
        fragment="overview",
        period=period,
        is_known=is_known,
        is_swapped=is_fragment_request(),
        board=board.make(here.tenant_id, window, zone=zone, link=_runs_of),
        zone=zones.name_of(zone, current().tag),
        needs=_needs(here),
        recent=[explain.run_row(row, names) for row in recent],
        edited=queries.last_edited(here.tenant_id, limit=RECENT),
        first_steps=onboarding.checklist(here.tenant_id, has_language=here.locale is not None)
        if here.can(Permission.WORKFLOW_EDIT)
        else None,
        can_edit=here.can(Permission.WORKFLOW_EDIT),
    )


def _runs_of(workflow_id: UUID, status: str) -> str:
    return url_for("workflows.runs", workflow=workflow_id, status=status)


def _needs(here: Access) -> list[Need]:
    """Gather what waits for this person: operators answer for every run, members for their own, readers for none."""
    kinds: list[tuple[str, list[Any]]] = []
    if here.can(Permission.TASK_DECIDE):
        kinds.append(
            ("task", queries.tasks_of(here.tenant_id, people.names_for(here.tenant_id, here.person_id), here.person_id, limit=SHOWN))
        )
    if here.can(Permission.RUN_START):
        person_id = None if here.can(Permission.RUN_OPERATE) else here.person_id
        kinds.append(("doubt", queries.runs_in_doubt(here.tenant_id, person_id=person_id, limit=SHOWN)))
        kinds.append(("failed", queries.failed_runs(here.tenant_id, since=clock.now() - STALE, person_id=person_id, limit=SHOWN)))
    if here.can(Permission.WORKFLOW_PUBLISH):
        kinds.append(("draft", queries.unpublished_drafts(here.tenant_id, limit=SHOWN)))
    return [Need(kind, rows[0].total, [_told(row) for row in rows]) for kind, rows in kinds if rows]


def _told(row: Any) -> dict[str, Any]:
    """Return a row with the reason of its failure in words."""
    told = dict(row._mapping)
    if "error" in told:
        told["reason"] = explain.explain_error(told["error"])
    return told


@bp.post("/home/first-steps/dismiss")
@requires(Permission.WORKFLOW_EDIT)
def dismiss() -> Response:
    here = access()
    onboarding.dismiss(here.tenant_id, by=here.actor)
    toast(_("The first steps are put away. They can be shown again at the end of this page."))
    return see_other(url_for("home.show"))


@bp.post("/home/first-steps/resume")
@requires(Permission.WORKFLOW_EDIT)
def resume() -> Response:
    here = access()
    onboarding.resume(here.tenant_id, by=here.actor)
    return see_other(url_for("home.show"))

"""Versions of a workflow: read them, publish the draft, try it without any effect."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, url_for

from portal.api import bodies
from portal.core.access import Permission, access, requires
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.i18n.words import gettext as _
from portal.workflows import service as workflows
from portal.workflows.errors import DraftInvalid, NeedsApproval
from portal.workflows.versions import service as versions

bp = Blueprint("api_versions", __name__, url_prefix="/api/v1/workflows/<uuid:workflow_id>")
MOST = 100


@bp.get("/versions")
@requires(Permission.WORKFLOW_READ)
def listing(workflow_id: UUID) -> Response:
    here = access()
    _found, live = workflows.get_workflow(here.tenant_id, workflow_id)
    runs = versions.live_runs(here.tenant_id, workflow_id)
    rows = versions.list_versions(here.tenant_id, workflow_id, limit=MOST)
    return bodies.answer({"items": [_row(row, live.id if live else None, runs) for row in rows]})


@bp.get("/versions/<int:number>")
@requires(Permission.WORKFLOW_READ)
def detail(workflow_id: UUID, number: int) -> Response:
    here = access()
    _found, live = workflows.get_workflow(here.tenant_id, workflow_id)
    row, version = versions.get_version(here.tenant_id, workflow_id, number)
    runs = versions.live_runs(here.tenant_id, workflow_id)
    return bodies.answer({**_row(row, live.id if live else None, runs), "steps": version.nodes, "settings": version.settings})


@bp.post("/versions")
@requires(Permission.WORKFLOW_PUBLISH)
def publish(workflow_id: UUID) -> Response:
    here = access()
    found, live = workflows.get_workflow(here.tenant_id, workflow_id)
    if workflows.uses_connections(found.nodes) and not here.can(Permission.CONNECTION_USE):
        raise Forbidden
    try:
        number = workflows.publish_version(here.tenant_id, workflow_id, by=here.actor)
    except NeedsApproval:
        raise Conflict(_("Your organisation lets nobody publish alone. Ask for it in the portal.")) from None
    except DraftInvalid as refused:
        problems = {
            f"{each.step or 'start'}.{each.field}" if each.field else each.step or "start": str(each.message) for each in refused.problems
        }
        raise Invalid(problems) from None
    is_new = live is None or live.number != number
    url = url_for("api_versions.detail", workflow_id=workflow_id, number=number)
    return bodies.answer({"number": number, "url": url, "is_new": is_new}, 201 if is_new else 200, Location=url)


@bp.post("/dry-runs")
@requires(Permission.WORKFLOW_EDIT)
def dry_run(workflow_id: UUID) -> Response:
    here, body = access(), bodies.read_object()
    given, answers = (body.get(name, {}) for name in ("input", "answers"))
    wrong = {name: _("Send a JSON object.") for name, value in (("input", given), ("answers", answers)) if not isinstance(value, dict)}
    if wrong:
        raise Invalid(wrong)
    number = body.get("version")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        raise Invalid({"version": _("Send a number.")})
    which = "draft" if number is None else str(number)
    may_read = here.can(Permission.RUN_READ)
    said = {str(key): str(value) for key, value in answers.items()}
    try:
        trial_id, result = versions.dry_run(here.tenant_id, workflow_id, which, given=given, answers=said, may_read=may_read, by=here.actor)
    except DraftInvalid as refused:
        raise Invalid({each.step or "start": str(each.message) for each in refused.problems}) from None
    except Invalid as refused_input:
        raise Invalid({f"input.{key}": text for key, text in refused_input.problems.items()}) from None
    return bodies.answer({"id": str(trial_id), **result})


def _row(row: Any, live: UUID | None, runs: dict[UUID, int]) -> dict[str, Any]:
    return {
        "number": row.number,
        "name": row.label,
        "name_ar": row.label_ar,
        "note": row.note,
        "is_live": row.id == live,
        "running": runs.get(row.id, 0),
        "author": str(row.author_id) if row.author_id else None,
        "created_at": row.created_at,
    }

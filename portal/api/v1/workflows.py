"""Workflows: read them, start runs of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.api import bodies
from portal.core.access import Permission, access, requires
from portal.core.errors import Conflict, Invalid, NotFound
from portal.i18n.words import gettext as _
from portal.workflows import service as workflows
from portal.workflows.errors import NotPublished
from portal.workflows.exchange import service as exchange
from portal.workflows.exchange.errors import FileRefused
from portal.workflows.triggers import service as triggers
from portal.workflows.triggers.errors import KeyUsed

bp = Blueprint("api_workflows", __name__, url_prefix="/api/v1/workflows")
LONGEST_KEY = 200


@bp.get("")
@requires(Permission.WORKFLOW_READ)
def listing() -> Response:
    place, limit = bodies.page_asked("time")
    found = workflows.list_workflows(access().tenant_id, place=place, limit=limit)
    return bodies.answer_page([_row(row) for row in found.items], found)


def _row(row: Any) -> dict[str, Any]:
    last = {"id": str(row.run_id), "status": row.status, "created_at": row.run_at} if row.run_id else None
    return {
        "id": str(row.id),
        "name": row.name,
        "name_ar": row.name_ar,
        "is_active": row.is_active,
        "version": row.published_number,
        "updated_at": row.updated_at,
        "last_run": last,
    }


@bp.get("/<uuid:workflow_id>")
@requires(Permission.WORKFLOW_READ)
def detail(workflow_id: UUID) -> Response:
    found, live = workflows.get_workflow(access().tenant_id, workflow_id)
    return bodies.answer(
        {
            "id": str(found.id),
            "name": found.name,
            "name_ar": found.name_ar,
            "description": found.description,
            "description_ar": found.description_ar,
            "is_active": found.is_active,
            "version": live.number if live else None,
            "inputs": live.settings.get("inputs", []) if live else [],
            "created_at": found.created_at,
            "updated_at": found.updated_at,
        }
    )


@bp.post("/<uuid:workflow_id>/runs")
@requires(Permission.RUN_START)
def start(workflow_id: UUID) -> Response:
    here, body = access(), bodies.read_object()
    given = body.get("input", {})
    if not isinstance(given, dict):
        raise Invalid({"input": _("Send a JSON object.")})
    if wrong := [key for key, value in given.items() if isinstance(value, dict | list)]:
        raise Invalid({f"input.{key}": _("Send a text, a number, true or false.") for key in wrong[:20]})
    priority = body.get("priority")
    if priority is not None and (isinstance(priority, bool) or priority not in (1, 2, 3, 4, 5)):
        raise Invalid({"priority": _("Send a whole number from 1, which comes first, to 5.")})
    key = _key()
    try:
        run_id, is_new = triggers.start_by_person(
            here.tenant_id, workflow_id, "api", given=given, by=here.actor, key=key, is_strict=True, priority=priority
        )
    except KeyUsed:
        raise Invalid({"Idempotency-Key": _("This key came with other inputs before. Give each start a key of its own.")}) from None
    except NotPublished:
        raise Conflict(_("Publish the workflow first, then it can run.")) from None
    except Invalid as wrong_input:
        raise Invalid({f"input.{key}": text for key, text in wrong_input.problems.items()}) from None
    url = url_for("api_runs.detail", run_id=run_id)
    return bodies.answer({"id": str(run_id), "url": url, "is_new": is_new}, 202, Location=url)


@bp.post("/import")
@requires(Permission.WORKFLOW_EDIT)
def bring_in() -> Response:
    here = access()
    request.max_content_length = exchange.LARGEST_REQUEST
    try:
        found = exchange.bring_in(
            here.tenant_id, request.get_data(), may_use_connections=here.can(Permission.CONNECTION_USE), by=here.actor
        )
    except FileRefused as refused:
        raise Invalid({str(number): str(problem) for number, problem in enumerate(refused.problems)}) from None
    items = [
        {"id": str(each.id), "url": url_for("api_workflows.detail", workflow_id=each.id), **exchange.told(each.report)} for each in found
    ]
    location = {"Location": items[0]["url"]} if len(items) == 1 else {}
    return bodies.answer({"items": items}, 201, **location)


@bp.get("/<uuid:workflow_id>/import")
@requires(Permission.WORKFLOW_READ)
def import_report(workflow_id: UUID) -> Response:
    found = exchange.report_of(access().tenant_id, workflow_id)
    if found is None:
        raise NotFound
    return bodies.answer(exchange.told(found))


@bp.get("/<uuid:workflow_id>/export")
@requires(Permission.WORKFLOW_EDIT)
def export(workflow_id: UUID) -> Response:
    here = access()
    asked = request.args.get("version", "")
    if asked and not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
        raise Invalid({"version": _("Send a number.")})
    _name, content = exchange.send_out(here.tenant_id, workflow_id, version=int(asked) if asked else None, by=here.actor)
    made = Response(content, mimetype="application/json")
    made.headers["Cache-Control"] = "no-store"
    made.vary.update(("Authorization", "Accept-Language"))
    return made


def _key() -> str | None:
    """Return the key under which the run is started: the same key of the same person starts one run of a workflow."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        return None
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Invalid({"Idempotency-Key": _("Use at most 200 printable ASCII characters.")})
    return key

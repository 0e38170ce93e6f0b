"""What the caller of a webhook hears: the address of the run at once, or what the run says within some seconds."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

from flask import Response, url_for

from portal.core import db
from portal.core.errors import PortalError
from portal.i18n.words import gettext as _
from portal.workflows import expressions, payloads, redaction
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.redaction import Secrets
from portal.workflows.streams import hub
from portal.workflows.triggers import queries

LOOK_S = 0.5


class RunFailed(PortalError):
    """The run that should have answered failed first."""

    status = 500
    code = "run_failed"


def accepted(run_id: UUID) -> Response:
    """Say that a run was accepted, and where it is."""
    url = url_for("api_runs.detail", run_id=run_id)
    return _json({"id": str(run_id), "url": url}, 202, Location=url)


def ignored() -> Response:
    """Say that what arrived starts nothing here."""
    return _json({"ignored": True}, 200)


def answered(tenant_id: UUID, run_id: UUID, *, wait_s: float) -> Response:
    """Wait for what the run says, holding neither a transaction nor a worker; after that time, say where the run is.

    Raises:
        RunFailed: it ended badly without having said anything.
    """
    end = time.monotonic() + wait_s
    if answer := _look(tenant_id, run_id):
        return answer
    bell = hub.join(str(run_id))
    if bell is None:
        return accepted(run_id)  # as many wait as may: pages must stay served
    try:
        while (left := end - time.monotonic()) > 0:
            bell.clear()
            if answer := _look(tenant_id, run_id):
                return answer
            bell.wait(min(left, LOOK_S))
    finally:
        hub.leave(str(run_id), bell)
    return accepted(run_id)


def _look(tenant_id: UUID, run_id: UUID) -> Response | None:
    with db.unit_of_work(tenant_id):
        row = queries.answer_of(tenant_id, run_id)
        output = redaction.opened(tenant_id, payloads.read_one(tenant_id, row.output), Secrets())
    if row.output is not None:
        return said(output)
    if row.status not in RUN_ENDED:
        return None
    if row.status != "succeeded":
        raise RunFailed(_("The run ended without an answer."))
    return _json({"id": str(run_id), "status": row.status}, 200, Location=url_for("api_runs.detail", run_id=run_id))


def said(output: dict[str, Any]) -> Response:
    """Answer with what a step “Answer the caller” says."""
    kind, body = output["type"], output["body"]
    text = json.dumps(body, ensure_ascii=False) if kind == "application/json" and not _is_json(body) else expressions.as_text(body)
    made = Response(text, int(output["status"]), mimetype=kind)
    made.headers["Cache-Control"] = "no-store"
    for name, value in output["headers"].items():
        made.headers[name] = value
    # Whatever the workflow says is data of a caller, never a page of ours.
    made.headers["Content-Disposition"] = "attachment"
    return made


def _is_json(body: Any) -> bool:
    """A text that is JSON already is sent as it stands; any other value is written as JSON."""
    if not isinstance(body, str):
        return False
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _json(body: dict[str, Any], status: int, **headers: str) -> Response:
    made = Response(json.dumps(body), status, mimetype="application/json")
    made.headers["Cache-Control"] = "no-store"
    for name, value in headers.items():
        made.headers[name] = value
    return made

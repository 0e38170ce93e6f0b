"""Health, for load balancers and `make run`."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from portal.core.access import public
from portal.ops import health

bp = Blueprint("ops", __name__)


@bp.get("/health/live")
@public("asked by the platform; says only that the process answers")
def live() -> Response:
    return jsonify(status="ok")


@bp.get("/health/ready")
@public("asked by the platform; says only which part is ready")
def ready() -> Response:
    found = health.look()
    ok = all(each.ok for each in found)
    answer = jsonify(status="ok" if ok else "not ready", checks={each.name: {"ok": each.ok, "ms": each.took_ms} for each in found})
    answer.status_code = 200 if ok else 503
    answer.headers["Cache-Control"] = "no-store"
    return answer

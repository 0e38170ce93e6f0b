"""The staff screens at the start: who is staff, their routes."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request, session, url_for

from portal.admin import entries, queries
from portal.admin.views import SEEN, bp
from portal.core import access, frame, palette
from portal.core.render import see_other


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    access.know_staff(queries.is_staff)
    palette.provide(entries.find, place=9)
    app.before_request(lead_staff_home)
    frame.offer(frame.Fact("announced", queries.ANNOUNCED_SQL, _announced, ()))


def lead_staff_home() -> Response | None:
    """Staff belong to no organisation: their home is their own."""
    return see_other(url_for("admin.home")) if request.path in ("/", "/home") and access.is_staff() else None


def _announced(found: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """What the house tells everybody who is signed in, but what they have put away."""
    put_away = session.get(SEEN, [])
    return [each for each in found or () if each["id"] not in put_away]

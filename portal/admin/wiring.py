"""The staff screens at the start: who is staff, their routes."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, request, session, url_for

from portal.admin import entries, queries
from portal.admin.views import SEEN, bp
from portal.core import access, palette
from portal.core.render import is_fragment_request, see_other


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    access.know_staff(queries.is_staff)
    palette.provide(entries.find, place=9)
    app.before_request(lead_staff_home)
    app.context_processor(tell_pages)


def lead_staff_home() -> Response | None:
    """Staff belong to no organisation: their home is their own."""
    return see_other(url_for("admin.home")) if request.path in ("/", "/home") and access.is_staff() else None


def tell_pages() -> dict[str, Any]:
    """`announced`: what the house tells everybody who is signed in, but what they have put away; for whole pages."""
    if access.current() is None or is_fragment_request():
        return {"announced": []}
    put_away = session.get(SEEN, [])
    return {"announced": [row for row in queries.announced_now() if str(row.id) not in put_away]}

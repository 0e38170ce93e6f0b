"""The bell at the start: its routes, and the count that every page shows."""

from __future__ import annotations

from typing import Any

from flask import Flask

from portal.core import access, palette
from portal.core.render import is_fragment_request
from portal.notifications import entries, listeners, queries  # noqa: F401 - importing registers the listeners
from portal.notifications.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.context_processor(count_unread)
    palette.provide(entries.find, place=3)


def count_unread() -> dict[str, Any]:
    """`unread_count`: asked only for whole pages, because fragments do not show the bell."""
    here = access.current()
    if here is None or is_fragment_request():
        return {"unread_count": 0}
    return {"unread_count": queries.unread_count(here.tenant_id, here.person_id)}

"""The bell at the start: its routes, and the count that every page shows."""

from __future__ import annotations

from flask import Flask

from portal.core import frame, palette
from portal.notifications import entries, listeners, queries
from portal.notifications.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    frame.offer(frame.Fact("unread_count", queries.UNREAD_SQL, int, 0))
    palette.provide(entries.find, place=3)

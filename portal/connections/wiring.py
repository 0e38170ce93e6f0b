"""Connections at the start: routes, their place in the settings, what the palette finds."""

from __future__ import annotations

from flask import Flask

from portal.connections import entries
from portal.connections.views import bp
from portal.core import palette, places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    palette.provide(entries.find, place=3)
    note = _l("How workflows reach other systems, with secrets that nobody sees.")
    places.offer(
        Place("organisation", _l("Connections"), "connections.listing", "plug", 35, Permission.CONNECTION_READ, note, "connections.")
    )

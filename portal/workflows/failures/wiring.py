"""Failed runs at the start: routes, the list, what the palette finds."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, url_for

from portal.core import palette
from portal.core.access import Permission, access
from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.failures import lists
from portal.workflows.failures.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    lists.register()
    palette.provide(find, place=1)


def find(_text: str) -> Iterable[Entry]:
    """Give the page of failed runs."""
    if access().can(Permission.RUN_READ):
        yield entry(Kind.PAGE, _l("Failed runs"), "circle-x", url_for("failures.listing"))

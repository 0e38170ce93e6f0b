"""The shell at the start: its routes and its own entries of the palette."""

from __future__ import annotations

from typing import Any

from flask import Flask

from portal.core import palette, places
from portal.core.access import current
from portal.core.render import is_fragment_request
from portal.i18n.words import gettext as _
from portal.shell import entries
from portal.shell.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.context_processor(tell_places)
    palette.provide(entries.find, place=7)


def tell_places() -> dict[str, Any]:
    """`settings_places`: the pages of settings in their groups, for whole pages."""
    here = current()
    if here is None or is_fragment_request():
        return {"settings_places": []}
    headings = {"you": _("You"), "organisation": _("Your organisation")}
    return {"settings_places": [(heading, list(places.offered(group))) for group, heading in headings.items()]}

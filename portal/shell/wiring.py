"""The shell at the start: its routes and its own entries of the palette."""

from __future__ import annotations

from typing import Any

from flask import Flask

from portal.core import frame, palette, places
from portal.core.access import current
from portal.core.places import Place
from portal.core.render import is_fragment_request
from portal.i18n.words import gettext as _
from portal.shell import entries
from portal.shell.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.context_processor(tell_pages)
    palette.provide(entries.find, place=7)


def tell_pages() -> dict[str, Any]:
    """The facts of the frame, for whole pages, and `settings_places()` for the pages of settings."""
    here = current()
    facts = frame.without() if here is None or is_fragment_request() else frame.facts(here.tenant_id, here.person_id)
    return {"settings_places": settings_places, **facts}


def settings_places() -> list[tuple[str, list[Place]]]:
    """Return the pages of settings in their groups."""
    headings = {"you": _("You"), "organisation": _("Your organisation")}
    return [(heading, list(places.offered(group))) for group, heading in headings.items()]

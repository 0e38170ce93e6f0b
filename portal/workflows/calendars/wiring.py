"""Calendars at the start: routes, and their place in the settings."""

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.calendars.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    places.offer(
        Place(
            "organisation", _l("Calendars"), "calendars.listing", "calendar", 40, permission=Permission.WORKFLOW_READ,
            note=_l("Working days and hours, and holidays, for deadlines."), prefix="calendars.",
        )
    )  # fmt: skip

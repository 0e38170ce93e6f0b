"""Support at the start: its routes and its place in the settings."""

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.support.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    note = _l("Let the staff of Nasij look for a few hours, and watch them do it.")
    places.offer(
        Place(
            "organisation",
            _l("Support"),
            "support.show",
            "life-buoy",
            95,
            permission=Permission.SUPPORT_GRANT,
            note=note,
            prefix="support.",
        )
    )

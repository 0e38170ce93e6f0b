"""Keeping of runs at the start: routes, and their place in the settings."""

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.history.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    places.offer(
        Place(
            "organisation", _l("Keeping runs"), "retention.show", "clock", 45, permission=Permission.RUN_READ,
            note=_l("How long runs are kept, and legal holds."), prefix="retention.show",
        )
    )  # fmt: skip

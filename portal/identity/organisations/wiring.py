"""Organisations at the start: routes, listeners, and their places in the settings."""

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.organisations import listeners
from portal.identity.organisations.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    note = _l("The organisations you belong to: go to one, or leave it.")
    places.offer(Place("you", _l("Your organisations"), "organisations.mine", "building-2", 90, note=note))
    places.offer(
        Place(
            "organisation", _l("Organisation"), "organisations.edit", "store", 10, permission=Permission.TENANT_EDIT,
            note=_l("Its names and time zone, and how it is closed."), prefix="organisations.edit",
        )
    )  # fmt: skip

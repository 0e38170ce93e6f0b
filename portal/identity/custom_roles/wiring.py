"""An organisation's own roles at the start: routes, and their place in the settings."""

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.custom_roles.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    places.offer(
        Place(
            "organisation", _l("Roles"), "custom_roles.listing", "key-round", 30, permission=Permission.MEMBER_READ,
            note=_l("What each role may do, and roles of your own."), prefix="custom_roles.",
        )
    )  # fmt: skip

"""Groups at the start: routes, and their place in the settings."""

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.groups.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    places.offer(
        Place(
            "organisation", _l("Groups"), "groups.listing", "users", 25, permission=Permission.MEMBER_READ,
            note=_l("Named sets of members, for tasks and messages."), prefix="groups.",
        )
    )  # fmt: skip

"""Members at the start: routes, and their place in the settings."""

from flask import Flask

from portal.core import palette, places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.members import entries
from portal.identity.members.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    palette.provide(entries.find, place=8)
    places.offer(
        Place(
            "organisation", _l("Members"), "members.listing", "user", 20, permission=Permission.MEMBER_READ,
            note=_l("Who belongs to the organisation, their roles, and invitations."), prefix="members.",
        )
    )  # fmt: skip

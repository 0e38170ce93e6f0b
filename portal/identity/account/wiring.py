"""The account at the start: its routes, and its places in the settings."""

from flask import Flask

from portal.core import places
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.account.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    places.offer(Place("you", _l("Password"), "account.password", "key-round", 20, note=_l("Choose another password.")))
    note = _l("Where you are signed in. Sign out what you do not know.")
    places.offer(Place("you", _l("Devices"), "account.devices", "monitor-smartphone", 40, note=note))

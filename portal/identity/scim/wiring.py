"""SCIM at the start: routes, and its place in the settings."""

from __future__ import annotations

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.scim import settings, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(settings.bp)
    note = _l("Let your directory add and remove members.")
    places.offer(Place("organisation", _l("Provisioning"), "scim_settings.show", "users", 45, Permission.SSO_EDIT, note))

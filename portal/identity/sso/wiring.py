"""Single sign-on at the start: routes, the job, and its place in the settings."""

from __future__ import annotations

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.identity.sso import jobs, settings, views
from portal.identity.sso.saml import settings as saml_settings
from portal.identity.sso.saml import views as saml


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(settings.bp)
    app.register_blueprint(saml.bp)
    app.register_blueprint(saml_settings.bp)
    note = _l("Sign in with the accounts of your organisation; prove its domains.")
    places.offer(
        Place("organisation", _l("Single sign-on"), "sso_settings.listing", "log-in", 40, Permission.SSO_EDIT, note, "sso_settings")
    )

"""Fairness at the start: its page and its place in the settings."""

from flask import Flask

from portal.core import places
from portal.core.access import Permission
from portal.core.places import Place
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.fairness.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    places.offer(
        Place(
            "organisation", _l("Fair share"), "fairness.show", "chart-column", 60, permission=Permission.TENANT_EDIT,
            note=_l("Your share of the workers, and how long your runs waited for others."),
        )
    )  # fmt: skip

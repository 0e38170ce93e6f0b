"""Exports at the start: routes and the job."""

from __future__ import annotations

from flask import Flask

from portal.core import flags, palette
from portal.core.flags import Flag
from portal.exports import entries, jobs
from portal.exports.views import bp
from portal.i18n.words import lazy_gettext as _l


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    palette.provide(entries.find, place=4)
    flags.declare(Flag("exports", _l("Exports"), _l("Nobody can ask for a file.")))

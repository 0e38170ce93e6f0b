"""Exports at the start: routes and the job."""

from __future__ import annotations

from flask import Flask

from portal.exports import jobs  # noqa: F401 - importing registers them
from portal.exports.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

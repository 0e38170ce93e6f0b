"""Lists at the start: routes and the job."""

from __future__ import annotations

from flask import Flask

from portal.lists import jobs, listeners
from portal.lists.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

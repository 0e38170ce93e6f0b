"""Files of workflows at the start: their pages."""

from __future__ import annotations

from flask import Flask

from portal.workflows.exchange import views


def init_app(app: Flask) -> None:
    app.before_request(views.allow_files)
    app.register_blueprint(views.bp)

"""The gallery at the start: its pages."""

from __future__ import annotations

from flask import Flask

from portal.workflows.gallery.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

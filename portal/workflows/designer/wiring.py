"""The designer at the start: its routes."""

from __future__ import annotations

from flask import Flask

from portal.workflows.designer import map_views, sample_views, several_views, views
from portal.workflows.designer.answers import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

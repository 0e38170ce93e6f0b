"""Pages of runs at the start: their routes, in one blueprint with those of workflows."""

from __future__ import annotations

from flask import Flask

from portal.workflows.runs import acting, comparison_views, downloads, views
from portal.workflows.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

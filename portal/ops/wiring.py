"""Health at the start: its routes."""

from flask import Flask

from portal.ops.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

"""Registration at the start: its routes."""

from flask import Flask

from portal.identity.registration.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

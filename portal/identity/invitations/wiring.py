"""Invitations at the start: their routes."""

from flask import Flask

from portal.identity.invitations.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)

"""Triggers at the start: their pages, the addresses outside, their listeners."""

from __future__ import annotations

from flask import Flask

from portal.workflows.triggers import listeners, outside, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(outside.bp)

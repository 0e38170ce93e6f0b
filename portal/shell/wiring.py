"""The shell at the start: its routes and its own entries of the palette."""

from __future__ import annotations

from flask import Flask

from portal.core import palette
from portal.shell import entries
from portal.shell.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    palette.provide(entries.find, place=7)

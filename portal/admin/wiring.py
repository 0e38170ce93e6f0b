"""The staff screens at the start: who is staff, their routes."""

from __future__ import annotations

from flask import Flask

from portal.admin import entries, queries
from portal.admin.views import bp
from portal.core import access, palette


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    access.know_staff(queries.is_staff)
    palette.provide(entries.find, place=9)

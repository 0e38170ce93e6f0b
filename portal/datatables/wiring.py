"""Data tables at the start: their routes."""

from flask import Flask

from portal.core import palette
from portal.datatables import entries
from portal.datatables.views import bp


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    palette.provide(entries.find, place=2)
    palette.provide_recall("tables", entries.recall)

"""Workflows at the start: routes, jobs, listeners."""

from __future__ import annotations

from flask import Flask

from portal.connections import service as connections
from portal.core import palette
from portal.workflows import entries, files, jobs, listeners, lists, uses
from portal.workflows.designer import wiring as designer
from portal.workflows.exchange import wiring as exchange
from portal.workflows.fairness import wiring as fairness
from portal.workflows.gallery import wiring as gallery
from portal.workflows.history import wiring as history
from portal.workflows.home.views import bp as home
from portal.workflows.runs import wiring as runs
from portal.workflows.triggers import wiring as triggers
from portal.workflows.versions import wiring as versions


def init_app(app: Flask) -> None:
    runs.init_app(app)
    designer.init_app(app)
    app.register_blueprint(home)
    triggers.init_app(app)
    history.init_app(app)
    fairness.init_app(app)
    versions.init_app(app)
    gallery.init_app(app)
    exchange.init_app(app)
    files.register()
    palette.provide(entries.find, place=1)
    palette.provide_recall("workflows", entries.recall_workflow)
    palette.provide_recall("runs", entries.recall_run)
    lists.register()
    connections.know_uses(uses.uses_of_connections)
    connections.offer_scopes(uses.scopes_of_connections, uses.kinds_with_connections)

"""Versions at the start: their pages and listeners."""

from __future__ import annotations

from flask import Flask

from portal.workflows.versions import jobs, listeners, move_views, replay_views, request_views, step_views, trial_views, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(move_views.bp)
    app.register_blueprint(replay_views.bp)
    app.register_blueprint(request_views.bp)
    app.register_blueprint(trial_views.bp)
    app.register_blueprint(step_views.bp)

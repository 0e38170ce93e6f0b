"""The interface at the start: its routes."""

from __future__ import annotations

from flask import Flask

from portal.api.v1 import me, runs, signals, tokens, versions, workflows

# No cookie opens them, so nobody can make a browser send a request that counts: they need no proof against that.
BLUEPRINTS = (me.bp, workflows.bp, versions.bp, runs.bp, signals.bp, tokens.bp)


def init_app(app: Flask) -> None:
    for each in BLUEPRINTS:
        app.register_blueprint(each)

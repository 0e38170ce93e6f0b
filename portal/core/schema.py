"""The schema's way to its newest form. Apart from the application: only commands migrate, and Alembic is slow to import."""

from __future__ import annotations

from flask import Flask

from portal.core import db
from portal.core.config import ROOT


def migrate(app: Flask) -> None:
    """Bring the database to the newest schema; safe to repeat."""
    from flask_migrate import Migrate, upgrade

    Migrate(app, db)  # type: ignore[arg-type]  # our own env.py asks nothing of it
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))

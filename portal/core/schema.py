"""The schema's way to its newest form. Apart from the application: only commands migrate, and Alembic is slow to import."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask
from sqlalchemy import Connection, text

from portal.core import db
from portal.core.config import ROOT


def migrate(app: Flask) -> None:
    """Bring the database to the newest schema; safe to repeat."""
    from flask_migrate import Migrate, upgrade

    Migrate(app, db)  # type: ignore[arg-type]  # our own env.py asks nothing of it
    with app.app_context():
        upgrade(directory=str(ROOT / "migrations"))


def edit_function(connection: Connection, name: str, edits: Iterable[tuple[str, str]]) -> None:
    """Change a function of the database where it stands; its owner and who may call it stay. For migrations.

    Args:
        name: with the types of its arguments.
        edits: (as it was, as it is); each stands in it once.
    """
    written = connection.scalar(text("select pg_get_functiondef(cast(:name as regprocedure))"), {"name": name})
    for old, new in edits:
        assert written.count(old) == 1, old
        written = written.replace(old, new)
    connection.exec_driver_sql(written.replace("%", "%%"))

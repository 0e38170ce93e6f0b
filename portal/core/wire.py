"""A PostgreSQL connection that does not wait for statements whose answer nobody reads.

They are kept and sent in one go with the next statement that is read, or with the commit: one journey instead of several. Their
order stays, and what is wrong with one of them is raised by what it was sent with.
"""

from __future__ import annotations

from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus


class Connection(psycopg.Connection[Any]):
    """A connection with statements that wait to be sent."""

    joins = True  # a statement that is read travels in one go with what waited

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.cursor_factory = Cursor
        self.waiting: list[tuple[Any, Any]] = []
        self.opening: tuple[Any, Any] | None = None  # sent before the first statement of a transaction, if there is one

    @property
    def begins(self) -> bool:
        """Say whether the next statement begins a transaction, with a BEGIN before it."""
        return not self.autocommit and self.pgconn.transaction_status == TransactionStatus.IDLE

    def later(self, query: str, params: Any) -> None:
        """Send a statement with the next one."""
        self.waiting.append((query, params))

    def taken(self) -> list[tuple[Any, Any]]:
        """Return what waits, no longer waiting."""
        taken = [*([self.opening] if self.opening else []), *self.waiting]
        self.opening, self.waiting = None, []
        return taken

    def commit(self) -> None:
        if not self.waiting:
            self.opening = None
            super().commit()
            return
        if self.begins:
            self._send_as_one()
            return
        with self.pipeline():
            _send(self, self.taken())
            super().commit()

    def _send_as_one(self) -> None:
        """Send all that waits as one transaction without a BEGIN and a COMMIT: what comes before one Sync holds or fails together."""
        self.autocommit = True
        try:
            with self.pipeline():
                _send(self, self.taken())
        finally:
            if not self.closed:
                self.autocommit = False

    def rollback(self) -> None:
        self.opening, self.waiting = None, []
        super().rollback()


class TimedConnection(Connection):
    """A connection whose idle time in a transaction counts.

    PostgreSQL counts none behind what was sent in one go, so a statement that is read goes by itself, after what waited.
    """

    joins = False


class Cursor(psycopg.Cursor[Any]):
    """A cursor whose statements take along what waits on its connection."""

    def execute(self, query: Any, params: Any = None, **named: Any) -> Cursor:
        connection = cast("Connection", self.connection)
        ahead = connection.taken()
        if not ahead and not (connection.joins and connection.begins):
            return super().execute(query, params, **named)
        with connection.pipeline():
            _send(connection, ahead)
            if connection.joins:
                super().execute(query, params, **named)
                return self
        return super().execute(query, params, **named)

    def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        ahead = cast("Connection", self.connection).taken()
        with self.connection.pipeline():
            _send(self.connection, ahead)
        super().executemany(query, params_seq, returning=returning)


def _send(connection: psycopg.Connection[Any], statements: list[tuple[Any, Any]]) -> None:
    for query, params in statements:
        psycopg.Cursor(connection).execute(query, params)

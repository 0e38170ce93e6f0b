"""A PostgreSQL connection that does not wait for statements whose answer nobody reads.

They are kept and sent in one go with the next statement that is read, or with the commit: one journey instead of several. Their
order stays, and what is wrong with one of them is raised by what it was sent with.

A connection that goes ahead does not wait for the end of a transaction either, if it could be sent in one go: whoever uses the
connection next does. One transaction at most is under way so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus


class NotKept(Exception):
    """The transaction before, whose end nobody had waited for, was not kept; nothing of the one after it was sent."""


class Connection(psycopg.Connection[Any]):
    """A connection with statements that wait to be sent."""

    joins = True  # a statement that is read travels in one go with what waited
    goes_ahead = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.cursor_factory = Cursor
        self.waiting: list[tuple[Any, Any]] = []
        self.opening: tuple[Any, Any] | None = None  # sent before the first statement of a transaction, if there is one
        self._under_way: ExitStack | None = None  # a pipeline that is left once its answers are wanted
        self._after: list[Callable[[], object]] = []

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
        self.arrive()
        if not self.waiting:
            self.opening = None
            super().commit()
            return
        if self.begins:
            if self.goes_ahead:
                self._send_ahead()
            else:
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

    def _send_ahead(self) -> None:
        """Send all that waits as one transaction, and do not wait for its end."""
        self._under_way = ExitStack()
        try:
            self._under_way.enter_context(self.pipeline())
            _send(self, [*self.taken(), ("commit", None)])
        except BaseException:
            with suppress(psycopg.Error):
                self._leave()
            raise

    def after_arrival(self, call: Callable[[], object]) -> bool:
        """Call this once the transaction under way is kept, and never if it is not; False if none is under way."""
        if self._under_way is not None:
            self._after.append(call)
        return self._under_way is not None

    def arrive(self) -> None:
        """Wait for the transaction under way, if there is one.

        Raises:
            NotKept: it was not kept, or nobody knows.
        """
        if self._under_way is None:
            return
        after, self._after = self._after, []
        try:
            self._leave()
        except psycopg.Error as broken:
            self.opening, self.waiting = None, []
            raise NotKept from broken
        for call in after:
            call()

    def _leave(self) -> None:
        stack, self._under_way = self._under_way, None
        assert stack is not None
        try:
            stack.close()
        finally:
            if not self.closed and self.pgconn.transaction_status != TransactionStatus.IDLE:
                super().rollback()

    def rollback(self) -> None:
        self.opening, self.waiting = None, []
        if self._under_way is None:  # else the transaction that is rolled back has sent nothing yet
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
        connection.arrive()
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
        connection = cast("Connection", self.connection)
        connection.arrive()
        with connection.pipeline():
            _send(connection, connection.taken())
        super().executemany(query, params_seq, returning=returning)


def _send(connection: psycopg.Connection[Any], statements: list[tuple[Any, Any]]) -> None:
    for query, params in statements:
        psycopg.Cursor(connection).execute(query, params)

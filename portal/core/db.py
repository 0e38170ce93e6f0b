"""The database: one unit of work per request or job, its tenant set inside the transaction.

`transaction()` joins an open one, so verbs compose. In a request, reads run in a transaction of the request that ends
with it; the outermost `transaction()` commits and then runs what was left for after the commit.
"""

from __future__ import annotations

import json
import logging
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, CursorResult, DateTime, Engine, MetaData, Result, create_engine, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PGUUID
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from portal.core import failpoints, wire
from portal.core.config import current_settings
from portal.core.ids import new_id

log = logging.getLogger(__name__)

Json = dict[str, Any]
NAME_TENANT = "select set_config('app.tenant_id', %s, true)"

QUERY_CANCELED = "57014"

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables; aware UTC times, native UUIDs, jsonb."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain dict
        datetime: DateTime(timezone=True),
        UUID: PGUUID(as_uuid=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
        list[str]: JSONB,
    }


class TenantScoped:
    """A table whose rows belong to one tenant; its migration puts forced row-level security on it."""

    tenant_id: Mapped[UUID] = mapped_column(index=False)


class Identified:
    """A UUIDv7 primary key made in Python."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class Dated:
    """When the row was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), onupdate=func.clock_timestamp())


class OnlyTried(Exception):
    """A trial came to where something would have been written; all of it is taken back.

    Args:
        is_whole: whether the verb went through up to its commit, so that nothing is wrong with what it was given.
    """

    def __init__(self, *, is_whole: bool) -> None:
        super().__init__()
        self.is_whole = is_whole


@dataclass(slots=True)
class Unit:
    """One unit of work: a session, its tenant, and what runs after its commit.

    Args:
        trial: None for work that is meant; in a trial nothing is ever committed, and a transaction opens only if this is True.
    """

    session: Session
    tenant_id: UUID | None
    depth: int = 0
    later: list[Callable[[], object]] = field(default_factory=list)
    trial: bool | None = None
    moves: list[str] = field(default_factory=list)


_unit: ContextVar[Unit | None] = ContextVar("unit", default=None)


_looks_first = True


def trust_connections() -> None:
    """Use pooled connections without looking whether they still live: for processes that repeat what a dead one broke.

    PostgreSQL parts them from their locks when they stop in the middle of a transaction for two leases: others then go on.
    """
    global _looks_first
    _looks_first = False
    engine.cache_clear()


@lru_cache(maxsize=2)
def engine(*, system: bool = False) -> Engine:
    """Return the pool of the application role, or of the system role."""
    settings = current_settings()
    url = settings.database_system_url if system else settings.database_url
    idle = "" if _looks_first else f"-c idle_in_transaction_session_timeout={settings.lease_s * 2000:.0f}"
    given: dict[str, Any] = {
        "connect_timeout": 5,
        "prepare_threshold": 3,
        "application_name": "nasij",
        "autocommit": False,
        "options": idle,
    }
    kind = wire.Connection if _looks_first else wire.TimedConnection
    made = create_engine(
        driver_url(url),
        creator=partial(kind.connect, url, **given),
        pool_size=settings.database_pool,
        max_overflow=settings.database_pool,
        pool_timeout=10,
        pool_recycle=1800,
    )
    if _looks_first:
        event.listen(made, "checkout", _refuse_dead)
    return made


def _refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool put a new connection in the place of a dead one.

    A restarted PostgreSQL leaves dead connections in the pool; the request that meets one must not fail. The server says farewell, or the
    system does for it: a connection that waits for nothing and still has something to read is at its end. Asking the server would say
    the same, for a round trip before every request. A worker repeats each move itself (engine.runner.again), so it does not look.
    """
    looked = select.poll()
    looked.register(connection.fileno(), select.POLLIN)
    if connection.closed or looked.poll(0):
        raise DisconnectionError


def driver_url(url: str) -> str:
    """Name the driver in a `postgresql://` address."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def session() -> Session:
    """Return the session of the open unit of work.

    Raises:
        RuntimeError: no unit of work is open.
    """
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("no unit of work is open: use transaction()")
    return unit.session


_patience: ContextVar[float | None] = ContextVar("patience", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Let the transactions that begin in the block wait for a lock no longer than this; then they break with SQLSTATE 55P03."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


@contextmanager
def unit_of_work(tenant_id: UUID | None = None, *, system: bool = False) -> Iterator[Session]:
    """Open the unit of a request or job: reads inside share one transaction, rolled back at the end."""
    outer = _unit.get()
    unit = Unit(Session(engine(system=system), expire_on_commit=False), tenant_id, trial=outer.trial if outer else None)
    token = _unit.set(unit)
    if tenant_id is not None:
        _tell_tenant(unit)
    try:
        yield unit.session
    finally:
        _unit.reset(token)
        unit.session.close()


@contextmanager
def transaction(tenant_id: UUID | None = None, *, system: bool = False) -> Iterator[Session]:
    """Do one thing wholly or not at all; join the open transaction if there is one.

    The outermost one commits, then runs the `after_commit` callables. Any exception rolls all of it back.

    Args:
        tenant_id: whose rows may be seen; None joins the tenant of the open unit, or sees no tenant's rows.
        system: use the system role (dispatcher, claims); only for a unit of its own.
    """
    unit = _unit.get()
    if unit is None:
        with unit_of_work(tenant_id, system=system), transaction() as opened:
            yield opened
        return
    if tenant_id is not None and unit.tenant_id != tenant_id:
        raise RuntimeError("a unit of work cannot change its tenant")
    if unit.trial is False:
        raise OnlyTried(is_whole=False)
    unit.depth += 1
    try:
        yield unit.session
    except BaseException:
        unit.depth -= 1
        if unit.depth == 0:
            unit.session.rollback()
            unit.later.clear()
            unit.moves.clear()
            _tell_tenant(unit)
        raise
    unit.depth -= 1
    if unit.depth == 0:
        _commit(unit)


class TooSlow(Exception):
    """A read was given up, because it took longer than it may."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let no statement in the block take longer; what was read before it stays readable.

    Raises:
        TooSlow: one would have.
    """
    opened = session()
    try:
        with opened.begin_nested():
            opened.connection().exec_driver_sql(f"set local statement_timeout = {int(seconds * 1000)}")
            yield
            opened.connection().exec_driver_sql("set local statement_timeout to default")
    except OperationalError as broken:
        if getattr(broken.orig, "sqlstate", "") != QUERY_CANCELED:
            raise
        raise TooSlow from broken


@contextmanager
def each_by_itself(*, system: bool = False, move: str = "") -> Iterator[Connection]:
    """Give a connection on which each statement is a transaction of its own, outside of any unit of work.

    Args:
        move: what the statement is called where tests fail before and after it.
    """
    failpoints.hit("before", [move])
    with engine(system=system).connect() as opened:
        yield opened.execution_options(isolation_level="AUTOCOMMIT")
    failpoints.hit("after", [move])


def touched(result: Result[Any]) -> int:
    """Return how many rows an INSERT, UPDATE or DELETE wrote."""
    return cast("CursorResult[Any]", result).rowcount


def enter_tenant(tenant_id: UUID, *, is_named: bool = False) -> None:
    """Set the tenant of the open unit, once it is known from the signed-in session.

    Args:
        is_named: a query of the open transaction has already named it (`enter_membership` of the schema).
    """
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("no unit of work is open")
    unit.tenant_id = tenant_id
    if is_named:
        unit.session.info["tenant_id"] = tenant_id
    else:
        _tell_tenant(unit)


def after_commit(call: Callable[[], object]) -> None:
    """Run `call` once the open transaction has committed; never if it rolls back."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("no unit of work is open")
    unit.later.append(call)


def commits(move: str) -> None:
    """Name a move that the open transaction makes: tests fail before and after its commit (`core.failpoints`)."""
    if failpoints.armed is not None and (unit := _unit.get()) is not None:
        unit.moves.append(move)


def only_try(*, up_to_commit: bool) -> None:
    """Turn the rest of the open unit into a trial: `OnlyTried` is raised instead of a commit, or already where a transaction begins."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("no unit of work is open")
    unit.trial = up_to_commit


def trial() -> bool | None:
    """Return None for work that is meant, else whether this trial may go up to a commit."""
    unit = _unit.get()
    return unit.trial if unit is not None else None


def _commit(unit: Unit) -> None:
    if unit.trial is not None:
        unit.session.rollback()
        unit.later.clear()
        raise OnlyTried(is_whole=True)
    moves, unit.moves = unit.moves, []
    try:
        failpoints.hit("before", moves)
        unit.session.commit()
        failpoints.hit("after", moves)
    except BaseException:
        unit.session.rollback()
        unit.later.clear()
        raise
    waiting, unit.later = unit.later, []
    for call in waiting:
        # The change is committed; a lost hint may only add delay, so it must not fail the request.
        try:
            call()
        except Exception:
            log.warning("after-commit call failed", exc_info=True)
    _tell_tenant(unit)


def _tell_tenant(unit: Unit) -> None:
    """Arrange that each transaction of the unit begins by naming its tenant."""
    unit.session.info["tenant_id"] = unit.tenant_id
    if unit.session.in_transaction():
        name_tenant(unit.session, unit.tenant_id)


def name_tenant(open_session: Session, tenant_id: UUID | None) -> None:
    """Set `app.tenant_id` for the rest of the transaction."""
    open_session.connection().exec_driver_sql(NAME_TENANT, (str(tenant_id or ""),))


def write_later(connection: Connection, statement: str, values: Json) -> None:
    """Write something whose answer nobody reads: it is sent with the next statement, or with the commit, whose error it then is."""
    driver(connection).later(statement, values)


NOT_AS_KNOWN = "NA001"  # what `must` of the schema raises
KEY_VIOLATIONS = "23"
_optimistic: ContextVar[bool] = ContextVar("optimistic", default=False)


class Mistaken(Exception):
    """What an optimistic transaction relied on does not hold; nothing of it was kept."""


@contextmanager
def optimistic() -> Iterator[None]:
    """Let the transactions of the block rely on what is known without reading it again, and write without waiting for the answer.

    What they write says what must hold (`must` of the schema, keys). If it does not hold, make them again outside of such a block.

    Raises:
        Mistaken: it did not hold.
    """
    token = _optimistic.set(True)
    try:
        yield
    except DBAPIError as broken:
        state = str(getattr(broken.orig, "sqlstate", None) or "")
        if state == NOT_AS_KNOWN or state.startswith(KEY_VIOLATIONS):
            raise Mistaken from broken
        raise
    finally:
        _optimistic.reset(token)


def is_optimistic() -> bool:
    """Say whether the open transaction may rely on what is known."""
    return _optimistic.get()


def driver(connection: Connection) -> wire.Connection:
    """Return the driver's connection."""
    return cast("wire.Connection", connection.connection.driver_connection)


def to_json(value: Any) -> str:
    """Write a value as the text of a `jsonb`, without what PostgreSQL refuses and other systems may send: U+0000, half surrogates."""
    text = json.dumps(value, ensure_ascii=False, default=str).replace("\\u0000", "")
    return text.encode("utf-8", "replace").decode()


def dispose() -> None:
    """Close the pools: after a fork, and at the end of a test run."""
    for each in (engine(), engine(system=True)):
        each.dispose(close=False)
    engine.cache_clear()


@event.listens_for(Session, "after_begin")
def _begin_with_tenant(opened: Session, _transaction: Any, connection: Connection) -> None:
    tenant_id = opened.info.get("tenant_id")
    if tenant_id is not None:
        driver(connection).opening = NAME_TENANT, (str(tenant_id),)
    if (seconds := _patience.get()) is not None:
        driver(connection).later("select set_config('lock_timeout', %s, true)", (f"{seconds * 1000:.0f}",))

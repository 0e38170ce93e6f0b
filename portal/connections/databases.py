"""Databases outside: one statement, its values bound, over a connection to a judged address, with limits on time and rows."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import itertools
import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql
from pymysql import converters
from pymysql.constants import CLIENT, ER

from portal.connections.errors import Unusable
from portal.connections.statements import StatementRefused, for_driver
from portal.connections.vault import Opened
from portal.core import egress, metering

CONNECT_S = 5
MAX_ROWS = 1_000
# Their rows are read one after another, and no more than are asked for; with others PostgreSQL first does all of the work.
READS = re.compile(r"\s*(select|values|table|show)\b", re.IGNORECASE)
MAX_BYTES = 120 * 1024  # a step keeps 256 kB, and the first row stands there twice
MYSQL_AUTH = frozenset({ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, ER.BAD_DB_ERROR})
MYSQL_AGAIN = frozenset({ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT, ER.CON_COUNT_ERROR})
# Classes of SQLSTATE that another attempt can help with: connection, resources, operator (shutdown), rollback.
AGAIN = ("08", "53", "57P", "40")
AGAIN_LINE = ("08", "57P")
AUTH = ("28", "3D")


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave: rows as JSON values, how many it gave or changed, and whether there were more than asked for."""

    rows: list[dict[str, Any]]
    count: int
    truncated: bool


def run(connection: Opened, statement: str, values: dict[str, Any], *, limit: int, timeout_s: float) -> Result:
    """Carry out one statement in a transaction of its own.

    Args:
        values: name → JSON value; lists and maps travel as JSON text.
        limit: how many rows at most, up to 1,000.

    Raises:
        Unusable: statement, refused, connect, timeout, query or a code of egress; `.sent` is False when nothing was changed for sure.
    """
    try:
        text, bound = for_driver(statement.strip().rstrip(";"), values)
    except StatementRefused as wrong:
        raise Unusable("statement", ": ".join(filter(None, wrong.args))) from None
    if not text:
        raise Unusable("statement", "empty")
    limit = max(1, min(limit, MAX_ROWS))
    try:
        address = egress.reach(connection.settings["host"], int(connection.settings["port"]))
    except egress.EgressError as refused:
        raise Unusable(refused.code, refused.message, again=refused.code == "dns") from None
    speak = _postgresql if connection.family == "postgresql" else _mysql
    result = speak(connection, address, text, bound, limit, timeout_s)
    metering.count(rows=result.count)
    return result


def check(connection: Opened) -> None:
    """Sign in and ask for nothing.

    Raises:
        Unusable: as `run`.
    """
    run(connection, "select 1 as one", {}, limit=1, timeout_s=CONNECT_S)


def _postgresql(connection: Opened, address: str, text: str, bound: dict[str, Any], limit: int, timeout_s: float) -> Result:
    settings = connection.settings
    phase = "connect"
    try:
        with (
            psycopg.connect(
                host=settings["host"],
                hostaddr=address,
                port=int(settings["port"]),
                dbname=settings["database"],
                user=settings["username"],
                password=connection.secrets["password"],
                connect_timeout=CONNECT_S,
                application_name="Nasij",
                gssencmode="disable",
                passfile="/dev/null",
                tcp_user_timeout=int(timeout_s * 1000),
                options=f"-c statement_timeout={int(timeout_s * 1000)} -c lock_timeout={int(timeout_s * 500)}",
                **_postgresql_tls(settings),
            ) as line,
            _cut_off(timeout_s + 1, line),
        ):
            line.read_only = bool(settings.get("read_only"))
            given = {name: _plain_value(value) for name, value in bound.items()}
            with line.cursor() as cursor:
                phase = "statement"
                metering.count(calls=1)
                # Values travel apart from the text, and a second statement in it is refused, in both ways.
                if READS.match(text):
                    stream: Any = cursor.stream(text.encode(), given, size=100)
                    with contextlib.closing(stream) as rows:
                        first = next(rows, None)
                        names = [column.name for column in cursor.description or ()]
                        return _gathered(names, itertools.chain([first], rows) if first is not None else iter(()), limit)
                cursor.execute(text.encode(), given, prepare=True)
                names = [column.name for column in cursor.description or ()]
                result = _gathered(names, _rows(cursor, limit), limit) if names else Result([], max(cursor.rowcount, 0), truncated=False)
                phase = "commit"
                line.commit()
                return result
    except psycopg.Error as broken:
        raise _postgresql_refusal(connection, broken, phase) from None


def _postgresql_tls(settings: dict[str, Any]) -> dict[str, Any]:
    if settings["tls"] == "none":
        return {"sslmode": "disable"}
    if settings["tls"] == "encrypt":
        return {"sslmode": "require", "sslrootcert": ""}
    return {"sslmode": "verify-full", "sslrootcert": ssl.get_default_verify_paths().cafile or "system"}


def _postgresql_refusal(connection: Opened, broken: psycopg.Error, phase: str) -> Unusable:
    state = broken.sqlstate or ""
    if phase == "connect":
        # libpq gives no state for what a server says at sign-in; a name for the class is in the text, the rest is not shown.
        said = str(broken).lower()
        refused = "authentication" in said or "does not exist" in said or "no pg_hba" in said
        code = "refused" if refused else "tls" if "ssl" in said or "certificate" in said else "connect"
        return Unusable(code, again=code == "connect")
    if phase == "commit" and (not state or state.startswith(AGAIN_LINE)):
        # The line broke while COMMIT was under way: nobody can know.
        return Unusable("cut_off", again=True, sent=None)
    if isinstance(broken, psycopg.errors.QueryCanceled):
        return Unusable("timeout", again=True)
    if not state:
        # Without its COMMIT the statement has done nothing.
        return Unusable("cut_off", again=True)
    detail = connection.mask.text(f"{state} {broken.diag.message_primary or ''}".strip())[:300]
    if state.startswith(AUTH):
        return Unusable("refused", detail)
    return Unusable("query", detail, again=state.startswith(AGAIN))


def _rows(cursor: Any, limit: int) -> Iterator[tuple[Any, ...]]:
    yield from cursor.fetchmany(limit + 1)


def _mysql(connection: Opened, address: str, text: str, bound: dict[str, Any], limit: int, timeout_s: float) -> Result:
    settings = connection.settings
    began = False
    try:
        line = pymysql.Connection(
            host=settings["host"],
            port=int(settings["port"]),
            user=settings["username"],
            password=connection.secrets["password"],
            database=settings["database"],
            charset="utf8mb4",
            connect_timeout=CONNECT_S,
            read_timeout=timeout_s,
            write_timeout=timeout_s,
            local_infile=False,
            client_flag=CLIENT.FOUND_ROWS,
            conv=_MYSQL_VALUES,
            defer_connect=True,
            cursorclass=pymysql.cursors.SSCursor,
            **_mysql_tls(settings),
        )
        with contextlib.closing(socket.create_connection((address, int(settings["port"])), CONNECT_S)) as own:
            line.connect(own)
            with contextlib.closing(line), _cut_off(timeout_s + 1, line):
                with line.cursor() as cursor:
                    cursor.execute("start transaction read only" if settings.get("read_only") else "start transaction")
                    began = True
                    metering.count(calls=1)
                    given = {name: _plain_value(value) for name, value in bound.items()}
                    values = {name: _Text(value) if isinstance(value, str) else value for name, value in given.items()}
                    # Always with values, if none: only then are the doubled % of the text read as one.
                    cursor.execute(text, values)
                    names = [column[0] for column in cursor.description or ()]
                    result = (
                        _gathered(names, _rows(cursor, limit), limit) if names else Result([], max(cursor.rowcount, 0), truncated=False)
                    )
                line.commit()
                return result
    except (pymysql.err.MySQLError, OSError) as broken:
        raise _mysql_refusal(connection, broken, began=began) from None


def _mysql_tls(settings: dict[str, Any]) -> dict[str, Any]:
    if settings["tls"] == "none":
        return {"ssl_disabled": True}
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings["tls"] == "encrypt":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return {"ssl": context}


def _mysql_refusal(connection: Opened, broken: Exception, *, began: bool) -> Unusable:
    number = broken.args[0] if broken.args and isinstance(broken.args[0], int) else 0
    if number in MYSQL_AUTH:
        return Unusable("refused")
    if isinstance(broken, TimeoutError) or "timed out" in str(broken):
        return Unusable("timeout", again=True, sent=None if began else False)
    if not began:
        return Unusable("tls" if isinstance(broken, ssl.SSLError) else "connect", again=True)
    if isinstance(broken, OSError) or number in (2006, 2013):
        return Unusable("cut_off", again=True, sent=None)
    detail = connection.mask.text(f"{number} {broken.args[1] if len(broken.args) > 1 else ''}")[:300]
    return Unusable("query", detail, again=number in MYSQL_AGAIN)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text on its way to MySQL."""

    value: str


def _hex(text: _Text, *_unused: Any) -> str:
    """Write a text as hexadecimal digits: whatever stands in it and however the server reads quotes, it stays a value.

    The driver knows no bound values; it would put quoted texts into the statement.
    """
    return f"_utf8mb4 x'{text.value.encode('utf-8', 'replace').hex()}'"


_MYSQL_VALUES: dict[Any, Any] = {**converters.decoders, **converters.encoders, _Text: _hex}


@contextlib.contextmanager
def _cut_off(limit_s: float, line: Any) -> Iterator[None]:
    """End a conversation at its total time, however slowly the server drips."""
    timer = threading.Timer(limit_s, _shut, [line])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(line: Any) -> None:
    with contextlib.suppress(Exception):
        if isinstance(line, psycopg.Connection):
            line.cancel_safe(timeout=1)
            # A second handle of the same line: the first one is libpq's to close.
            with socket.socket(fileno=os.dup(line.fileno())) as own:
                own.shutdown(socket.SHUT_RDWR)
        else:
            line._sock.shutdown(socket.SHUT_RDWR)


def _gathered(names: list[str], rows: Iterator[tuple[Any, ...]], limit: int) -> Result:
    """Make JSON of rows, as many as are asked for and fit into a step's result."""
    found: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        made = {name: _as_json(value) for name, value in zip(names, row, strict=True)}
        size += len(_json(made))
        if len(found) == limit or size > MAX_BYTES:
            return Result(found, len(found), truncated=True)
        found.append(made)
    return Result(found, len(found), truncated=False)


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(value) if value.is_finite() else None
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {str(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_json(each) for each in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def _plain_value(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

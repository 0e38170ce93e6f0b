"""Steps carried out by the engine against systems that are really there."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import mysql_mimic
import psycopg
import pytest
from mysql_mimic.auth import IdentityProvider, NativePasswordAuthPlugin, User
from psycopg import sql as psql

from portal.core import db
from portal.core.config import current_settings
from portal.core.ids import new_id
from portal.workflows import payloads
from tests.workflows.engine.conftest import Engine, step


def pairs(**given: Any) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in given.items()]


def run_one(engine: Engine, kind: str, *, attempts: int = 1, timeout_s: int = 30, **config: Any) -> Any:
    """Carry out one step, and return its row."""
    workflow = engine.publish(step("it", kind, attempts=attempts, timeout_s=timeout_s, **config))
    run_id = engine.start(workflow)
    engine.pump()
    row = engine.steps(run_id)["it"]
    with db.unit_of_work(engine.house.id):
        row.output = payloads.read_one(engine.house.id, row.output)
    return row


def output_of(engine: Engine, kind: str, **config: Any) -> Any:
    row = run_one(engine, kind, **config)
    assert row.state == "succeeded", (row.state, row.error)
    return row.output


def error_of(engine: Engine, kind: str, **config: Any) -> tuple[str, str]:
    row = run_one(engine, kind, **config)
    assert row.state in ("failed", "in_doubt"), (row.state, row.output)
    return row.error["code"], row.error["detail"]


PASSWORD = "canary-postgres-9917"


@pytest.fixture
def outside(app, opened):
    """A database with a role and a table of its own, as if it were somebody else's."""
    url = urlsplit(current_settings().database_owner_url)
    name = f"outside_{new_id().hex[:12]}"
    with psycopg.connect(current_settings().database_owner_url, autocommit=True) as owner:
        owner.execute(psql.SQL("create role {} login password {}").format(psql.Identifier(name), psql.Literal(PASSWORD)))
        owner.execute(psql.SQL("create schema authorization {}").format(psql.Identifier(name)))
        owner.execute(psql.SQL("grant connect on database {} to {}").format(psql.Identifier(url.path[1:]), psql.Identifier(name)))
        owner.execute(
            psql.SQL("create table {}.people (id int primary key, name text, born date, doc jsonb)").format(psql.Identifier(name))
        )
        owner.execute(psql.SQL("alter table {0}.people owner to {0}").format(psql.Identifier(name)))
    opened(url.port)
    yield {"host": "127.0.0.1", "port": str(url.port), "database": url.path[1:], "username": name, "password": PASSWORD, "tls": "none"}
    with psycopg.connect(current_settings().database_owner_url, autocommit=True) as owner:
        owner.execute(psql.SQL("drop schema {} cascade").format(psql.Identifier(name)))
        owner.execute(psql.SQL("drop owned by {}").format(psql.Identifier(name)))
        owner.execute(psql.SQL("drop role {}").format(psql.Identifier(name)))


@pytest.fixture
def mysql(opened):
    """A server that speaks MySQL: the protocol is mysql-mimic's, sign-in included."""

    class People(IdentityProvider):
        def get_plugins(self):
            return [NativePasswordAuthPlugin()]

        async def get_user(self, username):
            return User(
                name=username, auth_string=NativePasswordAuthPlugin.create_auth_string(PASSWORD), auth_plugin="mysql_native_password"
            )

    asked = []

    class Session(mysql_mimic.Session):
        async def query(self, expression, sql, attrs):
            asked.append(sql)
            return [(1, "سارة"), (2, PASSWORD)], ["id", "name"]

        async def schema(self):
            return {}

    loop = asyncio.new_event_loop()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = mysql_mimic.MysqlServer(session_factory=Session, identity_provider=People())
    started = threading.Event()

    async def serve():
        await server.start_server(host="127.0.0.1", port=port)
        started.set()
        with contextlib.suppress(asyncio.CancelledError):
            await server.serve_forever()

    threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True).start()
    assert started.wait(10)
    opened(port)
    yield {"host": "127.0.0.1", "port": str(port), "database": "shop", "username": "sara", "password": PASSWORD, "tls": "none"}, asked
    loop.call_soon_threadsafe(server.close)

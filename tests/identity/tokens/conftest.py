"""Tokens and clients of the people of a house, and programs that use them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.identity.tokens import clients, service

ALL = ["run:read", "run:start", "workflow:read"]


def make_token(house: Any, role: str = "owner", **given: Any) -> service.Made:
    person = house.people[role]
    wanted = {"name": "Nightly", "wanted": ALL, "days": 90, **given}
    with db.transaction(house.id):
        return service.create_token(house.id, person, by=Actor("person", person), **wanted)


def make_client(house: Any, role: str = "owner", **given: Any) -> clients.NewClient:
    person = house.people[role]
    wanted = {"name": "Warehouse", "kind": "confidential", "wanted": ALL, **given}
    with db.transaction(house.id):
        return clients.create_client(house.id, person, by=Actor("person", person), **wanted)


class Program:
    """Something without a browser that shows a token."""

    def __init__(self, app: Any, secret: str | None, **environ: Any) -> None:
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
        self.environ = environ

    def get(self, path: str, **options: Any) -> Any:
        return self.open(path, method="GET", **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.open(path, method="POST", **options)

    def open(self, path: str, **options: Any) -> Any:
        options["headers"] = {**self.headers, **options.get("headers", {})}
        return self.client.open(path, environ_base=self.environ, **options)


@pytest.fixture
def program(app):
    return lambda secret, **environ: Program(app, secret, **environ)


def one(tenant_id: Any, statement: str, **values: Any) -> Any:
    with db.transaction(tenant_id) as session:
        return session.execute(text(statement), values).one()


def alter(tenant_id: Any, statement: str, **values: Any) -> None:
    with db.transaction(tenant_id) as session:
        session.execute(text(statement), values)


def letters_of(tenant_id: Any) -> list[str]:
    with db.transaction() as session:
        found = session.scalars(
            text("select message from letters where tenant_id = :tenant and message ~ '^(token|client)_' order by id"),
            {"tenant": tenant_id},
        )
        return list(found)


def bell_of(house: Any, role: str) -> list[str]:
    with db.transaction(house.id) as session:
        found = session.scalars(
            text("select type from notifications where person_id = :id and type ~ '^(token|client)' order by id"),
            {"id": house.people[role]},
        )
        return list(found)

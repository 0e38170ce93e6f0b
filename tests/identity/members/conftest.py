"""People who come and go: signing in with any address, and what the audit book says."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Access
from portal.core.ids import new_id
from portal.identity import standing
from tests.conftest import PASSWORD, Browser

GOOD = "three herons over the wadi"


@pytest.fixture
def address():
    """An address that nobody has."""
    return f"new-{new_id().hex}@example.com"


@pytest.fixture
def network(app):
    """A browser from a network of its own: caps are counted by network, and the tests share one database."""

    def fresh():
        number = new_id().int
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        client.set_cookie("locale", "en")
        return Browser(client)

    return fresh


@pytest.fixture
def enter(network):
    """Sign in with an address and a password; the browser that is signed in."""

    def sign_in(email, password=PASSWORD):
        browser = network()
        answer = browser.post("/sign-in", data={"email": email, "password": password})
        assert answer.status_code == 303, answer.text_of("main//h1")
        return browser

    return sign_in


@pytest.fixture
def here(app):
    """The Access of a member, as a view has it."""

    def of(house, role):
        with db.unit_of_work(house.id):
            found = standing.of_person(house.id, house.people[role])
        return Access(house.people[role], house.id, found.role, found.permissions, role.title(), house.name, None)

    return of


def book(tenant_id, like="%"):
    """Return the actions of the audit book, oldest first."""
    with db.transaction(tenant_id) as session:
        return list(session.scalars(text("select action from audit_entries where action like :like order by at"), {"like": like}))


def role_of(tenant_id, person_id):
    with db.transaction(tenant_id) as session:
        return session.scalar(text("select role from memberships where person_id = :id"), {"id": person_id})


def count(statement, **values):
    with db.transaction() as session:
        return session.scalar(text(statement), values)

"""Fixtures of the whole suite: real PostgreSQL and Redis, one application, people with roles, a stranger.

Nothing of our own is mocked. Each test has a tenant of its own, so tests need no cleaning between them.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import html5lib
import pyotp
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from portal.core import clock, db, jobs
from portal.core.access import SYSTEM
from portal.core.config import current_settings
from portal.core.ids import new_id
from portal.identity import passwords

# Fixtures that tests of several packages use: the mail server, other systems, the engine.
pytest_plugins = ("tests.mail.server", "tests.connections.systems", "tests.workflows.engine.running")
REAL_HASHER = passwords._hasher
PASSWORD = "correct horse battery staple"
# The authenticator app of everybody who must have one.
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
VOID_NONCE = re.compile(r"<script(?![^>]*\bnonce=)", re.IGNORECASE)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Embedded PostgreSQL and Redis of this test process, migrated."""
    from portal.devkit.servers import ephemeral

    with ephemeral(fsync=False) as started:
        os.environ.update(
            ENVIRONMENT="test",
            SECRET_KEY="test-only-" + new_id().hex + new_id().hex,
            DATABASE_URL=started.app_url,
            DATABASE_OWNER_URL=started.owner_url,
            DATABASE_SYSTEM_URL=started.system_url,
            REDIS_URL=started.redis_url,
            PUBLIC_URL="http://localhost",
            LOG_LEVEL="ERROR",
            LEASE_S="2",
        )
        current_settings.cache_clear()
        db.engine.cache_clear()
        jobs.connection.cache_clear()
        yield started
        db.dispose()


@pytest.fixture(scope="session")
def app(servers: Any) -> Iterator[Flask]:
    """The application on the migrated database."""
    from portal.app import create_app
    from portal.core import schema

    _hash_cheaply()
    made = create_app()
    made.config.update(TESTING=False, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    schema.migrate(made)
    gc.collect()
    gc.freeze()  # what is there now stays: looking through it again and again takes a tenth of the suite's time
    # No context stays open: requests of a test would share its `g`, and with it who is signed in.
    return made


def _hash_cheaply() -> None:
    """Hash passwords without the cost of a real hash: that one takes every core for a tenth of a second, and most tests sign in."""
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._NOBODY = passwords.hash_password("nobody has this password")


@pytest.fixture
def real_hashes(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash as the product does."""
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)
    monkeypatch.setattr(passwords, "_NOBODY", passwords.hash_password("nobody has this password"))


@dataclass
class House:
    """One tenant of a test, with its people by role."""

    id: UUID
    name: str
    people: dict[str, UUID] = field(default_factory=dict)

    def email(self, role: str) -> str:
        return f"{role}-{self.id.hex[-12:]}@example.com"


def make_house(name: str = "Test house") -> House:
    """Make a tenant with one person of each role."""
    from portal.identity import service as identity
    from portal.identity.factors import service as factors
    from portal.identity.roles import PERMISSIONS
    from portal.tenants import service as tenants

    mark = new_id().hex
    house = House(tenants.add_tenant(f"t-{mark}", name=name, name_ar="بيت الاختبار"), name)
    with db.transaction(house.id):
        for role in PERMISSIONS:
            person = _person(house.email(role), role)
            identity.add_member(house.id, person, role, by=SYSTEM)
            house.people[role] = person
            if role in ("owner", "admin"):
                factors.add_app(person, KEY)
    return house


def code_for(person_id: UUID) -> str:
    """Return what the person's app shows, as if they had not signed in for a while: no code is taken twice."""
    with db.transaction() as session:
        session.execute(text("update totp_factors set last_step = null where person_id = :id"), {"id": person_id})
    return pyotp.TOTP(KEY).at(clock.now())


def code_of(email: str) -> str:
    """Return the code that the app of the person with this address shows."""
    with db.transaction() as session:
        person_id = session.scalar(text("select id from people where email_key = :key"), {"key": email.casefold()})
    return code_for(person_id)


def pass_sign_in(client: FlaskClient, house: House, role: str, *, next_address: str = "") -> Any:
    """Sign in as people do: the password, then the code where a role needs one; return the last answer."""
    query = {"next": next_address} if next_address else {}
    answer = client.post("/sign-in", query_string=query, data={"email": house.email(role), "password": PASSWORD})
    if answer.status_code == 303 and answer.headers["Location"] == "/sign-in/factor":
        answer = client.post("/sign-in/factor", data={"code": code_for(house.people[role])})
    return answer


_hash: list[str] = []


def _person(email: str, name: str) -> UUID:
    """Add a person; all share one password hash."""
    from portal.identity.models import Person

    if not _hash:
        _hash.append(passwords.hash_password(PASSWORD))
    with db.transaction() as session:
        person = Person(
            email=email,
            email_key=email.casefold(),
            name=name.title(),
            name_ar=None,
            password_hash=_hash[0],
        )
        session.add(person)
        session.flush()
        return person.id


@pytest.fixture
def tenant(app: Flask) -> House:
    with app.app_context():
        return make_house()


@pytest.fixture
def other_tenant(app: Flask) -> House:
    with app.app_context():
        return make_house("Other house")


class Page:
    """An answer with its HTML parsed; opening it checks what every page must have."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.status_code = answer.status_code
        self.headers = answer.headers
        self.text = "" if answer.mimetype in ("text/event-stream", "image/png") else answer.get_data(as_text=True)
        self.json = answer.get_json(silent=True)
        if not 300 <= answer.status_code < 400 and answer.mimetype == "text/html" and self.text.lstrip().lower().startswith("<!doctype"):
            check_page(self.text, answer.headers)

    def tree(self) -> Any:
        return html5lib.parse(self.text, namespaceHTMLElements=False)

    def text_of(self, path: str) -> list[str]:
        """Return the text of each element for an ElementTree path or a `#id` / `.class` selector."""
        found = self.tree().iter() if path.startswith(("#", ".")) else self.tree().iterfind(path)
        return [" ".join("".join(each.itertext()).split()) for each in found if _matches(each, path)]


def _matches(element: Any, path: str) -> bool:
    if path.startswith("#"):
        return bool(element.get("id") == path[1:])
    if path.startswith("."):
        return path[1:] in (element.get("class") or "").split()
    return True


# What differs between two pages that were made alike: nonces, ids, hashes, numbers.
DIFFERS = re.compile(r"(?<=nonce=\")[^\"]*|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+")
_sound: set[int] = set()


def check_page(text: str, headers: Any) -> None:
    """Fail on a page that is not valid HTML, lacks title, lang, dir or nonces, or has an id twice."""
    assert not VOID_NONCE.search(text), "a script has no nonce"
    assert "'nonce-" in headers.get("Content-Security-Policy", ""), "the CSP has no nonce"
    shape, ids = hash(DIFFERS.sub("0", text)), re.findall(r'\sid="([^"]*)"', text)
    if shape not in _sound or len(ids) != len(set(ids)):
        _check_html(text)
        _sound.add(shape)  # reading HTML is slow, and many tests open the same page


def _check_html(text: str) -> None:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(text)
    wrong = [(where, code, vars_) for where, code, vars_ in parser.errors]
    assert not wrong, f"not valid HTML: {wrong[:3]} near {text.splitlines()[max(0, wrong[0][0][0] - 1)][:200]!r}"
    root = next(tree.iter("html"))
    assert root.get("lang") in ("ar", "en") and root.get("dir") in ("rtl", "ltr"), "lang or dir is missing"
    assert "".join(next(tree.iter("title")).itertext()).strip(), "the title is missing"
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    doubled = {each for each in ids if ids.count(each) > 1}
    assert not doubled, f"ids stand twice: {doubled}"


class Browser:
    """A signed-in test client; each page it opens is checked."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, url: str, **options: Any) -> Page:
        return Page(self.client.get(url, **_as_htmx(options)))

    def post(self, url: str, **options: Any) -> Page:
        return Page(self.client.post(url, **_as_htmx(options)))


def _as_htmx(options: dict[str, Any]) -> dict[str, Any]:
    if options.pop("fragment", None):
        options["headers"] = {**options.get("headers", {}), "HX-Request": "true"}
    return options


@pytest.fixture
def visitor(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def sign_in(app: Flask) -> Callable[[House, str], Browser]:
    def enter(house: House, role: str, locale: str = "en") -> Browser:
        client = app.test_client()
        client.set_cookie("locale", locale)
        answer = pass_sign_in(client, house, role)
        assert answer.status_code == 303, answer.get_data(as_text=True)[:500]
        return Browser(client)

    return enter


@dataclass
class Staffer:
    """Somebody of the house itself."""

    id: UUID
    email: str


@pytest.fixture
def staffer(app: Flask) -> Staffer:
    from portal.admin import service as admin
    from portal.identity.factors import service as factors

    email = f"staff-{new_id().hex}@example.com"
    with app.app_context():
        person_id = _person(email, "dana")
        admin.add_staff(person_id)
        factors.add_app(person_id, KEY)
    return Staffer(person_id, email)


@pytest.fixture
def as_staff(app: Flask, staffer: Staffer) -> Iterator[Callable[..., Browser]]:
    def enter(locale: str = "en") -> Browser:
        client = app.test_client()
        client.set_cookie("locale", locale)
        client.post("/sign-in", data={"email": staffer.email, "password": PASSWORD})
        answer = client.post("/sign-in/factor", data={"code": code_for(staffer.id)})
        assert answer.status_code == 303, answer.get_data(as_text=True)[:500]
        return Browser(client)

    yield enter
    # What staff announce is for every tenant: the tests that follow must not see it.
    with db.transaction(system=True) as session:
        session.execute(
            text("update announcements set since = '2020-01-01', until = '2020-01-02' where created_by = :id"), {"id": staffer.id}
        )


@pytest.fixture
def as_role(tenant: House, sign_in: Callable[[House, str], Browser]) -> Callable[[str], Browser]:
    return lambda role: sign_in(tenant, role)


@pytest.fixture
def stranger(other_tenant: House, sign_in: Callable[[House, str], Browser]) -> Browser:
    """The owner of another tenant."""
    return sign_in(other_tenant, "owner")

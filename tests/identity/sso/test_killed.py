"""The web process dies by SIGKILL while somebody comes in through a provider: nothing half-made stays, and they come in afterwards."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from portal.core.config import ROOT
from portal.devkit.children import die_with_parent, free_port
from tests.identity.sso.conftest import rows
from tests.identity.sso.saml.conftest import running_saml, saml, saml_port, saml_traveller, set_up_saml

__all__ = ["running_saml", "saml", "saml_port", "saml_traveller", "set_up_saml"]
PATIENCE_S = 40
# Holds whoever writes a session down a second time, which is after the commit that made it.
HELD = """
create function test_held() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(5502); return new; end';
create trigger test_held before update on sessions for each row when (new.person_id is not null) execute function test_held();
"""
FREE = "drop trigger if exists test_held on sessions; drop function if exists test_held()"


@dataclass
class Doomed:
    """A web process as in production, and what is sent to it before it dies."""

    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, path: str, *, cookie: str = "", form: dict[str, str] | None = None) -> Any:
        """Return the answer, or None when the process died before it gave one."""
        headers = {"Host": "localhost", **({"Cookie": f"sid={cookie}"} if cookie else {})}
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            if form is None:
                line.request("GET", path, headers=headers)
            else:
                line.request("POST", path, urllib.parse.urlencode(form), {**headers, "Content-Type": "application/x-www-form-urlencoded"})
            return line.getresponse()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            line.close()


@pytest.fixture
def doomed(app: Any, idp_port: int) -> Iterator[Doomed]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "error", "wsgi:app"]
    surroundings = {**os.environ, "EGRESS_ALLOW": f"127.0.0.1:{idp_port}"}
    process = subprocess.Popen(command, cwd=ROOT, env=surroundings, start_new_session=True, preexec_fn=die_with_parent())
    web = Doomed(port, process)
    until = time.monotonic() + PATIENCE_S
    while getattr(web.ask("/health/live"), "status", 0) != 200:
        assert process.poll() is None and time.monotonic() < until, "the web process does not start"
        time.sleep(0.2)
    yield web
    if process.poll() is None:
        web.kill()


@contextmanager
def dies_at(web: Doomed, servers: Any, where: str) -> Iterator[None]:
    """Let the process come as far as a table (or as `after` its commit), kill it there, and wait until PostgreSQL has let it go."""
    owner = psycopg.connect(servers.owner_url, autocommit=True)
    holder = psycopg.connect(servers.owner_url)
    try:
        if where == "after":
            owner.execute(HELD)
            holder.execute("select pg_advisory_lock(5502)")
        else:
            holder.execute(f"lock table {where} in access exclusive mode")
        asking = threading.Thread(target=_kill_waiting, args=(web, owner, holder))
        asking.start()
        yield
        asking.join(PATIENCE_S)
        assert web.process.poll() is not None, "nobody came as far as that"
    finally:
        holder.close()
        owner.execute(FREE)
        owner.close()


def _kill_waiting(web: Doomed, owner: Any, holder: Any) -> None:
    waiting = "select pid from pg_locks where not granted and pid <> pg_backend_pid()"
    until = time.monotonic() + PATIENCE_S
    while not (found := owner.execute(waiting).fetchall()) and time.monotonic() < until:
        time.sleep(0.02)
    if not found:
        return
    web.kill()
    holder.close()  # lets go: the connection of the dead process goes on to where it finds nobody
    while owner.execute("select 1 from pg_stat_activity where pid = any(%s)", [[pid for (pid,) in found]]).fetchall():
        time.sleep(0.02)


def made(setup: Any, email: str) -> dict[str, int]:
    """Count what stands of somebody who came in."""
    (row,) = rows(
        setup.house.id,
        "select (select count(*) from people where email_key = :email) as people,"
        " (select count(*) from memberships m join people p on p.id = m.person_id where email_key = :email) as memberships,"
        " (select count(*) from external_identities e join people p on p.id = e.person_id where email_key = :email) as identities,"
        " (select count(*) from sessions s join people p on p.id = s.person_id where email_key = :email) as sessions,"
        " (select count(*) from sso_sessions where provider_id = :provider and subject = 'new-1') as hanging",
        email=email,
        provider=setup.id,
    )
    return row._asdict()


NOTHING = {"people": 0, "memberships": 0, "identities": 0, "sessions": 0, "hanging": 0}
ALL = dict.fromkeys(NOTHING, 1)


def sid_of(person: Any) -> str:
    return str(person.browser.client.get_cookie("sid").value)


def is_in(person: Any) -> bool:
    return bool(person.browser.get("/runs").status_code == 200)


def local(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def newcomer(tenant, set_up_saml, saml, saml_traveller):
    """Somebody new at a SAML provider, whose answer the browser is about to post."""
    setup = set_up_saml(tenant)
    saml.hire("new-1", email=f"new@{setup.domain}", name="New")
    person = saml_traveller()
    fields = person.answered(person.leave(setup.start), "new-1")
    return setup, person, fields


def test_an_answer_that_was_being_read_counts_afterwards(newcomer, doomed, servers):
    setup, person, fields = newcomer
    with dies_at(doomed, servers, "sso_used_tokens"):
        assert doomed.ask(person.acs, form=fields) is None
    assert made(setup, f"new@{setup.domain}") == NOTHING

    # The browser sends it once more to the process that took the place.
    assert person.deliver(fields).status_code == 303 and is_in(person)
    assert made(setup, f"new@{setup.domain}") == ALL


@pytest.mark.parametrize("table", ["memberships", "external_identities", "sso_sessions"])
def test_who_was_being_let_in_is_not_half_there(newcomer, doomed, servers, table, saml_traveller):
    setup, person, fields = newcomer
    onward = doomed.ask(person.acs, form=fields).headers["Location"]
    with dies_at(doomed, servers, table):
        assert doomed.ask(local(onward), cookie=sid_of(person)) is None
    assert made(setup, f"new@{setup.domain}") == NOTHING

    # The answer itself was taken by the first half, and is refused in words; the way on from there holds.
    refused = saml_traveller().deliver(fields, acs=person.acs)
    assert refused.status_code == 422 and "Begin again." in refused.text
    assert person.browser.get(local(onward)).status_code == 303 and is_in(person)
    assert made(setup, f"new@{setup.domain}") == ALL


def test_an_answer_that_was_taken_is_refused_and_the_person_begins_again(newcomer, doomed, servers):
    setup, person, fields = newcomer
    assert doomed.ask(person.acs, form=fields).status == 303
    doomed.kill()  # before the browser went on

    page = person.deliver(fields)
    assert page.status_code == 422 and "cannot be trusted" in page.text and not is_in(person)
    assert made(setup, f"new@{setup.domain}") == NOTHING
    assert person.come(setup.start, "new-1").status_code == 303 and is_in(person)
    assert made(setup, f"new@{setup.domain}") == ALL


def test_who_was_let_in_without_hearing_of_it_comes_in_as_the_same_person(newcomer, doomed, servers):
    setup, person, fields = newcomer
    onward = doomed.ask(person.acs, form=fields).headers["Location"]
    with dies_at(doomed, servers, "after"):
        assert doomed.ask(local(onward), cookie=sid_of(person)) is None
    # All of it stands, with a session whose cookie nobody got; the browser's own id died with it.
    assert made(setup, f"new@{setup.domain}") == ALL
    assert person.browser.get(local(onward)).status_code == 422 and not is_in(person)

    assert person.come(setup.start, "new-1").status_code == 303 and is_in(person)
    assert made(setup, f"new@{setup.domain}") == {**ALL, "sessions": 2, "hanging": 2}


@pytest.mark.parametrize("table", ["memberships", "external_identities", "sso_sessions"])
def test_openid_connect_leaves_nothing_half_made_either(tenant, set_up, idp, traveller, doomed, servers, table):
    setup = set_up(tenant)
    idp.hire("new-1", email=f"new@{setup.domain}", email_verified=True, name="New")
    person = traveller()
    back = person.at_provider(person.leave(setup.start), "new-1")

    with dies_at(doomed, servers, table):
        assert doomed.ask(local(back), cookie=sid_of(person)) is None
    assert made(setup, f"new@{setup.domain}") == NOTHING

    # The provider gave its code away once; asked again it refuses, and the page says so.
    assert person.back(back).status_code == 422 and not is_in(person)
    assert made(setup, f"new@{setup.domain}") == NOTHING
    assert person.come(setup.start, "new-1").status_code == 303 and is_in(person)
    assert made(setup, f"new@{setup.domain}") == ALL

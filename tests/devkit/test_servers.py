"""The embedded servers: they start, keep what they were given, crash and come back, and never outlive their parent."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from portal.core.tenancy import APP_ROLE, SYSTEM_ROLE
from portal.devkit.children import free_port
from portal.devkit.house import House, Refused
from portal.devkit.postgres import ROLES, ServerRefused, find_binaries
from portal.devkit.servers import start_ephemeral

ORPHANING = """
import os, signal
from portal.devkit.servers import start_ephemeral
servers = start_ephemeral(fsync=False)
print(servers.postgres.process.pid, servers.redis.process.pid, servers.root, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def started():
    servers = start_ephemeral()
    yield servers
    servers.stop()
    assert not servers.root.exists()


def test_each_role_signs_in_with_a_password_of_its_own_and_no_power(started):
    urls = {started.owner_url, started.app_url, started.system_url}
    assert len({url.rpartition("@")[0].rpartition(":")[2] for url in urls}) == 3
    with psycopg.connect(started.app_url) as app:
        powers = app.execute("select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = any(%s)", [list(ROLES)])
        assert sorted(powers) == [(role, False, False, False) for role in sorted(ROLES)]


def test_the_server_listens_on_this_machine_only_and_asks_for_a_password(started):
    with psycopg.connect(started.owner_url) as owner:
        assert owner.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        assert owner.execute("show fsync").fetchone() == ("on",)
        assert owner.execute("show server_encoding").fetchone() == ("UTF8",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(started.app_url.replace("@", "wrong@"))


def test_arabic_is_seen_by_the_trigram_index(started):
    with psycopg.connect(started.owner_url) as owner:
        owner.execute("create extension if not exists pg_trgm")
        (alike,) = owner.execute("select similarity('سلمى الحربي', 'سلمى الحربى')").fetchone()
    assert alike > 0.5


@pytest.mark.parametrize("way", ["restart", "kill"])
def test_committed_rows_survive(started, way):
    with psycopg.connect(started.owner_url) as owner:
        owner.execute(f"create table kept_{way} as select 7 as number")
    if way == "restart":
        started.postgres.restart()
    else:
        started.postgres.kill()
        assert not started.postgres.is_alive
        started.postgres.start()

    with psycopg.connect(started.owner_url) as owner:
        assert owner.execute(f"select number from kept_{way}").fetchone() == (7,)


def test_redis_asks_for_a_password_and_keeps_keys_over_a_restart(started):
    with started.redis.client() as client:
        client.set("thread", "saffron")
    started.redis.restart()
    with started.redis.client() as client:
        assert client.get("thread") == b"saffron"
    command = Path(f"/proc/{started.redis.process.pid}/cmdline").read_text()
    assert started.redis.url.split("@")[0].rpartition(":")[2] not in command


def test_servers_die_with_a_killed_parent():
    said = subprocess.run([sys.executable, "-c", ORPHANING], capture_output=True, text=True, check=False).stdout.split()
    numbers = [int(each) for each in said[:2]]

    patient_until = time.monotonic() + 15
    while any(_runs(number) for number in numbers):
        assert time.monotonic() < patient_until, "a server outlived its parent"
        time.sleep(0.05)
    shutil.rmtree(said[2])


def test_a_missing_program_is_one_sentence(tmp_path, monkeypatch, started):
    monkeypatch.setenv("PG_BIN_DIR", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter(()))

    with pytest.raises(ServerRefused, match="set DATABASE_URL"):
        find_binaries()


def test_one_named_address_is_enough_for_real_servers(started, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", started.postgres.url("another"))
    monkeypatch.setenv("REDIS_URL", started.redis_url)
    monkeypatch.delenv("DATABASE_OWNER_URL", raising=False)
    monkeypatch.delenv("DATABASE_SYSTEM_URL", raising=False)
    with psycopg.connect(started.owner_url, autocommit=True) as owner:
        owner.execute("create database another")
    named = House(tmp_path)
    named.start()
    try:
        urls = named.urls()
        assert (named.own, urls["DATABASE_OWNER_URL"], urls["REDIS_URL"]) == ([], started.postgres.url("another"), started.redis_url)
        for name, role in (("DATABASE_URL", APP_ROLE), ("DATABASE_SYSTEM_URL", SYSTEM_ROLE)):
            with psycopg.connect(urls[name]) as connection:
                assert connection.execute("select current_user, current_database()").fetchone() == (role, "another")
    finally:
        named.stop()
        started.postgres.prepare()


def test_a_named_server_that_cannot_be_used_is_one_sentence(monkeypatch, tmp_path):
    for name in ("DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)  # the suite's own servers
    monkeypatch.setenv("DATABASE_URL", f"postgresql://owner:secret@127.0.0.1:{free_port()}/nasij")

    with pytest.raises(Refused, match="DATABASE_URL names a server that cannot be used"):
        House(tmp_path).start()


def _runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False

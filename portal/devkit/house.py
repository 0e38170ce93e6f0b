"""The folder `var/` of `make run` and the servers that live in it, or the real ones that the environment names instead."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from portal.core.tenancy import APP_ROLE, SYSTEM_ROLE
from portal.devkit import postgres
from portal.devkit.children import free_port
from portal.devkit.postgres import Postgres
from portal.devkit.redis import Redis

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("NASIJ_VAR") or ROOT / "var")


class Refused(RuntimeError):
    """Something a person can put right; the text is one sentence and what to do."""


@contextmanager
def folder() -> Iterator[Path]:
    """Make `var/` and hold it for one supervisor.

    Raises:
        Refused: another supervisor has it, or it belongs to somebody else.
    """
    try:
        FOLDER.mkdir(mode=0o711, exist_ok=True)
        (FOLDER / "log").mkdir(exist_ok=True)
        lock = (FOLDER / "lock").open("a")
    except PermissionError:
        raise Refused(
            f"{shown(FOLDER)} belongs to another user. Run as that user, or remove the folder (it holds the demo's data)."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"It already runs from this folder: {_running_address()}. Stop that one first, or use it.") from None
        yield FOLDER


def secret(folder: Path) -> str:
    """Return this house's own key; made once, readable by its owner only."""
    return _kept(folder / "secret_key", secrets.token_urlsafe(48))


def write_variables(folder: Path, variables: dict[str, str]) -> None:
    """Leave the variables of the running house for the commands beside it (`make migrate`, `set -a; . var/env`)."""
    path = folder / "env"
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()), "utf-8")


def forget_variables(folder: Path) -> None:
    (folder / "env").unlink(missing_ok=True)


def running_variables(folder: Path) -> dict[str, str] | None:
    """Return the variables of the house that runs now, or None."""
    try:
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lines = (folder / "env").read_text("utf-8").splitlines() if (folder / "env").exists() else []
        return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}
    except FileNotFoundError:
        pass
    return None


def shown(path: Path) -> str:
    """Return a path as a person in the project's folder would write it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def explain(broken: OSError) -> str:
    """Return one sentence about a broken system call, and what to do."""
    if broken.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full. Free about 1 GB, then run the same command again."
    if broken.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{broken.filename or 'A file'} may not be written by this user. Run as the user who owns the project's folder."
    return f"{broken}. If this makes no sense to you, remove var/ (it holds the demo's data) and try again."


@dataclass
class EmbeddedServer:
    """A server of ours as the supervisor watches it."""

    name: str
    server: Any
    started_at: float = 0.0
    last: subprocess.Popen[bytes] | None = None

    def start(self, _surroundings: dict[str, str]) -> None:
        self.server.start()
        self.last = self.server.process

    @property
    def is_alive(self) -> bool:
        return bool(self.server.is_alive)

    def how_it_ended(self) -> str:
        return f"exit code {self.server.process.poll() if self.server.process else '?'}; {shown(self.server.root / 'server.log')}"


@dataclass
class House:
    """PostgreSQL and Redis of one `var/`, each embedded unless the environment names a real one."""

    folder: Path
    own: list[EmbeddedServer] = field(default_factory=list)
    _urls: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start or check both.

        Raises:
            ServerRefused: an embedded server did not come up.
            Refused: a named server cannot be used.
        """
        self._urls = self._postgres() | self._redis()

    def stop(self) -> None:
        """Stop the embedded ones, last started first."""
        while self.own:
            self.own.pop().server.stop()

    def urls(self) -> dict[str, str]:
        return dict(self._urls)

    def fingerprint(self) -> str:
        """Return what the schema and the demo of an embedded PostgreSQL depend on; empty for a named one, which others may change."""
        if os.environ.get("DATABASE_URL"):
            return ""
        made = (self.folder / "postgres" / "data" / "PG_VERSION").stat()
        seen = hashlib.sha256(f"{made.st_ino} {made.st_mtime_ns}".encode())
        for path in sorted(
            [*(ROOT / "migrations").rglob("*.py"), *(ROOT / "portal").glob("*/*sample*.py"), ROOT / "portal/devkit/demo.py"]
        ):
            if path.exists():
                seen.update(path.read_bytes())
        return seen.hexdigest()

    def description(self) -> str:
        names = {each.name for each in self.own}
        parts = [f"{name} {'embedded' if name in names else 'as the environment says'}" for name in ("PostgreSQL", "Redis")]
        return "both embedded" if len(names) == 2 else ", ".join(parts)

    def _postgres(self) -> dict[str, str]:
        if given := os.environ.get("DATABASE_URL"):
            return self._named_postgres(given)
        server = Postgres(self.folder / "postgres", free_port())
        self.own.append(EmbeddedServer("PostgreSQL", server))
        server.start()
        server.prepare()
        return _three(server.url(), server.url(user=APP_ROLE), server.url(user=SYSTEM_ROLE))

    def _named_postgres(self, given: str) -> dict[str, str]:
        owner, system = os.environ.get("DATABASE_OWNER_URL"), os.environ.get("DATABASE_SYSTEM_URL")
        if owner and system:
            return _three(owner, given, system)
        # One address only: it is the owner's, and the two roles that own nothing are made with its rights.
        passwords = {role: _kept(self.folder / f"password.{role}", secrets.token_urlsafe(24)) for role in (APP_ROLE, SYSTEM_ROLE)}
        database = urlsplit(given).path.lstrip("/") or "postgres"
        try:
            postgres.prepare(given, database, passwords)
        except psycopg.Error as refused:
            raise Refused(
                f"DATABASE_URL names a server that cannot be used: {str(refused).strip()}. "
                "It must be a role that may create roles; or set DATABASE_OWNER_URL and DATABASE_SYSTEM_URL as well."
            ) from None
        return _three(given, *(_as_role(given, role, passwords[role]) for role in (APP_ROLE, SYSTEM_ROLE)))

    def _redis(self) -> dict[str, str]:
        if given := os.environ.get("REDIS_URL"):
            return {"REDIS_URL": given}
        server = Redis(self.folder / "redis", free_port())
        self.own.append(EmbeddedServer("Redis", server))
        server.start()
        return {"REDIS_URL": server.url}


def _three(owner: str, app: str, system: str) -> dict[str, str]:
    return {"DATABASE_OWNER_URL": owner, "DATABASE_URL": app, "DATABASE_SYSTEM_URL": system}


def _as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{place}"))


def _kept(path: Path, fresh: str) -> str:
    if not path.exists():
        path.touch(0o600)
        path.write_text(fresh, "ascii")
    return path.read_text("ascii")


def _running_address() -> str:
    variables = running_variables(FOLDER) or {}
    return variables.get("PUBLIC_URL") or "it is still starting, or runs a command"

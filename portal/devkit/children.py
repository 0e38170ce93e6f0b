"""Child processes that never outlive their parent, and the ports they listen on."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

# Loaded before any fork: a child between fork and exec must not load libraries.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(sign: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return what a child does before exec: ask Linux for this signal when its parent dies, even by SIGKILL.

    Elsewhere it does nothing. Start such children in a thread that lives as long as they shall: Linux means the thread.
    """

    def ask() -> None:
        _prctl(PR_SET_PDEATHSIG, sign)

    return ask


def adopt_orphans() -> None:
    """Make this process the parent of its descendants whose own parent died, so that it can end them too."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end(process: subprocess.Popen[bytes], sign: signal.Signals = signal.SIGTERM, *, patience_s: float = 10) -> None:
    """Ask a process to stop, and end it by force when it has not after `patience_s`."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(sign)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def end_descendants() -> None:
    """End whatever still runs below this process: what its children left behind (see `adopt_orphans`)."""
    for sign, wait_s in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 1.0)):
        patient_until = time.monotonic() + wait_s
        while children := _children():
            for number in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, sign)
            if time.monotonic() > patient_until:
                break
            time.sleep(0.05)


def _children() -> list[int]:
    """Reap what has ended, and return the ids of what has not."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    try:
        return [int(number) for each in Path("/proc/self/task").glob("*/children") for number in each.read_text().split()]
    except OSError:
        return []


def hold_stop_signals() -> None:
    """Keep SIGTERM and SIGINT for `wait_for_stop`; call it before the first thread, which inherits it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def wait_for_stop() -> None:
    """Sleep until this process is asked to stop."""
    signal.sigwait(STOP_SIGNALS)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now, and that no call of others takes meanwhile: the system gives those from above."""
    while is_taken(port := random.randrange(20_000, 32_000)):
        pass
    return port


def is_taken(port: int) -> bool:
    """Say whether this port of 127.0.0.1 cannot be listened on now."""
    with socket.socket() as probe:
        # As servers do: a port whose last owner just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(AttributeError):  # not Linux
        _libc.prctl(option, value, 0, 0, 0)

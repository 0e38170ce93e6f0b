"""A worker is killed (SIGKILL) with a step in hand: seconds until another worker has carried that step out. Goal: at most lease + 5.

A process claims the step, opens its run and shows signs of life as a worker does; the real dispatcher and a real worker come up and
stand by; then it is killed.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from peers import ROOT, five_sums, house, report, start

LEASE_S = 4
ROUNDS = 3
DOOMED = """
import time
from worker import *
from portal.workflows.engine.store import leasing
create_app().app_context().push()
while (lease := leasing.claim(worker="doomed", lease_s=float(__import__("sys").argv[1]))) is None: time.sleep(0.01)
leasing.open_run(lease)
print("has it", flush=True)
while leasing.heartbeat(lease, lease_s=float(__import__("sys").argv[1])): time.sleep(0.5)
"""


def main() -> None:
    os.environ["LEASE_S"] = str(LEASE_S)
    with house():
        tenant_id, workflow_id = five_sums()
        took = [_one(tenant_id, workflow_id) for _ in range(ROUNDS)]
    report("engine_recovery", max(took), "s", goal=f"≤ lease ({LEASE_S} s) + 5 s", peer=None, ratio=None, ok=max(took) <= LEASE_S + 5,
           median=round(statistics.median(took), 2))  # fmt: skip


def _one(tenant_id: Any, workflow_id: Any) -> float:
    from portal.core import db
    from portal.workflows import queries

    run_id = start(tenant_id, workflow_id)
    doomed = subprocess.Popen([sys.executable, "-c", DOOMED, str(LEASE_S)], cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE)
    assert doomed.stdout is not None
    doomed.stdout.readline()
    standing = [_stand_by(part) for part in ("dispatch", "work")]
    _wait_for(standing)
    doomed.kill()
    began = time.perf_counter()
    try:
        while time.perf_counter() - began < 120:
            with db.transaction(tenant_id):
                stand = queries.run_stand(tenant_id, run_id)
            if stand and stand[1] == "succeeded":
                return time.perf_counter() - began
            time.sleep(0.02)
        raise SystemExit("nobody took the step over")
    finally:
        for each in standing:
            _kill_session(each.pid)
            each.wait()


def _stand_by(part: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "worker.py", part], cwd=ROOT, env=dict(os.environ), start_new_session=True)


def _kill_session(leader: int) -> None:
    """Kill a process with all that it has forked: RQ gives a job a process group of its own, and it would take the next round's run."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            session = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[3]
            if int(session) == leader:
                os.kill(int(folder.name), signal.SIGKILL)


def _wait_for(standing: list[subprocess.Popen[bytes]]) -> None:
    """Wait until a worker is known to RQ and the dispatcher leads."""
    from sqlalchemy import text

    from portal.core import db, jobs

    end = time.perf_counter() + 30
    while time.perf_counter() < end:
        with db.transaction(system=True) as session:
            is_led = session.scalar(text("select count(*) from workflow_leaders where until > clock_timestamp()"))
        if is_led and jobs.connection().smembers("rq:workers") and all(each.poll() is None for each in standing):
            return
        time.sleep(0.1)
    raise SystemExit("the dispatcher or the worker did not stand up")


if __name__ == "__main__":
    main()

"""The other two processes: `worker.py work` (RQ workers) and `worker.py dispatch` (the dispatcher and clock)."""

from __future__ import annotations

import signal
import sys
import threading
import time

from redis import RedisError
from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from portal.app import create_app
from portal.connections import service as connections
from portal.core import db, jobs
from portal.core.config import current_settings
from portal.exports import service as exports
from portal.identity import service as identity
from portal.identity import stuffing, throttle
from portal.identity.account import service as account
from portal.identity.registration import service as registration
from portal.identity.sso import service as sso
from portal.identity.tokens import service as tokens
from portal.lists import service as lists
from portal.mail import service as mail
from portal.workflows import stored
from portal.workflows.engine import janitor, lanes, runner, stuck
from portal.workflows.engine.store import gates
from portal.workflows.fairness import service as fairness
from portal.workflows.history import events as history
from portal.workflows.history import sweeping
from portal.workflows.jobs import BUDGET_S
from portal.workflows.signals import kept as signals
from portal.workflows.triggers import firing
from portal.workflows.triggers import service as triggers

# What the leading dispatcher calls every ten minutes.
TIDYING = (
    signals.sweep,
    identity.sweep_sessions,
    account.sweep_resets,
    registration.sweep,
    throttle.sweep,
    stuffing.sweep,
    sso.sweep,
    tokens.give_notices,
    tokens.sweep,
    mail.sweep_letters,
    exports.sweep,
    lists.sweep,
    triggers.sweep,
    connections.sweep,
    stored.sweep,
    connections.reseal_once,
    history.watch,
    sweeping.sweep,
    gates.sweep,
    fairness.sweep,
)
# What it calls twice a minute.
WATCHING = (stuffing.watch, stuck.watch)
USAGE = "usage: worker.py work [--direct] | dispatch"


def work() -> None:
    """Take tickets from RQ until told to stop; while Redis is away, look for due steps directly."""
    stop = _stopping()
    while not stop.is_set():
        try:
            connection = jobs.connection()
            queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in _queues()]
            worker = PoolWorker(
                queues, connection=connection, serializer=JSONSerializer, job_monitoring_interval=2, maintenance_interval=30
            )
            worker.work(logging_level="WARNING")
            return
        except (RedisError, OSError):
            work_directly(stop, budget_s=5)


def _queues() -> list[str]:
    """Return what this worker takes tickets from: of the engine's queues, those of the lanes that it serves."""
    served = {f"engine-{lane}" for lane in lanes.read_lanes(current_settings().worker_lanes)}
    return [name for name in jobs.QUEUES if not name.startswith("engine-") or name in served]


class PoolWorker(Worker):
    """An RQ worker whose children open database connections of their own."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        db.dispose()
        super().main_work_horse(job, queue)


def work_directly(stop: threading.Event, *, budget_s: float) -> None:
    """Poll PostgreSQL for due steps: the same pump without Redis."""
    end = time.monotonic() + budget_s
    while not stop.is_set() and time.monotonic() < end:
        if not runner.pump(worker=runner.worker_name(), budget_s=BUDGET_S):
            stop.wait(0.25)


def dispatch() -> None:
    """Lead, or stand by, until told to stop."""
    janitor.dispatch(runner.worker_name(), stop=_stopping(), housekeeping=TIDYING, watches=WATCHING, rounds=(firing.fire_due,))


class Stopping(threading.Event):
    """An event that a signal handler may set: the plain one locks, and deadlocks when the signal comes while it waits."""

    def __init__(self) -> None:
        super().__init__()
        self._is_asked = False

    def is_set(self) -> bool:
        return self._is_asked

    def set(self) -> None:
        self._is_asked = True

    def wait(self, timeout: float | None = None) -> bool:
        end = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while not self._is_asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        return self._is_asked


def _stopping() -> threading.Event:
    stop = Stopping()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_unused: stop.set())
    return stop


def main(arguments: list[str]) -> None:
    if arguments not in (["work"], ["work", "--direct"], ["dispatch"]):
        sys.exit(USAGE)
    db.trust_connections()
    with create_app().app_context():
        if arguments == ["dispatch"]:
            dispatch()
        elif arguments == ["work"]:
            work()
        else:
            work_directly(_stopping(), budget_s=float("inf"))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Named jobs and the hints that wake their workers.

PostgreSQL is the truth: a hint carries names and ids as JSON, and losing it only adds the delay until the dispatcher's
next round. Nothing here raises when Redis is away.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import redis
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer
from sqlalchemy import text

from portal.core import db
from portal.core.config import current_settings
from portal.core.ids import new_id

log = logging.getLogger(__name__)

# In the order in which workers look: what people wait for comes before what runs for minutes.
QUEUES = ("mail", "bulk", "engine-fast", "engine-io", "engine-ai", "engine-bulk")
REDIS_AWAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """A registered entry point: its queue, how long it may take, and the function."""

    name: str
    queue: str
    timeout_s: int
    run: Callable[..., None]


_jobs: dict[str, Job] = {}
_away_until = 0.0


def job(name: str, *, queue: str, timeout_s: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as the job `name`; it takes ids as strings and is safe to repeat."""
    if queue not in QUEUES:
        raise ValueError(f"no worker watches the queue {queue!r}")

    def register(run: Callable[..., None]) -> Callable[..., None]:
        _jobs[name] = Job(name, queue, timeout_s, run)
        return run

    return register


def registered() -> dict[str, Job]:
    """Return every job by name."""
    return dict(_jobs)


def enqueue(name: str, *ids: object, delay_s: int = 0) -> None:
    """Have a job run after the open transaction commits, at least once.

    The request for it is a row of `outbox` in the same transaction; a hint leaves after the commit, and the dispatcher
    sends what a crash or a lost Redis left behind.

    Args:
        delay_s: how long to wait first; the dispatcher then sends it within its second.
    """
    if name not in _jobs:
        raise ValueError(f"no job is called {name!r}")
    outbox_id = new_id()
    db.session().execute(
        text(
            "insert into outbox (id, name, arguments, available_at)"
            " values (:id, :name, cast(:arguments as jsonb), clock_timestamp() + make_interval(secs => :delay))"
        ),
        {"id": outbox_id, "name": name, "arguments": json.dumps([str(each) for each in ids]), "delay": delay_s},
    )
    if not delay_s:
        db.after_commit(partial(send_outbox_ticket, name, str(outbox_id)))


def send_outbox_ticket(name: str, outbox_id: str) -> bool:
    """Put a ticket for a row of the outbox on its job's queue; False as for `send_ticket`."""
    return _put(_jobs[name], "portal.core.jobs.perform_outbox", [outbox_id], ticket_id=f"outbox-{outbox_id}")


def send_ticket(name: str, *arguments: str, key: str, queue: str | None = None) -> bool:
    """Put a ticket on the job's RQ queue now, or on another one; False when Redis is away or the same ticket is already there."""
    return _put(_jobs[name], "portal.core.jobs.perform", [name, list(arguments)], ticket_id=key, queue=queue)


def _put(wanted: Job, entry: str, values: list[Any], *, ticket_id: str, queue: str | None = None) -> bool:
    def put(connection: redis.Redis) -> bool:
        line = Queue(queue or wanted.queue, connection=connection, serializer=JSONSerializer)
        try:
            line.enqueue(
                entry,
                *values,
                job_id=ticket_id,
                unique=True,
                job_timeout=wanted.timeout_s,
                result_ttl=0,
                failure_ttl=0,
                ttl=120,
            )
        except DuplicateJobError:
            return False
        return True

    return bool(with_redis(put))


def perform(name: str, arguments: list[str]) -> None:
    """Run a registered job: what RQ calls for a ticket that stands for itself."""
    _jobs[name].run(*arguments)


def perform_outbox(outbox_id: str) -> None:
    """Run the job of a row of the outbox, then delete the row: what RQ calls for a ticket of `enqueue`.

    One worker has the row at a time; when it dies or the job raises, the dispatcher sends another ticket later. A row that is
    gone or taken is left alone, so a doubled ticket does nothing.
    """
    limits = {name: each.timeout_s + 10 for name, each in _jobs.items()}
    with db.transaction(system=True) as session:
        db.commits("outbox.take")
        row = session.execute(
            text(
                "update outbox set attempts = attempts + 1,"
                " taken_until = clock_timestamp() + make_interval(secs => coalesce((cast(:limits as jsonb) ->> name)::float8, :longest))"
                " where id = :id and (taken_until is null or taken_until < clock_timestamp()) returning name, arguments"
            ),
            {"id": outbox_id, "limits": json.dumps(limits), "longest": max(limits.values())},
        ).first()
    if row is None:
        return
    try:
        _jobs[row.name].run(*row.arguments)
    except Exception:
        _settle_outbox("update outbox set taken_until = null where id = :id", outbox_id)
        raise
    _settle_outbox("delete from outbox where id = :id", outbox_id)


def _settle_outbox(statement: str, outbox_id: str) -> None:
    with db.transaction(system=True) as session:
        db.commits("outbox.done")
        session.execute(text(statement), {"id": outbox_id})


def are_waiting(*queues: str) -> bool:
    """Say whether a ticket waits on one of these queues; False while Redis is away."""
    return bool(with_redis(lambda connection: any(connection.llen(f"rq:queue:{name}") for name in queues)))


def publish(channel: str, message: str = "") -> int:
    """Tell whoever listens right now; returns how many did, 0 when Redis is away."""
    return int(with_redis(lambda connection: connection.publish(channel, message)) or 0)


def with_redis(use: Callable[[redis.Redis], Any]) -> Any:
    """Call with a connection, or return None at once while Redis is away (asked again after 5 s)."""
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        return use(connection())
    except redis.RedisError as gone:
        _away_until = time.monotonic() + REDIS_AWAY_S
        log.warning("redis is away", extra={"reason": type(gone).__name__})
        return None


@lru_cache(maxsize=1)
def connection() -> redis.Redis:
    """Return this process's Redis client; short timeouts, because a hint is never worth waiting for."""
    url = current_settings().redis_url
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=0.5, health_check_interval=30)


def forget_outage() -> None:
    """Ask Redis again at the next call; for the dispatcher and tests."""
    global _away_until
    _away_until = 0.0

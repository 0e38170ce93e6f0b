"""Wake what is due, rescue what is stuck, prune what is old: one round a second, by one leader, safe if two run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from portal.core import db, jobs, outbox
from portal.workflows.engine.runner import LOCK_HELD, again
from portal.workflows.engine.store import answering, children, ending, gates, look, rescuing
from portal.workflows.engine.store.hints import send_ticket

log = logging.getLogger(__name__)

ROUND_S = 1.0
# So long the dispatcher waits for one run that somebody holds: a worker that was stopped in a transaction must not stop it too.
PATIENCE_S = 0.5
LEADER_S = 10.0
PUMPS = 4
HOUSEKEEPING_S = 600.0
WATCH_S = 30.0


def dispatch(
    owner: str,
    *,
    stop: threading.Event,
    housekeeping: Iterable[Callable[[], object]] = (),
    watches: Iterable[Callable[[], object]] = (),
    rounds: Iterable[Callable[[], object]] = (),
) -> None:
    """Lead as long as the lease can be had; sleeps out a round without it. Ends when `stop` is set.

    Args:
        housekeeping: what the leader calls every ten minutes: deleting what is old.
        watches: what it calls twice a minute: looking for what somebody must be told.
        rounds: what the leader calls in each round besides its own: schedules that are due.
    """
    swept = watched = float("-inf")
    while not stop.is_set():
        began = time.monotonic()
        try:
            jobs.forget_outage()
            if lead(owner):
                sweep()
                with db.patience(PATIENCE_S):
                    for each in rounds:
                        each()
                if time.monotonic() - watched > WATCH_S:
                    for watch in watches:
                        watch()
                    watched = time.monotonic()
                if time.monotonic() - swept > HOUSEKEEPING_S:
                    for tidy in housekeeping:
                        tidy()
                    swept = time.monotonic()
        except SQLAlchemyError:
            log.warning("the dispatcher lost its database; it tries again", exc_info=True)
        stop.wait(max(0.05, ROUND_S - (time.monotonic() - began)))


def lead(owner: str) -> bool:
    """Take or keep the dispatcher's lease; True while it is ours."""
    with db.transaction(system=True) as session:
        db.commits("lead")
        row = (
            session.connection()
            .exec_driver_sql(
                """
            insert into workflow_leaders as l (name, owner, until)
            values ('dispatcher', %(owner)s, clock_timestamp() + make_interval(secs => %(secs)s))
            on conflict (name) do update
            set owner = excluded.owner, until = excluded.until, epoch = l.epoch + (l.owner <> excluded.owner)::int
            where l.owner = excluded.owner or l.until < clock_timestamp()
            returning owner
            """,
                {"owner": owner, "secs": LEADER_S},
            )
            .first()
        )
    return row is not None


def sweep() -> int:
    """Do one round: expired leases, due timers, overdue runs, waiting jobs, tickets for due steps. Safe to repeat.

    Returns:
        How many runs were moved on.
    """
    moved = _each("rescue", look.expired(), rescuing.rescue)
    moved += _each("fire", look.due_timers(), rescuing.fire)
    moved += _each("deliver", look.deliverable(), answering.deliver)
    moved += _each("nudge", look.due_tasks(), answering.nudge)
    moved += _each(
        "time out",
        look.overdue(),
        partial(
            ending.cancel,
            actor="clock",
            error={"code": "deadline", "step": None, "detail": ""},
        ),
    )
    moved += _each("cancel the sub-run of", look.orphans(), partial(ending.cancel, actor="engine"))
    moved += _each("answer", look.answered(), children.hear)
    moved += _each("admit", look.gates(), gates.look_again)
    outbox.send_due()
    for lane, due in look.ready_counts().items():
        for number in range(min(due, PUMPS)):
            send_ticket(lane, number)
    return moved


def _each(what: str, rows: Iterable[tuple[Any, ...]], move: Callable[..., Any]) -> int:
    """Move each on its own: one that breaks must not keep the others waiting."""
    moved = 0
    for row in rows:
        try:
            with db.patience(PATIENCE_S):
                moved += bool(again(partial(move, *row)))
        except Exception as broken:
            if getattr(getattr(broken, "orig", None), "sqlstate", None) == LOCK_HELD:
                log.info("a run is held by somebody; it is looked at again", extra={"move": what, "run": str(row[1])})
                continue
            log.exception("a run could not be moved on", extra={"move": what, "run": str(row[1])})
    return moved

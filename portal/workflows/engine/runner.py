"""The only loop: claim → perform → settle, and on with the same run while it has a next step."""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from portal.core import db, jobs, metering
from portal.core.config import current_settings
from portal.core.log import logged_with
from portal.workflows.actions.base import Call, Failed, Outcome
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.engine.lanes import in_turn, read_lanes
from portal.workflows.engine.store import ending, hints, leasing, rates, settling
from portal.workflows.engine.store.leasing import Owed
from portal.workflows.engine.store.rows import Hand, Lease, Run

log = logging.getLogger(__name__)
T = TypeVar("T")

OVERRUN_GRACE_S = 5.0
BUSY_S = 0.05
TURN_S = 1.0  # how long a worker goes on with one run before the others in line are asked
TRIES_ON_CONFLICT = 5
CONFLICTS = ("40001", "40P01")
LOCK_HELD = "55P03"  # only for who has asked for it: `db.patience`


def worker_name() -> str:
    """Name this process in leases and attempts: host, process, thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100_000}"


def pump(
    *,
    worker: str,
    budget_s: float,
    linger_s: float = 0.0,
    kill: Callable[[], None] | None = None,
    gives_way: Callable[[], bool] = lambda: False,
) -> int:
    """Carry out what is due until nothing is, or the time is up; returns how many steps were carried out.

    Args:
        linger_s: how long to stay and listen for hints once nothing is due.
        kill: ends this process when a step overruns its time limit and does not return.
        gives_way: asked between runs, once a second: whether somebody else needs this worker more.
    """
    end = time.monotonic() + budget_s
    steps = 0
    lanes, owed, last = read_lanes(current_settings().worker_lanes), None, None
    with _hints(lanes) as hint, Keeper(kill) as keeper:
        idle_since = asked = time.monotonic()
        while time.monotonic() < end:
            if time.monotonic() - asked >= 1.0:
                asked = time.monotonic()
                if gives_way():
                    break
            found = partial(leasing.claim, worker=worker, lease_s=current_settings().lease_s, lanes=in_turn(lanes, last))
            lease = again(partial(found, owed=owed)) or (again(found) if owed else None)
            owed = None
            if lease is not None:
                began = time.monotonic()
                steps += carry(lease, keeper=keeper, until=min(end, began + TURN_S))
                idle_since = time.monotonic()
                owed, last = Owed(lease.lane, lease.tenant_id, idle_since - began), lease.lane
            elif time.monotonic() - idle_since >= linger_s:
                break
            else:
                soon = again(partial(leasing.due_in_s, lanes))
                # What is due already is held back by a limit, or was just being claimed.
                hint(min(1.0, linger_s, 1.0 if soon is None else BUSY_S if soon <= 0 else max(0.005, soon)))
        if owed is not None:
            again(partial(leasing.claim, worker=worker, lease_s=0.0, lanes=(), owed=owed))
    return steps


def carry(lease: Lease, *, keeper: Keeper, until: float) -> int:
    """Carry one run forward from a leased step; returns how many steps were carried out."""
    run: Run | None = None
    steps = 0
    following: Lease | None = lease
    with logged_with(tenant=lease.tenant_id, run=lease.run_id), hints.gathered():
        while following is not None:
            run, following = _step(following, run, keeper=keeper, go_on=time.monotonic() < until)
            steps += 1
        if run is None:
            # The run ended or is ending while its step was being claimed: give the step its end.
            again(partial(ending.give_up, lease))
    return steps


def start_here(move: Callable[[Hand], T]) -> tuple[T, Hand]:
    """Make a move that starts a run, and go on with the run in this process: a turn at most, until it has answered its caller.

    Only pure and db steps are done here. What follows them waits for a worker, and so does the rest when this process breaks or dies:
    the lease expires.

    Args:
        move: starts the run in a transaction of its own, safe to repeat, with the hand that it is given.
    """
    result, hand = again(partial(_start, move))
    run, lease, end = hand.run, hand.lease, time.monotonic() + TURN_S
    try:
        while run is not None and lease is not None:
            with logged_with(tenant=lease.tenant_id, run=lease.run_id), hints.gathered():
                go_on = not hand.said() and time.monotonic() < end
                run, lease = again(partial(settling.settle, lease, run, None, carry=go_on))
    except Exception:
        log.exception("a run is left to the workers")
    return result, hand


def _start(move: Callable[[Hand], T]) -> tuple[T, Hand]:
    """Try it without reading what is known, then with a look; each with a new hand, for what was rolled back is nothing to go on with."""
    hand = Hand(worker_name())
    try:
        with db.optimistic():
            return move(hand), hand
    except db.Mistaken:
        hand = Hand(worker_name())
        return move(hand), hand


def _step(lease: Lease, run: Run | None, *, keeper: Keeper, go_on: bool) -> tuple[Run | None, Lease | None]:
    if lease.effect in ("pure", "db"):
        return again(partial(settling.settle, lease, run, None, carry=go_on))
    run = run or again(partial(leasing.open_run, lease))
    if run is None:
        return None, None
    call = settling.prepare(lease, run)
    if isinstance(call, Failed):
        return again(partial(settling.settle, lease, run, call, carry=go_on))
    if not again(partial(rates.may_leave, lease, call.config)):
        return run, None
    if not again(partial(leasing.fence, lease, call.config, run.secrets)):
        again(partial(ending.give_up, lease))
        return run, None
    hints.tell_now()
    with keeper.keeping(lease), metering.measured() as used:
        began = time.perf_counter()
        outcome = _perform(lease, call)
        used["busy_ms"] = math.ceil((time.perf_counter() - began) * 1000)
    return again(partial(settling.settle, lease, run, outcome, carry=go_on, used=used))


def _perform(lease: Lease, call: Call) -> Outcome:
    """Do the step; what an action did not foresee is a failure of the step, kept and shown, never of the worker."""
    try:
        return ACTIONS[lease.kind].perform(call)
    except Exception:
        log.exception("an action broke", extra={"step": lease.node_key, "kind": lease.kind})
        return Failed("action_broke", again=True, sent=None)


def again(move: Callable[[], T]) -> T:
    """Make a move; repeat the whole transaction when PostgreSQL asks for it or the connection broke.

    Repeating is right because every move re-checks its guard: one that had committed before the break finds its lease
    spent and changes nothing.
    """
    for attempt in range(1, TRIES_ON_CONFLICT + 1):
        try:
            return move()
        except (OperationalError, DBAPIError) as broken:
            state = getattr(broken.orig, "sqlstate", None)
            conflict = state in CONFLICTS
            if (
                state == LOCK_HELD
                or attempt == TRIES_ON_CONFLICT
                or not (conflict or broken.connection_invalidated or isinstance(broken, OperationalError))
            ):
                raise
            log.warning(
                "a move is repeated",
                extra={"reason": type(broken.orig).__name__, "attempt": attempt},
            )
            time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")


class Keeper:
    """Keeps the lease of the step in hand alive, and ends the process when a step will not end by itself."""

    def __init__(self, kill: Callable[[], None] | None) -> None:
        self._kill = kill
        self._lease: Lease | None = None
        self._begun = 0.0
        self._changed = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="keeper", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._closed = True
        self._changed.set()

    @contextmanager
    def keeping(self, lease: Lease) -> Iterator[None]:
        """Keep this lease alive inside the block."""
        self._lease, self._begun = lease, time.monotonic()
        try:
            yield
        finally:
            self._lease = None

    def _watch(self) -> None:
        beat_s = current_settings().lease_s / 3
        while not self._changed.wait(min(beat_s, 1.0)):
            lease, begun = self._lease, self._begun
            if lease is None or time.monotonic() - begun < beat_s:
                continue
            if time.monotonic() - begun > lease.timeout_s + OVERRUN_GRACE_S and self._kill is not None:
                log.error(
                    "a step overran its time limit; this worker process ends",
                    extra={"step": lease.node_key},
                )
                self._kill()
            try:
                leasing.heartbeat(lease, lease_s=current_settings().lease_s)
            except Exception:  # whatever it was: without a sign of life the step would be done twice
                log.warning("a sign of life was not written", exc_info=True)


@contextmanager
def _hints(lanes: Iterable[str]) -> Iterator[Callable[[float], None]]:
    """Listen for wake-ups; without Redis the listener just sleeps, and the pump polls."""
    listener = jobs.with_redis(lambda connection: connection.pubsub(ignore_subscribe_messages=True))
    channels = [f"nasij:wake:{lane}" for lane in lanes]

    def subscribe() -> bool:
        return listener is not None and jobs.with_redis(lambda _connection: listener.subscribe(*channels) or True) is True

    listening = subscribe()

    def hint(timeout_s: float) -> None:
        if not listening or jobs.with_redis(lambda _connection: _drain(listener, timeout_s)) is None:
            time.sleep(min(timeout_s, 0.25))

    try:
        yield hint
    finally:
        if listener is not None:
            listener.close()


def _drain(listener: Any, timeout_s: float) -> bool:
    """Wait for one hint, and take the ones behind it: ten hints are no more reason to look than one."""
    if listener.get_message(timeout=timeout_s) is not None:
        while listener.get_message(timeout=0) is not None:
            pass
    return True

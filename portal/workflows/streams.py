"""Live pages: one Redis subscription per process, a bounded number of streams, PostgreSQL asked what is true.

A stream only says that something changed; the page then fetches its part again. Redis carries hints, so a stream also
looks by itself every two seconds: with Redis away a page is later, never wrong.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from redis import RedisError

from portal.core import db, jobs
from portal.core.config import current_settings
from portal.workflows import queries
from portal.workflows.engine.states import RUN_ENDED

LOOK_S = 2.0
LIFE_S = 300.0
GATHER_S = 0.1


class Hub:
    """The open streams of this process, by run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, set[threading.Event]] = defaultdict(set)
        self._pid: int | None = None

    def join(self, run_id: str) -> threading.Event | None:
        """Open a stream's bell; None when three quarters of the threads are streams already: pages must stay served."""
        with self._lock:
            if sum(map(len, self._open.values())) >= current_settings().web_threads * 3 // 4:
                return None
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._listen, name="streams", daemon=True).start()
            bell = threading.Event()
            self._open[run_id].add(bell)
            return bell

    def leave(self, run_id: str, bell: threading.Event) -> None:
        """Close a stream's bell."""
        with self._lock:
            self._open[run_id].discard(bell)
            if not self._open[run_id]:
                del self._open[run_id]

    def _listen(self) -> None:
        while True:
            try:
                listener = jobs.connection().pubsub(ignore_subscribe_messages=True)
                listener.psubscribe("nasij:run:*")
                while True:
                    message = listener.get_message(timeout=30)
                    if message is not None:
                        self._ring(message["channel"].decode().rpartition(":")[2])
            except (RedisError, OSError, ValueError):
                time.sleep(1)

    def _ring(self, run_id: str) -> None:
        with self._lock:
            for bell in self._open.get(run_id, ()):
                bell.set()


hub = Hub()


def follow(tenant_id: UUID, run_id: UUID, bell: threading.Event, *, seen: int) -> Iterator[str]:
    """Yield one server-sent event per change of the run, after the event number `seen`; ends with the run or after 5 min."""
    end = time.monotonic() + LIFE_S
    try:
        yield "retry: 2000\n\n"
        while time.monotonic() < end:
            bell.clear()
            with db.transaction(tenant_id):
                stand = queries.run_stand(tenant_id, run_id)
            if stand is None:
                return
            number, status = stand
            if number != seen:
                seen = number
                yield f"id: {number}\nevent: changed\ndata: {status}\n\n"
            if status in RUN_ENDED:
                yield "event: ended\ndata: \n\n"
                return
            if not bell.wait(LOOK_S):
                yield ": still here\n\n"
            time.sleep(GATHER_S)
    finally:
        hub.leave(str(run_id), bell)

"""Hints that something has changed: to workers, and to pages that are open. Losing one costs a moment, nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from portal.core import jobs
from portal.workflows.engine.lanes import LANES

GATHER_S = 0.1


def wake(lanes: Iterable[str] = LANES) -> None:
    """Hint that work is due: tell the pumps that listen, or ask RQ for one. Losing it costs at most the dispatcher's second."""
    for lane in lanes:
        if not jobs.publish(f"nasij:wake:{lane}"):
            send_ticket(lane, secrets.randbelow(4))


def send_ticket(lane: str, number: int) -> None:
    """Ask for a worker that serves a lane; the number bounds how many are asked for at once."""
    jobs.send_ticket("workflows.pump", lane, key=f"pump-{lane}-{number}", queue=f"engine-{lane}")


@dataclass(slots=True)
class _Gathered:
    """What was not told yet: run → its last event."""

    news: dict[UUID, int] = field(default_factory=dict)
    told_at: float = 0.0


_gathered: ContextVar[_Gathered | None] = ContextVar("gathered", default=None)


def publish(run_id: UUID, seq: int) -> None:
    """Hint to open pages that a run has changed."""
    gathered = _gathered.get()
    if gathered is None:
        _tell(run_id, seq)
        return
    gathered.news[run_id] = seq
    if time.monotonic() - gathered.told_at >= GATHER_S:
        _tell_all(gathered)


@contextmanager
def gathered() -> Iterator[None]:
    """Tell the changes of each run that are published in the block at most every tenth of a second, and the last one at its end."""
    mine = _Gathered(told_at=time.monotonic())
    token = _gathered.set(mine)
    try:
        yield
    finally:
        _gathered.reset(token)
        _tell_all(mine)


def tell_now() -> None:
    """Tell what the block around has gathered: before something that may take long."""
    if (gathered := _gathered.get()) is not None:
        _tell_all(gathered)


def _tell_all(gathered: _Gathered) -> None:
    for run_id, seq in gathered.news.items():
        _tell(run_id, seq)
    gathered.news.clear()
    gathered.told_at = time.monotonic()


def _tell(run_id: UUID, seq: int) -> None:
    jobs.publish(f"nasij:run:{run_id}", str(seq))

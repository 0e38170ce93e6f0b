"""How the time of a step passed: in line, at work, waiting. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.workflows.definition import ASKING, BLOCKS

QUEUED, RAN, WAITED = "queued", "ran", "waited"
# What these kinds do is to wait: for a moment, for people, for others, for the steps inside them.
PATIENT = BLOCKS | ASKING | {"wait", "signal", "callback", "subworkflow"}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a step's time; `attempt` counts from 1 where it was an attempt: at work, or for the patient kinds waiting."""

    what: str
    begins: datetime
    ends: datetime
    attempt: int = 0
    is_open: bool = False

    @property
    def took_ms(self) -> int:
        return round((self.ends - self.begins) / timedelta(milliseconds=1))


def spans_of(step: Any, attempts: Sequence[Any], *, now: datetime) -> tuple[Span, ...]:
    """Return the time of a step from when it came up to its end, or to now, without gaps.

    Args:
        step: needs state, kind, created_at, started_at, finished_at, leased_at.
        attempts: its attempts in order, each with started_at and ended_at.
    """
    if step.state == "skipped":
        return ()
    begun = min(each for each in (step.created_at, step.started_at) if each is not None)
    found: list[Span] = []
    at = begun
    for number, attempt in enumerate(attempts, 1):
        start = max(at, min(attempt.started_at or at, attempt.ended_at))
        _gap(found, at, start)
        at = max(start, attempt.ended_at)
        found.append(Span(WAITED if step.kind in PATIENT else RAN, start, at, number))
    if step.finished_at is not None:
        _rest(found, step, at, max(at, step.finished_at), is_first=not attempts)
    elif step.state == "leased":
        start = max(at, step.leased_at or step.started_at or at)
        _gap(found, at, start)
        found.append(Span(RAN, start, max(start, now), len(attempts) + 1, is_open=True))
    else:
        what = QUEUED if step.state == "ready" and not attempts else WAITED
        found.append(Span(what, at, max(at, now), is_open=True))
    return tuple(found)


def _rest(found: list[Span], step: Any, at: datetime, end: datetime, *, is_first: bool) -> None:
    """Add what passed behind the last attempt, or all of it where no worker had to take the step up."""
    if not is_first:
        if end > at:
            found.append(Span(WAITED, at, end))
        return
    if step.started_at is None:
        found.append(Span(QUEUED, at, end))
        return
    start = min(max(at, step.started_at), end)
    _gap(found, at, start)
    found.append(Span(WAITED if step.kind in PATIENT else RAN, start, end, 0 if step.kind in PATIENT else 1))


def _gap(found: list[Span], begins: datetime, ends: datetime) -> None:
    if ends > begins:
        found.append(Span(WAITED if found else QUEUED, begins, ends))


@dataclass(frozen=True, slots=True)
class Sums:
    """The time of a step in milliseconds, by what it went to; `attempts` are those that had begun."""

    queued: int
    waited: int
    ran: int
    attempts: int


def sums_of(spans: Sequence[Span]) -> Sums:
    """Add up a step's time."""
    took = {what: sum(each.took_ms for each in spans if each.what == what) for what in (QUEUED, WAITED, RAN)}
    return Sums(took[QUEUED], took[WAITED], took[RAN], sum(1 for each in spans if each.attempt))

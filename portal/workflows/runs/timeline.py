"""The timeline of a run: one bar a step, in percent of the run's time. Pure.

Time runs from the start edge of the page: in a page from right to left it begins at the right, so that a bar is read in the direction
of the words beside it. Steps that ran more than once are summed up into one bar from the first beginning to the last end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.core.charts import DURATIONS_S, nice_ticks, trim
from portal.workflows.runs.spans import Span

LEAST = 0.6  # percent that any stretch has at least: what took no time must be seen, too
TICKS = 4
LAST_TICK = 90  # percent: the words of one behind it would not fit
HEADROOM = 1.03  # behind "now", while the run goes on


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar, in percent from the left edge of the plot."""

    what: str  # queued, waited, ran, crowd
    x: float
    width: float
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis, with how long after the beginning it stands."""

    x: float
    text: str
    is_edge: bool = False


@dataclass(frozen=True, slots=True)
class Crowd:
    """A step that ran several times: how often, from when to when (None: some of them live)."""

    count: int
    begins: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    """One step of the run; `pieces` is empty for one that has not begun."""

    card: Any
    depth: int
    lane: str  # what tells it apart from steps of the same name
    pieces: tuple[Piece, ...]
    took_ms: int | None
    after_ms: int | None
    count: int = 1

    @property
    def has_failed(self) -> bool:
        """Whether its last stretch of work came to nothing."""
        return bool(self.pieces) and self.pieces[-1].what in ("ran", "crowd") and getattr(self.card.state, "state", None) == "failed"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole chart; `now` is where the present stands, None for a run that has ended."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    total_ms: int
    now: float | None
    rtl: bool
    begins: datetime

    @property
    def has_failed(self) -> bool:
        return any(row.has_failed for row in self.rows)


@dataclass(frozen=True, slots=True)
class Scale:
    """Moments → percent."""

    begins: datetime
    seconds: float
    rtl: bool

    def at(self, moment: datetime) -> float:
        """Return how far a moment stands from the start edge, in percent."""
        return min(100.0, max(0.0, (moment - self.begins) / timedelta(seconds=self.seconds) * 100))

    def left(self, away: float, width: float = 0) -> float:
        """Return the same as the distance from the left edge."""
        return trim(100 - away - width if self.rtl else away)


def lay_out(
    cards: Sequence[Any], spans: Mapping[str, Sequence[Span]], crowds: Mapping[str, Crowd], *, begins: datetime, ends: datetime | None, now: datetime, rtl: bool,
    write: Callable[[float], str],
) -> Timeline:  # fmt: skip
    """Draw a run.

    Args:
        cards: of the flow, in reading order, with their lanes.
        spans: by step, of those that ran once.
        crowds: by step, of those that ran more often.
        begins, ends: of the run; None while it goes on.
        write: seconds as the axis says them.
    """
    last = ends or now
    # What is taken back, or was in hand when the run was cancelled, may end behind the run.
    known = [each.ends for line in spans.values() for each in line] + [each.ends or last for each in crowds.values()]
    last = max([last, *known])
    total_s = max((last - begins).total_seconds(), 0.001)
    scale = Scale(begins, total_s if ends else total_s * HEADROOM, rtl)
    lanes = lanes_of(cards)
    rows = tuple(_row(card, depth, lanes.get(card.key, ""), spans, crowds, scale, last) for card, depth in walk(cards))
    return Timeline(rows, _ticks(scale, total_s, write), round(total_s * 1000), None if ends else scale.left(scale.at(now)), rtl, begins)


def walk(cards: Iterable[Any], depth: int = 0) -> Iterable[tuple[Any, int]]:
    """Give the cards of a flow in reading order, and how deep each stands in lanes."""
    for card in cards:
        yield card, depth
        for lane in card.lanes:
            yield from walk(lane.cards, depth + 1)


def lanes_of(cards: Iterable[Any]) -> dict[str, str]:
    """Return by key the label of the lane in which a step stands, of those steps whose name another one bears too."""
    found = list(_in_lanes(cards, ""))
    often = Counter(_called(card) for card, _lane in found)
    return {card.key: lane for card, lane in found if often[_called(card)] > 1}


def _in_lanes(cards: Iterable[Any], lane: str) -> Iterable[tuple[Any, str]]:
    for card in cards:
        yield card, lane
        for each in card.lanes:
            yield from _in_lanes(each.cards, each.label)


def _called(card: Any) -> tuple[str, str, str]:
    return card.name, card.name_ar, "" if card.name or card.name_ar else card.label


def _row(
    card: Any, depth: int, lane: str, spans: Mapping[str, Sequence[Span]], crowds: Mapping[str, Crowd], scale: Scale, last: datetime
) -> Row:
    if crowd := crowds.get(card.key):
        ends = crowd.ends or last
        piece = _piece("crowd", crowd.begins, ends, scale, is_open=crowd.ends is None)
        return Row(card, depth, lane, (piece,), _ms(crowd.begins, ends), _ms(scale.begins, crowd.begins), crowd.count)
    line = spans.get(card.key) or ()
    if not line:
        return Row(card, depth, lane, (), None, None)
    pieces = tuple(_piece(each.what, each.begins, each.ends, scale, is_open=each.is_open) for each in line)
    return Row(card, depth, lane, pieces, _ms(line[0].begins, line[-1].ends), _ms(scale.begins, line[0].begins))


def _piece(what: str, begins: datetime, ends: datetime, scale: Scale, *, is_open: bool) -> Piece:
    away = scale.at(begins)
    width = max(scale.at(ends) - away, LEAST)
    away = min(away, 100 - width)
    return Piece(what, scale.left(away, width), trim(width), is_open)


def _ticks(scale: Scale, total_s: float, write: Callable[[float], str]) -> tuple[Tick, ...]:
    ladder = (0.001, 0.002, 0.005, *DURATIONS_S) if total_s < 0.05 else DURATIONS_S
    shares = [(each, each / scale.seconds * 100) for each in nice_ticks(total_s, count=TICKS, ladder=ladder)]
    return tuple(Tick(scale.left(share), write(each), is_edge=not each) for each, share in shares if share <= LAST_TICK)


def _ms(begins: datetime, ends: datetime) -> int:
    return max(0, round((ends - begins) / timedelta(milliseconds=1)))

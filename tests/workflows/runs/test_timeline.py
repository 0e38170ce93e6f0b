"""How the time of steps passed, and where their bars stand; mirrored in a page from right to left."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.workflows.runs.spans import QUEUED, RAN, WAITED, Span, spans_of, sums_of
from portal.workflows.runs.timeline import LEAST, Crowd, lay_out

BEGUN = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


def at(seconds):
    return BEGUN + timedelta(seconds=seconds)


@dataclass
class Step:
    state: str = "succeeded"
    kind: str = "webhook"
    created_at: Any = BEGUN
    started_at: Any = None
    finished_at: Any = None
    leased_at: Any = None


@dataclass
class Attempt:
    started_at: Any
    ended_at: Any
    outcome: str = "succeeded"


@dataclass
class Lane:
    cards: list[Any]
    label: str = ""


@dataclass
class Card:
    key: str
    lanes: list[Any] = field(default_factory=list)
    state: Any = None
    name: str = ""
    name_ar: str = ""

    @property
    def label(self):
        return self.key


def told(spans):
    return [(each.what, (each.begins - BEGUN).total_seconds(), (each.ends - BEGUN).total_seconds()) for each in spans]


def test_a_step_that_was_tried_twice_stood_in_line_worked_waited_and_worked():
    step = Step(started_at=at(2), finished_at=at(10))
    tries = [Attempt(at(2), at(3), "ready"), Attempt(at(8), at(10))]

    spans = spans_of(step, tries, now=at(99))

    assert told(spans) == [(QUEUED, 0, 2), (RAN, 2, 3), (WAITED, 3, 8), (RAN, 8, 10)]
    assert [each.attempt for each in spans if each.what == RAN] == [1, 2]
    sums = sums_of(spans)
    assert (sums.queued, sums.ran, sums.waited, sums.attempts) == (2000, 3000, 5000, 2)


@pytest.mark.parametrize(
    ("step", "tries", "expected"),
    [
        pytest.param(Step("ready"), [], [(QUEUED, 0, 20)], id="in line"),
        pytest.param(Step("leased", started_at=at(4), leased_at=at(4)), [], [(QUEUED, 0, 4), (RAN, 4, 20)], id="at work"),
        pytest.param(
            Step("leased", started_at=at(1), leased_at=at(9)), [Attempt(at(1), at(2), "ready")],
            [(QUEUED, 0, 1), (RAN, 1, 2), (WAITED, 2, 9), (RAN, 9, 20)], id="at work again",
        ),
        pytest.param(Step("ready", started_at=at(1)), [Attempt(at(1), at(2), "ready")], [(QUEUED, 0, 1), (RAN, 1, 2), (WAITED, 2, 20)], id="until it is tried again"),
        pytest.param(Step("waiting", started_at=at(1)), [Attempt(at(1), at(2), "waiting")], [(QUEUED, 0, 1), (RAN, 1, 2), (WAITED, 2, 20)], id="waiting"),
        pytest.param(Step("succeeded", "wait", started_at=BEGUN, finished_at=at(7)), [], [(WAITED, 0, 7)], id="a wait that nobody carried out"),
        pytest.param(Step("succeeded", "set", started_at=BEGUN, finished_at=at(1)), [], [(RAN, 0, 1)], id="done with others in one go"),
        pytest.param(
            Step("succeeded", "approval", started_at=at(1), finished_at=at(7)), [Attempt(at(1), at(7))], [(QUEUED, 0, 1), (WAITED, 1, 7)],
            id="people who were waited for in an attempt",
        ),
        pytest.param(Step("cancelled", finished_at=at(5)), [], [(QUEUED, 0, 5)], id="cancelled in line"),
        pytest.param(Step("skipped", finished_at=at(5)), [], [], id="passed over"),
        pytest.param(
            Step(started_at=at(1), finished_at=at(10)), [Attempt(at(1), at(2), "ready"), Attempt(at(1), at(10))],
            [(QUEUED, 0, 1), (RAN, 1, 2), (RAN, 2, 10)], id="of a time when attempts kept the first beginning",
        ),
    ],
)  # fmt: skip
def test_time_passed_without_gaps(step, tries, expected):
    assert told(spans_of(step, tries, now=at(20))) == expected


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), max_size=6), st.sampled_from(["ready", "leased", "waiting", "succeeded"]))
def test_spans_of_any_attempts_follow_each_other_and_never_run_backwards(pairs, state):
    times = sorted(each for pair in pairs for each in pair)
    tries = [Attempt(at(times[2 * i]), at(times[2 * i + 1]), "ready") for i in range(len(pairs))]
    end = at(60) if state == "succeeded" else None
    step = Step(
        state, started_at=tries[0].started_at if tries else (at(1) if state == "succeeded" else None), finished_at=end, leased_at=at(55)
    )

    spans = spans_of(step, tries, now=at(70))

    assert spans[0].begins == BEGUN
    assert all(one.ends == two.begins for one, two in pairwise(spans))
    assert all(each.ends >= each.begins for each in spans)
    assert spans[-1].ends == (at(60) if end else at(70))


def chart(rtl=False, ends=100, now=100, **spans):
    cards = [Card(key) for key in spans]
    return lay_out(
        cards, spans, {}, begins=BEGUN, ends=at(ends) if ends else None, now=at(now), rtl=rtl, write=lambda seconds: f"{seconds:g}"
    )


def boxes(drawn):
    return {row.card.key: [(each.x, each.width) for each in row.pieces] for row in drawn.rows}


def test_bars_stand_where_their_time_is():
    drawn = chart(first=[Span(RAN, at(0), at(25))], last=[Span(QUEUED, at(50), at(60)), Span(RAN, at(60), at(100))])

    assert boxes(drawn) == {"first": [(0, 25)], "last": [(50, 10), (60, 40)]}
    assert [(tick.x, tick.text) for tick in drawn.ticks] == [(0, "0"), (30, "30"), (60, "60"), (90, "90")]
    assert drawn.now is None and drawn.total_ms == 100_000


def test_from_right_to_left_everything_is_the_mirror():
    one = chart(first=[Span(RAN, at(10), at(25))], last=[Span(WAITED, at(50), at(60)), Span(RAN, at(60), at(100))])
    other = chart(rtl=True, first=[Span(RAN, at(10), at(25))], last=[Span(WAITED, at(50), at(60)), Span(RAN, at(60), at(100))])

    for key, pieces in boxes(one).items():
        assert boxes(other)[key] == [(round(100 - x - width, 2), width) for x, width in pieces]
    assert [tick.x for tick in other.ticks] == [100 - tick.x for tick in one.ticks]


def test_what_took_no_time_is_seen_and_stays_in_the_plot():
    drawn = chart(quick=[Span(RAN, at(100), at(100))])
    ((x, width),) = boxes(drawn)["quick"]
    assert width == LEAST and x + width <= 100


def test_now_is_named_while_the_run_goes_on_and_open_bars_end_there():
    drawn = chart(ends=None, now=50, live=[Span(RAN, at(10), at(50), 1, is_open=True)], later=[])

    ((x, width),) = boxes(drawn)["live"]
    assert drawn.now == pytest.approx(x + width, abs=0.02) and drawn.now < 100
    assert boxes(drawn)["later"] == []


def test_a_crowd_is_one_bar_and_steps_in_lanes_stand_deeper():
    inner = Card("inner")
    cards = [Card("outer", [Lane([inner])])]
    crowds = {"inner": Crowd(120, at(10), at(30))}

    drawn = lay_out(cards, {}, crowds, begins=BEGUN, ends=at(100), now=at(100), rtl=False, write=str)

    assert [(row.card.key, row.depth, row.count) for row in drawn.rows] == [("outer", 0, 1), ("inner", 1, 120)]
    assert [(each.what, each.x, each.width) for each in drawn.rows[1].pieces] == [("crowd", 10, 20)]


def test_a_run_without_any_time_has_a_chart():
    drawn = lay_out([Card("a")], {"a": [Span(RAN, BEGUN, BEGUN)]}, {}, begins=BEGUN, ends=BEGUN, now=BEGUN, rtl=False, write=str)
    assert drawn.rows[0].took_ms == 0

"""Working time: properties over many calendars and zones, and the days that people know."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.workflows.calendars import reckoning
from portal.workflows.calendars.reckoning import Calendar, Holiday, NoWorkingTime

RIYADH = ZoneInfo("Asia/Riyadh")
ZONES = ("Asia/Riyadh", "Africa/Cairo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/Santiago")
OFFICE = Calendar(RIYADH, frozenset({5, 6}), ((8 * 60, 12 * 60), (13 * 60, 17 * 60)), ((10 * 60, 15 * 60),))

minutes = st.integers(0, 1440)


@st.composite
def spans(draw, at_least=1):
    marks = sorted(draw(st.lists(minutes, min_size=2 * at_least, max_size=4, unique=True)))
    return tuple(zip(marks[::2], marks[1::2], strict=False))


calendars = st.builds(
    Calendar,
    st.sampled_from(ZONES).map(ZoneInfo),
    st.frozensets(st.integers(1, 7), max_size=5),
    spans(),
    st.one_of(st.just(()), spans()),
    st.lists(
        st.builds(Holiday, st.just("x"), st.none(), st.booleans(), st.none(), st.integers(1, 12), st.integers(1, 28), st.integers(1, 9)),
        max_size=3,
    ).map(tuple),
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
lengths = st.integers(0, 40 * 3600).map(lambda seconds: timedelta(seconds=seconds))


@settings(max_examples=150, deadline=None)
@given(calendars, moments, lengths)
def test_what_is_added_can_be_measured_back(calendar, at, length):
    end = reckoning.add_working_time(calendar, at, length)
    assert end >= at or length == timedelta()
    assert reckoning.working_time_between(calendar, at, end) == length


@settings(max_examples=150, deadline=None)
@given(calendars, moments)
def test_work_goes_on_at_a_worked_moment_and_never_before(calendar, at):
    begin = reckoning.next_working(calendar, at)
    assert begin >= at
    assert reckoning.is_working(calendar, begin)
    assert reckoning.working_time_between(calendar, at, begin) == timedelta()
    assert (begin == at) == reckoning.is_working(calendar, at)


@settings(max_examples=150, deadline=None)
@given(calendars, moments, lengths, lengths)
def test_two_lengths_are_as_long_as_both(calendar, at, first, second):
    middle = reckoning.add_working_time(calendar, at, first)
    assert reckoning.add_working_time(calendar, middle, second) == reckoning.add_working_time(calendar, at, first + second) or not second


@settings(max_examples=150, deadline=None)
@given(calendars, moments, st.integers(0, 30))
def test_so_many_working_days_lie_between(calendar, at, days):
    start = reckoning.next_working(calendar, at).astimezone(calendar.zone).date()
    end = reckoning.add_working_days(calendar, at, days).astimezone(calendar.zone)
    # Work until midnight ends on a clock that shows the next day already.
    last = end.date() if reckoning.is_working(calendar, end) else (end - timedelta(microseconds=1)).date()
    between = [start + timedelta(days=number) for number in range(1, (last - start).days + 1)]
    assert sum(reckoning.is_working_day(calendar, day) for day in between) == days


def riyadh(text):
    return datetime.fromisoformat(text).replace(tzinfo=RIYADH)


@pytest.mark.parametrize(
    ("since", "days", "until"),
    [
        ("2026-11-26T10:00", 2, "2026-11-30T10:00"),  # Thursday: Sunday is the first, Monday the second
        ("2026-11-27T10:00", 1, "2026-11-30T08:00"),  # Friday is off: counted from Sunday morning
        ("2026-11-26T18:00", 0, "2026-11-29T08:00"),
        ("2026-02-16T16:00", 2, "2026-02-18T15:00"),  # the first of Ramadan 1447: work ends at three
    ],
)
def test_working_days_of_a_week_that_begins_on_sunday(since, days, until):
    assert reckoning.add_working_days(OFFICE, riyadh(since), days) == riyadh(until)


def test_hours_pass_over_the_pause_the_night_and_the_weekend():
    assert reckoning.add_working_time(OFFICE, riyadh("2026-11-26T11:00"), timedelta(hours=6)) == riyadh("2026-11-29T09:00")
    assert reckoning.add_working_time(OFFICE, riyadh("2026-11-26T11:00"), timedelta(hours=5)) == riyadh("2026-11-26T17:00")


def test_a_feast_moves_with_the_moon_and_a_national_day_does_not():
    eid, national = Holiday("Eid", None, True, None, 10, 1, 4), Holiday("National Day", None, False, None, 9, 23)
    calendar = Calendar(RIYADH, frozenset({5, 6}), ((480, 1020),), holidays=(eid, national))
    assert [reckoning.holiday_on(calendar, date(2026, 3, day)) is not None for day in (19, 20, 21, 22, 23, 24)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]
    assert reckoning.holiday_on(calendar, date(2027, 3, 9)) is eid
    assert not reckoning.is_working_day(calendar, date(2026, 9, 23)) and not reckoning.is_working_day(calendar, date(2027, 9, 23))


def test_a_day_off_that_comes_once_comes_once():
    once = Holiday("x", None, True, 1448, 1, 1)
    calendar = Calendar(RIYADH, frozenset(), ((480, 1020),), holidays=(once,))
    assert reckoning.holiday_on(calendar, date(2026, 6, 16)) is once
    assert reckoning.holiday_on(calendar, date(2027, 6, 6)) is None


def test_hours_that_the_clocks_skip_are_not_worked_and_those_they_repeat_once_worked():
    night = Calendar(ZoneInfo("Europe/Berlin"), frozenset(), ((60, 240),))  # one to four
    assert sum(((end - begin) for begin, end in reckoning._spans(night, date(2026, 3, 29))), timedelta()) == timedelta(hours=2)
    assert sum(((end - begin) for begin, end in reckoning._spans(night, date(2026, 10, 25))), timedelta()) == timedelta(hours=4)


def test_a_calendar_that_is_never_worked_says_so():
    never = Calendar(RIYADH, frozenset(range(1, 8)), ((480, 1020),))
    with pytest.raises(NoWorkingTime):
        reckoning.next_working(never, riyadh("2026-11-26T10:00"))
    with pytest.raises(NoWorkingTime):
        reckoning.add_working_days(never, riyadh("2026-11-26T10:00"), 1)


@pytest.mark.parametrize(("zone", "weekend"), [("Asia/Riyadh", {5, 6}), ("Asia/Dubai", {6, 7}), ("Europe/Berlin", {6, 7}), ("UTC", {6, 7})])
def test_the_weekend_of_a_region(zone, weekend):
    assert reckoning.usual_weekend(zone) == weekend

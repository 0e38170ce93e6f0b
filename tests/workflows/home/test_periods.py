"""Periods are cut on the clocks of the tenant, also when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.workflows.home import periods

RIYADH, BERLIN, KOLKATA, CAIRO = map(ZoneInfo, ("Asia/Riyadh", "Europe/Berlin", "Asia/Kolkata", "Africa/Cairo"))
ZONES = st.sampled_from(
    ["Asia/Riyadh", "Europe/Berlin", "Asia/Kolkata", "Africa/Cairo", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def window(period, at, zone=RIYADH):
    return periods.window(period, now=datetime.fromisoformat(at).replace(tzinfo=UTC), zone=zone)


@given(st.sampled_from(list(periods.DAYS)), MOMENTS, ZONES)
def test_stretches_join_up_hold_now_and_lie_after_the_period_before(period, now, zone):
    made = periods.window(period, now=now, zone=ZoneInfo(zone))

    assert all(first.end == second.begin for first, second in zip(made.stretches, made.stretches[1:], strict=False))
    assert made.stretches[-1].begin <= now < made.stretches[-1].end
    assert made.edges == sorted(made.edges)
    assert made.before_begin <= made.before_end <= made.begin
    # Half of today is compared with half of a day; a change of the clocks may move it by its hour or two.
    assert abs((made.before_end - made.before_begin) - (now - made.begin)) <= timedelta(hours=26)


@pytest.mark.parametrize(("period", "count"), [("24h", 24), ("7d", 7), ("30d", 30), ("90d", 13)])
def test_how_many_stretches_there_are(period, count):
    assert len(window(period, "2026-11-23T12:00").stretches) == count


def test_a_day_begins_at_midnight_of_the_tenant():
    made = window("7d", "2026-11-22T22:30")  # half past one of the 23rd in Riyadh

    assert made.stretches[-1].begin == datetime(2026, 11, 22, 21, tzinfo=UTC)
    assert made.stretches[-1].last.isoformat() == "2026-11-23"
    assert made.begin == datetime(2026, 11, 16, 21, tzinfo=UTC)


def test_the_same_time_of_day_is_compared():
    made = window("7d", "2026-11-23T09:00")

    assert made.before_begin == datetime(2026, 11, 9, 21, tzinfo=UTC)
    assert made.before_end == datetime(2026, 11, 16, 9, tzinfo=UTC)


def test_ninety_days_are_weeks_and_the_first_is_a_day_short():
    made = window("90d", "2026-11-23T12:00")

    assert made.stretches[0].last - made.stretches[0].first.date() == timedelta(days=5)
    assert made.stretches[1].last - made.stretches[1].first.date() == timedelta(days=6)
    assert made.stretches[-1].last.isoformat() == "2026-11-23"


def test_days_on_which_the_clocks_change_are_as_long_as_they_are():
    spring = window("7d", "2026-03-30T12:00", BERLIN)
    autumn = window("7d", "2026-10-26T12:00", BERLIN)

    assert [(each.end - each.begin).total_seconds() / 3600 for each in spring.stretches] == [24, 24, 24, 24, 24, 23, 24]
    assert [(each.end - each.begin).total_seconds() / 3600 for each in autumn.stretches] == [24, 24, 24, 24, 24, 25, 24]


def test_a_day_whose_midnight_is_skipped_begins_an_hour_later():
    made = window("7d", "2026-04-24T12:00", CAIRO)  # in Cairo the clocks go from 0:00 to 1:00 on this day

    assert made.stretches[-1].begin == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert (made.stretches[-1].end - made.stretches[-1].begin) == timedelta(hours=23)


def test_the_hour_that_comes_twice_is_two_hours():
    made = window("24h", "2026-10-25T05:20", BERLIN)

    assert [each.first.hour for each in made.stretches].count(2) == 2
    assert all(each.end - each.begin == timedelta(hours=1) for each in made.stretches)


def test_hours_are_those_of_the_zone_also_where_it_is_half_an_hour_off():
    assert window("24h", "2026-11-23T12:10", KOLKATA).stretches[-1].begin == datetime(2026, 11, 23, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(("text", "found"), [(None, ("30d", True)), ("", ("30d", True)), ("7d", ("7d", True)), ("1y", ("30d", False)), ("<b>", ("30d", False))])  # fmt: skip
def test_a_period_that_does_not_exist_falls_back_and_says_so(text, found):
    assert periods.read(text) == found

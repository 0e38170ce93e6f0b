"""Working time: whether a moment is worked, when work goes on, where so much of it ends. Pure.

Hours are wall-clock times of the calendar's zone; lengths are real time, so an hour that the clocks skip is not counted and
one that they repeat is counted twice only if it is worked twice. A wall-clock time that does not exist means the first
moment after the gap, one that exists twice means the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import UnknownLocaleError, get_global
from hijridate import Gregorian

MINUTES_OF_DAY = 24 * 60
# A calendar of which so many days in a row are off has no working time that anybody could wait for.
FURTHEST_DAYS = 800
RAMADAN = 9

Span = tuple[int, int]  # minutes of the day: from, to


class NoWorkingTime(Exception):
    """No moment within two years is worked."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days off: from a day of one of the calendars, every year or (with `year`) once, for so many days."""

    name: str
    name_ar: str | None
    is_hijri: bool
    year: int | None
    month: int
    day: int
    days: int = 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """When an organisation works.

    Args:
        weekend: ISO weekdays that are off, Monday is 1.
        hours: of every working day, in order, not overlapping.
        ramadan_hours: instead of them in Ramadan; empty for the same.
    """

    zone: ZoneInfo
    weekend: frozenset[int]
    hours: tuple[Span, ...]
    ramadan_hours: tuple[Span, ...] = ()
    holidays: tuple[Holiday, ...] = ()


@dataclass(frozen=True, slots=True)
class HijriDay:
    """A day of the Umm al-Qura calendar."""

    year: int
    month: int
    day: int


@lru_cache(maxsize=4_000)
def hijri_of(day: date) -> HijriDay | None:
    """Return a day in the Umm al-Qura calendar; None outside of its tables (1924 to 2077)."""
    try:
        found = Gregorian(day.year, day.month, day.day).to_hijri()
    except (OverflowError, ValueError):
        return None
    return HijriDay(found.year, found.month, found.day)


def holiday_on(calendar: Calendar, day: date) -> Holiday | None:
    """Return the holiday that a day falls into."""
    return next((each for each in calendar.holidays if _covers(each, day)), None)


def _covers(holiday: Holiday, day: date) -> bool:
    for back in range(holiday.days):
        first = day - timedelta(days=back)
        found = hijri_of(first) if holiday.is_hijri else first
        if found is None or (found.month, found.day) != (holiday.month, holiday.day):
            continue
        if holiday.year in (None, found.year):
            return True
    return False


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Say whether a day is worked at all; one whose only hours the clocks skip is not."""
    return any(True for _span in _spans(calendar, day))


def _hours(calendar: Calendar, day: date) -> tuple[Span, ...]:
    if calendar.ramadan_hours:
        found = hijri_of(day)
        if found is not None and found.month == RAMADAN:
            return calendar.ramadan_hours
    return calendar.hours


def is_working(calendar: Calendar, at: datetime) -> bool:
    """Say whether a moment is worked; the end of the hours is not."""
    moment = at.astimezone(UTC)
    return any(begin <= moment < end for begin, end in _spans(calendar, at.astimezone(calendar.zone).date()))


def next_working(calendar: Calendar, at: datetime) -> datetime:
    """Return the moment itself if it is worked, else when work begins again.

    Raises:
        NoWorkingTime: it never does.
    """
    moment = at.astimezone(UTC)
    begin, _end = next(_from(calendar, moment))
    return begin


def add_working_time(calendar: Calendar, at: datetime, length: timedelta) -> datetime:
    """Return the moment by which so much working time has passed since `at`; for none, when work goes on.

    Raises:
        NoWorkingTime: it never does.
    """
    left = length
    end = at.astimezone(UTC)
    for begin, end in _from(calendar, at.astimezone(UTC)):
        if left <= end - begin:
            return begin + left
        left -= end - begin
    raise NoWorkingTime


def add_working_days(calendar: Calendar, at: datetime, days: int) -> datetime:
    """Return the same time of day so many working days later, kept within that day's hours; what comes outside of them counts from when
    work goes on.

    Raises:
        NoWorkingTime: it never does.
    """
    start = next_working(calendar, at)
    local = start.astimezone(calendar.zone)
    day, left = local.date(), days
    for _turn in range(FURTHEST_DAYS + days * 8):
        if left == 0:
            break
        day += timedelta(days=1)
        left -= is_working_day(calendar, day)
    else:
        raise NoWorkingTime
    if days == 0:
        return start
    spans = list(_spans(calendar, day))
    wanted = instant(day, local.hour * 60 + local.minute, calendar.zone) + timedelta(seconds=local.second, microseconds=local.microsecond)
    for begin, end in spans:
        if wanted <= end:
            return max(begin, wanted)
    return spans[-1][1]


def working_time_between(calendar: Calendar, begin: datetime, end: datetime) -> timedelta:
    """Return how much working time lies between two moments; none if they stand the other way round."""
    total, last = timedelta(), end.astimezone(UTC)
    moment = begin.astimezone(UTC)
    if moment >= last:
        return total
    for first, until in _walk(calendar, moment, last.astimezone(calendar.zone).date()):
        if first >= last:
            break
        total += min(until, last) - first
    return total


def _from(calendar: Calendar, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the stretches of working time from a moment on.

    Raises:
        NoWorkingTime: none comes for two years.
    """
    last_day = moment.astimezone(calendar.zone).date()
    while True:
        found = None
        for found in _walk(calendar, moment, last_day + timedelta(days=FURTHEST_DAYS)):
            yield found
            last_day = found[1].astimezone(calendar.zone).date()
        if found is None:
            raise NoWorkingTime
        moment = found[1]


def _walk(calendar: Calendar, moment: datetime, last_day: date) -> Iterator[tuple[datetime, datetime]]:
    # From the day before: its last hours may reach into the moment's own.
    day = moment.astimezone(calendar.zone).date() - timedelta(days=1)
    while day <= last_day:
        for begin, end in _spans(calendar, day):
            if end > moment:
                yield max(begin, moment), end
        day += timedelta(days=1)


def _spans(calendar: Calendar, day: date) -> Iterator[tuple[datetime, datetime]]:
    if day.isoweekday() in calendar.weekend or holiday_on(calendar, day) is not None:
        return
    for first, last in _hours(calendar, day):
        begin, end = instant(day, first, calendar.zone), instant(day, last, calendar.zone)
        if begin < end:
            yield begin, end


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which a zone's clocks first show a minute of a day, or pass it by."""
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    found = naive.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == naive:
        return found
    # The clocks skip it: the moment at which they do lies between what the two offsets make of it.
    late, early = found, naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    before = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        early, late = (middle, late) if middle.astimezone(zone).utcoffset() == before else (early, middle)
    return late.replace(microsecond=0)


def usual_weekend(zone: str) -> frozenset[int]:
    """Return the weekend of the region that a time zone lies in, as ISO weekdays: Friday and Saturday for Riyadh."""
    territory = get_global("zone_territories").get(zone, "001")
    try:
        locale = Locale.parse(f"und_{territory}")
    except (UnknownLocaleError, ValueError):
        return frozenset({6, 7})
    first, last = locale.weekend_start + 1, locale.weekend_end + 1
    return frozenset(range(first, last + 1)) if first <= last else frozenset({*range(first, 8), *range(1, last + 1)})

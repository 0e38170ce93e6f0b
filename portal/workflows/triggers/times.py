"""When a schedule is due: cron, intervals and Hijri dates in a time zone, across every change of its clocks. Pure.

The rules of the clock changes, for times that are read off a wall clock:

- A time that the clock skips happens once, at the first moment after the gap.
- A time that the clock shows twice happens once, the first time.
- Where the hour field begins with `*`, every real hour counts: nothing is added in the gap, and the doubled hour is two hours.

Intervals are lengths of real time from an anchor, whatever the clocks do.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hijridate import Gregorian, Hijri

# A day was left out of the calendar of Samoa in 2011: no gap is longer.
LONGEST_GAP = timedelta(hours=25)
FIRST_HIJRI, LAST_HIJRI = 1343, 1500  # the tables of Umm al-Qura
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule as it is meant.

    Args:
        mode: cron, interval or hijri.
        cron: five fields.
        every: the length of an interval.
        anchor: where intervals are counted from; aware.
        month, day, at: of the Hijri calendar; month 0 is every month, and day 30 of a month of 29 days is its last.
        begins, ends: the first moment and the one after the last; aware, or None.
    """

    mode: str
    zone: ZoneInfo
    cron: str = ""
    every: timedelta = MINUTE
    anchor: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    month: int = 0
    day: int = 1
    at: time = time(0)
    begins: datetime | None = None
    ends: datetime | None = None


def after(plan: Plan, moment: datetime) -> Iterator[datetime]:
    """Yield every instant strictly after `moment`, in order, in UTC; ends with the plan, or with the calendar's tables."""
    if plan.begins is not None and moment < plan.begins:
        moment = plan.begins - timedelta(microseconds=1)
    for instant in _instants(plan, moment.astimezone(UTC)):
        if plan.ends is not None and instant >= plan.ends:
            return
        yield instant


def next_after(plan: Plan, moment: datetime) -> datetime | None:
    """Return the first instant after `moment`, or None."""
    return next(after(plan, moment), None)


def upcoming(plan: Plan, moment: datetime, count: int) -> list[datetime]:
    """Return the next instants after `moment`."""
    return list(islice(after(plan, moment), count))


def due(plan: Plan, first: datetime, now: datetime, *, limit: int) -> list[datetime]:
    """Return the last `limit` instants from `first` to `now`, both included; looks back only as far as it must."""
    span = timedelta(hours=2)
    while True:
        begin = max(first, now - span)
        found: list[datetime] = []
        for instant in after(plan, begin - timedelta(microseconds=1)):
            if instant > now:
                break
            found.append(instant)
        if begin == first or len(found) >= limit:
            return found[-limit:]
        span *= 4


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in a zone; there are days that do not begin at midnight."""
    return resolve(datetime.combine(day, time(0)), zone)


def resolve(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time: the first of two, or the end of the gap that it lies in."""
    earlier, later = _utc(wall, zone, fold=0), _utc(wall, zone, fold=1)
    if earlier.astimezone(zone).replace(tzinfo=None) == wall:
        return earlier
    # In a gap: fold 0 counts with the offset before it, and so lands behind it; fold 1 the other way round.
    low, high = sorted((earlier, later))
    behind = high.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        middle = middle if middle > low else low + timedelta(seconds=1)
        low, high = (low, middle) if middle.astimezone(zone).utcoffset() == behind else (middle, high)
    return high


def _instants(plan: Plan, moment: datetime) -> Iterator[datetime]:
    if plan.mode == "interval":
        return _intervals(plan, moment)
    if plan.mode == "hijri":
        return _hijri(plan, moment)
    counts_hours = plan.cron.split()[1].startswith("*")
    return _every_reading(plan, moment) if counts_hours else _wall_times(plan, moment)


def _intervals(plan: Plan, moment: datetime) -> Iterator[datetime]:
    anchor = plan.anchor.astimezone(UTC)
    number = max(0, (moment - anchor) // plan.every + 1)
    while True:
        yield anchor + number * plan.every
        number += 1


def _wall_times(plan: Plan, moment: datetime) -> Iterator[datetime]:
    """Resolve each wall-clock time once; those that fall into one gap are one."""
    last = moment
    for wall in _readings(plan, moment):
        instant = resolve(wall, plan.zone)
        if instant > last:
            last = instant
            yield instant


def _every_reading(plan: Plan, moment: datetime) -> Iterator[datetime]:
    """Give every real instant whose clock shows one of the times: twice in a doubled hour, never in a gap."""
    waiting: list[datetime] = []
    for wall in _readings(plan, moment):
        both = {_utc(wall, plan.zone, fold=fold) for fold in (0, 1)}
        for instant in both:
            if instant > moment and instant.astimezone(plan.zone).replace(tzinfo=None) == wall:
                heapq.heappush(waiting, instant)
        # Whatever follows on the clock is no earlier than this one read with the offset before a change.
        while waiting and waiting[0] <= min(both):
            yield heapq.heappop(waiting)
    yield from sorted(waiting)


def _readings(plan: Plan, moment: datetime) -> Iterator[datetime]:
    """Give the times that a clock without changes would show, from a little before `moment`."""
    begin = moment.astimezone(plan.zone).replace(tzinfo=None, fold=0) - LONGEST_GAP
    return iter(CronSim(plan.cron, begin))


def _hijri(plan: Plan, moment: datetime) -> Iterator[datetime]:
    year = hijri_year(moment.astimezone(plan.zone).date() - timedelta(days=2))
    for each in range(year, LAST_HIJRI + 1):
        for month in [plan.month] if plan.month else range(1, 13):
            day = _hijri_day(each, month, plan.day)
            if day is None:
                return
            instant = resolve(datetime.combine(day, plan.at), plan.zone)
            if instant > moment:
                yield instant


def hijri_year(day: date) -> int:
    """Return the Hijri year of a day, within the tables."""
    try:
        return int(Gregorian(day.year, day.month, day.day).to_hijri().year)
    except (ValueError, OverflowError):
        return FIRST_HIJRI if day.year < 2000 else LAST_HIJRI + 1


def _hijri_day(year: int, month: int, day: int) -> date | None:
    try:
        first = Hijri(year, month, 1)
        wanted = first if day == 1 else Hijri(year, month, min(day, first.month_length()))
        return date(*wanted.to_gregorian().datetuple())
    except (ValueError, OverflowError):
        return None


def _utc(wall: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    return wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)

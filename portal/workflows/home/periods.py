"""Stretches of time that the home page looks back on, in the tenant's time zone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DAYS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
USUAL = "30d"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One column of a chart: from when to before when, and the first and last local day (or the local hour) in it."""

    begin: datetime
    end: datetime
    first: datetime
    last: date


@dataclass(frozen=True, slots=True)
class Window:
    """A period that ends now, cut into stretches, and the period before it.

    The period before ends as long before `begin` as now lies before the end of the last stretch: half a day is compared with
    half a day.
    """

    period: str
    now: datetime
    stretches: tuple[Stretch, ...]
    before_begin: datetime
    before_end: datetime

    @property
    def begin(self) -> datetime:
        return self.stretches[0].begin

    @property
    def edges(self) -> list[datetime]:
        """The period before, the gap between, then each stretch: what `width_bucket` counts by, from 1."""
        return [self.before_begin, self.before_end, *(each.begin for each in self.stretches)]


BEFORE = 1  # the bucket of the period before among `edges`
FIRST = 3  # the bucket of the first stretch


def read(text: str | None) -> tuple[str, bool]:
    """Return the period that a URL names, and False if it names one that does not exist: the usual one stands in."""
    if not text:
        return USUAL, True
    return (text, True) if text in DAYS else (USUAL, False)


def window(period: str, *, now: datetime, zone: ZoneInfo) -> Window:
    """Return the period that ends now: 24 hours by the hour, 7 and 30 days by the day, 90 days by the week.

    Days begin at midnight of the zone, whatever their length; the first week of 90 days is one day short.
    """
    days = DAYS[period]
    local = now.astimezone(zone)
    if days == 1:
        latest = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        stretches = tuple(_hour(latest - HOUR * back, zone) for back in reversed(range(24)))
        return Window(period, now, stretches, stretches[0].begin - DAY, min(now - DAY, stretches[0].begin))
    today = local.date()
    length = 7 if days > 30 else 1
    firsts = [today + DAY - DAY * min(back * length, days) for back in range(1, -(-days // length) + 1)][::-1]
    lasts = [*(each - DAY for each in firsts[1:]), today]
    stretches = tuple(
        Stretch(midnight(first, zone), midnight(last + DAY, zone), datetime.combine(first, time(), zone), last)
        for first, last in zip(firsts, lasts, strict=True)
    )
    before_begin = midnight(firsts[0] - DAY * days, zone)
    # Wall clocks, not elapsed hours: on the day after a change of the clocks, nine o'clock is still compared with nine o'clock.
    before_end = (local.replace(tzinfo=None) - DAY * days).replace(tzinfo=zone).astimezone(UTC)
    return Window(period, now, stretches, before_begin, min(before_end, stretches[0].begin))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local day begins; where the clocks skip midnight, the first moment after."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _hour(begin: datetime, zone: ZoneInfo) -> Stretch:
    local = begin.astimezone(zone)
    return Stretch(begin, begin + HOUR, local, local.date())

"""Periods that a list can be narrowed to, in days of the reader's time zone. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = {"today": 1, "7d": 7, "30d": 30}
BETWEEN = ".."
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)


def own(first: str, last: str) -> str:
    """Return the text of a period from one day to another, as the form's two fields give them; "" when both are empty."""
    return f"{first}{BETWEEN}{last}" if first or last else ""


def read(text: str) -> str | None:
    """Return a period as it is kept: `today`, `7d`, `30d`, or `2026-01-01..2026-01-31` with either day left open; None if it is none."""
    if text in DAYS:
        return text
    try:
        first, last = days(text)
    except ValueError:
        return None
    if first is None and last is None:
        return None
    return f"{first or ''}{BETWEEN}{last or ''}" if first is None or last is None or first <= last else None


def days(text: str) -> tuple[date | None, date | None]:
    """Return the first and last day of an own period; None where it is open.

    Raises:
        ValueError: this is not a period.
    """
    first, mark, last = text.partition(BETWEEN)
    if not mark:
        raise ValueError(text)
    return _day(first), _day(last)


def bounds(text: str | None, *, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return from when on, and before when, rows are meant; None where the period is open."""
    if text is None:
        return None, None
    if text in DAYS:
        today = now.astimezone(zone).date()
        return _midnight(today - timedelta(days=DAYS[text] - 1), zone), None
    first, last = days(text)
    return (_midnight(first, zone) if first else None), (_midnight(last + timedelta(days=1), zone) if last else None)


def _day(text: str) -> date | None:
    if not text:
        return None
    day = date.fromisoformat(text)
    if len(text) != 10 or not EARLIEST <= day <= LATEST:
        raise ValueError(text)
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)

"""A month as people choose a day from it: their week, their digits, and the Umm al-Qura days beside for who wants them. Pure."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from portal.i18n import formats
from portal.i18n.locale import Locale

EARLIEST, LATEST = date(1925, 1, 1), date(2076, 12, 31)  # where both calendars are known


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a month's page; `is_other` says that it belongs to the month before or after."""

    iso: str
    number: str
    name: str
    hijri: str
    is_other: bool
    is_off: bool
    is_today: bool
    is_chosen: bool
    is_entry: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month's page; `previous` and `following` are empty at the ends of what is known."""

    iso: str
    title: str
    hijri: str
    heads: list[tuple[str, str]]
    weeks: list[list[Day]]
    previous: str
    following: str


def month_of(text: str, *, chosen: date | None, focus: date | None, today: date, reader: Locale) -> Month:
    """Return the month `2026-12`; the one of the chosen day, or of today, when the text names none."""
    first = _first_of(text) or _within(chosen or today).replace(day=1)
    last = first.replace(day=monthrange(first.year, first.month)[1])
    week = reader.preferences.week
    begin = first - timedelta((first.weekday() - week[0]) % 7)
    entry = next((each for each in (focus, chosen, today) if each and first <= each <= last), first)
    weeks = []
    while begin <= last:
        days = (begin + timedelta(place) for place in range(7))
        weeks.append([_day(each, first=first, entry=entry, chosen=chosen, today=today, reader=reader) for each in days])
        begin += timedelta(7)
    before, after = first - timedelta(1), last + timedelta(1)
    return Month(
        f"{first:%Y-%m}",
        formats.month(first),
        _hijri_months(first, last) if reader.preferences.is_hijri else "",
        [(formats.weekday(each, "narrow"), formats.weekday(each)) for each in week],
        weeks,
        f"{before:%Y-%m}" if before >= EARLIEST else "",
        f"{after:%Y-%m}" if after <= LATEST else "",
    )


def _day(day: date, *, first: date, entry: date, chosen: date | None, today: date, reader: Locale) -> Day:
    hijri = formats.umalqura(day) if reader.preferences.is_hijri else ""
    name = f"{formats.weekday(day)} {formats.date(day)}"
    return Day(
        day.isoformat(),
        formats.number(day.day),
        f"{name} · {hijri}" if hijri else name,
        hijri.partition(" ")[0],
        day.month != first.month,
        day.weekday() in reader.preferences.weekend_days,
        day == today,
        day == chosen,
        day == entry,
    )


def _hijri_months(first: date, last: date) -> str:
    names = [formats.umalqura(day).partition(" ")[2] for day in (first, last)]
    return " – ".join(dict.fromkeys(filter(None, names)))


def _first_of(text: str) -> date | None:
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return found if EARLIEST <= found <= LATEST else None


def _within(day: date) -> date:
    return min(max(day, EARLIEST), LATEST)

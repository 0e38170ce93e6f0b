"""Days as people type them: any digits, year first, Gregorian or Umm al-Qura; what is kept is Gregorian. Pure."""

from __future__ import annotations

import re
from datetime import date, time

from hijridate import Hijri

from portal.core.digits import ascii_digits
from portal.i18n.names import TAKEN_OUT

_DAY = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})\s*(?:هـ?|AH)?\Z", re.ASCII)
_FIRST_GREGORIAN = 1700  # the tables of Umm al-Qura end in 1500


def read(text: str) -> date | None:
    """Read a day: 2026-12-31, ٢٠٢٦/١٢/٣١, or 1448-07-22 in the Umm al-Qura calendar; None if it is none.

    The year stands first, because 3/4 is the third of April to one reader and the fourth of March to another.
    """
    found = _parts(text)
    if found is None:
        return None
    year, month, day = found
    try:
        return date(year, month, day) if year >= _FIRST_GREGORIAN else date(*Hijri(year, month, day).to_gregorian().datetuple())
    except (ValueError, OverflowError):
        return None


def is_hijri(text: str) -> bool:
    """Say whether a day is written in the Umm al-Qura calendar, by its year; False also for what is no day."""
    found = _parts(text)
    return found is not None and found[0] < _FIRST_GREGORIAN


def _parts(text: str) -> tuple[int, int, int] | None:
    found = _DAY.match(ascii_digits(text).translate(TAKEN_OUT).strip())
    return (int(found["year"]), int(found["month"]), int(found["day"])) if found else None


_TIME = re.compile(r"(?P<hour>\d{1,2})(?:[:.٫](?P<minute>\d{2}))?\s*(?P<half>am|pm|a\.m\.|p\.m\.|ص|م)?\Z", re.ASCII | re.IGNORECASE)
_NOON = 12


def read_time(text: str) -> time | None:
    """Read a time of day: 08:30, ٨:٣٠, 8.30, 5:30 PM or ٥:٣٠ م; None if it is none."""
    found = _TIME.match(ascii_digits(text).translate(TAKEN_OUT).strip())
    if found is None or (found["minute"] is None and not found["half"]):
        return None
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half[0] in "pم" else 0)
    try:
        return time(hour, minute)
    except ValueError:
        return None


SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}


def read_duration(amount: str, unit: str) -> int | None:
    """Read the two parts of `ui.duration_field` as whole seconds, 1.5 hours too; None if they are no length of time."""
    plain = ascii_digits(amount).translate(TAKEN_OUT).replace("٫", ".").strip()
    if unit not in SECONDS or not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", plain, re.ASCII):
        return None
    return round(float(plain) * SECONDS[unit])


def split_duration(seconds: int | None) -> tuple[str, str]:
    """Return a length of time as `ui.duration_field` shows it: the amount and the largest unit that needs no fraction."""
    if seconds is None:
        return "", "min"
    unit = next(each for each in ("d", "h", "min", "s") if seconds % SECONDS[each] == 0 and (seconds or each == "min"))
    return str(seconds // SECONDS[unit]), unit

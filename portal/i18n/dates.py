"""Days as people type them: any digits, year first, Gregorian or Umm al-Qura; what is kept is Gregorian. Pure."""

from __future__ import annotations

import re
from datetime import date

from hijridate import Hijri

from portal.core.digits import ascii_digits
from portal.i18n.names import TAKEN_OUT

_DAY = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})\s*(?:هـ?|AH)?\Z", re.ASCII)
_FIRST_GREGORIAN = 1700  # the tables of Umm al-Qura end in 1500


def read(text: str) -> date | None:
    """Read a day: 2026-12-31, ٢٠٢٦/١٢/٣١, or 1448-07-22 in the Umm al-Qura calendar; None if it is none.

    The year stands first, because 3/4 is the third of April to one reader and the fourth of March to another.
    """
    found = _DAY.match(ascii_digits(text).translate(TAKEN_OUT).strip())
    if found is None:
        return None
    year, month, day = int(found["year"]), int(found["month"]), int(found["day"])
    try:
        return date(year, month, day) if year >= _FIRST_GREGORIAN else date(*Hijri(year, month, day).to_gregorian().datetuple())
    except (ValueError, OverflowError):
        return None

"""Numbers, dates and durations as the reader writes them: Latin digits in both languages, no bidi controls in the text.

Written out rather than asked of Babel for each value: a list page formats a hundred of them. Babel gives the names of the months.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from flask import has_request_context

from portal.core import access, clock
from portal.core.render import language
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext


def number(value: float | None) -> str:
    """1234.5 → 1,234.5; three decimals at most."""
    if value is None:
        return ""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def datetime(value: dt.datetime | None) -> str:
    """A moment in the tenant's time zone, to the minute."""
    return "" if value is None else _datetime(value, zone(), language())


@lru_cache(maxsize=4096)
def _datetime(value: dt.datetime, place: ZoneInfo, tag: str) -> str:
    here = value.astimezone(place)
    comma = "،" if tag == "ar" else ","
    month = _month(here.month, tag, "wide" if tag == "ar" else "abbreviated")
    return f"{here.day} {month} {here.year}{comma} {here.hour:02}:{here.minute:02}"


def date(value: dt.date | dt.datetime | None) -> str:
    """A day; of a moment, the day it is in the tenant's time zone."""
    if value is None:
        return ""
    here = value.astimezone(zone()) if isinstance(value, dt.datetime) else value
    return f"{here.day} {_month(here.month, language(), 'wide')} {here.year}"


def zone() -> ZoneInfo:
    """Return the time zone of the reader's tenant; UTC for a visitor."""
    here = access.current() if has_request_context() else None
    return _zone(here.timezone if here else "UTC")


_zone = lru_cache(maxsize=600)(ZoneInfo)


@lru_cache(maxsize=96)
def _month(number: int, tag: str, width: str) -> str:
    name: str = Locale.parse(tag).months["format"][width][number]
    return name


def relative(value: dt.datetime | None) -> str:
    """How long ago, or how long until, in the largest whole unit."""
    if value is None:
        return ""
    seconds = (clock.now() - value).total_seconds()
    for size_s, past, future in ((86400, _days_ago, _in_days), (3600, _hours_ago, _in_hours), (60, _minutes_ago, _in_minutes)):
        if abs(seconds) >= size_s:
            return past(int(seconds // size_s)) if seconds > 0 else future(int(-seconds // size_s))
    if seconds < -1:
        return _in_seconds(int(-seconds))
    return _("just now")


def _days_ago(num: int) -> str:
    return ngettext("%(num)d day ago", "%(num)d days ago", num)


def _hours_ago(num: int) -> str:
    return ngettext("%(num)d hour ago", "%(num)d hours ago", num)


def _minutes_ago(num: int) -> str:
    return ngettext("%(num)d minute ago", "%(num)d minutes ago", num)


def _in_days(num: int) -> str:
    return ngettext("in %(num)d day", "in %(num)d days", num)


def _in_hours(num: int) -> str:
    return ngettext("in %(num)d hour", "in %(num)d hours", num)


def _in_minutes(num: int) -> str:
    return ngettext("in %(num)d minute", "in %(num)d minutes", num)


def _in_seconds(num: int) -> str:
    return ngettext("in %(num)d second", "in %(num)d seconds", num)


def duration(milliseconds: float | None) -> str:
    """How long something took, with two significant units at most."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return _("%(num)s ms", num=number(round(milliseconds)))
    if milliseconds < 60_000:
        return _("%(num)s s", num=number(round(milliseconds / 1000, 1)))
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    if minutes < 60:
        return _("%(minutes)s min %(seconds)s s", minutes=number(minutes), seconds=number(seconds))
    hours, minutes = divmod(minutes, 60)
    return _("%(hours)s h %(minutes)s min", hours=number(hours), minutes=number(minutes))


FILTERS: dict[str, Any] = {"number": number, "datetime": datetime, "date": date, "relative": relative, "duration": duration}

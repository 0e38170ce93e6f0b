"""How the home page writes stretches of time, shares and durations on its axes, in the reader's language."""

from __future__ import annotations

import datetime as dt

from babel.dates import get_day_names, get_month_names
from flask_babel import get_locale
from flask_babel import gettext as _

from portal.i18n import formats
from portal.workflows.home.periods import Stretch, Window

# CLDR's first day of the week: Sunday where Arabic is written by default here (Saudi Arabia), Monday elsewhere.
FIRST_WEEKDAY = {"ar": 6}


def short_name(window: Window, stretch: Stretch) -> str:
    """Return what stands under the axis: an hour, a weekday or a day."""
    if window.period == "24h":
        return hour(stretch.first.hour)
    if window.period == "7d":
        return weekday(stretch.first.weekday(), width="abbreviated")
    return day_and_month(stretch.first)


def long_name(window: Window, stretch: Stretch) -> str:
    """Return what stands in the table: a day and hour, a day, or the first and last day."""
    if window.period == "24h":
        return _("%(day)s, %(hour)s", day=day_and_month(stretch.first), hour=hour(stretch.first.hour))
    if stretch.first.date() == stretch.last:
        return formats.date(stretch.last)
    return _("%(first)s – %(last)s", first=day_and_month(stretch.first), last=day_and_month(stretch.last))


def day_and_month(day: dt.date) -> str:
    """22 Nov"""
    month = get_month_names("abbreviated", locale=get_locale())[day.month]
    return _("%(day)s %(month)s", day=formats.number(day.day), month=month)


def hour(value: int) -> str:
    """14:00"""
    return _("%(hour)s:00", hour=formats.number(value))


def weekday(value: int, *, width: str) -> str:
    """Return the name of a weekday, from Monday 0."""
    return str(get_day_names(width, locale=get_locale())[value])  # type: ignore[arg-type]  # one of Babel's widths


def week() -> list[int]:
    """Return the weekdays in the order of the reader's week."""
    first = FIRST_WEEKDAY.get(str(get_locale()), 0)
    return [(first + place) % 7 for place in range(7)]


def percent(share: float) -> str:
    """0.934 → 93.4%"""
    return _("%(num)s%%", num=formats.number(round(share * 100, 1)))


def signed(value: float, text: str) -> str:
    """Put the sign of a change before its amount."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{text}"


def brief_duration(seconds: float) -> str:
    """Return a round duration in its one unit, for an axis."""
    if seconds == 0:
        return formats.number(0)
    if seconds < 1:
        return _("%(num)s ms", num=formats.number(round(seconds * 1000)))
    if seconds < 60:
        return _("%(num)s s", num=formats.number(round(seconds, 1)))
    if seconds < 3600:
        return _("%(num)s min", num=formats.number(round(seconds / 60, 1)))
    if seconds < 86_400:
        return _("%(num)s h", num=formats.number(round(seconds / 3600, 1)))
    return _("%(num)s d", num=formats.number(round(seconds / 86_400, 1)))

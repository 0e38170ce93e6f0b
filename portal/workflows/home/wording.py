"""How the home page writes stretches of time, shares and durations on its axes, in the reader's language."""

from __future__ import annotations

import datetime as dt

from portal.i18n import formats
from portal.i18n.reader import current
from portal.i18n.words import gettext as _
from portal.workflows.home.periods import Stretch, Window


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
    return formats.short_date(day)


def hour(value: int) -> str:
    """14:00, or 2 PM"""
    return formats.hour(value)


def weekday(value: int, *, width: str) -> str:
    """Return the name of a weekday, from Monday 0."""
    return formats.weekday(value, width)


def week() -> tuple[int, ...]:
    """Return the weekdays in the order of the reader's week."""
    return current().preferences.week


def percent(share: float) -> str:
    """0.934 → 93.4%"""
    return formats.percent(share)


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

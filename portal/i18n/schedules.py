"""Cron expressions as people read them: what one means in the reader's language, and when it comes next. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from portal.core.digits import ascii_digits
from portal.i18n import formats
from portal.i18n.names import TAKEN_OUT
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext

FIELDS = 5
LONGEST = 100
MOST_TIMES = 6
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MINUTES, _HOURS, _DAYS, _MONTHS, _WEEKDAYS = set(range(60)), set(range(24)), set(range(1, 32)), set(range(1, 13)), set(range(7))


@dataclass(frozen=True, slots=True)
class Explained:
    """What an expression means to this reader, and the next moments that it names, in the zone that was asked for."""

    sentence: str
    moments: tuple[dt.datetime, ...]


def read(text: str) -> str | None:
    """Return a cron expression of five fields with one space between them and ASCII digits; None if it is none, or names no day at all."""
    plain = " ".join(ascii_digits(text).translate(TAKEN_OUT).upper().split())
    if len(plain) > LONGEST or plain.count(" ") != FIELDS - 1:
        return None
    try:
        next(CronSim(plain, _EPOCH))
    except (CronSimError, StopIteration):
        return None
    return plain


def explained(text: str, *, after: dt.datetime, zone: ZoneInfo, count: int = 5) -> Explained | None:
    """Return what an expression means and its next moments after a moment; None if it is no expression."""
    plain = read(text)
    return Explained(explain(plain), tuple(upcoming(plain, after=after, zone=zone, count=count))) if plain else None


def upcoming(expression: str, *, after: dt.datetime, zone: ZoneInfo, count: int = 5) -> list[dt.datetime]:
    """Return the next moments that an expression names, read in this zone; also where the clock is put forward or back."""
    return list(islice(CronSim(expression, after.astimezone(zone)), count))


def explain(expression: str) -> str:
    """Say what an expression means, as a sentence; one that is too tangled for words is only named."""
    cron: Any = CronSim(expression, _EPOCH)
    when, days = _times(cron.minutes, cron.hours), _days(cron.days, {each % 7 if isinstance(each, int) else each for each in cron.weekdays})
    if not when or not days:
        return _("At the moments that “%(cron)s” names.", cron=formats.isolate(expression))
    facts = [when, days]
    if cron.months != _MONTHS:
        facts.append(_("in %(months)s", months=_listed(formats.month_name(each) for each in sorted(cron.months))))
    sentence = _listed(facts)
    return f"{sentence[:1].upper()}{sentence[1:]}"


def _times(minutes: set[int], hours: set[int]) -> str:
    every_min = _step(minutes, _MINUTES)
    if hours == _HOURS:
        return _within_hours(minutes, every_min)
    every_h = _step(hours, _HOURS)
    if minutes == {0} and every_h:
        return ngettext("every %(num)d hour", "every %(num)d hours", every_h)
    if len(minutes) * len(hours) <= MOST_TIMES:
        return _("at %(times)s", times=_listed(formats.time(dt.time(hour, minute)) for hour in sorted(hours) for minute in sorted(minutes)))
    if not _is_row(hours) or not (every_min or len(minutes) == 1):
        return ""
    ends = {"first": formats.time(dt.time(min(hours), min(minutes))), "last": formats.time(dt.time(max(hours), max(minutes)))}
    if len(minutes) == 1:
        return _("every hour from %(first)s to %(last)s", **ends)
    return ngettext(
        "every %(num)d minute from %(first)s to %(last)s", "every %(num)d minutes from %(first)s to %(last)s", every_min, **ends
    )


def _within_hours(minutes: set[int], every_min: int) -> str:
    if every_min:
        return _("every minute") if every_min == 1 else ngettext("every %(num)d minute", "every %(num)d minutes", every_min)
    if minutes == {0}:
        return _("every hour, on the hour")
    if len(minutes) == 1:
        return ngettext("%(num)d minute after every full hour", "%(num)d minutes after every full hour", min(minutes))
    return ""


def _days(days: set[Any], weekdays: set[Any]) -> str:
    if days == _DAYS and weekdays == _WEEKDAYS:
        return _("every day")
    if weekdays == _WEEKDAYS:
        if days == {CronSim.LAST}:
            return _("on the last day of the month")
        if min(days) < 1:
            return ""
        return ngettext(
            "on day %(days)s of the month", "on days %(days)s of the month", len(days), days=_listed(map(formats.number, sorted(days)))
        )
    if days != _DAYS or not all(isinstance(each, int) for each in weekdays):
        return ""
    names = [formats.weekday((each - 1) % 7) for each in sorted(weekdays)]
    if len(names) > 2 and _is_row(weekdays):
        return _("from %(first)s to %(last)s", first=names[0], last=names[-1])
    return ngettext("on %(days)s", "on %(days)s", len(names), days=_listed(names))


def _step(chosen: set[int], every: set[int]) -> int:
    """Return the step of a set that goes evenly through all of them from 0, else 0."""
    step = len(every) // len(chosen)
    return step if chosen == set(range(0, len(every), step)) and len(every) % step == 0 and len(chosen) > 1 else 0


def _is_row(chosen: set[int]) -> bool:
    return len(chosen) == max(chosen) - min(chosen) + 1


def _listed(items: Iterable[str]) -> str:
    return formats.comma().join(items)

"""Cron expressions as people read them: what one means in whole sentences, what is wrong with one, when it comes next. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from portal.core.digits import ascii_digits
from portal.i18n import formats
from portal.i18n.names import TAKEN_OUT
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.i18n.words import ngettext

FIELDS = 5
LONGEST = 100
MOST_TIMES = 12
LAST_DAY, LAST_WORKDAY, LAST_OF_WEEKDAY = -1000, -1001, -1000
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

_PROBLEMS = {
    "Bad minute": _l("The minute is 0 to 59, or several of them, as in %(examples)s.", examples=formats.isolate("0,30  0-29  */5")),
    "Bad hour": _l("The hour is 0 to 23, or several of them, as in %(examples)s.", examples=formats.isolate("8,12  8-17  */2")),
    "Bad day-of-month": _l("The day of the month is 1 to 31, or L for the last, and must exist in one of the months."),
    "Bad month": _l("The month is 1 to 12, or JAN to DEC."),
    "Bad day-of-week": _l("The weekday is 0 to 7 (0 and 7 are Sunday), or SUN to SAT."),
}


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
    return Explained(" ".join(say(plain)), tuple(upcoming(plain, after=after, zone=zone, count=count))) if plain else None


def upcoming(expression: str, *, after: dt.datetime, zone: ZoneInfo, count: int = 5) -> list[dt.datetime]:
    """Return the next moments that an expression names, read in this zone; also where the clock is put forward or back."""
    return list(islice(CronSim(expression, after.astimezone(zone)), count))


def problem(said: str) -> Any:
    """Say what the parser refused."""
    return _PROBLEMS.get(said, _l("This is not a cron expression: five parts, as in “0 8 * * SUN-THU”."))


def say(expression: str) -> list[str]:
    """Return sentences that say when an expression is due."""
    cron = CronSim(expression, _EPOCH)
    minute, hour, day, _month, weekday = expression.split()
    sentences = [_times(cron, minute, hour), _days(cron, day, weekday)]
    if len(cron.months) < 12:
        sentences.append(_("Only in: %(months)s.", months=_list(formats.month_name(each) for each in sorted(cron.months))))
    return sentences


def every(number: int, unit: str) -> str:
    """Say the length of an interval."""
    if unit == "minutes":
        return ngettext("Every minute.", "Every %(num)d minutes.", number)
    if unit == "hours":
        return ngettext("Every hour.", "Every %(num)d hours.", number)
    return ngettext("Every 24 hours.", "Every %(num)d times 24 hours.", number)


def _times(cron: CronSim, minute: str, hour: str) -> str:
    minutes, hours = sorted(cron.minutes), sorted(cron.hours)
    if hour == "*":
        if minute == "*":
            return every(1, "minutes")
        if minute.startswith("*/") and 60 % int(minute[2:] or 1) == 0:
            return every(int(minute[2:]), "minutes")
        return _("In each hour at minute: %(minutes)s.", minutes=_list(map(formats.number, minutes)))
    if len(minutes) * len(hours) <= MOST_TIMES:
        return _("At %(times)s.", times=_list(formats.time(dt.time(h, m)) for h in hours for m in minutes))
    if minute == "*":
        return _("In each minute of these hours: %(hours)s.", hours=_list(map(formats.number, hours)))
    return _(
        "At these minutes: %(minutes)s; of these hours: %(hours)s.",
        minutes=_list(map(formats.number, minutes)),
        hours=_list(map(formats.number, hours)),
    )


def _days(cron: CronSim, day: str, weekday: str) -> str:
    if day == "*" and weekday == "*":
        return _("Every day.")
    days = _list(_day_name(each) for each in sorted(cron.days, key=lambda each: (each < 0, each)))
    weekdays = _list(_weekday_names(_in_order(cron.weekdays)))
    if day == "*":
        return _("On these weekdays: %(weekdays)s.", weekdays=weekdays)
    if weekday == "*":
        return _("On these days of the month: %(days)s.", days=days)
    if cron.day_and:
        return _("On these days of the month: %(days)s; only if they are: %(weekdays)s.", days=days, weekdays=weekdays)
    return _("On these days of the month: %(days)s; and also on: %(weekdays)s.", days=days, weekdays=weekdays)


def _in_order(weekdays: Iterable[Any]) -> list[Any]:
    seen = dict.fromkeys(each if isinstance(each, tuple) else each % 7 for each in weekdays)
    return sorted(seen, key=lambda each: each if isinstance(each, tuple) else (each, 0))


def _day_name(day: int) -> str:
    if day == LAST_DAY:
        return _("the last")
    return _("the last workday (Monday to Friday)") if day == LAST_WORKDAY else formats.number(day)


def _weekday_names(weekdays: list[Any]) -> Iterator[str]:
    """Name weekdays; three and more in a row by the first and the last."""
    rows: list[list[Any]] = []
    for each in weekdays:
        if rows and isinstance(each, int) and rows[-1][-1] == each - 1:
            rows[-1].append(each)
        else:
            rows.append([each])
    for row in rows:
        names = [_weekday_name(each) for each in row]
        yield from [_("from %(first)s to %(last)s", first=names[0], last=names[-1])] if len(row) > 2 else names


def _weekday_name(weekday: Any) -> str:
    if not isinstance(weekday, tuple):
        return formats.weekday((weekday - 1) % 7)
    number, place = weekday
    name = formats.weekday((number - 1) % 7)
    if place == LAST_OF_WEEKDAY:
        return _("the last %(weekday)s of the month", weekday=name)
    return _("%(weekday)s number %(place)s of the month", weekday=name, place=formats.number(place))


def _list(items: Iterable[str]) -> str:
    return formats.listed_plain(items)

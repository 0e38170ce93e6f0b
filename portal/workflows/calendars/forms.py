"""The forms of calendars: what was typed, read into what is kept, with a sentence for each thing that is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from portal.core.digits import ascii_digits
from portal.core.forms import clean
from portal.i18n import dates, names, zones
from portal.i18n.words import gettext as _
from portal.workflows.calendars.reckoning import MINUTES_OF_DAY, Holiday, Span, hijri_of
from portal.workflows.calendars.service import Draft

LONGEST_NAME = 80
MOST_DAYS = 30
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?\Z", re.ASCII)


@dataclass(slots=True)
class Typed:
    """A posted form: what it means if nothing is wrong, what was typed, and what is wrong by field."""

    typed: dict[str, Any]
    problems: dict[str, str] = field(default_factory=dict)
    draft: Draft | None = None
    holiday: Holiday | None = None


def read_calendar(form: Any) -> Typed:
    """Read the posted form of a calendar; `form` is a werkzeug MultiDict."""
    typed: dict[str, Any] = {name: clean(form.get(name, "")) for name in ("timezone", *_CLOCKS)}
    read = Typed(typed)
    name, name_ar = _names(form, read)
    typed["weekend"] = [int(each) for each in form.getlist("weekend") if each in "1234567" and each]
    if len(set(typed["weekend"])) == 7:
        read.problems["weekend"] = _("Leave at least one day to work on.")
    zone = zones.find(typed["timezone"])
    if zone is None:
        read.problems["timezone"] = _("Choose a city from the list.")
    hours = _spans(read, "hours")
    if not hours and not any(each.startswith("hours") for each in read.problems):
        read.problems["hours_from_1"] = _("Enter when work begins and when it ends.")
    ramadan = _spans(read, "ramadan")
    if not read.problems and zone is not None:
        read.draft = Draft(name, name_ar, zone, tuple(sorted(set(typed["weekend"]))), hours, ramadan)
    return read


def _names(form: Any, read: Typed, field_name: str = "name") -> tuple[str, str | None]:
    arabic = f"{field_name}_ar"
    for key in (field_name, arabic):
        read.typed[key] = names.tidy(form.get(key, ""))
        if len(read.typed[key]) > LONGEST_NAME:
            read.problems[key] = _("Use at most %(num)d characters.", num=LONGEST_NAME)
        elif wrong := names.problem(read.typed[key]):
            read.problems[key] = wrong
    if not read.typed[field_name] and not read.typed[arabic]:
        read.problems[field_name] = _("Enter a name, in one of the two languages at least.")
    return read.typed[field_name] or read.typed[arabic], read.typed[arabic] or None


_CLOCKS = tuple(f"{which}_{end}_{number}" for which in ("hours", "ramadan") for number in (1, 2) for end in ("from", "to"))


def _spans(read: Typed, which: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    for number in (1, 2):
        begin_name, end_name = f"{which}_from_{number}", f"{which}_to_{number}"
        begin, end = read.typed[begin_name], read.typed[end_name]
        if not begin and not end:
            continue
        first, last = _minute(begin), _minute(end)
        if first is None or last is None:
            read.problems[begin_name if first is None else end_name] = _("Enter a time, for example 08:30.")
            continue
        last = last or MINUTES_OF_DAY  # work that ends at midnight
        if last <= first:
            read.problems[end_name] = _("The end comes before the beginning.")
        elif spans and first < spans[-1][1]:
            read.problems[begin_name] = _("The second stretch begins before the first one ends.")
        else:
            spans.append((first, last))
    return tuple(spans)


def _minute(text: str) -> int | None:
    found = _CLOCK.match(ascii_digits(text))
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return int(found[1]) * 60 + int(found[2])


def read_holiday(form: Any) -> Typed:
    """Read the posted form of a holiday. The year says which calendar is meant; so does a repetition every year."""
    read = Typed({name: clean(form.get(name, "")) for name in ("day", "days", "repeats")})
    name, name_ar = _names(form, read, "holiday")
    day = dates.read(read.typed["day"])
    if day is None:
        read.problems["day"] = _("Enter a date as year-month-day, for example 2026-12-31 or 1448-07-22.")
    days = ascii_digits(read.typed["days"] or "1")
    if not days.isdecimal() or not 1 <= int(days[:4]) <= MOST_DAYS:
        read.problems["days"] = _("Enter a whole number between 1 and %(num)d.", num=MOST_DAYS)
    if read.problems or day is None:
        return read
    is_hijri = dates.is_hijri(read.typed["day"])
    found = hijri_of(day) if is_hijri else day
    if found is None:
        read.problems["day"] = _("This year is outside of the tables of the Umm al-Qura calendar.")
        return read
    year = None if read.typed["repeats"] == "1" else found.year
    read.holiday = Holiday(name, name_ar, is_hijri, year, found.month, found.day, int(days))
    return read


def clock_text(minute: int) -> str:
    """Write a minute of the day as a time field takes it."""
    minute %= MINUTES_OF_DAY
    return f"{minute // 60:02d}:{minute % 60:02d}"


def typed_of(draft: Any, zone_name: str) -> dict[str, Any]:
    """Write a calendar (a row, or a draft) as its form shows it."""
    name_ar = draft.name_ar or ""
    shown = {
        "name": "" if draft.name == name_ar else draft.name, "name_ar": name_ar, "timezone": zone_name, "weekend": list(draft.weekend),
        **dict.fromkeys(_CLOCKS, ""),
    }  # fmt: skip
    for which, spans in (("hours", draft.hours), ("ramadan", draft.ramadan_hours)):
        for number, (begin, end) in enumerate(list(spans)[:2], start=1):
            shown |= {f"{which}_from_{number}": clock_text(begin), f"{which}_to_{number}": clock_text(end)}
    return shown

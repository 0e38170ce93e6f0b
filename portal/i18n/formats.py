"""Numbers, money, days, times and durations as the reader writes them; no bidi control is ever in a text for HTML.

Written out rather than asked of Babel for each value: a list page formats a hundred of them. Babel gives the names of months and
days, once per reader; the digits are put in last, because Babel mixes them up for Arabic regions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale as Cldr
from babel import UnknownLocaleError
from babel.numbers import get_currency_precision, get_currency_symbol
from hijridate import Gregorian, Hijri
from markupsafe import Markup, escape

from portal.core import clock
from portal.core.digits import ascii_digits
from portal.i18n.reader import Locale, current
from portal.i18n.words import ARABIC_DIGITS, ngettext
from portal.i18n.words import gettext as _

_ARABIC = {**ARABIC_DIGITS, ord(","): ord("٬"), ord("."): ord("٫")}
_CONTROLS = dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_FSI, _RLI, _PDI, _NBSP = "\u2068", "\u2067", "\u2069", "\u00a0"
_ARABIC_ZERO_TO_NINE = frozenset("٠١٢٣٤٥٦٧٨٩")
_OLD_DAYS = 31  # from here on a date says more than a number of days


@dataclass(frozen=True, slots=True)
class Manner:
    """What formats need of a reader, made ready: names, signs, zone."""

    tag: str
    months: tuple[str, ...]  # 1–12 whole
    short_months: tuple[str, ...]
    days: tuple[str, ...]  # Monday first
    short_days: tuple[str, ...]
    day_letters: tuple[str, ...]
    comma: str
    halves: tuple[str, str]
    zone: ZoneInfo
    is_twelve: bool
    is_arabic_digits: bool
    is_hijri: bool


@lru_cache(maxsize=512)
def manner(reader: Locale) -> Manner:
    """Return what formats need of a reader; the same reader is asked for only once."""
    arabic, wanted = reader.tag == "ar", reader.preferences
    names = _names(wanted.region if arabic else None)
    months, days = names.months["format"], names.days["format"]
    width = "wide" if arabic else "abbreviated"  # Arabic has no short names of months
    return Manner(
        tag=reader.tag,
        months=("", *(months["wide"][place] for place in range(1, 13))),
        short_months=("", *(months[width][place] for place in range(1, 13))),
        days=tuple(days["wide"][place] for place in range(7)),
        short_days=tuple(days[width][place] for place in range(7)),
        day_letters=tuple(names.days["stand-alone"]["narrow"][place] for place in range(7)),
        comma="،" if arabic else ",",
        halves=("ص", "م") if arabic else ("AM", "PM"),
        zone=ZoneInfo(wanted.timezone),
        is_twelve=wanted.hours == "12",
        is_arabic_digits=reader.numerals == "arab",
        is_hijri=wanted.is_hijri,
    )


def _names(region: str | None) -> Cldr:
    """Return whose names are used: January is يناير in Riyadh, كانون الثاني in Amman and جانفي in Algiers."""
    if region is None:
        return Cldr.parse("en")
    try:
        return Cldr.parse(f"ar_{region}")
    except UnknownLocaleError:
        return Cldr.parse("ar")


def _here() -> Manner:
    reader = current()
    found: Manner | None = reader.worked_out.get("manner")
    if found is None:
        found = reader.worked_out["manner"] = manner(reader)
    return found


def _digits(here: Manner, text: str) -> str:
    return text.translate(ARABIC_DIGITS) if here.is_arabic_digits else text


def _figure(here: Manner, text: str) -> str:
    return text.translate(_ARABIC) if here.is_arabic_digits else text


def number(value: float | None) -> str:
    """1234.5 → 1,234.5 or ١٬٢٣٤٫٥; three decimals at most.

    The separators follow the digits, not the region: what is shown must mean the same when it is typed in again.
    """
    if value is None:
        return ""
    if value == int(value):
        return _figure(_here(), f"{int(value):,}")
    return _figure(_here(), f"{value:,.3f}".rstrip("0").rstrip("."))


def percent(share: float | None) -> str:
    """0.934 → 93.4% or ٩٣٫٤٪; one decimal at most."""
    if share is None:
        return ""
    text = f"{share * 100:,.1f}"
    return _figure(_here(), f"{text.removesuffix('.0')}%")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount ready to be shown: the figure with its sign, the currency, and which stands first in the line."""

    figure: str
    currency: str
    is_currency_first: bool

    def __str__(self) -> str:
        """Return it as plain text; the figure is isolated, or its sign would change sides in Arabic."""
        figure = f"{_RLI if any(each in _ARABIC_ZERO_TO_NINE for each in self.figure) else _FSI}{self.figure}{_PDI}"
        return f"{self.currency}{_NBSP}{figure}" if self.is_currency_first else f"{figure}{_NBSP}{self.currency}"


def money(minor: int, currency: str) -> Money:
    """125050, "SAR" → 1,250.50 ر.س in Arabic, SAR 1,250.50 in English; as many decimals as the currency has.

    Args:
        minor: the amount in the currency's minor unit.
        currency: its ISO 4217 code.
    """
    here = _here()
    decimals = get_currency_precision(currency)
    whole, part = divmod(abs(minor), 10**decimals)
    figure = f"{'-' if minor < 0 else ''}{whole:,}" + (f".{part:0{decimals}}" if decimals else "")
    return Money(_figure(here, figure), currency_sign(currency, here.tag), here.tag != "ar")


@lru_cache(maxsize=256)
def currency_sign(currency: str, tag: str) -> str:
    """Return how a currency is written: ر.س or SAR, د.ك or KWD, and the sign where everybody knows it."""
    sign = get_currency_symbol(currency, locale=tag).translate(_CONTROLS)
    return sign.removesuffix(".") if tag == "ar" else sign


def datetime(value: dt.datetime | None) -> str:
    """A moment in the reader's time zone, to the minute."""
    if value is None:
        return ""
    here = _here()
    at = value.astimezone(here.zone)
    return _digits(here, f"{at.day} {here.short_months[at.month]} {at.year}{here.comma} {_clock(here, at)}")


def time(value: dt.datetime | dt.time | None) -> str:
    """The time of day, of a moment in the reader's time zone: 14:05 or 2:05 PM."""
    if value is None:
        return ""
    here = _here()
    at = value.astimezone(here.zone) if isinstance(value, dt.datetime) else value
    return _digits(here, _clock(here, at))


def _clock(here: Manner, at: dt.datetime | dt.time) -> str:
    if here.is_twelve:
        return f"{at.hour % 12 or 12}:{at.minute:02}{_NBSP}{here.halves[at.hour >= 12]}"
    return f"{at.hour:02}:{at.minute:02}"


def hour(value: int) -> str:
    """A full hour of the day, from 0: 14:00 or 2 PM."""
    here = _here()
    return _digits(here, f"{value % 12 or 12}{_NBSP}{here.halves[value >= 12]}" if here.is_twelve else f"{value:02}:00")


def date(value: dt.date | dt.datetime | None) -> str:
    """A day; of a moment, the day it is in the reader's time zone."""
    if value is None:
        return ""
    here = _here()
    day = value.astimezone(here.zone) if isinstance(value, dt.datetime) else value
    return _digits(here, f"{day.day} {here.months[day.month]} {day.year}")


def as_day(text: str | None) -> dt.date | None:
    """Return a kept day (2026-12-31) as one that can be shown; None if it is none."""
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def month(value: dt.date) -> str:
    """A month with its year: November 2026."""
    here = _here()
    return _digits(here, f"{here.months[value.month]} {value.year}")


def short_date(value: dt.date) -> str:
    """A day without its year: 22 Nov."""
    here = _here()
    return _digits(here, f"{value.day} {here.short_months[value.month]}")


def hijri(value: dt.date | dt.datetime | None) -> str:
    """The same day in the Umm al-Qura calendar, for readers who want it; empty for others and where the calendar has no such day."""
    if value is None or not _here().is_hijri:
        return ""
    return umalqura(value)


def umalqura(value: dt.date | dt.datetime) -> str:
    """A day in the Umm al-Qura calendar, for every reader; empty where the calendar has no such day."""
    here = _here()
    day = value.astimezone(here.zone).date() if isinstance(value, dt.datetime) else value
    return _digits(here, _hijri(day, "ar" if here.tag == "ar" else "en"))


def day_of_year(month: int, day: int) -> str:
    """A day that comes every year: 23 September."""
    here = _here()
    return _digits(here, f"{day} {here.months[month]}")


def hijri_day(month: int, day: int, year: int | None = None) -> str:
    """A day of the Umm al-Qura calendar for every reader, with its year or of every year: 1 Shawwal."""
    here = _here()
    tag: Literal["ar", "en"] = "ar" if here.tag == "ar" else "en"
    some = Hijri(year or 1446, month, 1)
    return _digits(here, f"{day} {some.month_name(tag)}" + (f" {year} {some.notation(tag)}" if year else ""))


@lru_cache(maxsize=4096)
def _hijri(day: dt.date, tag: Literal["ar", "en"]) -> str:
    try:
        found = Gregorian.fromdate(day).to_hijri()
    except OverflowError:  # the tables run from 1924 to 2077
        return ""
    return f"{found.day} {found.month_name(tag)} {found.year} {found.notation(tag)}"


def weekday(value: int | dt.date, width: str = "wide") -> str:
    """The name of a day, or of a weekday from Monday 0; `width` is wide, abbreviated or narrow (a letter)."""
    here = _here()
    place = value if isinstance(value, int) else value.weekday()
    return {"wide": here.days, "abbreviated": here.short_days, "narrow": here.day_letters}[width][place]


def month_name(value: int) -> str:
    """The name of a Gregorian month, from January 1."""
    return _here().months[value]


def comma() -> str:
    """The comma of the reader's language with the space after it."""
    return f"{_here().comma} "


def relative(value: dt.datetime | None) -> str:
    """How long ago, or how long until, in the largest whole unit; a month and more away, the date."""
    if value is None:
        return ""
    seconds = (clock.now() - value).total_seconds()
    if abs(seconds) >= _OLD_DAYS * 86_400:
        return date(value)
    for size_s, past, future in ((86400, _days_ago, _in_days), (3600, _hours_ago, _in_hours), (60, _minutes_ago, _in_minutes)):
        if abs(seconds) >= size_s:
            return past(int(seconds // size_s)) if seconds > 0 else future(int(-seconds // size_s))
    if seconds < -1:
        return _in_seconds(int(-seconds))
    return _("just now")


def moment(value: dt.datetime | None) -> str:
    """A moment as the reader wants it in lists: how long ago, or its date and time."""
    return datetime(value) if current().preferences.times == "absolute" else relative(value)


def moment_title(value: dt.datetime | None) -> str:
    """What `moment` does not say of a moment: its date and time with the Hijri day, or how long ago it was."""
    if current().preferences.times == "absolute":
        return relative(value)
    secondary = hijri(value)
    return f"{datetime(value)} · {secondary}" if secondary else datetime(value)


def datetime_title(value: dt.datetime | None) -> str:
    """What `datetime` does not say of a moment: how long ago it was, and the Hijri day."""
    return " · ".join(part for part in (relative(value), hijri(value)) if part)


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


def size(count: int | None) -> str:
    """A number of bytes in the largest decimal unit: 1536 → 1.5 kB."""
    if count is None:
        return ""
    if abs(count) < 1000:
        return ngettext("%(count)s byte", "%(count)s bytes", count, count=number(count))
    value, place = count / 1000, 0
    while abs(value) >= 1000 and place < 3:
        value, place = value / 1000, place + 1
    named = (_("%(num)s kB"), _("%(num)s MB"), _("%(num)s GB"), _("%(num)s TB"))[place]
    return named % {"num": number(round(value, 1))}


def isolate(text: object) -> str:
    """Return a text for plain places (title, aria-label, mail subject): set apart from the direction around it, without controls of its own."""
    plain = str(text).translate(_CONTROLS) if text else ""
    return f"{_FSI}{plain}{_PDI}" if plain else ""


def listed(items: Iterable[object]) -> Markup:
    """Return items in one line for HTML, each isolated, with the comma of the language between them."""
    return Markup(f"{_here().comma} ").join(Markup("<bdi>{}</bdi>").format(escape(each)) for each in items)  # noqa: S704 - escaped


def listed_plain(items: Iterable[object]) -> str:
    """Return items in one line of plain text, each isolated."""
    return f"{_here().comma} ".join(isolate(each) for each in items)


def dialled(text: str) -> str:
    """Return a telephone number as a tel: address wants it: a plus and ASCII digits."""
    plain = ascii_digits(text)
    return ("+" if plain.strip().startswith("+") else "") + "".join(each for each in plain if each in "0123456789")


def iban(text: str) -> str:
    """Return an account number in its groups of four."""
    plain = "".join(text.split()).upper()
    return " ".join(plain[place : place + 4] for place in range(0, len(plain), 4))


FILTERS: dict[str, Any] = {
    "number": number, "percent": percent, "datetime": datetime, "date": date, "clock": time, "hijri": hijri, "weekday": weekday,
    "relative": relative, "moment": moment, "moment_title": moment_title, "datetime_title": datetime_title, "dialled": dialled,
    "duration": duration, "size": size, "isolate": isolate, "listed": listed, "iban": iban, "as_day": as_day,
}  # fmt: skip

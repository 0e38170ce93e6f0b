"""What a page looks like to a reader: the lines that the preferences page shows while one chooses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from babel import Locale as Cldr

from portal.core import clock
from portal.i18n import formats
from portal.i18n.preferences import REGIONS
from portal.i18n.reader import Locale
from portal.i18n.search import fold
from portal.i18n.words import gettext as _


@dataclass(frozen=True, slots=True)
class Sample:
    """Values as this reader would see them now, in the reader's own words.

    Attributes:
        rows: what a value is, and the value.
        days: letter, name and whether it is off, of each day of the week in its order.
    """

    reader: Locale
    today: str
    hijri: str
    rows: tuple[tuple[str, str | formats.Money], ...]
    days: tuple[tuple[str, str, bool], ...]


def make(reader: Locale) -> Sample:
    """Return the sample; call it while the page is `reading` as this reader."""
    now, wanted = clock.now(), reader.preferences
    return Sample(
        reader=reader,
        today=f"{formats.weekday(now.astimezone(formats.manner(reader).zone))}{formats.manner(reader).comma} {formats.date(now)}",
        hijri=formats.hijri(now),
        rows=(
            (_("Now"), formats.time(now)),
            (_("In lists"), formats.moment(now - timedelta(minutes=3))),
            (_("Number"), formats.number(1234.5)),
            (_("Amount"), formats.money(125_050, "SAR")),
        ),
        days=tuple((formats.weekday(day, "narrow"), formats.weekday(day), day in wanted.weekend_days) for day in wanted.week),
    )


@lru_cache(maxsize=2)
def regions(tag: str) -> tuple[tuple[str, str], ...]:
    """Return the regions that can be chosen, by their names."""
    names = Cldr.parse(tag).territories
    return tuple(sorted(((code, names[code]) for code in REGIONS), key=lambda each: fold(each[1])))

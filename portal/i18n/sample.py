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


@dataclass(frozen=True, slots=True)
class Sample:
    """Values as this reader would see them now; `days` are the names of the week in order with whether each is off."""

    reader: Locale
    today: str
    hijri: str
    clock: str
    number: str
    money: formats.Money
    earlier: str
    days: tuple[tuple[str, bool], ...]


def make(reader: Locale) -> Sample:
    """Return the sample; call it while the page is `reading` as this reader."""
    now, wanted = clock.now(), reader.preferences
    return Sample(
        reader=reader,
        today=f"{formats.weekday(now.astimezone(formats.manner(reader).zone))}{formats.manner(reader).comma} {formats.date(now)}",
        hijri=formats.hijri(now),
        clock=formats.time(now),
        number=formats.number(1234.5),
        money=formats.money(125_050, "SAR"),
        earlier=formats.moment(now - timedelta(minutes=3)),
        days=tuple((formats.weekday(day, "abbreviated"), day in wanted.weekend_days) for day in wanted.week),
    )


@lru_cache(maxsize=2)
def regions(tag: str) -> tuple[tuple[str, str], ...]:
    """Return the regions that can be chosen, by their names."""
    names = Cldr.parse(tag).territories
    return tuple(sorted(((code, names[code]) for code in REGIONS), key=lambda each: fold(each[1])))

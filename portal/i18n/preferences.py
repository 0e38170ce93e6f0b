"""How a reader wants numbers, days and times written: their own choice, else the organisation's, else their region's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError

REGIONS = (
    "SA", "AE", "EG", "QA", "KW", "BH", "OM", "YE", "JO", "IQ", "LB", "SY", "PS", "MA", "DZ", "TN", "LY", "MR", "SD", "SO", "DJ", "KM",
    "TR", "PK", "IN", "ID", "MY", "GB", "FR", "DE", "US", "CA",
)  # fmt: skip
HOME = "SA"
DAYS = tuple(range(7))  # Monday is 0, as Python counts
WEEKENDS = {"fri_sat": (4, 5), "sat_sun": (5, 6), "thu_fri": (3, 4), "fri": (4,), "sun": (6,)}
NUMERALS = ("latn", "arab")
CALENDARS = ("gregorian", "umalqura")
HOURS = ("12", "24")
TIMES = ("relative", "absolute")


@dataclass(frozen=True, slots=True)
class Preferences:
    """All that is known of how a reader wants to see things; complete, so formats ask nothing further.

    Attributes:
        numerals: `latn` (012) or `arab` (٠١٢); English pages are written with 012 whatever it says.
        calendar: `umalqura` shows the Hijri date beside the Gregorian one.
        region: the ISO code that the names of the months follow.
        first_day: of the week, from Monday 0.
        weekend: a key of `WEEKENDS`.
        hours: `12` or `24`.
        times: whether tables say "3 minutes ago" (`relative`) or the date (`absolute`).
    """

    numerals: str = "latn"
    calendar: str = "gregorian"
    region: str = HOME
    first_day: int = 6
    weekend: str = "fri_sat"
    timezone: str = "UTC"
    hours: str = "12"
    times: str = "relative"

    @property
    def weekend_days(self) -> tuple[int, ...]:
        """The days off, from Monday 0."""
        return WEEKENDS[self.weekend]

    @property
    def is_hijri(self) -> bool:
        """Whether the Umm al-Qura calendar is shown beside the Gregorian one, and may be typed."""
        return self.calendar == "umalqura"

    @property
    def week(self) -> tuple[int, ...]:
        """The days in the order of the reader's week."""
        return tuple((self.first_day + place) % 7 for place in range(7))


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of all time zones that this machine knows."""
    return frozenset(available_timezones())


_KNOWN: dict[str, Callable[[Any], bool]] = {
    "numerals": NUMERALS.__contains__,
    "calendar": CALENDARS.__contains__,
    "region": REGIONS.__contains__,
    "first_day": lambda value: type(value) is int and value in DAYS,
    "weekend": lambda value: isinstance(value, str) and value in WEEKENDS,
    "timezone": lambda value: isinstance(value, str) and value in zones(),
    "hours": HOURS.__contains__,
    "times": TIMES.__contains__,
}
KEYS = tuple(_KNOWN)


def allowed(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the known keys with a known value; everything else is dropped, so nothing odd is stored or believed."""
    return {key: given[key] for key, is_known in _KNOWN.items() if given.get(key) is not None and is_known(given[key])}


def resolve(person: Mapping[str, Any], tenant: Mapping[str, Any], *, timezone: str) -> Preferences:
    """Return complete preferences: the person's choice, else the tenant's, else what is usual in the region.

    Args:
        timezone: the tenant's time zone, where neither has chosen another.
    """
    mine, ours = allowed(person), allowed(tenant)
    region = mine.get("region") or ours.get("region") or HOME
    # A person who names another region wants its week and hours, not the ones of the organisation's region.
    chosen = {**usual(region), **({} if "region" in mine else ours), **mine, "region": region}
    chosen["timezone"] = mine.get("timezone") or ours.get("timezone") or timezone
    return Preferences(**chosen)


def usual(region: str) -> dict[str, Any]:
    """Return what CLDR says of a region's week and hours; digits are Latin everywhere, as identifiers and codes are."""
    first_day, weekend, hours = _cldr(region)
    return {"first_day": first_day, "weekend": weekend, "hours": hours}


@lru_cache(maxsize=len(REGIONS))
def _cldr(region: str) -> tuple[int, str, str]:
    locale = _locale_of(region)
    days = tuple((locale.weekend_start + place) % 7 for place in range((locale.weekend_end - locale.weekend_start) % 7 + 1))
    weekend = next((name for name, known in WEEKENDS.items() if known == days), "sat_sun")
    return locale.first_week_day, weekend, "12" if "a" in str(locale.time_formats["short"]) else "24"


def _locale_of(region: str) -> Locale:
    for tag in (f"ar_{region}", f"en_{region}", f"und_{region}"):
        try:
            return Locale.parse(tag)
        except UnknownLocaleError:
            continue
    return Locale.parse("ar")

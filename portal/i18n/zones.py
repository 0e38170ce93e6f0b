"""Time zones by the names of their cities, in both languages: people look for الرياض, not for Asia/Riyadh. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location

from portal.i18n.preferences import zones as known_zones
from portal.i18n.search import fold

UTC = "UTC"


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: its id, and `name` as `City, Country` in the language that was asked for."""

    id: str
    name: str


@lru_cache(maxsize=2)
def listed(tag: str) -> tuple[Zone, ...]:
    """Return every time zone that has a city, by name, UTC first."""
    territories = get_global("zone_territories")
    found = [
        Zone(each, _name(each, territories[each], tag)) for each in territories if each in known_zones() and not each.startswith("Etc/")
    ]
    return (Zone(UTC, "UTC"), *sorted(found, key=lambda zone: fold(zone.name)))


def _name(zone: str, territory: str, tag: str) -> str:
    locale = Locale.parse(tag)
    city = get_timezone_location(zone, locale=locale, return_city=True).rpartition("/")[2]
    comma = "،" if tag == "ar" else ","
    country = locale.territories.get(territory, territory)
    return city if city == country else f"{city}{comma} {country}"


@lru_cache(maxsize=1200)
def name_of(zone: str, tag: str) -> str:
    """Return a zone's name for the reader; its id if it has no city."""
    return next((each.name for each in listed(tag) if each.id == zone), zone)


def find(text: str) -> str | None:
    """Return the zone that a text names: its whole name or its city in either language, or its id; None if none or several do."""
    wanted = fold(text)
    named = _by_name().get(wanted)
    if named is None or len(named) != 1:
        return None
    return next(iter(named))


@lru_cache(maxsize=1)
def _by_name() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for tag in ("ar", "en"):
        for zone in listed(tag):
            for name in (zone.id, zone.name, *zone.name.replace("،", ",").split(",")[:1]):
                found.setdefault(fold(name), set()).add(zone.id)
    for each in known_zones():
        found.setdefault(fold(each), {each})
    return {name: frozenset(ids) for name, ids in found.items()}

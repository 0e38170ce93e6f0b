"""What a URL asks of a list: filters, sort, columns. Anything unknown is left out and named, never refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.lists import periods
from portal.lists.kinds import Filter, ListKind

MAX_VALUES = 20
Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class ListState:
    """Filters, sort and columns of a list, these in their order; None as columns means: the ones that the person usually sees.

    Args:
        unknown: the names of what was asked for and is not known.
    """

    filters: dict[str, tuple[str, ...]]
    sort: str
    columns: tuple[str, ...] | None = None
    unknown: tuple[str, ...] = ()

    @property
    def sort_name(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def is_down(self) -> bool:
        return self.sort.startswith("-")

    def one(self, name: str) -> str | None:
        """Return the only value of a filter, None when it is not set."""
        return next(iter(self.filters.get(name, ())), None)

    def pairs(self, kind: ListKind, *, is_whole: bool = False) -> list[tuple[str, str]]:
        """Return the state as names and values of a URL; `is_whole` writes the sort even when it is the usual one."""
        found = [(name, value) for name, values in self.filters.items() for value in values]
        if is_whole or self.sort != kind.usual_sort:
            found.append(("sort", self.sort))
        if self.columns is not None:
            found += [("cols", ""), *(("cols", key) for key in self.columns)]
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the state as it is stored."""
        columns = None if self.columns is None else list(self.columns)
        return {"filters": {name: list(values) for name, values in self.filters.items()}, "sort": self.sort, "columns": columns}

    def same_rows(self, other: ListState) -> bool:
        """Say whether both show the same rows in the same order with the same columns."""
        return replace(self, unknown=()) == replace(other, unknown=())


def read(kind: ListKind, given: Given) -> ListState:
    """Read what a URL or form asks of a list."""
    filters: dict[str, tuple[str, ...]] = {}
    unknown: list[str] = []
    for each in kind.filters:
        values, is_right = _values(each, given)
        if values:
            filters[each.name] = values
        if not is_right:
            unknown.append(each.name)
    sort = _first(given, "sort")
    if sort and sort.removeprefix("-") not in kind.sorts:
        unknown.append("sort")
        sort = ""
    return ListState(filters, sort or kind.usual_sort, _columns(kind, given), tuple(unknown))


def read_stored(kind: ListKind, stored: Any) -> ListState:
    """Read a stored state again as if it came from a URL: what the list no longer knows is left out."""
    if not isinstance(stored, dict):
        return read(kind, {})
    filters = stored.get("filters")
    given: dict[str, Sequence[str]] = {}
    for name, values in (filters if isinstance(filters, dict) else {}).items():
        given[name] = [str(each) for each in (values if isinstance(values, list) else [values]) if each is not None]
    given["sort"] = [str(stored.get("sort") or "")]
    if isinstance(stored.get("columns"), list):
        given["cols"] = ["", *map(str, stored["columns"])]
    return read(kind, given)


def is_asked(kind: ListKind, given: Given) -> bool:
    """Say whether a URL asks for anything of its own, beside a view or a page."""
    names = {"sort", "cols", "from", "to", *(name for each in kind.filters for name in (each.name, *each.parts))}
    return any(name in given for name in names)


def _values(wanted: Filter, given: Given) -> tuple[tuple[str, ...], bool]:
    asked = [value.strip() for value in list(given.get(wanted.name, ()))[:MAX_VALUES] if value.strip()]
    if wanted.is_period:
        asked = [value for value in asked if value != "own"]
        own = periods.own(_first(given, "from"), _first(given, "to"))
        asked = [own] if own and not asked else asked
    if wanted.join is not None and (joined := wanted.join(*(_first(given, part) for part in wanted.parts))):
        asked.append(joined)
    clean = [wanted.read(value) for value in asked]
    known = tuple(dict.fromkeys(value for value in clean if value is not None))
    return (known if wanted.is_many else known[:1]), None not in clean


def _columns(kind: ListKind, given: Given) -> tuple[str, ...] | None:
    if "cols" not in given:
        return None
    known = {each.key for each in kind.columns if not each.is_fixed}
    return tuple(dict.fromkeys(key for key in list(given["cols"])[:MAX_VALUES] if key in known))


def moved(columns: tuple[str, ...], key: str, *, by: int) -> tuple[str, ...]:
    """Return columns in another order: one of them so many places later, or earlier; the ends hold it."""
    if key not in columns:
        return columns
    others = [each for each in columns if each != key]
    others.insert(max(0, columns.index(key) + by), key)
    return tuple(others)


def _first(given: Given, name: str) -> str:
    return next((value.strip() for value in given.get(name, ())), "")

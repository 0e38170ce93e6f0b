"""A list as one person has it open: state, views, columns, and the addresses of everything that can be changed about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from portal.core.paging import COUNTED_TO, Listing
from portal.lists import periods
from portal.lists.kinds import Column, ListKind
from portal.lists.reading import ListState


@dataclass(frozen=True, slots=True)
class View:
    """A saved view as a tab shows it."""

    id: UUID
    name: str
    state: ListState
    is_shared: bool
    is_mine: bool
    is_first: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One set filter: which one, its value, and the address of the list without it."""

    name: str
    label: Any
    value: str
    href: str

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and last day of an own period; None where it is open, and for every other filter."""
        return periods.days(self.value) if periods.BETWEEN in self.value else (None, None)


@dataclass(frozen=True, slots=True)
class Head:
    """A column's header: the address that sorts by it, and how the list is sorted by it now (`none`, `ascending`, `descending`)."""

    key: str
    label: Any
    style: str
    href: str
    direction: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A list that is open.

    Args:
        url: the address of the list without a query.
        view: the view that is open, None for all rows.
        is_changed: whether something differs from the open view.
        chosen: the columns that the person chose for themselves.
        cursor: the page's cursor as the URL has it.
    """

    kind: ListKind
    url: str
    state: ListState
    views: tuple[View, ...] = ()
    view: View | None = None
    is_changed: bool = False
    chosen: tuple[str, ...] | None = None
    cursor: str | None = None
    can_share: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns to show, in the order that was chosen; fixed ones stand first."""
        wanted = self.state.columns if self.state.columns is not None else self.chosen
        if wanted is None:
            return tuple(each for each in self.kind.columns if each.is_fixed or each.is_usual)
        own = {each.key: each for each in self.kind.columns if not each.is_fixed}
        fixed = tuple(each for each in self.kind.columns if each.is_fixed)
        return (*fixed, *(own[key] for key in wanted if key in own))

    @property
    def column_keys(self) -> str:
        """The keys of the columns that are shown, as one text: components that take only texts are kept."""
        return " ".join(each.key for each in self.columns)

    @property
    def column_choices(self) -> str:
        """Every column as a line `key|label|fixed`, those that are shown first, for a component that takes only texts."""
        shown = self.columns
        every = (*shown, *(each for each in self.kind.columns if each not in shown))
        return "\n".join(f"{each.key}|{each.label}|{'fixed' if each.is_fixed else ''}" for each in every)

    @property
    def sort_choices(self) -> str:
        """Every column that sorts as a line `sort|label`, for a component that takes only texts."""
        return "\n".join(f"{each.sort}|{each.label}" for each in self.kind.columns if each.sort)

    @property
    def heads(self) -> list[Head]:
        return [self._head(each) for each in self.columns]

    def _head(self, column: Column) -> Head:
        if not column.sort:
            return Head(column.key, column.label, column.style, "", "none")
        is_current = self.state.sort_name == column.sort
        direction = ("descending" if self.state.is_down else "ascending") if is_current else "none"
        # A second click turns the order round; the list's usual sort begins as it usually is.
        usual = self.kind.usual_sort
        first = usual if usual.removeprefix("-") == column.sort else column.sort
        following = (column.sort if self.state.is_down else f"-{column.sort}") if is_current else first
        return Head(column.key, column.label, column.style, self.href(replace(self.state, sort=following)), direction)

    @property
    def chips(self) -> list[Chip]:
        labels = {each.name: each.label for each in self.kind.filters}
        return [
            Chip(name, labels[name], value, self.href(self._without(name, value)))
            for name, values in self.state.filters.items()
            for value in values
        ]

    def _without(self, name: str, value: str) -> ListState:
        left = tuple(each for each in self.state.filters[name] if each != value)
        filters = {key: values for key, values in self.state.filters.items() if key != name}
        return replace(self.state, filters={**filters, name: left} if left else filters)

    @property
    def chip_count(self) -> int:
        return sum(map(len, self.state.filters.values()))

    @property
    def clear_href(self) -> str:
        return self.href(replace(self.state, filters={}))

    @property
    def all_href(self) -> str:
        """The list without a view: where a view opens first, the address says that none is meant."""
        return f"{self.url}?view=all" if any(each.is_first for each in self.views) else self.url

    @property
    def here(self) -> str:
        """The address of what is shown, on its first page."""
        return self.href(self.state)

    def view_href(self, view: View) -> str:
        return f"{self.url}?view={view.id}"

    def href(self, state: ListState, **more: str) -> str:
        """Return the address of the list in a state; the open view stays named, so that the change can be saved to it."""
        pairs = state.pairs(self.kind, is_whole=self.view is not None)
        if self.view is not None:
            if state.same_rows(self.view.state):
                pairs = []
            pairs = [("view", str(self.view.id)), *pairs]
        elif not pairs and any(each.is_first for each in self.views):
            pairs = [("view", "all")]
        pairs += more.items()
        return f"{self.url}?{urlencode(pairs)}" if pairs else self.url

    def page_href(self, cursor: str) -> str:
        return self.href(self.state, after=cursor)

    @property
    def kept_fields(self) -> list[tuple[str, str]]:
        """Names and values that the form of the filters carries along: all that it does not ask for itself."""
        return self._kept({"sort", *(each.name for each in self.kind.filters if not each.is_text)})

    @property
    def search_fields(self) -> list[tuple[str, str]]:
        """Names and values that the box of words carries along."""
        return self._kept({each.name for each in self.kind.filters if each.is_text})

    def _kept(self, asked: set[str]) -> list[tuple[str, str]]:
        pairs = [pair for pair in self.state.pairs(self.kind) if pair[0] not in asked]
        return [("view", str(self.view.id)), *pairs] if self.view is not None else pairs

    @property
    def query(self) -> str:
        """The state as one text, for forms that store it."""
        return urlencode(self.state.pairs(self.kind, is_whole=True))

    @property
    def export_fields(self) -> dict[str, list[str]]:
        """What a file of this list is asked with."""
        given: dict[str, list[str]] = {}
        for name, value in self.state.pairs(self.kind):
            if name != "cols":
                given.setdefault(name, []).append(value)
        return given


@dataclass(frozen=True, slots=True)
class Range:
    """Which rows of how many a page shows; `total` None stands for more than are counted."""

    first: int
    last: int
    total: int | None
    counted_to: int = COUNTED_TO


def range_of(listing: Listing[Any], *, is_counted: bool = True) -> Range:
    """Say which rows a page shows; where nobody has counted, there are more than these."""
    if not is_counted:
        last = listing.before + len(listing.items)
        return Range(listing.before + 1, last, None if listing.next_cursor else last, last)
    total = listing.total if listing.total is None or listing.total <= COUNTED_TO else None
    return Range(listing.before + 1 if listing.items else 0, listing.before + len(listing.items), total)

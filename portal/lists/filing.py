"""Lists as files: a job writes what the page showed that it was asked on, and has neither a page nor a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from portal.core import ids
from portal.core.access import access
from portal.core.paging import Listing, Place, read_place
from portal.lists.kinds import ListKind
from portal.lists.reading import ListState, read, read_stored

READER = "_reader"  # no part of the page's address: the job alone asks for it


def kept_of(kind: ListKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters and sort of a list as its page reads them, with the reader: who "me" is, and whose days "today" means."""
    state = read(kind, MultiDict(given).to_dict(flat=False))
    found: dict[str, Any] = {name: list(values) for name, values in state.filters.items()}
    sort = {} if state.sort == kind.usual_sort else {"sort": [state.sort]}
    return {**found, **sort, READER: [str(access().person_id)]}


def state_of(kind: ListKind, kept: Mapping[str, Any]) -> ListState:
    """Return what `kept_of` kept as the state of the list."""
    return read_stored(kind, {"filters": kept, "sort": next(iter(kept.get("sort") or ()), "")})


def reader_of(kept: Mapping[str, Any]) -> UUID | None:
    """Return who asked for the file; None where nobody is named."""
    return ids.as_uuid(next(iter(kept.get(READER, ())), None))


def pages(read_page: Callable[[Place | None], Listing[Any]], sort_kind: str) -> Iterator[list[Any]]:
    """Give the rows of a list page by page, so that no file has to fit into memory.

    Args:
        sort_kind: the type of the column that the pages are sorted by.
    """
    place: Place | None = None
    while True:
        listing = read_page(place)
        yield listing.items
        place = read_place(listing.next_cursor, sort_kind)
        if place is None:
            return

"""Keyset pagination: the next page begins after the last row's key, so it stays right while rows arrive."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, literal, tuple_

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a listing is wanted: after which (time, id), and how many rows."""

    after: tuple[datetime, UUID] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """Rows of one page, the cursor of the next one, and how many rows there are (None when not counted).

    Args:
        previous_cursor: the cursor of the page before, None on the first one.
        before: how many rows stand before this page.
    """

    items: list[Item]
    next_cursor: str | None = None
    total: int | None = None
    previous_cursor: str | None = None
    before: int = 0


def read_cursor(text: str | None) -> tuple[datetime, UUID] | None:
    """Read a cursor from a URL; anything malformed means the first page."""
    if not text:
        return None
    try:
        at, row_id = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
        return datetime.fromisoformat(at), UUID(row_id)
    except (ValueError, TypeError):
        return None


def write_cursor(at: datetime, row_id: UUID) -> str:
    """Write the key of a page's last row for a URL."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), str(row_id)]).encode()).decode().rstrip("=")


# Sorted lists: the same idea for any sort. A cursor holds the value that the list is sorted by, the id, and how many rows come
# before, so that a page can say "26–50 of 312" without counting what it skipped.

MAX_KEY_LENGTH = 400
COUNTED_TO = 10_000


@dataclass(frozen=True, slots=True)
class SortKey:
    """What a list can be sorted by.

    Args:
        expression: never null: a null equals nothing, so a page would lose it.
        kind: how its value travels in a cursor: `time`, `number` or `text`.
    """

    expression: ColumnElement[Any]
    kind: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row with this value and id, or before it for the way back."""

    value: Any
    id: UUID
    before: int = 0
    is_back: bool = False


def read_place(text: str | None, kind: str) -> Place | None:
    """Read the cursor of a sorted list from a URL; anything malformed, or of another sort, means the first page."""
    if not text:
        return None
    try:
        value, row_id, before, is_back = json.loads(base64.urlsafe_b64decode(text[:1_000].encode() + b"=="))
        return Place(_read_value(value, kind), UUID(row_id), min(max(int(before), 0), 10**9), bool(is_back))
    except (ValueError, TypeError, AttributeError, InvalidOperation, OverflowError):
        return None


def write_place(value: Any, row_id: UUID, *, before: int, is_back: bool = False) -> str:
    """Write the cursor of a sorted list for a URL."""
    plain = value.isoformat() if isinstance(value, datetime) else str(value)
    return base64.urlsafe_b64encode(json.dumps([plain, str(row_id), before, int(is_back)]).encode()).decode().rstrip("=")


def counted(listing: Listing[Item], count: Callable[[int], int]) -> Listing[Item]:
    """Return the listing with its total, exact up to 10,000 and one more beyond; asks only when there is more than this page."""
    if listing.next_cursor is None and (listing.items or not listing.before):
        return replace(listing, total=listing.before + len(listing.items))
    return replace(listing, total=count(COUNTED_TO + 1))


def _read_value(text: Any, kind: str) -> Any:
    """Return a value that PostgreSQL takes for certain: no half surrogates, no endless number, no time without a zone."""
    if not isinstance(text, str) or len(text) > MAX_KEY_LENGTH or "\x00" in text:
        raise ValueError(kind)
    if kind == "time":
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(kind)
        return moment.astimezone(UTC)
    if kind == "number":
        number = Decimal(text)
        if not number.is_finite() or abs(number) > 10**15 or len(text) > 40:
            raise ValueError(kind)
        return number
    text.encode()
    return text


def narrowed(rows: Select[Any], *asked: tuple[Any, Callable[[Any], ColumnElement[bool]]]) -> Select[Any]:
    """Return the statement for the rows that meet each condition (value, condition of it); a value that is empty narrows nothing."""
    for value, condition in asked:
        if value:
            rows = rows.where(condition(value))
    return rows


def sorted_page(
    rows: Select[Any], key: SortKey, row_id: ColumnElement[UUID], *, is_down: bool, place: Place | None, limit: int
) -> Select[Any]:
    """Return the statement for one page (and one row more, which tells whether there is another) under a sort.

    The way back reads the rows backwards; `listing_of` turns them round.
    """
    backwards = place is not None and place.is_back
    goes_down = is_down != backwards
    pair = tuple_(key.expression, row_id)
    rows = rows.add_columns(key.expression.label("sort_value"))
    if place is not None:
        begin = tuple_(literal(place.value, key.expression.type), literal(place.id, row_id.type))
        rows = rows.where(pair < begin if goes_down else pair > begin)
    orders = (key.expression.desc(), row_id.desc()) if goes_down else (key.expression.asc(), row_id.asc())
    return rows.order_by(*orders).limit(limit + 1)


def listing_of(rows: list[Row[Any]], *, place: Place | None, limit: int) -> Listing[Row[Any]]:
    """Turn the answer to a `sorted_page` into its listing, with the cursors of the pages around it."""
    more, rows = len(rows) > limit, rows[:limit]
    backwards = place is not None and place.is_back
    before = place.before if place else 0
    if backwards:
        rows.reverse()
        before = max(0, before - len(rows)) if more else 0
    if not rows:
        return Listing([])
    has_next, has_previous = (True, more) if backwards else (more, place is not None)
    first, last = rows[0], rows[-1]
    return Listing(
        rows,
        write_place(last.sort_value, last.id, before=before + len(rows)) if has_next else None,
        None,
        write_place(first.sort_value, first.id, before=before, is_back=True) if has_previous else None,
        before,
    )

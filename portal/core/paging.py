"""Keyset pagination: the next page begins after the last row's key, so it stays right while rows arrive."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a listing is wanted: after which (time, id), and how many rows."""

    after: tuple[datetime, UUID] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """Rows of one page, the cursor of the next one, and how many rows there are (None when not counted)."""

    items: list[Row]
    next_cursor: str | None = None
    total: int | None = None


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

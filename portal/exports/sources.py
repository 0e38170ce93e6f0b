"""What can be exported: packages above register their lists, so that this one knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.core.access import Permission
from portal.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Source:
    """A list that can be a file.

    Args:
        key: its name, `package.list`.
        title: its name for people.
        permission: who may read it.
        endpoint: its page.
        read_filters: the page's query → the filters that are kept, as plain JSON; a name with `_` before it is the job's alone.
        heads: the names of the columns.
        rows: (tenant id, filters) → every row that matches, read in pages.
        more_heads: filters → the names of columns that the filters add, behind the others.
    """

    key: str
    title: Any
    permission: Permission
    endpoint: str
    read_filters: Callable[[Mapping[str, str]], dict[str, Any]]
    heads: Sequence[Any]
    rows: Callable[[UUID, dict[str, Any]], Iterator[Sequence[Any]]]
    more_heads: Callable[[dict[str, Any]], Sequence[Any]] | None = None


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Let a list be exported; called from a package's wiring."""
    _sources[source.key] = source


def get(key: str) -> Source:
    """Return a source.

    Raises:
        NotFound: no list has this name.
    """
    if key not in _sources:
        raise NotFound
    return _sources[key]

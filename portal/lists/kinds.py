"""Which lists there are: packages above register theirs, so that this one knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from portal.core.access import Actor, Permission
from portal.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Column:
    """One column that can be hidden, unless it is fixed; `sort` is the name of the sort behind its header."""

    key: str
    label: Any
    sort: str = ""
    is_fixed: bool = False
    is_usual: bool = True
    style: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a list.

    Args:
        name: its name in the URL.
        read: a value from outside → the value as it is kept, or None when the list does not know it.
        is_many: whether several values may be set, any of which a row may have.
        is_period: whether `from` and `to` of the form belong to it.
        is_text: whether it is typed into a box of its own, beside the form of the filters.
        parts: the fields of the form that are put together to one more value, and `join`, which does it: the value, "" for none.
    """

    name: str
    label: Any
    read: Callable[[str], str | None]
    is_many: bool = False
    is_period: bool = False
    is_text: bool = False
    parts: tuple[str, ...] = ()
    join: Callable[..., str] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What rows somebody asked for, frozen at a moment: rows that come later are not meant."""

    person_id: UUID
    filters: dict[str, tuple[str, ...]]
    at: datetime
    own_only: bool = False


class Perform(Protocol):
    """One verb on one row, in the open transaction; safe to repeat."""

    def __call__(self, tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
        """Change the row and return None, or leave it alone and return the code of the reason."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a verb would do to the rows that are meant, found out without doing it.

    Args:
        total: how many rows are meant.
        doing: what would be done, by kind of row: cells in the order of `Verb.rehearsed`, and how many rows.
        refused: reason → how many rows would be left alone.
        is_cut: whether there are more kinds of row than are named.
    """

    total: int
    doing: list[tuple[tuple[str, ...], int]]
    refused: dict[str, int]
    is_cut: bool = False

    @property
    def done(self) -> int:
        return self.total - sum(self.refused.values())


@dataclass(frozen=True, slots=True)
class Verb:
    """What can be done to many rows of a list at once.

    Args:
        title: number of rows → what is done to them, as a heading.
        permission: who may do it to one row.
        beyond_own: who may do it to rows of others, too; None when there is no such difference.
        undo: the verb that takes it back after it is over; "" when nothing does.
        reasons: code → why a row was left alone.
        is_offered: False for what only an undo does.
        rehearse: (tenant, asked, chosen ids or None for all) → what would be done: shown before it can be asked for.
        rehearsed: the heads of what `rehearse` returns.
    """

    key: str
    label: Any
    title: Callable[[int], str]
    icon: str
    permission: Permission
    perform: Perform
    reasons: Mapping[str, Any]
    beyond_own: Permission | None = None
    undo: str = ""
    is_danger: bool = False
    is_offered: bool = True
    rehearse: Callable[[UUID, Asked, list[UUID] | None], Rehearsal] | None = None
    rehearsed: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list with its columns, sorts, filters and verbs.

    Args:
        usual_sort: the name of a sort, with `-` before it for the largest first.
        pick: (tenant, asked, after this id, at most so many) → ids of rows, smallest first.
        count: (tenant, asked) → how many rows, exactly.
    """

    key: str
    title: Any
    permission: Permission
    endpoint: str
    columns: tuple[Column, ...]
    usual_sort: str
    filters: tuple[Filter, ...]
    pick: Callable[[UUID, Asked, UUID | None, int], list[UUID]]
    count: Callable[[UUID, Asked], int]
    verbs: tuple[Verb, ...] = ()
    row_endpoint: str = ""
    row_argument: str = ""
    names: Callable[[UUID, list[UUID]], dict[UUID, str]] | None = None

    @property
    def sorts(self) -> frozenset[str]:
        return frozenset(each.sort for each in self.columns if each.sort)

    def verb(self, key: str) -> Verb:
        """Return a verb.

        Raises:
            NotFound: this list has no such verb.
        """
        for each in self.verbs:
            if each.key == key:
                return each
        raise NotFound


_kinds: dict[str, ListKind] = {}


def register(kind: ListKind) -> None:
    """Let a list have views, columns and verbs; called from a package's wiring."""
    _kinds[kind.key] = kind


def get(key: str) -> ListKind:
    """Return a list.

    Raises:
        NotFound: no list has this name.
    """
    if key not in _kinds:
        raise NotFound
    return _kinds[key]

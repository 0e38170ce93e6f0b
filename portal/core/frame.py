"""What the frame around every whole page shows of the database, asked in one query: a page is often opened, and each question costs it a round trip.

Packages offer their fact from their `wiring.py`; the shell puts what is found into the templates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from portal.core import db


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the frame.

    Args:
        name: how templates call it.
        sql: an expression of one value; it may use `:tenant` and `:person`.
        read: turns that value into what templates get.
        without: what templates get where no page is shown to anybody who is signed in.
    """

    name: str
    sql: str
    read: Callable[[Any], Any]
    without: Any


_facts: dict[str, Fact] = {}


def offer(fact: Fact) -> None:
    """Have every whole page know this fact; a second one of the same name takes the place of the first."""
    _facts[fact.name] = fact
    _question.cache_clear()


def without() -> dict[str, Any]:
    """Return the facts of a page without a frame."""
    return {fact.name: fact.without for fact in _facts.values()}


def facts(tenant_id: UUID, person_id: UUID) -> dict[str, Any]:
    """Return every fact by its name."""
    if not _facts:
        return {}
    row = db.session().execute(_question(), {"tenant": tenant_id, "person": person_id}).one()
    return {fact.name: fact.read(value) for fact, value in zip(_facts.values(), row, strict=True)}


@lru_cache(maxsize=1)
def _question() -> TextClause:
    return text("select " + ", ".join(f"({fact.sql})" for fact in _facts.values()))

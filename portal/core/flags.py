"""Switches that staff turn off when something must stop at once; each is on unless somebody turned it off.

Packages declare theirs from their wiring. A process asks the database at most every five seconds what is off.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import text

from portal.core import db
from portal.core.words import Message

ASKED_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Flag:
    """One switch: its stable name, and what stops when it is off."""

    name: str
    label: Message
    note: Message


_flags: dict[str, Flag] = {}
_off: frozenset[str] = frozenset()
_asked = float("-inf")


def declare(flag: Flag) -> None:
    """Make a switch known."""
    _flags[flag.name] = flag


def declared() -> list[Flag]:
    """Return every switch, by name."""
    return sorted(_flags.values(), key=lambda each: each.name)


def is_on(name: str) -> bool:
    """Say whether a switch is on; what was just changed is known everywhere within five seconds."""
    global _off, _asked
    if time.monotonic() - _asked > ASKED_EVERY_S:
        with db.transaction() as session:
            _off = frozenset(session.scalars(text("select name from flags where not is_on")))
        _asked = time.monotonic()
    return name not in _off


def forget() -> None:
    """Ask the database again at the next call; for the process that changed a switch."""
    global _asked
    _asked = float("-inf")

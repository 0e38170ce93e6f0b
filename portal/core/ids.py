"""Row ids: UUIDv7, made in Python because the schema must run on PostgreSQL 15 to 18."""

import os
import time
from uuid import UUID


def as_uuid(text: str | None) -> UUID | None:
    """Return the id that a text from outside writes, or None when it writes none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits.

    Sorts by creation time and tells one tenant nothing about how busy the others are.
    """
    milliseconds = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10))
    high = (milliseconds & ((1 << 48) - 1)) << 80
    random_a = (noise >> 62 & 0xFFF) << 64
    random_b = noise & ((1 << 62) - 1)
    return UUID(int=high | 7 << 76 | random_a | 2 << 62 | random_b)

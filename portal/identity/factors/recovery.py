"""Recovery codes: six groups of four letters and digits, 120 bits each. Pure."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

from portal.core.digits import ascii_digits

COUNT = 10
FEW = 3
# Crockford's base 32: no letter that looks like a digit or another letter.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 24
_MEANT = str.maketrans("oil", "011")


def new_codes() -> list[str]:
    """Return ten codes as they are shown: `h3kd-92mf-0qzt-w7xe-5n2b-yv8c`."""
    return ["-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(LENGTH // 4)) for _ in range(COUNT)]


def read_code(written: str) -> str:
    """Return the signs of a code, whatever its case, digits, blanks and hyphens; empty if it is none."""
    plain = "".join(sign for sign in ascii_digits(written).casefold().translate(_MEANT) if sign.isalnum())
    return plain if len(plain) == LENGTH and set(plain) <= set(ALPHABET) else ""


def code_hash(person_id: UUID, code: str) -> bytes:
    """Return what is kept of a code: SHA-256 is enough, because a code has 120 random bits; the person makes equal codes differ."""
    return hashlib.sha256(person_id.bytes + read_code(code).encode()).digest()

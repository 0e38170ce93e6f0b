"""Passwords: NFKC, then Argon2id (64 MiB, t=3, p=4); at most four hashes at once in a process."""

from __future__ import annotations

import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
# 64 MiB each: a burst of sign-ins must not exhaust the memory of the process.
_slots = BoundedSemaphore(4)
# Checked when the address is unknown, so that the answer takes as long as for a wrong password.
_NOBODY = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password."""
    with _slots:
        return _hasher.hash(unicodedata.normalize("NFKC", password))


def verify_password(stored: str | None, password: str) -> bool:
    """Say whether the password is right; takes the same time when there is no such account."""
    with _slots:
        try:
            right = _hasher.verify(stored or _NOBODY, unicodedata.normalize("NFKC", password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
    return right and stored is not None


def needs_rehash(stored: str) -> bool:
    """Say whether the hash was made with weaker settings than today's."""
    return _hasher.check_needs_rehash(stored)

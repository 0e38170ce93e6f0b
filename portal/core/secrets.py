"""Tokens that are shown once and kept only as a hash."""

import hashlib
import secrets


def new_token() -> str:
    """Return a random token of 256 bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return the SHA-256 of a token: enough, because a token has 256 bits of its own."""
    return hashlib.sha256(token.encode()).digest()

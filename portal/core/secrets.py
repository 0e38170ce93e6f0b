"""Tokens that are shown once and kept only as a hash; secrets that must be read again, sealed with the key ring; signatures."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.core.config import current_settings

VERSION = b"\x01"
ENVELOPE = b"\x02"
DATA_KEY_BYTES = 32
WRAPPED_BYTES = 1 + 8 + 12 + DATA_KEY_BYTES + 16
KEY_ID_BYTES = 8
NONCE_BYTES = 12
# Each use of the operator's keys has a key of its own: what leaks of one says nothing of the others.
PURPOSE = b"nasij: secrets at rest, 1"


class SecretLost(Exception):
    """The sealed secret cannot be read: its key has left the ring, it was moved from its place, or it was changed."""


def new_token() -> str:
    """Return a random token of 256 bits, safe in URLs and cookies."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Return the SHA-256 of a token: enough, because a token has 256 bits of its own."""
    return hashlib.sha256(token.encode()).digest()


def seal(text: str, *, where: str) -> bytes:
    """Encrypt a secret for its place: AES-256-GCM with the first key of the ring.

    Args:
        where: names table, column and row, with the tenant if there is one; the secret can be read at no other place.

    Returns:
        Version (1 byte), id of the key (8), nonce (12), ciphertext with its tag.
    """
    key_id, key = next(iter(_ring().items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    head = VERSION + key_id
    return head + nonce + AESGCM(key).encrypt(nonce, text.encode(), head + where.encode())


def unseal(sealed: bytes, *, where: str) -> str:
    """Read a secret that was sealed for this place.

    Raises:
        SecretLost: it was sealed elsewhere, with a key that is not in the ring, or was changed.
    """
    head, rest = sealed[: 1 + KEY_ID_BYTES], sealed[1 + KEY_ID_BYTES :]
    key = _ring().get(head[1:]) if head[:1] == VERSION else None
    if key is None:
        raise SecretLost
    try:
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + where.encode()).decode()
    except (InvalidTag, ValueError):
        raise SecretLost from None


def sign(message: bytes, *, purpose: str) -> bytes:
    """Return a signature of 16 bytes under the first key of the ring, good for one purpose only."""
    return _mac(next(iter(_signing_keys(_listed(), purpose))), message)


def is_signed(message: bytes, signature: bytes, *, purpose: str) -> bool:
    """Say whether a key of the ring signed this for this purpose; takes the same time for every wrong signature."""
    return any([hmac.compare_digest(_mac(key, message), signature) for key in _signing_keys(_listed(), purpose)])  # noqa: C419 - every key is tried


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")[:16]


@lru_cache(maxsize=16)
def _signing_keys(listed: str, purpose: str) -> tuple[bytes, ...]:
    parts = [part.strip().encode() for part in listed.split(",")]
    return tuple(HKDF(SHA256(), 32, None, f"nasij: signing, 1: {purpose}".encode()).derive(part) for part in parts if part)


def enclose(text: str, *, where: str) -> bytes:
    """Encrypt a secret for its place in an envelope: under a key of its own, which the first key of the ring seals.

    A change of the ring then needs only the small key sealed anew (`rewrap`), and what the secret is never shows.

    Args:
        where: as for `seal`.

    Returns:
        Version (1 byte), the sealed data key (69), nonce (12), ciphertext with its tag.
    """
    data_key, nonce = secrets.token_bytes(DATA_KEY_BYTES), secrets.token_bytes(NONCE_BYTES)
    return ENVELOPE + _wrap(data_key, where) + nonce + AESGCM(data_key).encrypt(nonce, text.encode(), ENVELOPE + where.encode())


def disclose(enclosed: bytes, *, where: str) -> str:
    """Read a secret that was enclosed for this place.

    Raises:
        SecretLost: as `unseal`.
    """
    data_key, rest = _unwrap(enclosed, where), enclosed[1 + WRAPPED_BYTES :]
    try:
        return AESGCM(data_key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], ENVELOPE + where.encode()).decode()
    except (InvalidTag, ValueError):
        raise SecretLost from None


def rewrap(enclosed: bytes, *, where: str) -> bytes:
    """Return the same envelope with its data key sealed by the first key of the ring; what is inside is not opened.

    Raises:
        SecretLost: as `unseal`.
    """
    return ENVELOPE + _wrap(_unwrap(enclosed, where), where) + enclosed[1 + WRAPPED_BYTES :]


def current_key() -> bytes:
    """Return the id of the first key of the ring; it says nothing of the key."""
    return next(iter(_ring()))


def is_wrapped_with_current(enclosed: bytes) -> bool:
    """Say whether an envelope's data key is sealed by the first key of the ring; others want `rewrap`."""
    return enclosed[2 : 2 + KEY_ID_BYTES] == next(iter(_ring()))


def _wrap(data_key: bytes, where: str) -> bytes:
    key_id, key = next(iter(_ring().items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    head = VERSION + key_id
    return head + nonce + AESGCM(key).encrypt(nonce, data_key, head + b"data key:" + where.encode())


def _unwrap(enclosed: bytes, where: str) -> bytes:
    wrapped = enclosed[1 : 1 + WRAPPED_BYTES]
    head, rest = wrapped[: 1 + KEY_ID_BYTES], wrapped[1 + KEY_ID_BYTES :]
    key = _ring().get(head[1:]) if enclosed[:1] == ENVELOPE and head[:1] == VERSION else None
    if key is None:
        raise SecretLost
    try:
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + b"data key:" + where.encode())
    except (InvalidTag, ValueError):
        raise SecretLost from None


def is_sealed_with_current(sealed: bytes) -> bool:
    """Say whether a secret is sealed with the first key of the ring; others want to be sealed anew."""
    return sealed[1 : 1 + KEY_ID_BYTES] == next(iter(_ring()))


def _ring() -> dict[bytes, bytes]:
    return _keys(_listed())


def _listed() -> str:
    settings = current_settings()
    return settings.encryption_keys or settings.secret_key


@lru_cache(maxsize=4)
def _keys(listed: str) -> dict[bytes, bytes]:
    """Return the keys by id, the current one first."""
    found = {}
    for part in listed.split(","):
        if given := part.strip().encode():
            key = HKDF(SHA256(), 32, None, PURPOSE).derive(given)
            found[hashlib.sha256(key).digest()[:KEY_ID_BYTES]] = key
    return found

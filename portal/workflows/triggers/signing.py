"""Standard Webhooks 1.0: sign and verify `webhook-id.webhook-timestamp.body` with HMAC-SHA256. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

PREFIX = "whsec_"
TOLERANCE_S = 300
LONGEST_ID = 200
SECRET_BYTES = 32
MOST_SIGNATURES = 20


class SignatureRefused(Exception):
    """The request is not signed as it must be; `code` says in which way, for our own pages only."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def new_secret() -> str:
    """Return a new secret in the form that the libraries of senders take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, *, message_id: str, at: datetime, body: bytes) -> str:
    """Return the value of `webhook-signature` for one secret.

    Raises:
        ValueError: the secret is not base64.
    """
    signed = f"{message_id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def verify(headers: Mapping[str, str], body: bytes, known: Iterable[str], *, now: datetime) -> str:
    """Return the id of a request that is signed with one of the known secrets, and not older or newer than five minutes.

    Args:
        headers: looked up without regard to case.
        known: the secrets that count now: during a rotation more than one.

    Raises:
        SignatureRefused: a header is missing or odd, the time is off, or no signature fits.
    """
    shown = {name.lower(): value for name, value in headers.items()}
    message_id, sent_at, given = (shown.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and sent_at and given):
        raise SignatureRefused("unsigned")
    if len(message_id) > LONGEST_ID or not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 12):
        raise SignatureRefused("odd_header")
    if abs(now.timestamp() - int(sent_at)) > TOLERANCE_S:
        raise SignatureRefused("wrong_time")
    signed = f"{message_id}.{int(sent_at)}.".encode() + body
    # Every pair is compared: how long it takes must not say which of them came near.
    fits = [
        hmac.compare_digest(hmac.digest(_key(secret), signed, hashlib.sha256), signature)
        for secret in known
        for signature in _signatures(given)
    ]
    if not any(fits):
        raise SignatureRefused("wrong_signature")
    return message_id


def _signatures(given: str) -> list[bytes]:
    found = []
    for each in given.split()[:MOST_SIGNATURES]:
        version, _comma, text = each.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))

"""Taking secrets out of what other systems send back: error pages and echoes repeat what they were sent. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"
# Shorter ones would turn every text into dots; none is accepted as a secret.
MIN_SECRET = 6


class Mask:
    """Knows secrets in the forms in which they travel, and writes dots in their place."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._texts: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learn further secrets: access tokens, what a signature was made with."""
        found = set(self._texts)
        for secret in secrets:
            if len(secret) >= MIN_SECRET:
                found |= forms_of(secret)
        # Longest first: a form that holds another one must go as a whole.
        self._texts = sorted(found, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text without the secrets."""
        for each in self._texts:
            text = text.replace(each, MASK)
        return text

    def bytes(self, body: bytes, *, is_cut: bool = False) -> bytes:
        """Return a body without the secrets.

        Args:
            is_cut: it is the beginning of a longer one, so its end may be the beginning of a secret.
        """
        forms = [each.encode() for each in self._texts]
        for form in forms:
            body = body.replace(form, MASK.encode())
        begun = max((len(form) - 1 for form in forms), default=0) if is_cut else 0
        for length in range(min(begun, len(body)), 0, -1):
            if any(form.startswith(body[-length:]) for form in forms):
                return body[:-length]
        return body

    def value(self, value: Any) -> Any:
        """Return a JSON value without the secrets, in its keys, too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        return value


def forms_of(secret: str) -> set[str]:
    """Return a secret as it travels: as it is, escaped in JSON and in addresses, and as base64."""
    raw = secret.encode()
    plain = base64.b64encode(raw).decode()
    forms = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
    }
    forms |= {plain, plain.rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    return {form for form in forms if len(form) >= MIN_SECRET}

"""Sensitive values of runs: sealed in the rows, open in expressions, dots for everybody who looks.

A workflow marks inputs (`sensitive` of an input) and settings of steps (`sensitive` of a node: names of fields). What such a
field holds is a secret of the run. Wherever a text of the run holds it, the row holds `{"$sealed": "<ciphertext>"}` in the place of
that text; what people read as a sentence (errors, events, notices, tasks) has dots in it. Whoever reads a sealed value to work with
it learns the secret, so that it stays one in the steps, loops and sub-workflows behind.

A secret shorter than four characters is sealed in its own field only: looked for everywhere, it would hide half of every text.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from portal.connections.service import MASK, forms_of
from portal.core import secrets

MARK = "$sealed"
SHORTEST = 4
SEALED_TEXT = re.compile(r'\{"\$sealed": "[^"]*"\}')


class Secrets:
    """The secrets that a run holds, as far as this worker has met them."""

    def __init__(self) -> None:
        self._needles: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._needles)

    def learn(self, value: Any) -> None:
        """Keep every text and number of a value secret from here on."""
        found = set(self._needles)
        for text in _texts(value):
            if len(text) >= SHORTEST:
                found |= {text, json.dumps(text, ensure_ascii=False)[1:-1]} | forms_of(text)
        self._needles = sorted(found, key=len, reverse=True)

    def stands_in(self, text: str) -> bool:
        """Say whether a secret stands in a text."""
        return any(needle in text for needle in self._needles)

    def hide(self, tenant_id: UUID, value: Any) -> Any:
        """Return a value as a row holds it: every text and number that holds a secret is sealed."""
        if is_sealed(value):
            return value
        if isinstance(value, dict):
            return {self.mask(str(name)): self.hide(tenant_id, each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide(tenant_id, each) for each in value]
        if value is None or isinstance(value, bool) or not self.stands_in(str(value)):
            return value
        return sealed(tenant_id, value)

    def mask(self, text: str) -> str:
        """Return a text for people: dots in the place of each secret."""
        for needle in self._needles:
            text = text.replace(needle, MASK)
        return text

    def masked(self, value: Any) -> Any:
        """Return a value for people, as `mask` does."""
        if isinstance(value, dict):
            return {self.mask(str(name)): self.masked(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.masked(each) for each in value]
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        return self.mask(text) if self.stands_in(text) else value


def sealed(tenant_id: UUID, value: Any) -> dict[str, str]:
    """Seal a value whole, for the rows of this tenant only."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return {MARK: base64.b64encode(secrets.seal(text, where=_where(tenant_id))).decode()}


def sealed_inputs(tenant_id: UUID, declared: Iterable[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of a run as its row holds them."""
    hidden = {each["key"] for each in declared if each.get("sensitive")}
    return {
        key: sealed(tenant_id, value) if key in hidden and value not in (None, "") and not is_sealed(value) else value
        for key, value in given.items()
    }


def is_sealed(value: Any) -> bool:
    """Say whether this stands in a row for a sealed value."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(MARK), str)


def opened(tenant_id: UUID, value: Any, known: Secrets) -> Any:
    """Return what a row holds as expressions use it; `known` learns what was sealed in it."""
    if is_sealed(value):
        try:
            read = json.loads(secrets.unseal(base64.b64decode(value[MARK], validate=True), where=_where(tenant_id)))
        except (secrets.SecretLost, binascii.Error, ValueError):
            return value  # somebody's own text that only looks like one, or a key that has left the ring
        known.learn(read)
        return read
    if isinstance(value, dict):
        return {name: opened(tenant_id, each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [opened(tenant_id, each, known) for each in value]
    return value


def shown(value: Any) -> Any:
    """Return what a row holds as people and programs see it: dots for what is sealed."""
    if is_sealed(value):
        return MASK
    if isinstance(value, dict):
        return {name: shown(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shown(each) for each in value]
    return value


def shown_text(text: str) -> str:
    """Do what `shown` does for a value that PostgreSQL has written as text, also for the beginning of one."""
    return SEALED_TEXT.sub(f'"{MASK}"', text).partition('{"' + MARK)[0]


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _where(tenant_id: UUID) -> str:
    return f"values of runs, {tenant_id}"

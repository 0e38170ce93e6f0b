"""Secrets at rest: read at their place only, with a ring of keys."""

from __future__ import annotations

import pytest

from portal.core import secrets
from portal.core.config import Settings
from portal.core.secrets import SecretLost, is_sealed_with_current, seal, unseal


@pytest.fixture
def keys(monkeypatch):
    def use(listed: str) -> None:
        monkeypatch.setattr(secrets, "current_settings", lambda: Settings(environment="test", encryption_keys=listed))

    use("first-key")
    return use


def test_a_secret_is_read_at_its_place_only(keys):
    sealed = seal("سرّ", where="tenant 1: secrets.value: 7")

    assert unseal(sealed, where="tenant 1: secrets.value: 7") == "سرّ"
    assert "سرّ".encode() not in sealed
    for elsewhere in ("tenant 2: secrets.value: 7", "tenant 1: secrets.value: 8", ""):
        with pytest.raises(SecretLost):
            unseal(sealed, where=elsewhere)


def test_each_sealing_differs(keys):
    assert seal("a", where="x") != seal("a", where="x")


def test_whatever_is_changed_is_lost(keys):
    sealed = seal("a secret", where="x")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SecretLost):
            unseal(bytes(changed), where="x")
    for cut in (b"", sealed[:9], sealed[:21], sealed[:-1]):
        with pytest.raises(SecretLost):
            unseal(cut, where="x")


def test_older_keys_of_the_ring_still_open(keys):
    sealed = seal("a", where="x")
    keys("second-key, first-key")
    assert unseal(sealed, where="x") == "a"
    assert not is_sealed_with_current(sealed)
    assert is_sealed_with_current(seal("a", where="x"))

    keys("second-key")
    with pytest.raises(SecretLost):
        unseal(sealed, where="x")

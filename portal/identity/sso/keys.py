"""The keys of OpenID Connect providers, and what was signed with them.

A process keeps the keys that it saw last; a token that names an unknown one has them fetched again, a few times in five minutes.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwk, jws
from joserfc.errors import JoseError

from portal.i18n.words import gettext as _
from portal.identity.sso import calls
from portal.identity.sso.errors import ProviderFaulty, TokenRefused

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA", "Ed25519")
KEY_KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
# A key in the token itself, or an address to fetch one from, would let its writer choose who signed it.
REFUSED_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"})
LONGEST_TOKEN = 32_000
KEYS_LIVE_S = 3600
REFETCHES, REFETCH_WINDOW_S = 5, 300


@dataclass
class _Keys:
    """The keys of one provider as this process last saw them."""

    keys: list[Any] = field(default_factory=list)
    fetched_at: float = 0.0
    refetches: list[float] = field(default_factory=list)


_kept: dict[str, _Keys] = {}
_lock = threading.Lock()


def count(uri: str) -> int:
    """Fetch the keys that stand at an address anew and return how many of them can be used.

    Raises:
        ProviderFaulty: it does not answer, or has none.
    """
    keys = _fetch_keys(uri)
    if not keys:
        raise ProviderFaulty(_("The provider has no key that can be used."))
    return len(keys)


def verified(token: str, uri: str, *, offered: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token that was signed with a key of this address; what they say is judged by nobody yet.

    Args:
        offered: the algorithms that the provider says it uses; empty: any of ours.

    Raises:
        TokenRefused: it is no token, or signed otherwise.
        ProviderFaulty: the keys cannot be fetched.
    """
    if not token or len(token) > LONGEST_TOKEN or not token.isascii() or token.count(".") != 2:
        raise TokenRefused("form")
    header = _header(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS or (offered and algorithm not in offered):
        raise TokenRefused("algorithm")
    if REFUSED_HEADERS & set(header):
        raise TokenRefused("header")
    key = _key_for(uri, header.get("kid"), algorithm)
    try:
        checked = jws.deserialize_compact(token, key, algorithms=[algorithm])
        claims = json.loads(checked.payload)
    except (JoseError, ValueError, RecursionError):
        raise TokenRefused("signature") from None
    if not isinstance(claims, dict):
        raise TokenRefused("form")
    return header, claims


def _header(token: str) -> dict[str, Any]:
    part = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        raise TokenRefused("form") from None
    if not isinstance(header, dict):
        raise TokenRefused("form")
    return header


def _key_for(uri: str, kid: Any, algorithm: str) -> Any:
    """Return the key that a token names; the provider's keys are fetched again once when it is not known.

    Raises:
        TokenRefused: there is none, or the token does not say which of several.
        ProviderFaulty: they cannot be fetched.
    """
    if kid is not None and not isinstance(kid, str):
        raise TokenRefused("key")
    with _lock:
        kept = _kept.setdefault(uri, _Keys())
    if not kept.keys or time.monotonic() - kept.fetched_at > KEYS_LIVE_S:
        _refresh(uri, kept)
    found = _fitting(kept.keys, kid, algorithm)
    if not found and _may_refetch(kept):
        _refresh(uri, kept)
        found = _fitting(kept.keys, kid, algorithm)
    if len(found) != 1:
        raise TokenRefused("key")
    return found[0]


def _fitting(keys: list[Any], kid: str | None, algorithm: str) -> list[Any]:
    right = []
    for key in keys:
        described = key.as_dict(private=False)
        if key.key_type != KEY_KINDS[algorithm] or described.get("use", "sig") != "sig":
            continue
        if described.get("alg", algorithm) != algorithm and {described.get("alg"), algorithm} != {"EdDSA", "Ed25519"}:
            continue
        if kid is None or described.get("kid") == kid:
            right.append(key)
    return right


def _may_refetch(kept: _Keys) -> bool:
    """Count what unknown keys cost the provider: forged tokens must not make us call it for each of them."""
    now = time.monotonic()
    with _lock:
        kept.refetches = [at for at in kept.refetches if now - at < REFETCH_WINDOW_S]
        if len(kept.refetches) >= REFETCHES:
            return False
        kept.refetches.append(now)
        return True


def _refresh(uri: str, kept: _Keys) -> None:
    keys = _fetch_keys(uri)
    with _lock:
        kept.keys, kept.fetched_at = keys, time.monotonic()


def _fetch_keys(uri: str) -> list[Any]:
    listed = calls.fetch(uri).get("keys")
    keys: list[Any] = []
    for each in listed if isinstance(listed, list) else []:
        # A shared secret has no place in a public list: with it anybody could sign.
        if not isinstance(each, dict) or each.get("kty") not in KEY_KINDS.values() or len(keys) >= 50:
            continue
        try:
            keys.append(jwk.import_key(each))
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # a kind of key that we do not know is not an error (RFC 7517, 5)
    return keys


def forget() -> None:
    """Fetch every provider's keys anew at the next token; for tests."""
    with _lock:
        _kept.clear()

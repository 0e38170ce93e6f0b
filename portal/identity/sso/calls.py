"""Calls to an identity provider, of either standard: bounded, by `core.egress` only; what is wrong with one is one sentence."""

from __future__ import annotations

import json
from typing import Any

from portal.core import egress
from portal.core.egress import EgressError, Timeouts
from portal.i18n.words import gettext as _
from portal.identity.sso.errors import ProviderFaulty

LARGEST_BODY = 200_000
PATIENCE = Timeouts(resolve_s=2, connect_s=3, tls_s=3, read_s=5, total_s=8)


def fetch(url: str) -> dict[str, Any]:
    """Return the JSON object that a provider keeps at an address.

    Raises:
        ProviderFaulty: there is none.
    """
    return object_of(call("GET", url, headers={"accept": "application/json"}))


def call(method: str, url: str, *, headers: dict[str, str], body: bytes | None = None) -> egress.Answer:
    """Call a provider.

    Raises:
        ProviderFaulty: no answer; the message says why.
    """
    try:
        return egress.send(method, url, headers=headers, body=body, timeouts=PATIENCE, max_body=LARGEST_BODY)
    except EgressError as broken:
        raise ProviderFaulty(_explained(broken)) from None


def _explained(broken: EgressError) -> str:
    """Return one sentence about a call without an answer."""
    sentences = {
        "dns": _("The name in the provider's address does not exist."),
        "connect": _("The provider does not answer: nothing listens at its address."),
        "tls": _("The provider's certificate cannot be trusted."),
        "timeout": _("The provider took too long to answer."),
        "too_large": _("The provider's answer is too large."),
    }
    return broken.message if broken.code == "blocked" else sentences.get(broken.code, _("The provider's answer cannot be read."))


def object_of(answer: egress.Answer) -> dict[str, Any]:
    """Return the JSON object of a good answer.

    Raises:
        ProviderFaulty: it is none.
    """
    if answer.status != 200:
        raise ProviderFaulty(_("The provider answered with status %(status)s.", status=str(answer.status)))
    try:
        given = json.loads(answer.body) if not answer.truncated else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise ProviderFaulty(_("The provider's answer is not what the standard asks for."))
    return given


def check_endpoint(url: str, name: str) -> None:
    """Refuse an address that a provider names for itself, if it may not be used.

    Raises:
        ProviderFaulty: so it is; the message says why.
    """
    if not url:
        return
    try:
        egress.check_url(url, policy=egress.operator_policy())
    except egress.EgressRefused as refused:
        raise ProviderFaulty(
            _("The address of %(what)s may not be used: %(why)s", what=f"\u2068{name}\u2069", why=str(refused.message))
        ) from None

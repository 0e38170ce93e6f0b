"""The verbs of SAML: what is kept of a provider, answers that count once, and the end of sessions."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from flask import url_for

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db, secrets
from portal.core.access import SYSTEM, Actor
from portal.core.config import current_settings
from portal.core.errors import NotFound
from portal.identity.sso import queries
from portal.identity.sso import service as sso
from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.oidc import Claims
from portal.identity.sso.saml import assertions, certificates, requests
from portal.identity.sso.saml.logouts import Farewell, Goodbye
from portal.identity.sso.saml.peer import Peer, Terms
from portal.identity.sso.service import Provider

PASS_S = 120
ANSWER_S = 900
COMMON_NAME = "Nasij SAML"


@dataclass(frozen=True, slots=True)
class Passed:
    """What the first half of an arrival hands to the second, sealed, through the browser.

    Args:
        relay_state: names what the browser began.
        refused: why the answer is not believed; empty when it is.
        claims, in_response_to: who came, and the request that is answered.
    """

    relay_state: str
    refused: str = ""
    claims: Claims | None = None
    in_response_to: str = ""


def find(provider_id: UUID) -> tuple[Provider, Peer]:
    """Return a SAML provider by its id alone and enter its tenant: for who is not signed in.

    Raises:
        NotFound: there is none, or its organisation is not active.
    """
    provider = sso.find_provider(provider_id)
    if provider.kind != "saml":
        raise NotFound
    return provider, peer_of(provider)


def peer_of(provider: Provider) -> Peer:
    """Return both sides of the connection to a provider."""
    return Peer(provider.issuer, Terms.of(provider.endpoints), **addresses(provider.id), private_key=provider.private_key)


def addresses(provider_id: UUID) -> dict[str, str]:
    """Return who we are for one provider: addresses of its own, so that what is meant for one counts for no other."""
    base = current_settings().public_url.rstrip("/")
    return {
        "entity_id": base + url_for("saml.metadata", way_id=provider_id),
        "acs": base + url_for("saml.receive", way_id=provider_id),
        "slo": base + url_for("saml.log_out", way_id=provider_id),
    }


def way_to(provider: Provider, *, request_id: str, relay_state: str, again: bool) -> str:
    """Return where to send the browser to sign in."""
    return requests.way_to(peer_of(provider), request_id=request_id, relay_state=relay_state, again=again)


def add_provider(tenant_id: UUID, given: Mapping[str, Any], kept: Mapping[str, Any], *, by: Actor) -> UUID:
    """Add a SAML provider with a key of our own for it, still off.

    Args:
        given: values of `sso.KEPT_FIELDS`.
        kept: values of `Terms` without our certificate.

    Raises:
        Conflict: there are ten providers already.
        Invalid: the same issuer is there.
    """
    private_key, own = certificates.make_pair(COMMON_NAME)
    terms = Terms(own_certificate=own, **kept)
    return sso.add_provider(tenant_id, given, terms.as_json(), kind="saml", secret="", by=by, private_key=private_key)


def receive(provider: Provider, peer: Peer, given: str) -> assertions.Answer:
    """Judge an answer, and have it count this once.

    Raises:
        TokenRefused: it is not believed, or was brought before.
    """
    answer = assertions.judge(given, peer)
    if not sso.use_once(provider, f"assertion:{answer.assertion_id}", answer.expires_at):
        raise TokenRefused("replayed")
    return answer


def seal_pass(provider: Provider, passed: Passed) -> str:
    """Return what the browser carries from the first half of an arrival to the second; it can neither read nor change it."""
    text = json.dumps({**asdict(passed), "at": clock.now().timestamp()}, ensure_ascii=False)
    return base64.urlsafe_b64encode(secrets.seal(text, where=_place(provider))).decode()


def open_pass(provider: Provider, sealed: str) -> Passed | None:
    """Return what was sealed for this provider within two minutes; None for anything else."""
    try:
        kept = json.loads(secrets.unseal(base64.urlsafe_b64decode(sealed), where=_place(provider)))
    except (secrets.SecretLost, binascii.Error, ValueError):
        return None
    if clock.now().timestamp() - kept.pop("at") > PASS_S:
        return None
    claims = kept.pop("claims")
    return Passed(**kept, claims=Claims(**claims) if claims else None)


def _place(provider: Provider, what: str = "saml.pass") -> str:
    return f"{what}:{provider.tenant_id}:{provider.id}"


def end_sessions_for(provider: Provider, farewell: Farewell) -> int:
    """End the sessions that a logout request names; returns how many.

    Raises:
        TokenRefused: it was used before.
    """
    with db.transaction():
        if not sso.use_once(provider, f"logout:{farewell.request_id}", farewell.expires_at):
            raise TokenRefused("replayed")
        named: list[str | None] = [*farewell.sids] or [None]
        ended = sum(sso.end_sessions(provider.tenant_id, provider.id, subject=farewell.subject, sid=sid) for sid in named)
        audit.record(provider.tenant_id, SYSTEM, "session.ended_by_provider", provider.id, sessions=ended)
        bus.announce(events.ProviderEndedSessions(provider.tenant_id, provider.id, ended))
    return ended


def came_through(tenant_id: UUID, session_id: bytes) -> str:
    """Return the path that leads somebody who signs out here to their provider, or an empty text when it does not want to hear of it.

    What it names is sealed for two minutes: the session that it stands for is over when the path is opened.
    """
    with db.transaction():
        came = queries.came_through(tenant_id, session_id)
    if came is None:
        return ""
    provider = sso.find_provider(came.provider_id)
    if provider.kind != "saml" or not Terms.of(provider.endpoints).slo_url:
        return ""
    sealed = seal_pass(provider, Passed("", claims=Claims(came.subject, sid=came.sid or "")))
    return url_for("saml.leave", way_id=provider.id, sealed=sealed)


def way_out(provider: Provider, peer: Peer, sealed: str) -> str:
    """Return where the browser goes so that the provider ends its session; an empty text for a path that is too old or not ours."""
    passed = open_pass(provider, sealed)
    if passed is None or passed.claims is None or not peer.terms.slo_url:
        return ""
    return requests.log_out(peer, request_id=_request_id(provider), subject=passed.claims.subject, sid=passed.claims.sid)


def _request_id(provider: Provider) -> str:
    """Return a name for a request that we know again without keeping it: nobody has a session any more to keep it in."""
    sealed = secrets.seal(str(clock.now().timestamp()), where=_place(provider, "saml.logout"))
    return f"_{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


def check_goodbye(provider: Provider, goodbye: Goodbye) -> None:
    """Let an answer pass only if we asked for it a short while ago.

    Raises:
        TokenRefused: we did not.
    """
    named = goodbye.in_response_to[1:]
    try:
        asked_at = float(secrets.unseal(base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)), where=_place(provider, "saml.logout")))
    except (secrets.SecretLost, binascii.Error, ValueError):
        raise TokenRefused("in_response_to") from None
    if clock.now().timestamp() - asked_at > ANSWER_S:
        raise TokenRefused("expired")


def answer_to(peer: Peer, farewell: Farewell) -> str:
    """Return where to send the browser with the word that it is signed out; an empty text when the provider wants none."""
    if not peer.terms.answers_at:
        return ""
    return requests.logged_out(peer, in_response_to=farewell.request_id, relay_state=farewell.relay_state)

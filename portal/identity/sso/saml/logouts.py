"""A provider's word that somebody has signed out there, and its answer when they signed out here, judged. Knows no table."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.core import clock
from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.saml import documents, signatures
from portal.identity.sso.saml.assertions import SKEW, subject_of
from portal.identity.sso.saml.documents import Element, moment, name, only, text_of
from portal.identity.sso.saml.peer import Peer
from portal.identity.sso.saml.requests import SUCCESS

FRESH = timedelta(minutes=5)
MOST_SESSIONS = 50


@dataclass(frozen=True, slots=True)
class Farewell:
    """A logout request that was judged.

    Args:
        sids: the sessions that end; none means all of the person.
        request_id: counts once until `expires_at`, and is named in the answer.
    """

    subject: str
    sids: tuple[str, ...]
    request_id: str
    expires_at: datetime
    relay_state: str


def judge_posted(given: str, relay_state: str, peer: Peer) -> Farewell:
    """Return what a request says that came in a form, signed inside.

    Raises:
        TokenRefused: it is not from this provider, for us, now.
    """
    request = documents.parse(documents.decoded(given))
    signatures.check_ids(request)
    return _judge(signatures.signed(request, peer.terms.certificates), relay_state, peer)


def judge_redirected(query: str, peer: Peer) -> Farewell:
    """Return what a request says that came in an address, signed beside it.

    Args:
        query: the raw query, because that is what was signed.

    Raises:
        TokenRefused: it is not from this provider, for us, now.
    """
    fields = signatures.check_query(query, "SAMLRequest", peer.terms.certificates)
    return _judge(documents.parse(_inflated(documents.decoded(fields["SAMLRequest"]))), fields.get("RelayState", ""), peer)


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The provider's answer to our logout request, judged.

    Args:
        in_response_to: the request that it answers.
        is_whole: everything ended there; otherwise some application did not end its session.
    """

    in_response_to: str
    is_whole: bool


def judge_posted_answer(given: str, peer: Peer) -> Goodbye:
    """Return what an answer says that came in a form, signed inside.

    Raises:
        TokenRefused: it is not from this provider, for us, now.
    """
    answer = documents.parse(documents.decoded(given))
    signatures.check_ids(answer)
    return _judge_answer(signatures.signed(answer, peer.terms.certificates), peer)


def judge_redirected_answer(query: str, peer: Peer) -> Goodbye:
    """Return what an answer says that came in an address, signed beside it.

    Args:
        query: the raw query, because that is what was signed.

    Raises:
        TokenRefused: it is not from this provider, for us, now.
    """
    fields = signatures.check_query(query, "SAMLResponse", peer.terms.certificates)
    return _judge_answer(documents.parse(_inflated(documents.decoded(fields["SAMLResponse"]))), peer)


def _judge_answer(answer: Element, peer: Peer) -> Goodbye:
    _check_head(answer, "LogoutResponse", peer)
    made_at = moment(answer.get("IssueInstant"))
    if made_at is None or not clock.now() - FRESH - SKEW <= made_at <= clock.now() + SKEW:
        raise TokenRefused("expired")
    codes = [each.get("Value", "") for each in only(answer, "samlp", "Status").iter(name("samlp", "StatusCode"))]
    return Goodbye(answer.get("InResponseTo", ""), codes == [SUCCESS])


def _check_head(message: Element, kind: str, peer: Peer) -> None:
    if message.tag != name("samlp", kind) or message.get("Version") != "2.0" or not message.get("ID"):
        raise TokenRefused("form")
    if text_of(only(message, "saml", "Issuer")) != peer.issuer:
        raise TokenRefused("issuer")
    if message.get("Destination") != peer.slo:
        raise TokenRefused("destination")


def _inflated(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(-15)
    try:
        text = unpacker.decompress(packed, documents.LARGEST)
    except zlib.error:
        raise TokenRefused("xml") from None
    if unpacker.unconsumed_tail or not unpacker.eof:  # it would grow beyond what is read
        raise TokenRefused("too_large")
    return text


def _judge(request: Element, relay_state: str, peer: Peer) -> Farewell:
    _check_head(request, "LogoutRequest", peer)
    now, made_at, ends_at = clock.now(), moment(request.get("IssueInstant")), moment(request.get("NotOnOrAfter"))
    if made_at is None or made_at > now + SKEW:
        raise TokenRefused("not_yet")
    ends_at = min(ends_at or made_at + FRESH, made_at + FRESH)
    if ends_at <= now - SKEW:
        raise TokenRefused("expired")
    sids = tuple(text_of(each)[:255] for each in request.findall(name("samlp", "SessionIndex")))
    if len(sids) > MOST_SESSIONS or not all(sids):
        raise TokenRefused("form")
    return Farewell(subject_of(request, peer), sids, request.get("ID", ""), ends_at + 2 * SKEW, relay_state[:200])

"""What a provider says of somebody, judged: by whom, for whom, when, and in answer to what. Knows no table.

The order matters: shape, then signature, and from there on only what was signed is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.core import clock
from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.oidc import LONGEST_SUBJECT, SKEW_S, Claims
from portal.identity.sso.saml import documents, encryption, signatures
from portal.identity.sso.saml.documents import Element, at_most_one, moment, name, only, text_of
from portal.identity.sso.saml.peer import PERSISTENT, Peer

SKEW = timedelta(seconds=SKEW_S)
LONGEST_LIFE = timedelta(days=1)  # our memory of used ids has an end
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
TURNED_AWAY = frozenset(f"{STATUS}{each}" for each in ("AuthnFailed", "RequestDenied", "NoPassive", "UnknownPrincipal"))
CONDITIONS = frozenset(name("saml", each) for each in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction"))
# As Entra ID, AD FS, Okta, Google and Shibboleth call them.
CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
EMAIL_NAMES = (f"{CLAIM}emailaddress", "urn:oid:0.9.2342.19200300.100.1.3", "email", "mail", "emailAddress")
NAME_NAMES = ("http://schemas.microsoft.com/identity/claims/displayname", "urn:oid:2.16.840.1.113730.3.1.241", "displayName", "name")
GIVEN_NAMES = (f"{CLAIM}givenname", "urn:oid:2.5.4.42", "givenName", "firstName")
FAMILY_NAMES = (f"{CLAIM}surname", "urn:oid:2.5.4.4", "sn", "lastName")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is left of a response that was judged: who came, and what makes it count once.

    Args:
        in_response_to: id of the request that it answers.
        assertion_id: counts once until `expires_at`.
    """

    claims: Claims
    in_response_to: str
    assertion_id: str
    expires_at: datetime


def judge(given: str, peer: Peer) -> Answer:
    """Return what a response says, as far as the provider signed it for us, now.

    Whether its request was made by this browser, and whether its id was used before, is the caller's to say.

    Args:
        given: the form field `SAMLResponse`.

    Raises:
        TokenRefused: any of that is not so; `denied` when the provider turned the person away.
    """
    response = documents.parse(documents.decoded(given))
    _check_response(response, peer)
    assertion = signatures.signed(_the_assertion(response, peer), peer.terms.certificates)
    if assertion.get("Version") != "2.0":
        raise TokenRefused("version")
    if text_of(only(assertion, "saml", "Issuer")) != peer.issuer:
        raise TokenRefused("issuer")
    request_id, ends_at = _check_subject(assertion, peer)
    _check_conditions(assertion, peer)
    if response.get("InResponseTo") not in (None, request_id):
        raise TokenRefused("in_response_to")
    return Answer(_claims(assertion, peer), request_id, assertion.get("ID", ""), ends_at + 2 * SKEW)


def _check_response(response: Element, peer: Peer) -> None:
    """Refuse what is no response to us; a signature of the whole is not needed, but a wrong one is refused."""
    if response.tag != name("samlp", "Response") or response.get("Version") != "2.0":
        raise TokenRefused("form")
    signatures.check_ids(response)
    own = response.findall(name("ds", "Signature"))
    if response.get("Destination") not in (None, peer.acs) or (own and response.get("Destination") is None):
        raise TokenRefused("destination")
    issuer = at_most_one(response, "saml", "Issuer")
    if issuer is not None and text_of(issuer) != peer.issuer:
        raise TokenRefused("issuer")
    # Before the status: a wrong signature may not even say why it refuses.
    if own:
        signatures.signed(response, peer.terms.certificates)
    _check_status(response)


def _check_status(response: Element) -> None:
    code = only(only(response, "samlp", "Status"), "samlp", "StatusCode")
    if code.get("Value") == f"{STATUS}Success":
        return
    inner = code.find(name("samlp", "StatusCode"))
    given = {code.get("Value"), inner.get("Value") if inner is not None else None}
    if f"{STATUS}InvalidNameIDPolicy" in given:
        raise TokenRefused("name_id_policy")
    raise TokenRefused("denied" if given & TURNED_AWAY else "status")


def _the_assertion(response: Element, peer: Peer) -> Element:
    """Return the one assertion, a child of the response; anywhere else, or a second one, and somebody has wrapped something."""
    plain, sealed = name("saml", "Assertion"), name("saml", "EncryptedAssertion")
    found = [each for each in response.iter() if each.tag in (plain, sealed)]
    if not found:
        raise TokenRefused("no_assertion")
    if len(found) > 1 or found[0].getparent() is not response:
        raise TokenRefused("wrapped")
    own = [each for each in response.iter(name("ds", "Signature")) if each.getparent() not in (response, found[0])]
    if own and found[0].tag == plain:
        raise TokenRefused("wrapped")
    if found[0].tag == plain:
        return found[0]
    assertion = encryption.opened(found[0], peer.private_key)
    signatures.check_ids(assertion)
    if any(each is not assertion for each in assertion.iter(plain, sealed)):
        raise TokenRefused("wrapped")
    return assertion


def _check_subject(assertion: Element, peer: Peer) -> tuple[str, datetime]:
    """Return the request that is answered, and until when the answer may be brought."""
    confirmations = only(assertion, "saml", "Subject").findall(name("saml", "SubjectConfirmation"))
    if len(confirmations) != 1 or confirmations[0].get("Method") != BEARER:
        raise TokenRefused("confirmation")
    proof = only(confirmations[0], "saml", "SubjectConfirmationData")
    if proof.get("Recipient") != peer.acs:
        raise TokenRefused("recipient")
    now, ends_at = clock.now(), moment(proof.get("NotOnOrAfter"))
    # A bearer's proof has an end and no beginning (Profiles, 4.1.4.2).
    if ends_at is None or proof.get("NotBefore") is not None:
        raise TokenRefused("confirmation")
    if ends_at <= now - SKEW:
        raise TokenRefused("expired")
    if ends_at > now + LONGEST_LIFE:
        raise TokenRefused("lifetime")
    request_id = proof.get("InResponseTo", "")
    if not request_id:
        raise TokenRefused("unasked")
    return request_id, ends_at


def _check_conditions(assertion: Element, peer: Peer) -> None:
    conditions = only(assertion, "saml", "Conditions")
    now = clock.now()
    starts_at, ends_at = moment(conditions.get("NotBefore")), moment(conditions.get("NotOnOrAfter"))
    if starts_at is not None and starts_at > now + SKEW:
        raise TokenRefused("not_yet")
    if ends_at is not None and ends_at <= now - SKEW:
        raise TokenRefused("expired")
    if any(each.tag not in CONDITIONS for each in conditions):
        raise TokenRefused("condition")
    restrictions = conditions.findall(name("saml", "AudienceRestriction"))
    named = [[text_of(each) for each in one.findall(name("saml", "Audience"))] for one in restrictions]
    # Each restriction has to be met, and one has to be there: an assertion for everybody is one for nobody.
    if not named or any(peer.entity_id not in each for each in named):
        raise TokenRefused("audience")


def _claims(assertion: Element, peer: Peer) -> Claims:
    statements = assertion.findall(name("saml", "AuthnStatement"))
    if len(statements) != 1:
        raise TokenRefused("statement")
    proved_at = moment(statements[0].get("AuthnInstant"))
    session_ends_at = moment(statements[0].get("SessionNotOnOrAfter"))
    now = clock.now()
    if proved_at is None or proved_at > now + SKEW:
        raise TokenRefused("statement")
    if session_ends_at is not None and session_ends_at <= now:
        raise TokenRefused("expired")
    said = _attributes(assertion)
    terms = peer.terms
    return Claims(
        subject=subject_of(only(assertion, "saml", "Subject"), peer),
        email=_first(said, terms.email_attribute, EMAIL_NAMES)[:320],
        # The standard knows no verified addresses: what counts is whether the organisation says that it gives them out itself.
        email_verified=True if terms.vouches else None,
        name=(
            _first(said, terms.name_attribute, NAME_NAMES)
            or " ".join(filter(None, (_first(said, "", GIVEN_NAMES), _first(said, "", FAMILY_NAMES))))
        )[:200],
        sid=statements[0].get("SessionIndex", "")[:255],
        proved_at=proved_at.timestamp(),
    )


def subject_of(parent: Element, peer: Peer) -> str:
    """Return who is meant: the persistent name that the provider made for this person and for us.

    Raises:
        TokenRefused: it is of another kind, which changes or changes hands, or is meant for somebody else.
    """
    named = only(parent, "saml", "NameID")
    if named.get("Format") != PERSISTENT:
        raise TokenRefused("name_id")
    if named.get("NameQualifier") not in (None, "", peer.issuer) or named.get("SPNameQualifier") not in (None, "", peer.entity_id):
        raise TokenRefused("name_id_scope")
    subject = text_of(named)
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise TokenRefused("subject")
    return subject


def _attributes(assertion: Element) -> dict[str, str]:
    """Return the first value of each attribute by its name."""
    found: dict[str, str] = {}
    for statement in assertion.findall(name("saml", "AttributeStatement")):
        for each in statement.findall(name("saml", "Attribute")):
            value = each.find(name("saml", "AttributeValue"))
            if value is not None and not len(value):
                found.setdefault(each.get("Name", ""), text_of(value))
    return found


def _first(said: dict[str, str], chosen: str, usual: tuple[str, ...]) -> str:
    names = (chosen,) if chosen else usual
    return next((said[each] for each in names if said.get(each)), "")

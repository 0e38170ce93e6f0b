"""What we send to a provider, through the browser: requests to sign somebody in, and to sign somebody out, and answers to a logout. Knows no table."""

from __future__ import annotations

import base64
import zlib
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml.builder import ElementMaker

from portal.core import clock
from portal.core.secrets import new_token
from portal.identity.sso.saml import certificates
from portal.identity.sso.saml.documents import ASSERTION, PROTOCOL, Element, to_bytes, written
from portal.identity.sso.saml.peer import PERSISTENT, Peer

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
OF_THE_PERSON = "urn:oasis:names:tc:SAML:2.0:logout:user"
REQUEST_COUNTS = timedelta(minutes=5)
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_protocol = ElementMaker(namespace=PROTOCOL, nsmap={"samlp": PROTOCOL, "saml": ASSERTION})
_assertion = ElementMaker(namespace=ASSERTION, nsmap={"saml": ASSERTION})


def way_to(peer: Peer, *, request_id: str, relay_state: str, again: bool = False) -> str:
    """Return where to send the browser.

    Args:
        request_id: what the answer must name.
        again: have the provider ask who it is, even if it knows.
    """
    attributes = {
        "ID": request_id,
        "Version": "2.0",
        "IssueInstant": written(clock.now()),
        "Destination": peer.terms.sso_url,
        "ProtocolBinding": POST,
        "AssertionConsumerServiceURL": peer.acs,
    }
    if again:
        attributes["ForceAuthn"] = "true"
    request = _protocol.AuthnRequest(
        _assertion.Issuer(peer.entity_id), _protocol.NameIDPolicy(Format=PERSISTENT, AllowCreate="true"), **attributes
    )
    return _redirected(peer.terms.sso_url, "SAMLRequest", request, relay_state, key=peer.private_key if peer.terms.signs_requests else "")


def logged_out(peer: Peer, *, in_response_to: str, relay_state: str) -> str:
    """Return where to send the browser with our answer to a logout request; always signed."""
    answer = _protocol.LogoutResponse(
        _assertion.Issuer(peer.entity_id),
        _protocol.Status(_protocol.StatusCode(Value=SUCCESS)),
        ID=f"_{new_token()}",
        Version="2.0",
        IssueInstant=written(clock.now()),
        Destination=peer.terms.answers_at,
        InResponseTo=in_response_to,
    )
    return _redirected(peer.terms.answers_at, "SAMLResponse", answer, relay_state, key=peer.private_key)


def log_out(peer: Peer, *, request_id: str, subject: str, sid: str) -> str:
    """Return where to send the browser of somebody who has signed out here, so that the provider ends its session; always signed.

    Args:
        sid: the provider's name for the session; empty ends all of the person's there.
    """
    named = [_protocol.SessionIndex(sid)] if sid else []
    now = clock.now()
    request = _protocol.LogoutRequest(
        _assertion.Issuer(peer.entity_id),
        _assertion.NameID(subject, Format=PERSISTENT),
        *named,
        ID=request_id,
        Version="2.0",
        IssueInstant=written(now),
        NotOnOrAfter=written(now + REQUEST_COUNTS),
        Destination=peer.terms.slo_url,
        Reason=OF_THE_PERSON,
    )
    return _redirected(peer.terms.slo_url, "SAMLRequest", request, "", key=peer.private_key)


def _redirected(url: str, kind: str, message: Element, relay_state: str, *, key: str) -> str:
    """Return an address with a message in it (HTTP redirect binding), signed when there is a key."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(to_bytes(message)) + packer.flush()
    query = {kind: base64.b64encode(packed).decode()}
    if relay_state:
        query["RelayState"] = relay_state
    if key:
        query["SigAlg"] = RSA_SHA256
        # What is signed is the query as it is sent, in this order (Bindings, 3.4.4.1).
        made = certificates.load_key(key).sign(urlencode(query).encode(), PKCS1v15(), hashes.SHA256())
        query["Signature"] = base64.b64encode(made).decode()
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}"

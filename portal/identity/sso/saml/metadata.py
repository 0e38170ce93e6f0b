"""Metadata: the provider's, as it publishes it, and ours for one provider. Knows no table."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree
from lxml.builder import ElementMaker

from portal.i18n.words import gettext as _
from portal.identity.sso import calls
from portal.identity.sso.errors import ProviderFaulty, TokenRefused
from portal.identity.sso.saml import documents
from portal.identity.sso.saml.documents import METADATA, PROTOCOL, SIGNATURE, Element, name, text_of
from portal.identity.sso.saml.encryption import GCM, OAEP
from portal.identity.sso.saml.peer import PERSISTENT, Peer
from portal.identity.sso.saml.requests import POST

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_md = ElementMaker(namespace=METADATA, nsmap={"md": METADATA, "ds": SIGNATURE})
_ds = ElementMaker(namespace=SIGNATURE)


@dataclass(frozen=True, slots=True)
class Published:
    """What a provider publishes of itself, as far as it is used."""

    issuer: str
    sso_url: str
    slo_url: str
    slo_response_url: str
    certificates: tuple[str, ...]
    wants_signed_requests: bool


def fetch(url: str) -> bytes:
    """Return what stands at a provider's address of metadata.

    Raises:
        ProviderFaulty: it does not answer, or not with a document.
    """
    calls.check_endpoint(url, _("the metadata"))
    answer = calls.call("GET", url, headers={"accept": "application/samlmetadata+xml, application/xml, text/xml"})
    if answer.status != 200:
        raise ProviderFaulty(_("The provider answered with status %(status)s.", status=str(answer.status)))
    if answer.truncated:
        raise ProviderFaulty(_("The provider's answer is too large."))
    return answer.body


def read(raw: bytes) -> Published:
    """Return what metadata says of the one provider in it.

    Its own signature is not looked at: the admin who brings it says whose it is.

    Raises:
        ProviderFaulty: it is no metadata of a provider that we can use; the message says why.
    """
    try:
        root = documents.parse(raw, may_comment=True)
        return _published(_entity(root))
    except TokenRefused as refused:
        raise ProviderFaulty(_unreadable(refused.reason)) from None


def _unreadable(reason: str) -> str:
    if reason == "too_large":
        return _("The metadata is too large: give the metadata of one provider.")
    if reason == "doctype":
        return _("The metadata holds definitions (DOCTYPE), which may not be.")
    return _("This is no SAML metadata: it cannot be read as XML.")


def _entity(root: Element) -> Element:
    found = [root] if root.tag == name("md", "EntityDescriptor") else list(root.iter(name("md", "EntityDescriptor")))
    providers = [each for each in found if each.find(name("md", "IDPSSODescriptor")) is not None]
    if not providers:
        raise ProviderFaulty(_("This is the metadata of an application, not of an identity provider.") if found else _unreadable("xml"))
    if len(providers) > 1:
        raise ProviderFaulty(_("The metadata describes several providers: give the metadata of one."))
    return providers[0]


def _published(entity: Element) -> Published:
    role = entity.find(name("md", "IDPSSODescriptor"))
    sso = _location(role, "SingleSignOnService")
    if not sso:
        raise ProviderFaulty(_("The provider offers no sign-in by redirect (HTTP-Redirect)."))
    signing = [each for each in role.findall(name("md", "KeyDescriptor")) if each.get("use", "signing") == "signing"]
    found = ["".join(text_of(each).split()) for key in signing for each in key.iter(name("ds", "X509Certificate"))]
    if not found:
        raise ProviderFaulty(_("The metadata holds no certificate to sign with."))
    return Published(
        issuer=entity.get("entityID", "").strip(),
        sso_url=sso,
        slo_url=_location(role, "SingleLogoutService"),
        slo_response_url=_location(role, "SingleLogoutService", "ResponseLocation"),
        certificates=tuple(dict.fromkeys(found)),
        wants_signed_requests=role.get("WantAuthnRequestsSigned") in ("true", "1"),
    )


def _location(role: Element, kind: str, which: str = "Location") -> str:
    found = (each for each in role.findall(name("md", kind)) if each.get("Binding") == REDIRECT)
    return next((str(each.get(which, "")).strip() for each in found), "")


def ours(peer: Peer) -> bytes:
    """Return our metadata for one provider."""
    keys = [_key(peer, "signing"), _key(peer, "encryption")]
    role = _md.SPSSODescriptor(
        *keys,
        _md.SingleLogoutService(Binding=REDIRECT, Location=peer.slo),
        _md.SingleLogoutService(Binding=POST, Location=peer.slo),
        _md.NameIDFormat(PERSISTENT),
        _md.AssertionConsumerService(Binding=POST, Location=peer.acs, index="0", isDefault="true"),
        AuthnRequestsSigned="true" if peer.terms.signs_requests else "false",
        WantAssertionsSigned="true",
        protocolSupportEnumeration=PROTOCOL,
    )
    made: bytes = etree.tostring(
        _md.EntityDescriptor(role, entityID=peer.entity_id), xml_declaration=True, encoding="UTF-8", pretty_print=True
    )
    return made


def _key(peer: Peer, use: str) -> Element:
    methods = [_md.EncryptionMethod(Algorithm=each) for each in (*GCM, OAEP)] if use == "encryption" else []
    return _md.KeyDescriptor(_ds.KeyInfo(_ds.X509Data(_ds.X509Certificate(peer.terms.own_certificate))), *methods, use=use)

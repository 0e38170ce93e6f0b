"""Whether a part of a message is signed by the provider, and what exactly was signed. Knows no table.

Everything that is believed is read from the bytes under the signature, parsed anew, so a part that was put in beside them cannot be read
by mistake. Before the library is asked, the part stands alone as a document: its signature can refer to nothing else.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from portal.core import clock
from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.saml import certificates, documents
from portal.identity.sso.saml.documents import Element, name, only

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
METHODS = frozenset({
    SignatureMethod.RSA_SHA256, SignatureMethod.RSA_SHA384, SignatureMethod.RSA_SHA512,
    SignatureMethod.ECDSA_SHA256, SignatureMethod.ECDSA_SHA384, SignatureMethod.ECDSA_SHA512,
})  # fmt: skip
DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
METHOD_NAMES = frozenset(each.value for each in METHODS)
DIGEST_NAMES = frozenset(each.value for each in DIGESTS)
HASHES: dict[str, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
ID_NAMES = ("id", "Id", "ID", "iD")


def check_ids(root: Element) -> None:
    """Refuse a message in which two elements have one id, in whatever spelling of the attribute.

    Raises:
        TokenRefused: so it is.
    """
    found = [
        value for element in root.iter() for attribute, value in element.attrib.items() if etree.QName(attribute).localname in ID_NAMES
    ]
    if len(found) != len(set(found)):
        raise TokenRefused("wrapped")


def signed(element: Element, trusted: tuple[str, ...]) -> Element:
    """Return an element as its own signature covers it.

    Args:
        trusted: the certificates whose signatures count; one that the message brings along says nothing.

    Raises:
        TokenRefused: it is not signed so, or by nobody we trust; `.reason` says what is wrong.
    """
    _check_shape(element)
    alone = documents.to_bytes(element)
    expected = SignatureConfiguration(
        require_x509=True, location="./", expect_references=1, signature_methods=METHODS, digest_algorithms=DIGESTS,
        verification_time=clock.now(),
    )  # fmt: skip
    reason = "signature"
    for each in trusted:
        try:
            found = XMLVerifier().verify(alone, x509_cert=certificates.load(each), expect_config=expected, id_attribute="ID")
        except InvalidCertificate:
            if _signed_by_expired(alone, each, expected):
                reason = "certificate_expired"
        except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError, KeyError, TypeError, AttributeError):
            continue
        else:
            assert isinstance(found, VerifyResult)  # one reference, one result
            return _same(found.signed_xml, element)
    raise TokenRefused(reason)


def _signed_by_expired(alone: bytes, certificate: str, expected: SignatureConfiguration) -> bool:
    """Say whether only the age of the certificate is wrong: then an admin can be told what to do."""
    known = certificates.load(certificate)
    then = replace(expected, verification_time=known.not_valid_before_utc)
    try:
        XMLVerifier().verify(alone, x509_cert=known, expect_config=then, id_attribute="ID")
    except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _same(found: Element | None, element: Element) -> Element:
    if found is None or found.tag != element.tag or found.get("ID") != element.get("ID"):
        raise TokenRefused("wrapped")
    return found


def _check_shape(element: Element) -> None:
    """Refuse every way of signing but the one that SAML allows (Core, 5.4): all of the element, by its id, and nothing else."""
    found = element.findall(name("ds", "Signature"))
    if not found:
        raise TokenRefused("unsigned")
    signature, own_id = found[0], element.get("ID")
    if len(found) > 1 or element.index(signature) != 1 or element[0].tag != name("saml", "Issuer") or not own_id:
        raise TokenRefused("wrapped")
    if signature.find(f".//{name('ds', 'Object')}") is not None or signature.find(f".//{name('ds', 'Manifest')}") is not None:
        raise TokenRefused("wrapped")
    info = only(signature, "ds", "SignedInfo")
    references = info.findall(name("ds", "Reference"))
    if len(references) != 1 or references[0].get("URI") != f"#{own_id}":
        raise TokenRefused("wrapped")
    steps = [each.get("Algorithm") for each in only(references[0], "ds", "Transforms")]
    if steps != [ENVELOPED, EXCLUSIVE] or only(info, "ds", "CanonicalizationMethod").get("Algorithm") != EXCLUSIVE:
        raise TokenRefused("transforms")
    method, digest = only(info, "ds", "SignatureMethod"), only(references[0], "ds", "DigestMethod")
    if method.get("Algorithm") not in METHOD_NAMES or digest.get("Algorithm") not in DIGEST_NAMES:
        raise TokenRefused("algorithm")


def check_query(query: str, kind: str, trusted: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of a signed address (HTTP redirect binding); what is signed is the text as it was sent.

    Args:
        query: the raw query.
        kind: SAMLRequest or SAMLResponse.

    Raises:
        TokenRefused: it is not signed by anybody we trust, or names something twice.
    """
    parts = query.split("&")
    raw = {part.partition("=")[0]: part for part in parts}
    try:
        fields = dict(parse_qsl(query, strict_parsing=True, max_num_fields=10, errors="strict"))
        signature = base64.b64decode(fields["Signature"], validate=True)
    except (ValueError, KeyError, binascii.Error):
        raise TokenRefused("unsigned") from None
    if len(raw) != len(parts) or len(fields) != len(parts) or kind not in raw or "SigAlg" not in raw:
        raise TokenRefused("form")
    if fields["SigAlg"] not in METHOD_NAMES:
        raise TokenRefused("algorithm")
    covered = "&".join(raw[each] for each in (kind, "RelayState", "SigAlg") if each in raw).encode()
    usable = [each for each in trusted if not certificates.seen(each).is_expired]
    if not any(_fits(certificates.load(each).public_key(), signature, covered, fields["SigAlg"]) for each in usable):
        raise TokenRefused("signature")
    return fields


def _fits(key: object, signature: bytes, covered: bytes, method: str) -> bool:
    family, _dash, digest = method.rpartition("#")[2].partition("-")
    try:
        if family == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, covered, padding.PKCS1v15(), HASHES[digest]())
        elif family == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, covered, ec.ECDSA(HASHES[digest]()))
        else:
            return False
    except InvalidSignature:
        return False
    return True

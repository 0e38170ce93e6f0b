"""Transforms a genuine signed response into hostile ones: wrapped, cut, rewritten, signed by others."""

from __future__ import annotations

import base64
import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from lxml import etree
from signxml import XMLSigner
from signxml.algorithms import DigestAlgorithm, SignatureMethod

from portal.identity.sso.saml.certificates import as_pem, load, load_key, make_pair
from portal.identity.sso.saml.documents import NAMES, name

EVIL = "evil-subject"


def root_of(xml: str) -> Any:
    return etree.fromstring(xml.encode())


def text_of(root: Any) -> str:
    return etree.tostring(root).decode()


def assertion_of(root: Any) -> Any:
    return root.find(name("saml", "Assertion"))


def signature_of(element: Any) -> Any:
    return element.find(name("ds", "Signature"))


def evil_copy(element: Any, *, has_signature: bool, id_: str | None = "_evil") -> Any:
    """Return a copy in which somebody else stands."""
    made = copy.deepcopy(element)
    made.tail = None
    for each in made.iter(name("saml", "NameID")):
        each.text = EVIL
    if id_ is None:
        del made.attrib["ID"]
    else:
        made.set("ID", id_)
    if not has_signature:
        for each in [*made.iter(name("ds", "Signature"))]:
            each.getparent().remove(each)
    return made


# The eight ways of Somorovsky and others ("On Breaking SAML", 2012). 1 and 2 wrap the whole response, 3 to 8 the assertion.


def xsw1(root: Any) -> Any:
    """The evil response around the signed one, which hangs in the signature."""
    evil = evil_copy(root, has_signature=True)
    signature_of(evil).append(copy.deepcopy(root))
    return evil


def xsw2(root: Any) -> Any:
    """The signed response beside its own signature, moved to the evil one."""
    evil, genuine = evil_copy(root, has_signature=True), copy.deepcopy(root)
    genuine.remove(signature_of(genuine))
    signature_of(evil).addprevious(genuine)
    return evil


def xsw3(root: Any) -> Any:
    """An evil assertion before the signed one."""
    assertion_of(root).addprevious(evil_copy(assertion_of(root), has_signature=False))
    return root


def xsw4(root: Any) -> Any:
    """The signed assertion inside the evil one."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=False)
    root.replace(genuine, evil)
    evil.append(genuine)
    return root


def xsw5(root: Any) -> Any:
    """The signature in the evil assertion, the signed assertion without it at the end."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=True)
    root.replace(genuine, evil)
    genuine.remove(signature_of(genuine))
    root.append(genuine)
    return root


def xsw6(root: Any) -> Any:
    """The signed assertion inside the signature of the evil one."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=True)
    root.replace(genuine, evil)
    genuine.remove(signature_of(genuine))
    signature_of(evil).append(genuine)
    return root


def xsw7(root: Any) -> Any:
    """An evil assertion in extensions, under the id of the signed one."""
    genuine = assertion_of(root)
    extensions = etree.Element(name("samlp", "Extensions"))
    extensions.append(evil_copy(genuine, has_signature=False, id_=genuine.get("ID")))
    genuine.addprevious(extensions)
    return root


def xsw8(root: Any) -> Any:
    """The signed assertion in an object of the signature of the evil one."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=True)
    root.replace(genuine, evil)
    genuine.remove(signature_of(genuine))
    holder = etree.SubElement(signature_of(evil), name("ds", "Object"))
    holder.append(genuine)
    return root


def same_id(root: Any) -> Any:
    """The evil assertion first, under the same id, with the signature."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=True, id_=genuine.get("ID"))
    genuine.addprevious(evil)
    return root


def other_spelling(root: Any) -> Any:
    """The evil assertion under the signed id, the genuine one named by another attribute."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=True, id_=genuine.get("ID"))
    root.replace(genuine, evil)
    genuine.set("Id", genuine.attrib.pop("ID"))
    etree.SubElement(signature_of(evil), name("ds", "Object")).append(genuine)
    return root


def in_attribute_value(root: Any) -> Any:
    """The genuine assertion hidden in a value of the evil one."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=True)
    root.replace(genuine, evil)
    genuine.remove(signature_of(genuine))
    evil.find(f".//{name('saml', 'AttributeValue')}").append(genuine)
    return root


def whole_document(root: Any) -> Any:
    """A reference to everything (`URI=""`) instead of to the assertion."""
    signature_of(assertion_of(root)).find(f".//{name('ds', 'Reference')}").set("URI", "")
    return root


def second_reference(root: Any) -> Any:
    info = signature_of(assertion_of(root)).find(name("ds", "SignedInfo"))
    info.append(copy.deepcopy(info.find(name("ds", "Reference"))))
    return root


def second_signature(root: Any) -> Any:
    genuine = assertion_of(root)
    genuine.append(copy.deepcopy(signature_of(genuine)))
    return root


def advice(root: Any) -> Any:
    """The genuine assertion as advice of the evil one, where the schema allows it."""
    genuine = assertion_of(root)
    evil = evil_copy(genuine, has_signature=True)
    root.replace(genuine, evil)
    genuine.remove(signature_of(genuine))
    etree.SubElement(evil, name("saml", "Advice")).append(genuine)
    return root


WRAPPED = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8, same_id, other_spelling, in_attribute_value, whole_document, second_reference,
           second_signature, advice)  # fmt: skip


class WeakSigner(XMLSigner):
    """A provider that still signs with SHA-1."""

    def check_deprecated_methods(self) -> None:
        return


def signed_again(root: Any, idp: Any, *, key: str = "", certificate: str = "", weak: bool = False, response: bool = False) -> Any:
    """Sign the assertion (or the whole response) anew, with the provider's key unless another is given."""
    target = root if response else assertion_of(root)
    for each in target.findall(name("ds", "Signature")):
        target.remove(each)
    place = etree.Element(name("ds", "Signature"), Id="placeholder", nsmap={"ds": NAMES["ds"]})
    target.insert(1, place)
    kinds = (
        {"signature_algorithm": SignatureMethod.RSA_SHA1, "digest_algorithm": DigestAlgorithm.SHA1}
        if weak
        else {"signature_algorithm": SignatureMethod.RSA_SHA256, "digest_algorithm": DigestAlgorithm.SHA256}
    )
    signer = (WeakSigner if weak else XMLSigner)(c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#", **kinds)
    alone = etree.fromstring(etree.tostring(target, with_tail=False))
    made = signer.sign(
        alone, key=load_pem_private_key((key or idp.key).encode(), None), cert=as_pem(certificate or idp.certificate),
        reference_uri=target.get("ID"), id_attribute="ID",
    )  # fmt: skip
    if response:
        return made
    root.replace(target, made)
    return root


def later(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def expired_pair() -> tuple[str, str]:
    """Return a key and its certificate, which ended yesterday."""
    key, own = make_pair("old")
    known, private = load(own), load_key(key)
    built = (
        x509.CertificateBuilder()
        .subject_name(known.subject)
        .issuer_name(known.subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=9))
        .not_valid_after(datetime.now(UTC) - timedelta(days=1))
        .sign(private, SHA256())
    )
    return key, base64.b64encode(built.public_bytes(Encoding.DER)).decode()

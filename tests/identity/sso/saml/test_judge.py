"""What a real provider said, changed, wrapped or meant for others, before the judge: nothing of it is believed."""

from __future__ import annotations

import base64
import copy
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.saml import assertions, certificates, requests
from portal.identity.sso.saml.documents import name
from portal.identity.sso.saml.peer import Peer, Terms
from tests.identity.sso.saml import forge
from tests.identity.sso.saml.conftest import SamlTraveller, with_xml, xml_of
from tests.identity.sso.saml.forge import EVIL, WRAPPED, assertion_of, later, root_of, signed_again, text_of

ADDRESSES = {"entity_id": "http://localhost/way/metadata", "acs": "http://localhost/way/acs", "slo": "http://localhost/way/slo"}


@pytest.fixture(scope="module")
def peer(running_saml):
    key, own = certificates.make_pair("us")
    terms = Terms(sso_url=f"{running_saml.base}/sso", certificates=(running_saml.certificate,), own_certificate=own)
    return Peer(running_saml.issuer, terms, **ADDRESSES, private_key=key)


@pytest.fixture
def ask(running_saml, peer):
    """Return what the provider answers to a request of ours, as text."""

    def answered(who="eve", **options):
        running_saml.register(ADDRESSES, **options)
        running_saml.hire(who, email=f"{who}@nasij.example", name="Eve")
        url = requests.way_to(peer, request_id="_request", relay_state="state")
        return xml_of(SamlTraveller(None).answered(url, who))

    return answered


@pytest.fixture
def judge(peer):
    def judged(text):
        return assertions.judge(with_xml({}, text)["SAMLResponse"], peer)

    return judged


@pytest.fixture
def refused(judge):
    def expect(text, *reasons):
        with pytest.raises(TokenRefused) as found:
            judge(text)
        assert found.value.reason in reasons

    return expect


def test_what_the_provider_says_is_read(ask, judge):
    answer = judge(ask())
    claims = answer.claims
    assert (claims.subject, claims.email, claims.name, claims.email_verified) == ("eve", "eve@nasij.example", "Eve", None)
    assert answer.in_response_to == "_request" and answer.assertion_id.startswith("_") and claims.sid and claims.proved_at


def test_the_corpus_begins_with_what_is_accepted(ask, judge, running_saml):
    # Parsed, serialised and signed again without a change, the message counts: what the others are refused for is their change.
    for response in (False, True):
        again = signed_again(root_of(ask()), running_saml, response=response)
        assert judge(text_of(again)).claims.subject == "eve"


@pytest.mark.parametrize("transform", WRAPPED, ids=lambda each: each.__name__)
@pytest.mark.parametrize("signs", [False, True], ids=["assertion", "both"])
def test_wrapped_signatures_are_refused(ask, refused, transform, signs):
    if transform in (forge.xsw1, forge.xsw2) and not signs:
        signs = True  # these wrap the signature of the response
    hostile = text_of(transform(root_of(ask(signResponse=signs))))
    assert EVIL in hostile or transform in (forge.whole_document, forge.second_reference, forge.second_signature)
    refused(hostile, "wrapped", "signature", "unsigned", "form")


@pytest.mark.parametrize("transform", [each for each in WRAPPED if each not in (forge.xsw1, forge.xsw2)], ids=lambda each: each.__name__)
def test_wrapping_is_seen_even_where_the_whole_is_signed_around_it(ask, refused, running_saml, transform):
    # The worst case: a provider that signs whatever it is given. What is not the one signed assertion still says nothing.
    refused(text_of(signed_again(transform(root_of(ask())), running_saml, response=True)), "wrapped", "signature", "unsigned", "form")


@pytest.mark.parametrize("noise", ["<!-- -->", "<!---->", "<?x y?>"])
def test_a_comment_in_a_name_is_refused(ask, refused, noise):
    # The signature stays good: canonical XML leaves comments out.
    whole = "eve@nasij.example.evil.example"
    text = ask(whole)
    assert text.count(f">{whole}<") == 1
    refused(text.replace(f">{whole}<", f">eve@nasij.example{noise}.evil.example<"), "comment")


DEFINITIONS = {
    "entity": '<!DOCTYPE r [<!ENTITY who "evil">]>',
    "file": '<!DOCTYPE r [<!ENTITY who SYSTEM "file:///etc/passwd">]>',
    "network": '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd">',
    "bomb": '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY who "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
    "default attribute": '<!DOCTYPE r [<!ATTLIST r ID CDATA "evil">]>',
}


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
def test_definitions_are_refused_in_every_encoding(ask, refused, definition, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + definition + ask().replace(">eve<", ">&who;<")
    refused(text.encode(encoding), "doctype", "xml")


@pytest.mark.parametrize(
    "text", ["not xml", "<a", "<a/>", "<a>" * 10_000, "<a/>" * 3, "\x00", "<a>" + "<b/>" * 6_000 + "</a>", "<a>" + "x" * 210_000 + "</a>"],
    ids=["words", "cut", "another", "deep", "several", "nul", "wide", "large"],
)  # fmt: skip
def test_what_is_no_response_is_refused(refused, text):
    refused(text, "xml", "form", "too_large")


@pytest.mark.parametrize("given", ["", "%%%", "PHNhbWw+", "a" * 300_000], ids=["nothing", "signs", "no end", "large"])
def test_what_is_no_base64_is_refused(peer, given):
    with pytest.raises(TokenRefused):
        assertions.judge(given, peer)


def at(root, local):
    return assertion_of(root).find(f".//{name('saml', local)}")


def drop(element):
    element.getparent().remove(element)


CHANGES = {
    "another issuer": (lambda r: setattr(at(r, "Issuer"), "text", "urn:idp:other"), "issuer"),
    "issuer with a slash": (lambda r: setattr(at(r, "Issuer"), "text", "urn:idp:corporate/"), "issuer"),
    "another issuer of the response": (lambda r: setattr(r.find(name("saml", "Issuer")), "text", "urn:idp:other"), "issuer"),
    "another audience": (lambda r: setattr(at(r, "Audience"), "text", "https://other.example"), "audience"),
    "no audience": (lambda r: drop(at(r, "AudienceRestriction")), "audience"),
    "two restrictions, one of another": (lambda r: at(r, "Conditions").append(_restriction("https://other.example")), "audience"),
    "an unknown condition": (lambda r: etree.SubElement(at(r, "Conditions"), name("saml", "Condition")), "condition"),
    "no conditions": (lambda r: drop(at(r, "Conditions")), "form"),
    "another recipient": (lambda r: at(r, "SubjectConfirmationData").set("Recipient", "https://other.example/acs"), "recipient"),
    "no recipient": (lambda r: at(r, "SubjectConfirmationData").attrib.pop("Recipient"), "recipient"),
    "another destination": (lambda r: r.set("Destination", "https://other.example/acs"), "destination"),
    "another request": (lambda r: at(r, "SubjectConfirmationData").set("InResponseTo", "_other"), "in_response_to"),
    "another request of the response": (lambda r: r.set("InResponseTo", "_other"), "in_response_to"),
    "no request": (lambda r: at(r, "SubjectConfirmationData").attrib.pop("InResponseTo"), "unasked"),
    "ended": (lambda r: at(r, "SubjectConfirmationData").set("NotOnOrAfter", later(-61)), "expired"),
    "ended in its conditions": (lambda r: at(r, "Conditions").set("NotOnOrAfter", later(-61)), "expired"),
    "never ends": (lambda r: at(r, "SubjectConfirmationData").attrib.pop("NotOnOrAfter"), "confirmation"),
    "ends next year": (lambda r: at(r, "SubjectConfirmationData").set("NotOnOrAfter", later(400 * 86_400)), "lifetime"),
    "begins later": (lambda r: at(r, "Conditions").set("NotBefore", later(120)), "not_yet"),
    "a proof that begins": (lambda r: at(r, "SubjectConfirmationData").set("NotBefore", later(-5)), "confirmation"),
    "a moment without a zone": (lambda r: at(r, "Conditions").set("NotOnOrAfter", "2099-01-01T00:00:00"), "time"),
    "a moment in Arabic digits": (lambda r: at(r, "Conditions").set("NotOnOrAfter", "٢٠٩٩-01-01T00:00:00Z"), "time"),
    "no moment": (lambda r: at(r, "Conditions").set("NotOnOrAfter", "2099-13-41T00:00:00Z"), "time"),
    "holder of a key": (lambda r: at(r, "SubjectConfirmation").set("Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"), "confirmation"),
    "two confirmations": (lambda r: at(r, "Subject").append(copy.deepcopy(at(r, "SubjectConfirmation"))), "confirmation"),
    "no statement": (lambda r: drop(at(r, "AuthnStatement")), "statement"),
    "signed in tomorrow": (lambda r: at(r, "AuthnStatement").set("AuthnInstant", later(86_400)), "statement"),
    "a session that ended": (lambda r: at(r, "AuthnStatement").set("SessionNotOnOrAfter", later(-1)), "expired"),
    "version 1.1": (lambda r: assertion_of(r).set("Version", "1.1"), "version"),
    "an e-mail as identifier": (lambda r: at(r, "NameID").set("Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"), "name_id"),
    "a transient identifier": (lambda r: at(r, "NameID").set("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"), "name_id"),
    "an identifier of another": (lambda r: at(r, "NameID").set("NameQualifier", "urn:idp:other"), "name_id_scope"),
    "an identifier for another": (lambda r: at(r, "NameID").set("SPNameQualifier", "https://other.example"), "name_id_scope"),
    "no identifier": (lambda r: setattr(at(r, "NameID"), "text", " "), "subject"),
    "an endless identifier": (lambda r: setattr(at(r, "NameID"), "text", "x" * 256), "subject"),
    "an element in the identifier": (lambda r: etree.SubElement(at(r, "NameID"), "b"), "form"),
    "two identifiers": (lambda r: at(r, "Subject").insert(0, copy.deepcopy(at(r, "NameID"))), "form"),
    "two subjects": (lambda r: assertion_of(r).append(copy.deepcopy(at(r, "Subject"))), "form"),
    "no status": (lambda r: drop(r.find(name("samlp", "Status"))), "form"),
    "not a success": (lambda r: r.find(f".//{name('samlp', 'StatusCode')}").set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder"), "status"),
}  # fmt: skip


def _restriction(audience):
    made = etree.Element(name("saml", "AudienceRestriction"))
    etree.SubElement(made, name("saml", "Audience")).text = audience
    return made


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
def test_what_the_provider_says_of_others_or_wrongly_is_refused(ask, refused, running_saml, change, reason):
    root = root_of(ask())
    change(root)
    refused(text_of(signed_again(root, running_saml)), reason)


def test_within_a_minute_clocks_may_differ(ask, judge, running_saml):
    root = root_of(ask())
    at(root, "SubjectConfirmationData").set("NotOnOrAfter", later(-50))
    at(root, "Conditions").set("NotBefore", later(50))
    assert judge(text_of(signed_again(root, running_saml))).claims.subject == "eve"


def test_sha1_is_refused(ask, refused, running_saml):
    refused(text_of(signed_again(root_of(ask()), running_saml, weak=True)), "algorithm")
    refused(ask(signatureAlgorithm="rsa-sha1"), "algorithm")
    refused(ask(digestAlgorithm="sha1"), "algorithm")


@pytest.mark.parametrize("signs", [True, False])
def test_an_assertion_that_is_not_signed_itself_is_refused(ask, refused, signs):
    refused(ask(signAssertion=False, signResponse=signs), "unsigned")


@pytest.mark.parametrize("response", [True, False], ids=["around a good assertion", "of the assertion"])
def test_anothers_key_is_refused_whatever_certificate_it_brings(ask, refused, running_saml, response):
    key, certificate = certificates.make_pair("idp")
    forged = signed_again(root_of(ask()), running_saml, key=key, certificate=certificate, response=response)
    refused(text_of(forged), "signature")


@pytest.mark.parametrize("changed", [("eve@", "adm@"), (">Eve<", ">Adm<"), (">eve<", ">adm<")])
def test_a_changed_text_is_refused(ask, refused, changed):
    refused(ask().replace(*changed), "signature")


def test_encryption_that_can_be_played_with_is_refused(ask, refused, peer):
    own = certificates.as_pem(peer.terms.own_certificate)
    public = (
        certificates.load(peer.terms.own_certificate).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )
    sealed = {"encryptionCert": own, "encryptionPublicKey": public, "disallowEncryptionWithInsecureAlgorithm": False}
    refused(ask(**sealed, encryptionAlgorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"), "encryption")
    good = ask(**sealed)
    values = list(root_of(good).iter(name("xenc", "CipherValue")))
    for value in values:
        raw = bytearray(base64.b64decode("".join(value.text.split())))
        raw[-1] ^= 1
        refused(good.replace(value.text, base64.b64encode(raw).decode()), "decryption")
    # For somebody else's key.
    _key, other = certificates.make_pair("other")
    public = certificates.load(other).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    refused(ask(encryptionCert=certificates.as_pem(other), encryptionPublicKey=public), "decryption")


def test_two_certificates_count_while_the_key_changes_and_an_expired_one_is_told(ask, peer, running_saml):
    _key, new = certificates.make_pair("new")
    text = with_xml({}, ask())["SAMLResponse"]
    both = replace(peer, terms=replace(peer.terms, certificates=(new, running_saml.certificate)))
    assert assertions.judge(text, both).claims.subject == "eve"
    with pytest.raises(TokenRefused) as found:
        assertions.judge(text, replace(peer, terms=replace(peer.terms, certificates=(new,))))
    assert found.value.reason == "signature"

    old_key, old = forge.expired_pair()
    forged = with_xml({}, text_of(signed_again(root_of(ask()), running_saml, key=old_key, certificate=old)))["SAMLResponse"]
    with pytest.raises(TokenRefused) as found:
        assertions.judge(forged, replace(peer, terms=replace(peer.terms, certificates=(old, new))))
    assert found.value.reason == "certificate_expired"

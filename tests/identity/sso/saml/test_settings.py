"""The pages where an organisation sets a SAML provider up: metadata, fields, certificates, tests that say what is wrong."""

from __future__ import annotations

import io
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from portal.core import db
from portal.identity.sso.saml import certificates, metadata
from portal.identity.sso.saml.documents import name, parse
from tests.identity.sso.conftest import _open, rows
from tests.identity.sso.saml import forge
from tests.identity.sso.saml.conftest import PAGE, SamlTraveller, fields_of

NEW = f"{PAGE}/new/saml"


@pytest.fixture
def owner(as_role):
    return as_role("owner")


def published(saml):
    return _open(urllib.request.Request(f"{saml.base}/metadata")).read().decode()


def is_filled_in(page, saml):
    assert page.status_code == 200, page.text_of(".error-summary")
    assert "The metadata is read" in page.text
    assert f'value="{saml.issuer}"' in page.text and f'value="{saml.base}/sso"' in page.text
    assert f'value="{saml.base}/logout"' in page.text and "-----BEGIN CERTIFICATE-----" in page.text


def test_metadata_fills_the_form_in_from_its_address_a_file_or_a_paste(owner, saml, tenant):
    is_filled_in(owner.post(NEW, data={"read": "1", "metadata_url": f"{saml.base}/metadata"}), saml)
    is_filled_in(owner.post(NEW, data={"read": "1", "metadata": published(saml)}), saml)
    answer = owner.client.post(NEW, data={"read": "1", "metadata_file": (io.BytesIO(published(saml).encode()), "idp.xml")})
    assert answer.status_code == 200 and saml.issuer in answer.text and "-----BEGIN CERTIFICATE-----" in answer.text
    assert rows(tenant.id, "select 1 from identity_providers") == []
    # What was typed beside it stays.
    page = owner.post(NEW, data={"read": "1", "metadata": published(saml), "name": "Corporate", "admits_newcomers": "1"})
    assert 'value="Corporate"' in page.text


SAMPLE = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"><!-- by hand --><md:SPSSODescriptor/></md:EntityDescriptor>"""
NO_KEY = """<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="x"><IDPSSODescriptor><SingleSignOnService
 Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example"/></IDPSSODescriptor></EntityDescriptor>"""


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"metadata": "not xml"}, "metadata", "cannot be read as XML"), ({"metadata": SAMPLE}, "metadata", "not of an identity provider"),
        ({"metadata": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "metadata", "DOCTYPE"), ({"metadata": "<a/>"}, "metadata", "cannot be read"),
        ({"metadata": NO_KEY}, "metadata", "no certificate"), ({"metadata": NO_KEY.replace("Redirect", "POST")}, "metadata", "by redirect"),
        ({"metadata": f"<E>{NO_KEY}{NO_KEY}</E>"}, "metadata", "several providers"), ({}, "metadata_url", "Enter an address, choose a file"),
        ({"metadata_url": "http://169.254.169.254/latest"}, "metadata_url", "https"), ({"metadata_url": "file:///etc/passwd"}, "metadata_url", "https"),
        ({"metadata_url": "https://login.example/metadata"}, "metadata_url", "provider"), ({"metadata": "x" * 201_000}, "metadata", "200,000"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_metadata_is_said_at_its_field(owner, saml, given, field, words):
    page = owner.post(NEW, data={"read": "1", **given})
    assert page.status_code == 422 and words in page.text, page.text_of(".error-summary")
    assert f'href="#f-{field}"' in page.text


def made(key):
    subject = x509.Name([])
    at = certificates.clock.now()
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(1)
    signed = built.not_valid_before(at).not_valid_after(at + certificates.SOON).sign(key, SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"issuer": ""}, "Enter the entity ID"), ({"sso_url": ""}, "where people sign in"), ({"sso_url": "javascript:alert(1)"}, "https"),
        ({"sso_url": "http://idp.example/sso"}, "https"), ({"slo_url": "ftp://x"}, "https"), ({"certificates": ""}, "Paste the certificate"),
        ({"certificates": "abc"}, "Certificate 1 cannot be read"), ({"certificates": "weak"}, "too weak"), ({"certificates": "curve"}, "too weak"),
        ({"certificates": "expired"}, "expired on"), ({"certificates": "many"}, "at most five"), ({"name": ""}, "Give the provider a name"),
        ({"default_role": "owner"}, "Choose one of the values"), ({"email_attribute": "x" * 501}, "at most 500"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(owner, saml, tenant, changed, words):
    texts = {
        "weak": lambda: made(rsa.generate_private_key(65537, 1024)), "curve": lambda: made(ec.generate_private_key(ec.SECP224R1())),
        "expired": lambda: certificates.as_pem(forge.expired_pair()[1]), "many": lambda: certificates.as_pem(saml.certificate) * 6,
    }  # fmt: skip
    changed = {field: texts[value]() if value in texts else value for field, value in changed.items()}
    page = owner.post(NEW, data={**fields_of(saml), **changed})
    assert page.status_code == 422 and words in page.text, page.text_of(".error-summary")
    assert f'href="#f-{next(iter(changed))}"' in page.text
    assert rows(tenant.id, "select 1 from identity_providers") == []


def test_our_metadata_is_what_another_reads(owner, saml, tenant, set_up_saml, visitor):
    setup = set_up_saml(tenant, signs_requests="1", is_on=False, is_proven=False)
    page = owner.get(setup.page)
    for address in setup.addresses.values():
        assert f'data-copy="{address}"' in page.text
    answer = visitor.client.get(f"{setup.start}/metadata")
    assert answer.status_code == 200 and answer.mimetype == "application/samlmetadata+xml"
    root = parse(answer.data)
    role = root.find(name("md", "SPSSODescriptor"))
    assert root.get("entityID") == setup.addresses["entity_id"]
    assert (role.get("AuthnRequestsSigned"), role.get("WantAssertionsSigned")) == ("true", "true")
    assert role.find(name("md", "AssertionConsumerService")).get("Location") == setup.addresses["acs"]
    own = certificates.seen(role.find(f".//{name('ds', 'X509Certificate')}").text)
    assert not own.is_expired and not own.ends_soon
    kinds = [each.tag.rpartition("}")[2] for each in role]
    # The order that the schema asks for.
    assert kinds == [
        "KeyDescriptor",
        "KeyDescriptor",
        "SingleLogoutService",
        "SingleLogoutService",
        "NameIDFormat",
        "AssertionConsumerService",
    ]


def test_the_key_is_sealed_and_never_shown(owner, saml, tenant, set_up_saml):
    setup = set_up_saml(tenant, is_on=False, is_proven=False)
    kept = rows(tenant.id, "select private_key, endpoints::text as said from identity_providers")[0]
    assert kept.private_key and b"PRIVATE" not in bytes(kept.private_key) and "PRIVATE" not in kept.said
    assert "PRIVATE KEY" not in owner.get(setup.page).text
    with pytest.raises(Exception, match="saml_has_a_key"), db.transaction(tenant.id) as session:
        session.execute(text("update identity_providers set private_key = null"))


EXPLAINED = {
    "audience": ({"audience": "https://other.example"}, "Its audience must be"),
    "sha1": ({"signatureAlgorithm": "rsa-sha1"}, "no longer safe"),
    "unsigned": ({"signAssertion": False}, "assertions are signed"),
    "recipient": ({"recipient": "https://other.example"}, "Its recipient must be"),
    "issuer": ({"issuer": "urn:idp:other"}, "another issuer"),
    "denied": ({"error": {"code": "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"}}, "turned you away"),
    "no persistent names": ({"error": {"code": "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"}}, "Allow that kind there"),
    "another certificate": ({}, "fits none of the certificates"),
    "kind of name": ({}, "not of the kind"),
}


@pytest.mark.parametrize("case", EXPLAINED)
def test_a_test_says_what_is_wrong(owner, saml, tenant, set_up_saml, case):
    options, words = EXPLAINED[case]
    choices = {"certificates": certificates.as_pem(certificates.make_pair("x")[1])} if case == "another certificate" else {}
    setup = set_up_saml(tenant, is_on=False, is_proven=False, options=options, **choices)
    saml.hire("tester", kind="urn:oasis:names:tc:SAML:2.0:nameid-format:transient" if case == "kind of name" else None, email="t@x.example")
    who = "nobody" if "error" in options else "tester"

    assert SamlTraveller(owner).come(f"{setup.page}/test", who).headers["Location"] == setup.page

    page = owner.get(setup.page)
    assert "The test did not go well" in page.text and words in page.text, page.text_of(".notice")
    assert owner.post(f"{setup.page}/connect").status_code == 404
    owner.post(f"{setup.page}/enable")
    assert not rows(tenant.id, "select is_enabled from identity_providers")[0].is_enabled


def test_the_test_shows_who_came_and_connects_on_request(owner, saml, tenant, set_up_saml):
    setup = set_up_saml(tenant, is_on=False, is_proven=False)
    saml.hire("boss-9", email="boss@elsewhere.example", name="Boss")
    assert SamlTraveller(owner).come(f"{setup.page}/test", "boss-9").status_code == 303
    page = owner.get(setup.page)
    assert "boss@elsewhere.example" in page.text and "boss-9" in page.text and "Connect this account to mine" in page.text
    assert owner.post(f"{setup.page}/connect").status_code == 303
    owner.post(f"{setup.page}/enable")
    owner.post("/sign-out")
    assert SamlTraveller(owner).come(setup.start, "boss-9").status_code == 303
    assert owner.get(PAGE).status_code == 200


def test_attributes_may_have_names_of_their_own(saml, tenant, set_up_saml, saml_traveller):
    setup = set_up_saml(tenant, email_attribute="Mail-Adresse", name_attribute="Anzeige")
    saml.hire("own-1", email="wrong@elsewhere.example", **{"Mail-Adresse": f"own@{setup.domain}", "Anzeige": "نورة"})
    assert saml_traveller().come(setup.start, "own-1").status_code == 303
    found = rows(
        tenant.id, "select p.name from people p join memberships m on m.person_id = p.id where p.email = :it", it=f"own@{setup.domain}"
    )
    assert [row.name for row in found] == ["نورة"]


def test_another_entity_id_switches_the_provider_off_and_a_new_certificate_does_not(saml, tenant, set_up_saml):
    setup = set_up_saml(tenant)
    new = certificates.as_pem(certificates.make_pair("new")[1])
    assert setup.save(certificates=f"{setup.fields['certificates']}\n{new}").status_code == 303
    row = rows(tenant.id, "select is_enabled, jsonb_array_length(endpoints->'certificates') as many from identity_providers")[0]
    assert (row.is_enabled, row.many) == (True, 2)
    assert setup.save(issuer="urn:idp:other").status_code == 303
    assert not rows(tenant.id, "select is_enabled from identity_providers")[0].is_enabled


@pytest.mark.parametrize(("role", "stays"), [("admin", False), ("owner", True)])
def test_somebody_elses_new_certificate_disconnects_owners(saml, tenant, set_up_saml, as_role, role, stays):
    # Whoever holds the key behind it can say to be the owner.
    setup = set_up_saml(tenant)
    saml.hire("boss-1", email="boss@elsewhere.example", name="Boss")
    SamlTraveller(setup.owner).come(f"{setup.page}/test", "boss-1")
    setup.owner.post(f"{setup.page}/connect")
    setup.owner = as_role(role)
    assert setup.save(name="Renamed").status_code == 303
    assert len(rows(tenant.id, "select 1 from external_identities where subject = 'boss-1'")) == 1

    assert setup.save(certificates=certificates.as_pem(certificates.make_pair("new")[1])).status_code == 303

    assert bool(rows(tenant.id, "select 1 from external_identities where subject = 'boss-1'")) is stays


def test_metadata_is_read_again_for_a_new_certificate_and_kept_only_when_saved(saml, tenant, set_up_saml):
    other = certificates.as_pem(certificates.make_pair("old")[1])
    setup = set_up_saml(tenant, is_on=False, is_proven=False, certificates=other)
    page = setup.owner.post(f"{setup.page}/check")
    assert page.status_code == 422 and "Enter the address of the metadata" in page.text
    setup.save(metadata_url=f"{saml.base}/metadata")
    page = setup.owner.post(f"{setup.page}/check")
    assert page.status_code == 200 and "The metadata is read" in page.text
    assert saml.certificate[:60] in page.text
    assert rows(tenant.id, "select endpoints->'certificates' as it from identity_providers")[0].it != [saml.certificate]
    saml.stop()
    try:
        page = setup.owner.post(f"{setup.page}/check")
        assert page.status_code == 422 and "does not answer" in page.text
    finally:
        saml.start()


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_only_who_may_sets_it_up(as_role, role):
    browser = as_role(role)
    assert browser.get(NEW).status_code == 403 and browser.post(NEW, data={}).status_code == 403


def test_a_stranger_finds_nothing(saml, tenant, other_tenant, set_up_saml, sign_in):
    setup = set_up_saml(tenant, is_on=False, is_proven=False)
    stranger = sign_in(other_tenant, "owner")
    assert stranger.get(setup.page).status_code == 404
    for what in ("saml", "check", "test", "connect", "enable"):
        answer = stranger.get(f"{setup.page}/{what}") if what == "test" else stranger.post(f"{setup.page}/{what}", data=setup.fields)
        assert answer.status_code == 404, what
    # What is of one kind is not changed as another.
    assert setup.owner.post(setup.page, data=setup.fields).status_code == 404


def test_bare_base_64_and_several_blocks_are_certificates(app, saml):
    new = certificates.make_pair("new")[1]
    with app.test_request_context():
        assert certificates.read(f"{saml.certificate}\n\n{new}\n") == [saml.certificate, new]
        assert certificates.read(certificates.as_pem(new) * 2) == [new]
        many = metadata.read(published(saml).encode())
        assert many.certificates == (saml.certificate,) and many.issuer == saml.issuer

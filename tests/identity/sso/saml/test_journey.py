"""Through a real SAML provider and back: newcomers, members, step-up, encryption, signed requests, a provider that dies."""

from __future__ import annotations

import urllib.parse

import pytest
from sqlalchemy import text

from portal.core import db
from tests.identity.sso.conftest import rows
from tests.identity.sso.saml.conftest import xml_of
from tests.identity.sso.test_hostile import rename

PEOPLE = "select p.id, p.email, p.name, m.role from people p join memberships m on m.person_id = p.id where m.tenant_id = :tenant"


def people(house):
    return {row.email: row for row in rows(house.id, PEOPLE, tenant=house.id)}


def is_in(person):
    return person.browser.get("/runs").status_code == 200


def test_a_newcomer_becomes_a_member_and_stays_the_same_person(tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant, default_role="builder")
    saml.hire("nora-1", email=f"Nora@{setup.domain}", name="Nora \u202eHashimi")

    answer = saml_traveller().come(f"{setup.start}?next=/runs", "nora-1")

    assert answer.status_code == 303 and answer.headers["Location"] == "/runs"
    first = people(tenant)[f"Nora@{setup.domain}"]
    assert (first.name, first.role) == ("Nora Hashimi", "builder")
    # The address and the name change there: who they are does not.
    saml.hire("nora-1", email=f"nora.saleh@{setup.domain}", name="Nora Saleh")
    again = saml_traveller()
    assert again.come(setup.start, "nora-1").status_code == 303
    assert "/sign-out" in again.browser.get("/runs").text
    assert len([each for each in people(tenant).values() if each.id == first.id]) == 1
    assert f"nora.saleh@{setup.domain}" not in people(tenant)
    audit = rows(tenant.id, "select action, details::text as details from audit_entries where target_id = :id", id=first.id)
    assert {"member.added", "session.started"} <= {row.action for row in audit}
    assert all("nora-1" not in row.details for row in audit)


def test_the_address_leads_to_the_provider(tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant)
    saml.hire("lead-1", email=f"lead@{setup.domain}", name="Lead")
    person = saml_traveller()

    page = person.browser.post("/sign-in/sso", data={"where": f"lead@{setup.domain}"})

    start = page.text.split('href="/sign-in/sso/')[1].split('"')[0].replace("&amp;", "&")
    assert start.startswith(setup.id)
    assert person.come(f"/sign-in/sso/{start}", "lead-1").status_code == 303 and is_in(person)


def test_a_member_with_a_password_is_the_same_person_where_the_organisation_vouches(tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant, vouches="")
    rename(tenant, "auditor", f"auditor@{setup.domain}")
    saml.hire("aud-1", email=f"auditor@{setup.domain}", name="Somebody Else")

    page = saml_traveller().come(setup.start, "aud-1")
    assert page.status_code == 422 and "does not say that the address is yours" in page.text
    setup.save(vouches="1")
    person = saml_traveller()
    assert person.come(setup.start, "aud-1").status_code == 303

    assert is_in(person) and person.browser.get("/settings/sso").status_code == 403
    found = rows(tenant.id, "select person_id from external_identities where subject = 'aud-1'")
    assert [row.person_id for row in found] == [tenant.people["auditor"]]


def test_an_owner_and_an_unproven_domain_stay_out(tenant, other_tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant)
    rename(tenant, "owner", f"boss@{setup.domain}")
    saml.hire("boss-1", email=f"boss@{setup.domain}", name="Boss")
    page = saml_traveller().come(setup.start, "boss-1")
    assert page.status_code == 422 and "Owners connect this way in by hand" in page.text
    saml.hire("thief", email=other_tenant.email("owner"), name="Thief")
    page = saml_traveller().come(setup.start, "thief")
    assert page.status_code == 422 and "has not proven the domain" in page.text


@pytest.mark.parametrize("signs", [True, False], ids=["the response as well", "the assertion alone"])
def test_the_assertion_may_be_encrypted(tenant, set_up_saml, saml_traveller, saml, signs):
    setup = set_up_saml(tenant)
    own = rows(tenant.id, "select endpoints->>'own_certificate' as it from identity_providers")[0].it
    from portal.identity.sso.saml.certificates import as_pem, load

    public = load(own).public_key().public_bytes(*_pem())
    saml.register(setup.addresses, signResponse=signs, encryptionCert=as_pem(own), encryptionPublicKey=public.decode())
    saml.hire("enc-1", email=f"enc@{setup.domain}", name="Enc")
    person = saml_traveller()
    fields = person.answered(person.leave(setup.start), "enc-1")
    assert "EncryptedAssertion" in xml_of(fields) and "enc-1" not in xml_of(fields)

    assert person.deliver(fields).status_code == 303 and is_in(person)
    assert f"enc@{setup.domain}" in people(tenant)


def _pem():
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return Encoding.PEM, PublicFormat.SubjectPublicKeyInfo


def test_a_signed_response_and_a_signed_request(tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant, signs_requests="1", options={"signResponse": True})
    own = rows(tenant.id, "select endpoints->>'own_certificate' as it from identity_providers")[0].it
    # From here on the provider looks at the signature of every request.
    saml.register(setup.addresses, cert=own, signResponse=True)
    saml.hire("sig-1", email=f"sig@{setup.domain}", name="Sig")
    person = saml_traveller()
    there = person.leave(setup.start)
    assert "&Signature=" in there and "rsa-sha256" in urllib.parse.unquote(there)

    assert person.deliver(person.answered(there, "sig-1")).status_code == 303 and is_in(person)

    forged = saml_traveller()
    with pytest.raises(AssertionError, match=r"(?i)signature"):
        forged.answered(forged.leave(setup.start).replace("RelayState=", "RelayState=x"), "sig-1")


def test_who_is_turned_away_there_is_told(tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant)
    saml.register(setup.addresses, error={"code": "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"})
    page = saml_traveller().come(setup.start, "nobody-there")
    assert page.status_code == 422 and "You were not signed in there." in page.text


def test_a_provider_that_dies_on_the_way_leaves_the_password(tenant, set_up_saml, saml_traveller, saml, as_role):
    setup = set_up_saml(tenant)
    saml.hire("late-1", email=f"late@{setup.domain}", name="Late")
    person = saml_traveller()
    fields = person.answered(person.leave(setup.start), "late-1")
    saml.stop()
    try:
        # What it said before counts: nothing is asked of it again.
        assert person.deliver(fields).status_code == 303 and is_in(person)
        assert as_role("member").get("/runs").status_code == 200
    finally:
        saml.start()


def test_step_up_goes_through_the_provider_again(tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant)
    rename(tenant, "admin", f"a@{setup.domain}")
    saml.hire("adam", email=f"a@{setup.domain}", name="Adam")
    saml.hire("eve", email=f"eve@{setup.domain}", name="Eve")
    person = saml_traveller()
    assert person.come(setup.start, "adam").status_code == 303
    assert "/confirm" in person.browser.get("/settings/sso/new").headers["Location"]

    there = person.leave("/confirm/sso?next=/settings/sso/new")
    # Somebody else at the same screen proves nothing.
    page = person.deliver(person.answered(there, "eve"))
    assert page.status_code == 422 and "did not confirm that it is you" in page.text
    assert person.browser.get("/settings/sso/new").status_code == 303

    answer = person.come("/confirm/sso?next=/settings/sso/new", "adam")
    assert answer.headers["Location"] == "/settings/sso/new"
    assert person.browser.get("/settings/sso/new").status_code == 200


def test_signing_out_here_ends_only_our_session(tenant, set_up_saml, saml_traveller, saml):
    setup = set_up_saml(tenant)
    saml.hire("out-9", email=f"out9@{setup.domain}", name="Out")
    person = saml_traveller()
    person.come(setup.start, "out-9")
    person.browser.post("/sign-out")
    assert not is_in(person)
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from sso_sessions")) == 0

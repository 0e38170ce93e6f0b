"""Answers that were changed, wrapped, meant for others, brought twice, or never asked for: nobody comes in by them."""

from __future__ import annotations

import pytest

from portal.identity.sso.saml.documents import name
from tests.identity.sso.conftest import rows
from tests.identity.sso.saml import forge
from tests.identity.sso.saml.conftest import with_xml, xml_of
from tests.identity.sso.saml.forge import EVIL, assertion_of, root_of, signed_again, text_of


@pytest.fixture
def setup(tenant, set_up_saml, saml):
    made = set_up_saml(tenant)
    saml.hire("eve", email=f"eve@{made.domain}", name="Eve")
    return made


def is_in(person):
    return person.browser.get("/runs").status_code == 200


def reasons(house):
    found = rows(house.id, "select details->>'reason' as reason from audit_entries where action = 'sign_in.refused' order by id")
    return [row.reason for row in found]


def begun(setup, traveller):
    person = traveller()
    return person, person.answered(person.leave(setup.start), "eve")


def refused(setup, person, fields, *expected):
    page = person.deliver(fields)
    assert page.status_code == 422, page.headers
    assert "cannot be trusted" in page.text or "expired" in page.text
    assert not is_in(person)
    found = reasons(setup.house)
    assert found, "nothing stands in the book"
    assert found[-1] in expected, found
    assert rows(setup.house.id, "select 1 from external_identities where subject = :it", it=EVIL) == []
    assert EVIL not in page.text


@pytest.mark.parametrize("transform", [forge.xsw1, forge.xsw3, forge.xsw8], ids=lambda each: each.__name__)
def test_what_is_wrapped_brings_nobody_in(setup, saml_traveller, saml, transform):
    saml.register(setup.addresses, signResponse=True)
    person, fields = begun(setup, saml_traveller)
    hostile = text_of(transform(root_of(xml_of(fields))))
    refused(setup, person, with_xml(fields, hostile), "wrapped", "signature")


@pytest.mark.parametrize("given", ["%%%", None, "PGEvPg=="])
def test_what_is_no_response_brings_nobody_in(setup, saml_traveller, given):
    person, fields = begun(setup, saml_traveller)
    changed = {**fields, "SAMLResponse": given} if given is not None else {"RelayState": fields["RelayState"]}
    refused(setup, person, changed, "xml", "form")


def test_an_expired_certificate_is_told(setup, saml_traveller, saml):
    key, certificate = forge.expired_pair()
    rows(setup.house.id, "update identity_providers set endpoints = jsonb_set(endpoints, '{certificates}', to_jsonb(array[:it])) returning id",
         it=certificate)  # fmt: skip
    person, fields = begun(setup, saml_traveller)
    forged = signed_again(root_of(xml_of(fields)), saml, key=key, certificate=certificate)
    refused(setup, person, with_xml(fields, text_of(forged)), "certificate_expired")
    assert "Expired" in setup.owner.get(setup.page).text


def at(root, local):
    return assertion_of(root).find(f".//{name('saml', local)}")


def test_an_answer_counts_once(setup, saml_traveller):
    person, fields = begun(setup, saml_traveller)
    assert person.deliver(fields).status_code == 303
    person.browser.post("/sign-out")
    page = person.deliver(fields)
    assert page.status_code == 422 and "Begin again." in page.text and not is_in(person)
    # Nor under a request of its own: the assertion's id is used up, whichever browser brings it.
    other = saml_traveller()
    relay = other.answered(other.leave(setup.start), "eve")["RelayState"]
    refused(setup, other, {**fields, "RelayState": relay}, "replayed")


def test_an_answer_counts_only_in_the_browser_that_asked(setup, saml_traveller):
    # Signing a victim in as the attacker: the victim's browser posts the attacker's answer.
    attacker, victim = saml_traveller(), saml_traveller()
    fields = attacker.answered(attacker.leave(setup.start), "eve")
    victim.browser.get("/sign-in")
    page = victim.deliver(fields, attacker.acs)
    assert page.status_code == 422 and "another browser" in page.text and not is_in(victim)


def test_an_answer_under_the_state_of_another_beginning_is_refused(setup, saml_traveller):
    attacker, victim = saml_traveller(), saml_traveller()
    theirs = attacker.answered(attacker.leave(setup.start), "eve")
    own = victim.answered(victim.leave(setup.start), "eve")
    refused(setup, victim, {**theirs, "RelayState": own["RelayState"]}, "in_response_to")


@pytest.mark.parametrize("relay", ["", "forged", "x" * 5_000, "https://evil.example/", None])
def test_a_forged_state_begins_nothing(setup, saml_traveller, relay):
    person, fields = begun(setup, saml_traveller)
    fields = {**fields, "RelayState": relay} if relay is not None else {"SAMLResponse": fields["SAMLResponse"]}
    page = person.deliver(fields)
    assert page.status_code == 422 and not is_in(person)
    assert reasons(setup.house) == [], "nobody fills the book from outside"


def test_what_the_provider_begins_is_refused(setup, saml_traveller, saml):
    person = saml_traveller()
    fields = person.answered(person.leave(setup.start), "eve")
    root = root_of(xml_of(fields))
    at(root, "SubjectConfirmationData").attrib.pop("InResponseTo")
    root.attrib.pop("InResponseTo")
    stranger = saml_traveller()
    page = stranger.deliver({"SAMLResponse": with_xml(fields, text_of(signed_again(root, saml)))["SAMLResponse"]}, person.acs)
    assert page.status_code == 422 and not is_in(stranger)


@pytest.mark.parametrize("sealed", ["", "x", "AAAA" * 40, "é", None])
def test_the_second_half_takes_only_what_the_first_sealed(setup, saml_traveller, sealed):
    person, _fields = begun(setup, saml_traveller)
    page = person.browser.get(f"{setup.start}/arrive" + (f"?sealed={sealed}" if sealed is not None else ""))
    assert page.status_code == 422 and not is_in(person)


def test_an_answer_for_one_provider_is_none_for_another(tenant, other_tenant, set_up_saml, saml_traveller, saml):
    ours, theirs = set_up_saml(tenant), set_up_saml(other_tenant)
    saml.hire("eve", email=f"eve@{theirs.domain}", name="Eve")
    person = saml_traveller()
    fields = person.answered(person.leave(theirs.start), "eve")
    own = person.answered(person.leave(ours.start), "eve")

    refused(ours, person, {**fields, "RelayState": own["RelayState"]}, "destination")
    # Sealed by the first half of one, opened by the second half of the other.
    answer = person.browser.client.post(f"/sign-in/sso/{theirs.id}/acs", data=fields)
    assert answer.status_code == 303
    page = person.browser.get(answer.headers["Location"].replace(theirs.id, ours.id))
    assert page.status_code == 422 and not is_in(person)


def test_a_provider_switched_off_on_the_way_lets_nobody_in(setup, saml_traveller):
    person, fields = begun(setup, saml_traveller)
    setup.owner.post(f"{setup.page}/disable")
    assert person.deliver(fields).status_code == 422 and not is_in(person)
    assert saml_traveller().browser.get(setup.start).status_code == 404


def test_the_doors_of_one_kind_are_closed_for_the_other(tenant, setup, visitor):
    assert visitor.get(f"{setup.start}/callback").status_code == 404
    assert visitor.post(f"{setup.start}/logout", data={"logout_token": "x"}).status_code == 404


def test_a_reused_address_does_not_inherit_the_account(setup, saml_traveller, saml):
    assert begun_and_in(setup, saml_traveller, "eve")
    saml.hire("eve-2", email=f"eve@{setup.domain}", name="Other")
    page = saml_traveller().come(setup.start, "eve-2")
    assert page.status_code == 422 and "came in with another account" in page.text


def begun_and_in(setup, traveller, who):
    person = traveller()
    return person.come(setup.start, who).status_code == 303 and is_in(person)


def test_the_provider_needs_no_form_token(app, setup, saml_traveller):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        person, fields = begun(setup, saml_traveller)
        assert person.deliver(fields).status_code == 303 and is_in(person)
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


@pytest.mark.parametrize("hostile", ["//evil.example", "https://evil.example/", "javascript:alert(1)"])
def test_next_never_leads_away(setup, saml_traveller, hostile):
    assert saml_traveller().come(f"{setup.start}?next={hostile}", "eve").headers["Location"] == "/"

"""The pages where an organisation sets single sign-on up: what they ask, refuse and keep."""

from __future__ import annotations

import re

import pytest

from portal.identity.sso import domains
from tests.identity.sso.conftest import Traveller, prove_domain, rows

PAGE = "/settings/sso"


@pytest.fixture
def owner(as_role):
    return as_role("owner")


def fields(idp, **changed):
    return {"name": "Corporate", "name_ar": "", "issuer": idp.issuer, "client_id": "c-1", "client_secret": "very-secret-5502",
            "default_role": "member", "admits_newcomers": "1", "allows_passwords": "1", **changed}  # fmt: skip


def test_checking_says_what_was_found_and_keeps_nothing(owner, idp, tenant):
    page = owner.post(f"{PAGE}/new", data=fields(idp, check="1"))

    assert page.status_code == 200
    assert "The provider answers" in page.text and f"{idp.issuer}/auth" in page.text and "RS256" in page.text
    assert rows(tenant.id, "select 1 from identity_providers") == []
    assert "very-secret-5502" not in page.text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"issuer": ""}, "Enter the address of the provider."), ({"issuer": "https://login.example"}, "provider"),
        ({"issuer": "http://127.0.0.1:5"}, "must begin with https"), ({"issuer": "trailing"}, "names itself"),
        ({"issuer": "https://169.254.169.254"}, "not a number"), ({"name": ""}, "Give the provider a name"),
        ({"name": "a\u202eb"}, "invisible"), ({"client_id": ""}, "client ID"), ({"default_role": "owner"}, "Choose one of the values"),
        ({"default_role": "admin"}, "Choose one of the values"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(owner, idp, tenant, changed, words):
    if changed.get("issuer") == "trailing":
        changed = {"issuer": f"{idp.issuer}/"}
    page = owner.post(f"{PAGE}/new", data=fields(idp, **changed))

    assert page.status_code == 422 and words in page.text
    assert f'href="#f-{next(iter(changed))}"' in page.text
    assert rows(tenant.id, "select 1 from identity_providers") == []


def test_a_provider_is_off_until_somebody_came_through_it(owner, idp, tenant):
    page = owner.post(f"{PAGE}/new", data=fields(idp)).headers["Location"]
    owner.post(f"{page}/enable")
    assert "Sign in through it once as a test" in owner.get(page).text
    assert [row.is_enabled for row in rows(tenant.id, "select is_enabled from identity_providers")] == [False]
    assert owner.post(f"{PAGE}/new", data=fields(idp)).status_code == 422  # the same client again


def test_the_secret_is_sealed_and_never_shown(owner, idp, tenant):
    page = owner.post(f"{PAGE}/new", data=fields(idp)).headers["Location"]
    assert "very-secret-5502" not in owner.get(page).text
    assert "One is kept" in owner.get(page).text
    kept = rows(tenant.id, "select client_secret, endpoints::text as said from identity_providers")[0]
    assert b"very-secret-5502" not in bytes(kept.client_secret) and "very-secret-5502" not in kept.said
    assert "very-secret-5502" not in str(rows(tenant.id, "select details::text from audit_entries"))


def test_another_client_switches_the_provider_off(tenant, set_up, owner, idp):
    setup = set_up(tenant)
    assert owner.post(setup.page, data=fields(idp, client_id=setup.client_id, client_secret="", name="Renamed")).status_code == 303
    assert rows(tenant.id, "select is_enabled from identity_providers")[0].is_enabled
    assert "Renamed" in owner.get(PAGE).text

    assert owner.post(setup.page, data=fields(idp, client_id="another")).status_code == 303

    row = rows(tenant.id, "select is_enabled, tested_at from identity_providers")[0]
    assert (row.is_enabled, row.tested_at) == (False, None)


def test_the_test_shows_who_came_and_connects_on_request(tenant, set_up, owner, idp):
    setup = set_up(tenant, is_on=False)
    idp.hire("boss-9", email="boss@elsewhere.example", email_verified=True, name="Boss")
    assert Traveller(owner).come(f"{setup.page}/test", "boss-9").status_code == 303

    page = owner.get(setup.page)

    assert "boss@elsewhere.example" in page.text and "Connect this account to mine" in page.text
    assert rows(tenant.id, "select 1 from external_identities") == []
    assert owner.post(f"{setup.page}/connect").status_code == 303
    assert [row.person_id for row in rows(tenant.id, "select person_id from external_identities")] == [tenant.people["owner"]]
    assert owner.post(f"{setup.page}/connect").status_code == 404  # a test connects once
    owner.post(f"{setup.page}/enable")
    # From now on the owner comes in this way as well, whatever the address.
    owner.post("/sign-out")
    assert Traveller(owner).come(setup.start, "boss-9").status_code == 303
    assert owner.get(PAGE).status_code == 200


def test_a_test_of_somebody_who_may_not_is_none(tenant, other_tenant, set_up, idp, as_role, sign_in):
    setup = set_up(tenant)
    assert as_role("builder").get(f"{setup.page}/test").status_code == 403
    assert sign_in(other_tenant, "owner").get(f"{setup.page}/test").status_code == 404


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_only_owners_and_admins_set_it_up(as_role, role):
    browser = as_role(role)
    assert browser.get(PAGE).status_code == 403
    assert browser.post(f"{PAGE}/domains", data={"domain": "x.example"}).status_code == 403
    assert PAGE not in browser.get("/workflows").text


def test_a_domain_is_proven_by_its_own_record(owner, tenant, other_tenant, zone, outside, sign_in):
    domain = f"{tenant.id.hex[-12:]}.example"
    owner.post(f"{PAGE}/domains", data={"domain": f" @{domain.upper()}. "})
    page = owner.get(PAGE).text
    check = f"{PAGE}/domains/{rows(tenant.id, 'select id from tenant_domains')[0].id}/check"
    assert f"_nasij.{domain}" in page and "Waiting for the record" in page

    owner.post(check)
    assert "is not there yet" in owner.get(PAGE).text
    # The record of another organisation proves nothing for this one.
    prove_domain(sign_in(other_tenant, "owner"), zone, domain)
    owner.post(check)
    assert rows(tenant.id, "select verified_at from tenant_domains")[0].verified_at is None
    own = re.search(r"nasij-domain=[\w-]+", page)
    zone.texts[f"_nasij.{domain}"].append(own[0])
    owner.post(check)
    assert "Proven" in owner.get(PAGE).text
    assert owner.post(f"{PAGE}/domains", data={"domain": domain}).status_code == 422


def test_a_record_that_is_gone_counts_for_seven_days(owner, tenant, zone, outside):
    domain = f"{tenant.id.hex[-12:]}.example"
    prove_domain(owner, zone, domain)
    check = f"{PAGE}/domains/{rows(tenant.id, 'select id from tenant_domains')[0].id}/check"
    found = "select verified_at, missing_since from tenant_domains"
    zone.is_silent = True
    try:
        owner.post(check)
    finally:
        zone.is_silent = False
    assert rows(tenant.id, found)[0].missing_since is None  # no answer says nothing
    zone.texts[f"_nasij.{domain}"] = []
    owner.post(check)
    row = rows(tenant.id, found)[0]
    assert row.verified_at and row.missing_since and "Its record is gone" in owner.get(PAGE).text
    rows(tenant.id, "update tenant_domains set missing_since = missing_since - interval '7 days' returning 1")
    owner.post(check)
    assert rows(tenant.id, found)[0].verified_at is None


@pytest.mark.parametrize(
    "written", ["", "localhost", "no domain", "-a.example", "1.2.3.4", "x" * 300, "a..b", "exa\u202emple.com", "/etc/passwd"]
)
def test_what_is_no_domain_is_refused(owner, written):
    page = owner.post(f"{PAGE}/domains", data={"domain": written})
    assert page.status_code == 422 and 'href="#f-domain"' in page.text


def test_domains_are_compared_folded(app):
    with app.test_request_context():
        assert domains.tidy(" @Müller.Example. ") == "xn--mller-kva.example"
        assert domains.domain_of("a@b@Nasij.EXAMPLE") == "nasij.example"
        assert domains.domain_of("مثال@شبكة.example") == domains.tidy("شبكة.example")
        assert domains.domain_of("nobody") == domains.domain_of("@x.example") == ""

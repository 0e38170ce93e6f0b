"""Asking people in: for one address, for seven days, once, and never above oneself."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import SYSTEM
from portal.identity import service as identity
from portal.identity.members import service as members
from tests.identity.letters import letters_to, token_in
from tests.identity.members.conftest import GOOD, book, count, role_of


def invite(browser, addresses, role="member", language="en"):
    return browser.post("/settings/members/invite", data={"addresses": addresses, "role": role, "language": language})


def link_to(address):
    letter = letters_to(address)[-1]
    return letter, {"in": letter["link"].split("in=")[1].split("&")[0], "token": token_in(letter)}


@pytest.fixture
def asked(as_role, address):
    owner = as_role("owner")
    assert invite(owner, address).status_code == 303
    return owner


JOIN = {"name": "Huda Salem", "name_ar": "هدى سالم", "password": GOOD}


def test_somebody_new_joins_with_a_name_and_a_password(tenant, asked, network, address):
    letter, link = link_to(address)
    browser = network()
    for _scanner in range(3):
        page = browser.get(letter["link"])
        assert page.status_code == 200 and "Test house" in page.text and address in page.text
    assert count("select count(*) from people where email_key = :it", it=address) == 0, "opening the link makes nothing"

    answer = browser.post("/invitation", data={**link, **JOIN})

    assert answer.status_code == 303
    assert browser.get("/workflows").status_code == 200
    person = count("select id from people where email_key = :it", it=address)
    assert role_of(tenant.id, person) == "member"
    assert book(tenant.id, "member.%")[-2:] == ["member.invited", "member.joined"]
    assert "Somebody you invited has joined" in asked.get("/notifications").text
    assert network().post("/invitation", data={**link, **JOIN}).status_code == 404, "a link works once"


def test_who_has_an_account_signs_in_first_and_comes_back(other_tenant, asked, as_role, network):
    email = other_tenant.email("builder")
    invite(asked, email, role="auditor", language="ar")
    letter, link = link_to(email)
    browser = network()

    page = browser.get(letter["link"])
    assert 'name="password"' not in page.text and "This address has an account" in page.text
    assert browser.post("/invitation", data={**link, **JOIN}).status_code == 200, "no second account, and nobody is let in"
    assert letter["locale"] == "ar"
    answer = browser.post(
        "/sign-in", query_string={"next": letter["link"]}, data={"email": email, "password": "correct horse battery staple"}
    )
    assert answer.headers["Location"] == letter["link"]
    assert browser.post("/invitation", data=link).headers["Location"] == "/organisations"
    assert "Test house" in browser.get("/organisations").text


def test_who_is_signed_in_with_another_address_is_told_so(tenant, asked, as_role, address):
    letter, link = link_to(address)
    browser = as_role("builder")

    assert "signed in with another address" in browser.get(letter["link"]).text
    page = browser.post("/invitation", data={**link, **JOIN})
    assert page.status_code == 422 and "signed in with another address" in page.text
    assert count("select count(*) from people where email_key = :it", it=address) == 0


def test_an_invitation_of_an_account_is_for_its_owner_only(tenant, other_tenant, asked, enter):
    invite(asked, other_tenant.email("builder"))
    _letter, link = link_to(other_tenant.email("builder"))

    page = enter(other_tenant.email("member")).post("/invitation", data=link)

    assert page.status_code == 403 and "another address" in page.text
    assert role_of(tenant.id, other_tenant.people["member"]) is None


@pytest.mark.parametrize("wrong", [{"token": "forged"}, {"token": ""}, {"in": ""}, {"in": "x" * 2000}, {"in": "0" * 32}])
def test_a_forged_link_opens_nothing(asked, network, address, wrong):
    _letter, link = link_to(address)

    assert network().get("/invitation", query_string={**link, **wrong}).status_code == 404
    assert network().post("/invitation", data={**link, **wrong, **JOIN}).status_code == 404


def test_a_link_does_not_open_another_organisation(asked, other_tenant, network, address):
    _letter, link = link_to(address)

    assert network().post("/invitation", data={**link, **JOIN, "in": other_tenant.id.hex}).status_code == 404


@pytest.mark.parametrize(
    "change", ["expires_at = clock_timestamp() - interval '1 second'", "revoked_at = clock_timestamp()"], ids=["late", "withdrawn"]
)
def test_what_is_over_opens_nothing(tenant, asked, network, address, change):
    _letter, link = link_to(address)
    with db.transaction(tenant.id) as session:
        session.execute(text(f"update invitations set {change} where email_key = :it"), {"it": address})

    page = network().post("/invitation", data={**link, **JOIN})

    assert page.status_code == 404 and "does not work any more" in page.text


def test_a_suspended_organisation_takes_nobody_in(tenant, asked, network, address):
    _letter, link = link_to(address)
    with db.transaction() as session:
        session.execute(text("update tenants set status = 'suspended' where id = :id"), {"id": tenant.id})

    assert network().post("/invitation", data={**link, **JOIN}).status_code == 404


def test_an_invitation_weighs_no_more_than_who_sent_it(app, tenant, as_role, network, address, here):
    """An admin who asks an accomplice in and is then taken down must not be able to come back through the mail."""
    invite(as_role("admin"), address, role="admin")
    _letter, link = link_to(address)
    members.change_role(here(tenant, "owner"), tenant.people["admin"], "builder")

    assert network().post("/invitation", data={**link, **JOIN}).status_code == 404


def test_bad_addresses_are_named_and_nobody_is_invited(tenant, as_role, address):
    page = invite(as_role("owner"), f"{address}, not-an-address; also@bad، x@y.z@w.example")

    assert page.status_code == 422
    assert all(bad in page.text_of(".error-summary")[0] for bad in ("not-an-address", "also@bad", "x@y.z@w.example"))
    assert address in page.text_of("body//textarea")[0], "the form is kept"
    assert letters_to(address) == []


def test_many_at_once_as_they_are_pasted(as_role, address):
    first, second, third = (f"{number}-{address}" for number in range(3))

    assert invite(as_role("owner"), f"Huda Salem <{first}>\n{second}،{third}; {first}").status_code == 303

    assert [len(letters_to(each)) for each in (first, second, third)] == [1, 1, 1]


def test_members_and_who_waits_are_not_invited_again(tenant, asked, address):
    assert "Already a member" in invite(asked, tenant.email("builder").upper()).text
    assert "Already invited" in invite(asked, address.upper()).text


def test_more_than_fifty_are_refused(as_role, address):
    page = invite(as_role("owner"), "\n".join(f"{number}-{address}" for number in range(51)))

    assert page.status_code == 422 and "at most" in page.text.lower()


@pytest.mark.parametrize("role", ["owner", "nobody", "", "custom", "00000000-0000-7000-8000-000000000000"])
def test_a_role_above_ones_own_is_refused(as_role, address, role):
    page = invite(as_role("admin"), address, role=role)

    assert page.status_code == 422 and "f-role-error" in page.text
    assert letters_to(address) == []


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_who_may_not_invite_is_told_so(as_role, address, role):
    assert invite(as_role(role), address).status_code == 403
    assert letters_to(address) == []


def test_sending_again_gives_a_new_link_three_times_a_day(tenant, asked, network, address):
    _letter, first = link_to(address)
    with db.transaction(tenant.id) as session:
        invitation_id = session.scalar(text("select id from invitations where email_key = :it"), {"it": address})
    for _again in range(5):
        asked.post(f"/settings/invitations/{invitation_id}/resend")

    assert len(letters_to(address)) == 4, "once, and three times again"
    assert network().post("/invitation", data={**first, **JOIN}).status_code == 404, "the link before is dead"
    assert network().post("/invitation", data={**link_to(address)[1], **JOIN}).status_code == 303


def test_a_withdrawn_invitation_may_be_followed_by_another(tenant, asked, network, address):
    _letter, first = link_to(address)
    with db.transaction(tenant.id) as session:
        invitation_id = session.scalar(text("select id from invitations where email_key = :it"), {"it": address})

    assert asked.post(f"/settings/invitations/{invitation_id}/revoke").status_code == 303
    assert asked.post(f"/settings/invitations/{invitation_id}/revoke").status_code == 404
    assert invite(asked, address).status_code == 303
    assert network().post("/invitation", data={**first, **JOIN}).status_code == 404


def test_a_bad_password_keeps_the_form_and_the_link(asked, network, address):
    _letter, link = link_to(address)
    browser = network()

    page = browser.post("/invitation", data={**link, **JOIN, "password": "passwordpassword"})
    deceiving = browser.post("/invitation", data={**link, **JOIN, "name": "Huda\u202e"})

    assert page.status_code == 422 and 'value="Huda Salem"' in page.text
    assert deceiving.status_code == 422 and "invisible sign" in deceiving.text
    assert browser.post("/invitation", data={**link, **JOIN}).status_code == 303


def test_who_is_a_member_by_now_stays_what_they_are(tenant, other_tenant, asked, enter, app):
    email = other_tenant.email("builder")
    invite(asked, email, role="auditor")
    _letter, link = link_to(email)
    with app.app_context():
        identity.add_member(tenant.id, other_tenant.people["builder"], "admin", by=SYSTEM)

    assert enter(email).post("/invitation", data=link).status_code == 303
    assert role_of(tenant.id, other_tenant.people["builder"]) == "admin"


def test_no_token_stands_in_the_database_or_the_book(tenant, asked, address):
    token = token_in(letters_to(address)[0])
    with db.transaction(tenant.id) as session:
        for table in ("invitations", "audit_entries"):
            assert session.scalar(text(f"select count(*) from {table} t where t::text like :it"), {"it": f"%{token}%"}) == 0

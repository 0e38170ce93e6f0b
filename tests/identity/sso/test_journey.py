"""Through a real provider and back: newcomers, members, changed addresses, the provider's end of a session, a provider that dies."""

from __future__ import annotations

import time

from tests.identity.sso.conftest import rows

PEOPLE = "select p.id, p.email, p.name, m.role from people p join memberships m on m.person_id = p.id where m.tenant_id = :tenant"


def people(house):
    return {row.email: row for row in rows(house.id, PEOPLE, tenant=house.id)}


def test_a_newcomer_becomes_a_member_and_stays_the_same_person(tenant, set_up, traveller, idp):
    setup = set_up(tenant, default_role="builder")
    address = f"Nora@{setup.domain}"
    idp.hire("nora-1", email=address, email_verified=True, name="Nora \u202eHashimi", locale="ar-SA")

    answer = traveller().come(f"{setup.start}?next=/runs", "nora-1")

    assert answer.status_code == 303 and answer.headers["Location"] == "/runs"
    first = people(tenant)[f"Nora@{setup.domain}"]
    assert (first.name, first.role) == ("Nora Hashimi", "builder")

    # The address and the name change there: who they are does not.
    idp.hire("nora-1", email=f"nora.saleh@{setup.domain}", email_verified=True, name="Nora Saleh")
    again = traveller()
    assert again.come(setup.start, "nora-1").status_code == 303
    assert "/sign-out" in again.browser.get("/runs").text
    assert len([each for each in people(tenant).values() if each.id == first.id]) == 1
    assert f"nora.saleh@{setup.domain}" not in people(tenant)
    audit = rows(tenant.id, "select action, details::text as details from audit_entries where target_id = :id", id=first.id)
    assert {"member.added", "session.started"} <= {row.action for row in audit}
    assert all("nora-1" not in row.details for row in audit)


def test_the_address_leads_to_the_provider(tenant, set_up, traveller, idp):
    setup = set_up(tenant)
    idp.hire("lead-1", email=f"lead@{setup.domain}", email_verified=True, name="Lead")
    person = traveller()

    page = person.browser.post("/sign-in/sso", data={"where": f" LEAD@{setup.domain.upper()} "})

    assert page.status_code == 200 and "Continue with" in page.text and "Corporate" in page.text
    start = page.text.split('href="/sign-in/sso/')[1].split('"')[0].replace("&amp;", "&")
    assert start.startswith(setup.id)
    there = person.leave(f"/sign-in/sso/{start}")
    assert there.startswith(f"{idp.issuer}/auth?") and "login_hint=" in there
    assert person.back(person.at_provider(there, "lead-1")).status_code == 303


def test_a_member_with_a_password_is_the_same_person(tenant, set_up, traveller, idp):
    setup = set_up(tenant)
    address = f"auditor@{setup.domain}"
    rows(tenant.id, "update people set email = :it, email_key = :it where id = :id returning id", it=address, id=tenant.people["auditor"])
    idp.hire("aud-1", email=address, email_verified=True, name="Somebody Else")

    person = traveller()
    assert person.come(setup.start, "aud-1").status_code == 303

    assert person.browser.get("/runs").status_code == 200
    assert person.browser.get("/settings/sso").status_code == 403
    found = rows(tenant.id, "select person_id from external_identities where subject = 'aud-1'")
    assert [row.person_id for row in found] == [tenant.people["auditor"]]


def test_the_provider_ends_a_session_at_once(tenant, set_up, traveller, idp, as_role):
    setup = set_up(tenant)
    idp.hire("out-1", email=f"out@{setup.domain}", email_verified=True, name="Out")
    person, elsewhere = traveller(), traveller()
    assert person.come(setup.start, "out-1").status_code == 303
    assert elsewhere.come(setup.start, "out-1").status_code == 303
    owner = as_role("owner")

    person.sign_out_there(idp)

    ends_at = time.monotonic() + 5
    while person.browser.get("/runs").status_code == 200 and time.monotonic() < ends_at:
        time.sleep(0.05)
    assert person.browser.get("/runs").status_code == 303
    # The provider named one session: the other browser goes on, and so does everybody else.
    assert elsewhere.browser.get("/runs").status_code == 200
    assert owner.get("/runs").status_code == 200


def test_a_provider_that_dies_on_the_way_leaves_the_password(tenant, set_up, traveller, idp, as_role):
    setup = set_up(tenant)
    idp.hire("late-1", email=f"late@{setup.domain}", email_verified=True, name="Late")
    person = traveller()
    back = person.at_provider(person.leave(setup.start), "late-1")
    idp.stop()
    try:
        page = person.back(back)
        assert page.status_code == 422
        assert "does not answer" in page.text and 'href="/sign-in?' in page.text
        assert as_role("member").get("/runs").status_code == 200
        assert as_role("owner").post(f"{setup.page}/check").status_code == 422
    finally:
        idp.start()
    # What was begun is used up; a new beginning works.
    assert person.back(back).status_code == 422
    assert person.come(setup.start, "late-1").status_code == 303


def test_who_turns_round_at_the_provider_is_told(tenant, set_up, traveller):
    setup = set_up(tenant)

    page = traveller().come(setup.start, None)

    assert page.status_code == 422 and "You were not signed in there." in page.text

"""Which way in counts where: passwords that are not enough, sessions that stay in their organisation, proof asked for once more."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import SYSTEM
from portal.identity import service as identity
from tests.conftest import PASSWORD
from tests.identity.sso.conftest import rows
from tests.identity.sso.test_hostile import rename


@pytest.fixture
def strict(tenant, set_up):
    """A provider that everybody but owners must come through."""
    return set_up(tenant, allows_passwords="")


def password(person, address, **more):
    return person.browser.post("/sign-in", data={"email": address, "password": PASSWORD, **more})


def test_a_password_is_not_enough_for_members_of_a_proven_domain(tenant, strict, traveller):
    rename(tenant, "builder", f"b@{strict.domain}")
    person = traveller()

    page = password(person, f"b@{strict.domain}")

    assert page.status_code == 422 and "only through its identity provider" in page.text
    assert f"/sign-in/sso/{strict.id}" in page.text
    assert person.browser.get("/runs").status_code == 303
    # A wrong password says what it always says: nobody learns the rule without one.
    wrong = person.browser.post("/sign-in", data={"email": f"b@{strict.domain}", "password": "wrong"})
    assert "only through" not in wrong.text and strict.id not in wrong.text


def test_other_addresses_and_owners_keep_their_password(tenant, strict, traveller):
    assert password(traveller(), tenant.email("builder")).status_code == 303
    rename(tenant, "owner", f"o@{strict.domain}")
    assert password(traveller(), f"o@{strict.domain}").status_code == 303


def test_a_provider_that_is_off_forbids_nothing(tenant, strict, traveller, as_role):
    rename(tenant, "builder", f"b@{strict.domain}")
    as_role("owner").post(f"{strict.page}/disable")
    assert password(traveller(), f"b@{strict.domain}").status_code == 303


def test_the_sign_in_page_leads_to_the_provider(tenant, set_up, traveller):
    setup = set_up(tenant)
    page = traveller().browser.post("/sign-in", data={"email": f"x@{setup.domain}", "password": ""})
    assert page.status_code == 422 and "Continue with" in page.text and f"/sign-in/sso/{setup.id}" in page.text
    assert "Continue with" not in traveller().browser.post("/sign-in", data={"email": "x@unknown.example", "password": ""}).text
    by_name = traveller().browser.get(f"/sign-in/sso/{rows(None, 'select slug from tenants where id = :id', id=tenant.id)[0].slug}")
    assert by_name.status_code == 200 and f"/sign-in/sso/{setup.id}" in by_name.text


def join(app, house, person_id, role="member"):
    with app.app_context(), db.transaction(house.id):
        identity.add_member(house.id, person_id, role, by=SYSTEM)


def test_with_a_password_one_enters_where_it_is_enough(app, tenant, other_tenant, strict, traveller):
    rename(tenant, "builder", f"b@{strict.domain}")
    join(app, other_tenant, tenant.people["builder"])
    person = traveller()
    assert password(person, f"b@{strict.domain}").status_code == 303
    where = rows(None, "select tenant_id from sessions where person_id = :id", id=tenant.people["builder"])
    assert [row.tenant_id for row in where] == [other_tenant.id]

    # And the switch does not lead round the rule.
    answer = person.browser.post("/tenant", data={"tenant": str(tenant.id)})

    assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in/sso/")
    assert f"/sign-in/sso/{strict.id}" in person.browser.get(answer.headers["Location"]).text
    assert [row.tenant_id for row in rows(None, "select tenant_id from sessions where person_id = :id", id=tenant.people["builder"])] == [
        other_tenant.id
    ]


def test_a_session_of_a_provider_stays_in_its_organisation(app, tenant, other_tenant, set_up, traveller, idp):
    setup = set_up(tenant)
    rename(tenant, "builder", f"b@{setup.domain}")
    join(app, other_tenant, tenant.people["builder"], "admin")
    idp.hire("b-1", email=f"b@{setup.domain}", email_verified=True, name="B")
    person = traveller()
    assert person.come(setup.start, "b-1").status_code == 303

    assert person.browser.post("/tenant", data={"tenant": str(other_tenant.id)}).status_code == 303

    assert "for this organisation only" in person.browser.get("/home").text
    assert [row.tenant_id for row in rows(None, "select tenant_id from sessions where person_id = :id", id=tenant.people["builder"])] == [
        tenant.id
    ]


@pytest.fixture
def admin(app, tenant, set_up, traveller, idp):
    """An admin who came through the provider, and has no password to confirm with."""
    setup = set_up(tenant)
    rename(tenant, "admin", f"a@{setup.domain}")
    idp.hire("a-1", email=f"a@{setup.domain}", email_verified=True, name="A")
    idp.hire("z-1", email=f"z@{setup.domain}", email_verified=True, name="Z")
    person = traveller()
    assert person.come(setup.start, "a-1").status_code == 303
    return person, setup


def test_sensitive_acts_want_a_fresh_proof_at_the_provider(tenant, admin, idp):
    person, _setup = admin
    asked = person.browser.get("/settings/sso/new")
    assert asked.status_code == 303 and asked.headers["Location"].startswith("/confirm")
    page = person.browser.get(asked.headers["Location"])
    assert "Confirm with" in page.text

    there = person.leave("/confirm/sso?next=/settings/sso/new")
    assert "prompt=login" in there and "max_age=0" in there
    answer = person.back(person.at_provider(there, "a-1"))

    assert answer.status_code == 303 and answer.headers["Location"] == "/settings/sso/new"
    assert person.browser.get("/settings/sso/new").status_code == 200
    # The session has a new id now; the provider can end it all the same.
    person.sign_out_there(idp)
    assert person.browser.get("/runs").status_code == 303


def test_the_proof_of_somebody_else_confirms_nothing(admin):
    person, _setup = admin
    person.jar.clear()  # somebody else sits at the provider
    answer = person.back(person.at_provider(person.leave("/confirm/sso?next=/settings/sso/new"), "z-1"))
    assert answer.status_code == 422 and "did not confirm that it is you" in answer.text
    assert person.browser.get("/settings/sso/new").status_code == 303


def test_a_proof_from_before_confirms_nothing(admin, tenant):
    person, _setup = admin
    # As if the provider had ignored that it shall ask again: the time of its proof is old.
    back = person.at_provider(person.leave("/confirm/sso?next=/"), "a-1")
    rows(None, "update sessions set data = replace(data::text, '\"at\": 1', '\"at\": 9')::jsonb where person_id = :id returning id",
         id=tenant.people["admin"])  # fmt: skip
    answer = person.back(back)
    assert answer.status_code == 422
    assert person.browser.get("/settings/sso/new").status_code == 303


def test_who_came_with_a_password_cannot_confirm_at_a_provider(tenant, set_up, as_role):
    set_up(tenant)
    assert as_role("owner").get("/confirm/sso").status_code == 404

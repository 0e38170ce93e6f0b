"""Who must have a second step is led to it, and to nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.core import clock, db
from tests.conftest import PASSWORD
from tests.identity.conftest import look
from tests.identity.factors.conftest import rows
from tests.identity.factors.test_keeping import begin


def without_factor(tenant, role):
    with db.transaction() as session:
        session.execute(text("delete from totp_factors where person_id = :id"), {"id": tenant.people[role]})


def ask(tenant, *, since=timedelta()):
    with db.transaction() as session:
        session.execute(
            text(
                "update tenants set security = jsonb_build_object('factor', 'required', 'factor_since', cast(:at as text)) where id = :id"
            ),
            {"id": tenant.id, "at": (clock.now() - since).isoformat()},
        )
        session.flush()


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_owners_and_admins_without_one_are_led_to_it(tenant, as_role, role):
    without_factor(tenant, role)
    browser = as_role(role)

    for path in ("/home", "/runs", "/settings/preferences", "/settings/themes", "/settings/security", "/search?q=a", "/staff/gallery/text"):
        assert browser.get(path).headers.get("Location") == "/settings/sign-in", path
    assert browser.post("/workflows/new", data={"name": "x"}).headers["Location"] == "/settings/sign-in"
    assert browser.get("/home", fragment=True).headers["HX-Redirect"] == "/settings/sign-in"
    page = browser.get("/settings/sign-in")
    assert "Add a second step" in page.text and "/workflows" not in page.text
    assert browser.get("/session").status_code == 204
    assert rows("select 1 from workflow_templates where name = 'x'") == []


def test_the_way_out_the_language_and_the_other_organisations_stay_open(app, tenant, other_tenant, as_role):
    from portal.core.access import SYSTEM
    from portal.identity import service as identity

    without_factor(tenant, "owner")
    with app.app_context():
        identity.add_member(other_tenant.id, tenant.people["owner"], "member", by=SYSTEM)
    browser = as_role("owner")

    browser.post("/locale", data={"locale": "ar", "next": "/settings/sign-in"})
    assert 'dir="rtl"' in browser.get("/settings/sign-in").text
    browser.post("/tenant", data={"tenant": str(other_tenant.id)})
    assert browser.get("/home").status_code == 200, "there they are only a member"
    browser.post("/tenant", data={"tenant": str(tenant.id)})
    assert browser.get("/home").headers["Location"] == "/settings/sign-in"
    browser.post("/sign-out")
    assert browser.get("/home").headers["Location"].startswith("/sign-in?")


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_adding_an_app_opens_the_house(tenant, sign_in, locale):
    import pyotp

    without_factor(tenant, "owner")
    browser = sign_in(tenant, "owner", locale)
    address, key = begin(browser)
    assert browser.post(address, data={"code": pyotp.TOTP(key).now()}).status_code == 200
    assert browser.get("/home").status_code == 200


def test_adding_a_passkey_opens_the_house(tenant, as_role, add_passkey):
    without_factor(tenant, "owner")
    browser = as_role("owner")
    add_passkey(browser)
    assert browser.get("/home").status_code == 200


def test_who_becomes_an_admin_is_led_to_it_at_once(tenant, as_role):
    browser = as_role("member")
    assert browser.get("/home").status_code == 200
    with db.transaction(tenant.id) as session:
        session.execute(text("update memberships set role = 'admin' where person_id = :id"), {"id": tenant.people["member"]})
    assert browser.get("/home").headers["Location"] == "/settings/sign-in"


def test_staff_must_have_one(app, staffer, visitor):
    with db.transaction() as session:
        session.execute(text("delete from totp_factors where person_id = :id"), {"id": staffer.id})
    visitor.post("/sign-in", data={"email": staffer.email, "password": PASSWORD})

    for path in ("/staff", "/staff/tenants", "/"):
        assert visitor.get(path).headers["Location"] == "/settings/sign-in"
    assert "Add a second step" in visitor.get("/settings/sign-in").text


def test_support_that_looks_is_not_led_by_what_the_member_lacks_and_sees_no_key(tenant, consent, as_staff):
    ask(tenant, since=timedelta(days=100))
    with db.transaction(tenant.id) as session:
        session.execute(text("update memberships set created_at = now() - interval '90 days'"))
    browser = as_staff()
    look(browser, tenant)

    assert browser.get("/runs").status_code == 200
    for path in ("/settings/sign-in", "/settings/security"):
        assert browser.get(path).status_code == 403
    assert browser.post("/settings/sign-in/app").status_code == 403


def test_nobody_else_is_asked_unless_the_organisation_asks(as_role):
    page = as_role("member").get("/home")
    assert page.status_code == 200 and "second step" not in page.text


def test_the_organisation_asks_with_days_of_grace_and_a_banner(tenant, as_role):
    ask(tenant)
    with db.transaction(tenant.id) as session:
        session.execute(text("update memberships set created_at = now() - interval '90 days'"))
    page = as_role("builder").get("/home")
    assert page.status_code == 200 and "You have 7 days left" in page.text
    ask(tenant, since=timedelta(days=6, hours=1))
    assert "You have 1 day left" in as_role("builder").get("/runs").text
    ask(tenant, since=timedelta(days=7, minutes=1))
    assert as_role("builder").get("/home").headers["Location"] == "/settings/sign-in"


def test_who_joins_later_has_the_days_of_grace_as_well(tenant, as_role):
    ask(tenant, since=timedelta(days=100))
    assert "You have 7 days left" in as_role("member").get("/home").text


def test_who_has_one_sees_no_banner(tenant, as_role):
    ask(tenant, since=timedelta(days=100))
    assert "second step at sign-in" not in as_role("owner").get("/home").text


def test_admins_choose_and_it_is_noted_once(tenant, as_role):
    owner = as_role("owner")
    assert "3 people of your organisation have no second step" in owner.get("/settings/security").text

    owner.post("/settings/security", data={"factor": "required"})
    first = rows("select security from tenants where id = :id", id=tenant.id)[0].security
    owner.post("/settings/security", data={"factor": "required"})
    again = rows("select security from tenants where id = :id", id=tenant.id)[0].security

    assert first["factor"] == "required" and first == again, "saving twice does not begin the grace anew"
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from audit_entries where action = 'security.changed'")) == 1
    assert owner.post("/settings/security", data={"factor": "sometimes"}).status_code == 422
    owner.post("/settings/security", data={"factor": "off"})
    assert as_role("member").get("/home").status_code == 200


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_others_do_not_choose(as_role, role):
    browser = as_role(role)
    assert browser.get("/settings/security").status_code == 403
    assert browser.post("/settings/security", data={"factor": "off"}).status_code == 403
    assert "/settings/security" not in browser.get("/settings").text


def test_the_rule_of_one_organisation_binds_no_other(tenant, other_tenant, as_role, sign_in):
    ask(tenant, since=timedelta(days=100))
    with db.transaction(tenant.id) as session:
        session.execute(text("update memberships set created_at = now() - interval '90 days'"))
    assert as_role("member").get("/home").status_code == 303
    assert sign_in(other_tenant, "member").get("/home").status_code == 200


def test_pages_say_where_it_is(as_role):
    home = as_role("owner").get("/settings").text
    assert "/settings/sign-in" in home and "/settings/security" in home
    assert "/settings/sign-in" in as_role("owner").get("/search?q=signing").text

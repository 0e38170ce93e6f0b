"""Support by consent: looks, never changes, is seen, and can be thrown out."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal.core import db
from portal.core.access import SYSTEM
from portal.identity import service as identity
from tests.identity.conftest import WHY, look


def audit_of(tenant):
    with db.transaction(tenant.id) as session:
        return list(session.execute(text("select actor_kind, actor_id, action, details from audit_entries order by at, id")))


def test_without_consent_nobody_looks(tenant, as_staff):
    browser = as_staff()

    assert "has not consented" in browser.get(f"/staff/tenants/{tenant.id}").text
    assert look(browser, tenant).status_code == 409
    assert browser.get("/workflows").status_code == 403


def test_staff_look_as_a_member_and_both_names_stand_in_the_book(tenant, consent, staffer, as_staff):
    browser = as_staff()
    before = browser.client.get_cookie("sid").value

    assert look(browser, tenant).headers["Location"] == "/"

    assert browser.client.get_cookie("sid").value != before
    page = browser.get("/workflows")
    assert page.status_code == 200 and "Nothing can be changed" in page.text
    entered = next(row for row in audit_of(tenant) if row.action == "support.entered")
    assert (entered.actor_kind, entered.actor_id) == ("staff", staffer.id)
    assert entered.details["on_behalf_of"] == str(tenant.people["builder"]) and entered.details["ticket"] == "T-77"


def test_an_empty_form_says_at_once_all_that_it_lacks(tenant, consent, as_staff):
    page = as_staff().post(f"/staff/tenants/{tenant.id}/visit", data={"person": "", "reason": "", "ticket": ""})

    assert page.status_code == 422
    assert page.text_of(".error") == [
        "Error: Choose as whom you look.",
        "Error: Say in at least 10 characters why; the organisation reads it.",
        "Error: Give the number of the ticket.",
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/workflows/new"), ("GET", "/workflows/new"), ("GET", "/settings/password"), ("POST", "/settings/password"), ("GET", "/settings/devices"),
     ("GET", "/settings/preferences"), ("GET", "/settings/themes"), ("GET", "/exports"), ("POST", "/exports"), ("GET", "/confirm"), ("POST", "/tenant"),
     ("POST", "/notifications/read-all"), ("POST", "/settings/support/grant"), ("GET", "/settings/support")],
)  # fmt: skip
def test_who_looks_changes_nothing_and_opens_nothing_personal(tenant, consent, as_staff, method, path):
    browser = as_staff()
    look(browser, tenant, "admin")

    assert browser.client.open(path, method=method).status_code == 403


def test_no_route_that_changes_something_is_open_to_who_looks(app, tenant, consent, as_staff):
    browser = as_staff()
    look(browser, tenant, "admin")
    # Public routes take nothing from who is signed in: ways in, and programs that prove themselves.
    paths = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "POST" in rule.methods
        and not rule.arguments
        and rule.rule != "/support/leave"
        and not hasattr(app.view_functions[rule.endpoint], "public_because")
    ]
    assert len(paths) > 10

    # The API asks for a token: whoever is signed in counts for nothing there.
    wanted = {path: 401 if path.startswith("/api/") else 403 for path in paths}
    assert {path: browser.client.post(path).status_code for path in paths} == wanted


def test_the_tenant_sees_it_live_and_ends_it(tenant, consent, as_staff, as_role):
    browser, owner = as_staff(), as_role("owner")
    look(browser, tenant)
    browser.get("/runs")
    page = owner.get("/settings/support")
    assert "Looking now" in page.text and "/runs" in page.text and "daily report" in page.text

    end = re.search(r'action="(/settings/support/visits/[^"]+)"', page.text)[1]
    owner.post(end)

    assert browser.get("/workflows").headers["Location"] == "/"
    assert browser.get("/workflows").status_code == 403, "staff again, and of no organisation"
    assert "Looking now" not in owner.get("/settings/support").text


def test_taking_the_consent_back_throws_everybody_out(tenant, consent, as_staff, as_role):
    browser = as_staff()
    look(browser, tenant)

    as_role("admin").post("/settings/support/revoke")

    assert browser.get("/workflows").status_code == 303
    assert look(browser, tenant).status_code == 409


def test_the_hour_passes(tenant, consent, as_staff):
    browser = as_staff()
    look(browser, tenant)
    with db.transaction(tenant.id) as session:
        session.execute(text("update support_visits set until = clock_timestamp() where tenant_id = :id"), {"id": tenant.id})

    assert browser.get("/workflows").status_code == 303


def test_leaving_ends_the_visit(tenant, consent, as_staff):
    browser = as_staff()
    look(browser, tenant)
    browser.get("/workflows")

    assert browser.post("/support/leave").status_code == 303

    assert browser.get("/staff").status_code == 200
    assert [row.action for row in audit_of(tenant)][-1] == "support.ended"
    with db.transaction(tenant.id) as session:
        assert session.execute(text("select pages, last_page from support_visits")).all() == [(1, "/workflows")], "leaving is no page"


@pytest.mark.parametrize(("changed", "status"), [({"reason": "short"}, 422), ({"ticket": " "}, 422), ({"person": "x"}, 422), ({}, 409)])
def test_a_visit_without_a_reason_or_as_an_owner_is_refused_and_the_form_kept(tenant, consent, as_staff, changed, status):
    page = look(as_staff(), tenant, "owner" if not changed else "builder", **changed)

    assert page.status_code == status
    assert changed.get("reason", WHY["reason"]) in page.text


def test_nobody_looks_at_a_member_of_another_tenant(tenant, other_tenant, consent, as_staff):
    assert (
        as_staff().post(f"/staff/tenants/{tenant.id}/visit", data={"person": str(other_tenant.people["builder"]), **WHY}).status_code == 404
    )


def test_a_sensitive_act_of_staff_asks_who_it_is(tenant, consent, staffer, as_staff):
    browser = as_staff()
    with db.transaction() as session:
        session.execute(
            text("update sessions set confirmed_at = confirmed_at - interval '16 minutes' where person_id = :id"), {"id": staffer.id}
        )

    assert look(browser, tenant).headers["Location"].startswith("/confirm")


@pytest.mark.parametrize("hours", ["", "0", "25", "-1", "x", "48"])
def test_consent_lasts_a_day_at_most(tenant, as_role, hours):
    assert as_role("owner").post("/settings/support/grant", data={"hours": hours}).status_code == 422


def test_consent_is_given_in_arabic_digits_by_admins_alone(tenant, as_role):
    assert as_role("admin").post("/settings/support/grant", data={"hours": "٢٤"}).status_code == 303
    assert as_role("builder").post("/settings/support/grant", data={"hours": "4"}).status_code == 403


def test_staff_and_members_are_different_people(app, tenant, staffer):
    with app.app_context():
        with pytest.raises(IntegrityError):
            identity.add_member(tenant.id, staffer.id, "admin", by=SYSTEM)
        with pytest.raises(IntegrityError):
            identity.add_member(tenant.id, tenant.people["admin"], "staff", by=SYSTEM)

"""Several organisations, one that stands still, one that ends; and groups."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import SYSTEM, Actor
from portal.core.errors import Conflict, NotFound
from portal.identity import service as identity
from portal.identity.groups import service as groups
from portal.identity.members import service as members
from portal.tenants import service as tenants
from tests.identity.letters import letters_to
from tests.identity.members.conftest import book, role_of


@pytest.fixture
def both(app, tenant, other_tenant):
    """The builder's address; an auditor in the other organisation, too."""
    with app.app_context():
        identity.add_member(other_tenant.id, tenant.people["builder"], "auditor", by=SYSTEM)
    return tenant.email("builder")


def suspend(house, reason="The bill is open.", reason_ar="الفاتورة لم تُسدَّد."):
    with db.unit_of_work(house.id):
        tenants.suspend(house.id, reason=reason, reason_ar=reason_ar, by=SYSTEM)


def signed_in(network, email, **query):
    browser = network()
    answer = browser.post("/sign-in", query_string=query, data={"email": email, "password": "correct horse battery staple"})
    return browser, answer.headers.get("Location")


def test_who_has_several_chooses_after_signing_in(both, network, tenant, other_tenant):
    browser, goes_to = signed_in(network, both)

    assert goes_to == "/organisations"
    page = browser.get("/organisations")
    assert "Test house" in page.text and "Other house" in page.text
    answer = browser.post("/tenant", data={"tenant": str(other_tenant.id), "next": "/runs"})
    assert answer.headers["Location"] == "/runs"
    assert "Other house" in browser.get("/runs").text


def test_who_has_one_goes_home(network, tenant):
    assert signed_in(network, tenant.email("member"))[1] == "/"


def test_a_link_is_followed_without_a_detour(both, network):
    assert signed_in(network, both, next="/runs")[1] == "/runs"


def test_the_last_one_is_remembered(both, network, other_tenant):
    browser, _ = signed_in(network, both)
    browser.post("/tenant", data={"tenant": str(other_tenant.id)})

    again, _ = signed_in(network, both)

    assert "Other house" in again.get("/workflows").text
    assert again.get("/organisations").text.index("Other house") < again.get("/organisations").text.index("Test house")


@pytest.mark.parametrize("hostile", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\nevil"])
def test_next_never_leads_away(both, network, tenant, hostile):
    browser, _ = signed_in(network, both)

    assert browser.post("/tenant", data={"tenant": str(tenant.id), "next": hostile}).headers["Location"] == "/"
    assert '<input type="hidden" name="next" value="/">' in browser.get("/organisations", query_string={"next": hostile}).text


def test_a_suspended_organisation_says_why_and_whom_to_ask(tenant, as_role):
    browser = as_role("member")
    suspend(tenant)

    answer = browser.get("/workflows")
    page = browser.get("/organisations")

    assert answer.status_code == 303 and answer.headers["Location"].startswith("/organisations?next=")
    assert "The bill is open." in page.text and tenant.email("owner") in page.text
    assert browser.get("/workflows", fragment=True).status_code == 204
    assert browser.post("/notifications/read-all", headers={"Accept": "application/json"}).status_code == 403
    assert "organisation_suspended" in {each["message"] for each in letters_to(tenant.email("owner"))}
    with db.unit_of_work(tenant.id):
        tenants.resume(tenant.id, by=SYSTEM)
    assert browser.get("/workflows").status_code == 200
    assert book(tenant.id, "organisation.%") == ["organisation.suspended", "organisation.resumed"]


def test_other_organisations_stay_reachable(both, network, tenant, other_tenant):
    browser, _ = signed_in(network, both)
    browser.post("/tenant", data={"tenant": str(tenant.id)})
    suspend(tenant)

    assert browser.post("/tenant", data={"tenant": str(tenant.id)}).status_code == 404
    assert browser.post("/tenant", data={"tenant": str(other_tenant.id)}).status_code == 303
    assert "Other house" in browser.get("/workflows").text


def test_who_has_only_a_suspended_one_signs_in_to_read_why(tenant, network):
    suspend(tenant)

    browser, goes_to = signed_in(network, tenant.email("member"))

    assert goes_to == "/organisations" and "The bill is open." in browser.get("/organisations").text
    assert browser.get("/workflows").status_code == 303
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/organisations").headers["Location"].startswith("/sign-in")


def test_a_stranger_reads_nothing_of_a_suspended_organisation(tenant, stranger):
    suspend(tenant)

    assert "The bill is open." not in stranger.get("/organisations").text


def test_leaving_ends_the_sessions_there_and_keeps_the_person_signed_in(both, network, tenant, other_tenant):
    inside, _ = signed_in(network, both)
    inside.post("/tenant", data={"tenant": str(other_tenant.id)})
    elsewhere, _ = signed_in(network, both)
    elsewhere.post("/tenant", data={"tenant": str(tenant.id)})

    assert inside.post("/organisations/leave", data={"tenant": str(other_tenant.id)}).headers["Location"] == "/organisations"

    assert role_of(other_tenant.id, tenant.people["builder"]) is None
    assert "Other house" not in inside.get("/organisations").text
    assert inside.post("/tenant", data={"tenant": str(tenant.id)}).status_code == 303
    assert elsewhere.get("/workflows").status_code == 200


def test_who_left_the_only_one_is_told_what_to_do(tenant, enter):
    browser = enter(tenant.email("member"))
    browser.post("/organisations/leave", data={"tenant": str(tenant.id)})

    assert "You belong to no organisation" in browser.get("/organisations").text
    assert browser.get("/organisations/new").status_code == 200


def test_the_only_owner_does_not_leave(tenant, as_role):
    browser = as_role("owner")

    browser.post("/organisations/leave", data={"tenant": str(tenant.id)})

    assert role_of(tenant.id, tenant.people["owner"]) == "owner"
    assert "only owner" in browser.get("/settings/organisations").text


@pytest.mark.parametrize("wanted", ["", "x", "00000000-0000-7000-8000-000000000000"])
def test_leaving_what_is_not_ones_own_is_nothing(tenant, other_tenant, as_role, wanted):
    browser = as_role("member")

    assert browser.post("/organisations/leave", data={"tenant": wanted}).status_code == 404
    assert browser.post("/organisations/leave", data={"tenant": str(other_tenant.id)}).status_code == 404


def test_names_and_zone_are_changed(tenant, as_role):
    browser = as_role("admin")

    answer = browser.post("/settings/organisation", data={"name": "New name", "name_ar": "", "timezone": "Cairo"})

    assert answer.status_code == 303 and "New name" in browser.get("/workflows").text
    with db.transaction() as session:
        assert session.execute(text("select name, name_ar, timezone from tenants where id = :id"), {"id": tenant.id}).one() == (
            "New name",
            None,
            "Africa/Cairo",
        )
    assert "organisation.changed" in book(tenant.id)


@pytest.mark.parametrize(
    "data",
    [
        {"name": "", "name_ar": ""}, {"name": "x" * 81}, {"name": "A\u202eB"}, {"name": "\x00\x07"}, {"timezone": "Atlantis"}, {"timezone": ""},
        {"timezone": "x" * 9000},
    ],
)  # fmt: skip
def test_bad_names_and_zones_are_refused(tenant, as_role, data):
    page = as_role("owner").post("/settings/organisation", data={"name": "Fine", "name_ar": "", "timezone": "Riyadh", **data})

    assert page.status_code == 422 and "error-summary" in page.text
    with db.transaction() as session:
        assert session.scalar(text("select name from tenants where id = :id"), {"id": tenant.id}) == "Test house"


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_who_may_not_change_the_organisation_is_told_so(as_role, role):
    assert as_role(role).get("/settings/organisation").status_code == 403
    assert as_role(role).post("/settings/organisation", data={"name": "Mine", "timezone": "Riyadh"}).status_code == 403


def test_closing_asks_for_the_name_and_ends_every_session(tenant, as_role, network):
    owner, member = as_role("owner"), as_role("member")
    assert owner.post("/settings/organisation/close", data={"typed": "test"}).status_code == 422
    assert member.get("/workflows").status_code == 200

    page = owner.post("/settings/organisation/close", data={"typed": " TEST  house "})

    assert page.status_code == 200 and "is closed" in page.text
    assert member.get("/workflows").headers["Location"].startswith("/sign-in")
    assert owner.get("/workflows").headers["Location"].startswith("/organisations")
    assert signed_in(network, tenant.email("member"))[1] == "/organisations"
    assert "organisation_closed" in {each["message"] for each in letters_to(tenant.email("owner"))}
    assert book(tenant.id, "organisation.closed") == ["organisation.closed"]
    with pytest.raises(Conflict), db.unit_of_work(tenant.id):
        tenants.resume(tenant.id, by=SYSTEM)


def test_only_owners_close(tenant, as_role):
    assert as_role("admin").post("/settings/organisation/close", data={"typed": "Test house"}).status_code == 403
    with db.transaction() as session:
        assert session.scalar(text("select status from tenants where id = :id"), {"id": tenant.id}) == "active"


def test_groups_are_named_sets_of_members(app, tenant, as_role, here):
    browser = as_role("admin")
    made = browser.post("/settings/groups", data={"name": "Approvers", "name_ar": "المعتمدون"})
    group_id = made.headers["Location"].rsplit("/", 1)[1]
    for role in ("member", "builder", "member"):
        assert browser.post(f"/settings/groups/{group_id}/add", data={"person": str(tenant.people[role])}).status_code == 303

    assert set(groups.members_of(tenant.id, group_id)) == {tenant.people["member"], tenant.people["builder"]}
    assert [str(each) for each in groups.groups_of(tenant.id, tenant.people["member"])] == [group_id]
    browser.post(f"/settings/groups/{group_id}/take", data={"person": str(tenant.people["member"])})
    members.remove(here(tenant, "owner"), tenant.people["builder"])
    assert groups.members_of(tenant.id, group_id) == []
    assert book(tenant.id, "group.%") == ["group.added", "group.member_added", "group.member_added", "group.member_taken"]
    assert browser.post(f"/settings/groups/{group_id}", data={"name": "Deciders"}).status_code == 303
    assert browser.post(f"/settings/groups/{group_id}/delete").status_code == 303
    assert browser.get(f"/settings/groups/{group_id}").status_code == 404


def test_nobody_of_another_organisation_comes_into_a_group(app, tenant, other_tenant, as_role):
    by = Actor("person", tenant.people["owner"])
    group_id = groups.add_group(tenant.id, name="Ours", name_ar=None, by=by)

    assert as_role("owner").post(f"/settings/groups/{group_id}/add", data={"person": str(other_tenant.people["member"])}).status_code == 404
    assert as_role("owner").post(f"/settings/groups/{group_id}/add", data={"person": "x"}).status_code == 422
    with pytest.raises(NotFound):
        groups.members_of(other_tenant.id, group_id)


@pytest.mark.parametrize(
    ("name", "said"), [("", "one of the two languages"), ("x" * 81, "at most 80"), ("A\u2066\u202eB", "invisible"), ("OURS ", "already")]
)
def test_a_bad_name_of_a_group_is_refused(app, tenant, as_role, name, said):
    groups.add_group(tenant.id, name="Ours", name_ar=None, by=SYSTEM)

    page = as_role("owner").post("/settings/groups", data={"name": name})

    assert page.status_code == 422 and said in page.text
    assert as_role("builder").post("/settings/groups", data={"name": "Fine"}).status_code == 403

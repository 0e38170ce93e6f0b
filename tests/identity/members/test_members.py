"""Members: the list, roles, removal, ownership, and the race for the last owner."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import SYSTEM
from portal.core.errors import Forbidden, Invalid
from portal.identity import queries
from portal.identity import service as identity
from portal.identity.members import service
from portal.identity.members.errors import AboveOwn, LastOwner
from portal.lists import service as lists
from tests.identity.members.conftest import book, role_of


def page_of(house, role):
    return f"/settings/members/{house.people[role]}"


def test_the_list_shows_who_is_there_and_finds_them(tenant, as_role):
    browser = as_role("auditor")

    page = browser.get("/settings/members")
    found = browser.get("/settings/members?q=buil")
    by_address = browser.get(f"/settings/members?q={tenant.email('member')}")
    by_role = browser.get("/settings/members?role=owner")

    assert all(tenant.email(role) in page.text for role in tenant.people)
    assert tenant.email("builder") in found.text and tenant.email("owner") not in found.text
    assert tenant.email("member") in by_address.text and tenant.email("owner") not in by_address.text
    assert tenant.email("owner") in by_role.text and tenant.email("admin") not in by_role.text
    assert "Invite people" not in page.text.split("<main")[1], "an auditor reads"


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 5000, "role='; drop table people", "role=" + "0" * 36, "after=broken", "q=%25"])
def test_a_strange_address_of_the_list_breaks_nothing(as_role, query):
    assert as_role("owner").get(f"/settings/members?{query}").status_code == 200


def test_a_long_list_has_pages(app, tenant, as_role):
    with app.app_context():
        for number in range(55):
            person = identity.add_person(f"p{number}-{tenant.id.hex}@example.com", name=f"Person {number:03}", name_ar=None, password="x")
            identity.add_member(tenant.id, person, "member", by=SYSTEM)
    browser = as_role("owner")

    first = browser.get("/settings/members")
    following = next(each.get("href") for each in first.tree().iter("a") if each.get("rel") == "next")
    second = browser.get(following)

    assert "60 in total" in first.text and "60 in total" in second.text
    assert len(second.tree().findall(".//tbody/tr")) == 10


def test_a_role_is_changed_and_holds_at_the_next_click(tenant, as_role):
    owner, member = as_role("owner"), as_role("member")
    assert member.get("/workflows/new").status_code == 403

    assert owner.post(f"{page_of(tenant, 'member')}/role", data={"role": "builder"}).status_code == 303

    assert member.get("/workflows/new").status_code == 200
    assert book(tenant.id, "member.role%") == ["member.role_changed"]
    assert "another role" in member.get("/notifications").text


@pytest.mark.parametrize("role", ["owner", "", "root", "custom", "None"])
def test_an_admin_gives_no_role_above_their_own(tenant, as_role, role):
    page = as_role("admin").post(f"{page_of(tenant, 'member')}/role", data={"role": role})

    assert page.status_code == 422
    assert role_of(tenant.id, tenant.people["member"]) == "member"


def test_an_admin_touches_no_owner(tenant, as_role):
    browser = as_role("admin")

    assert browser.post(f"{page_of(tenant, 'owner')}/role", data={"role": "auditor"}).status_code == 403
    assert browser.post(f"{page_of(tenant, 'owner')}/remove").status_code == 403
    assert browser.post(f"{page_of(tenant, 'admin')}/role", data={"role": "owner"}).status_code == 422, "nor makes themselves one"
    assert browser.post(f"{page_of(tenant, 'member')}/transfer").status_code == 403
    assert role_of(tenant.id, tenant.people["owner"]) == "owner"


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_who_may_not_manage_members_is_told_so(tenant, as_role, role):
    browser = as_role(role)

    assert browser.post(f"{page_of(tenant, 'auditor')}/role", data={"role": "member"}).status_code == 403
    assert browser.post(f"{page_of(tenant, 'auditor')}/remove").status_code == 403


def test_sensitive_acts_ask_who_one_is(tenant, as_role):
    browser = as_role("owner")
    with db.transaction() as session:
        session.execute(
            text("update sessions set confirmed_at = confirmed_at - interval '16 minutes' where person_id = :id"),
            {"id": tenant.people["owner"]},
        )

    for verb in ("role", "transfer", "remove"):
        answer = browser.post(f"{page_of(tenant, 'member')}/{verb}", data={"role": "builder"})
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/confirm")
    assert role_of(tenant.id, tenant.people["member"]) == "member"


def test_a_removed_member_is_out_at_once_here_and_stays_elsewhere(app, tenant, other_tenant, as_role, enter):
    with app.app_context():
        identity.add_member(other_tenant.id, tenant.people["member"], "member", by=SYSTEM)
    email = tenant.email("member")
    inside, elsewhere = enter(email), enter(email)
    inside.post("/tenant", data={"tenant": str(tenant.id)})
    elsewhere.post("/tenant", data={"tenant": str(other_tenant.id)})

    assert as_role("owner").post(f"{page_of(tenant, 'member')}/remove").status_code == 303

    assert inside.get("/workflows").status_code == 303
    assert elsewhere.get("/workflows").status_code == 200
    assert elsewhere.post("/tenant", data={"tenant": str(tenant.id)}).status_code == 404
    assert book(tenant.id, "member.removed") == ["member.removed"]
    assert as_role("owner").get(page_of(tenant, "member")).status_code == 404


def test_what_a_removed_member_did_keeps_their_name(app, tenant, here):
    service.remove(here(tenant, "owner"), tenant.people["builder"])

    with app.test_request_context(), db.transaction(tenant.id):
        assert queries.names_of([tenant.people["builder"]]) == {tenant.people["builder"]: "Builder"}
        assert tenant.people["builder"] not in (queries.names_of_members(tenant.id) or {})
        assert identity.permissions_of(tenant.id, tenant.people["builder"]) == frozenset()


def test_a_stranger_learns_no_name_of_who_left(app, tenant, other_tenant, here):
    service.remove(here(tenant, "owner"), tenant.people["builder"])

    with app.test_request_context(), db.transaction(other_tenant.id):
        assert queries.names_of([tenant.people["builder"]]) == {}


def test_shared_views_of_who_left_stay(app, tenant, here):
    builder = here(tenant, "builder")
    with db.transaction(tenant.id):
        runs = lists.get("runs")
        shared = lists.save_view(builder, runs, name="Ours", state=lists.read(runs, {}), is_shared=True)
        own = lists.save_view(builder, runs, name="Mine", state=lists.read(runs, {}), is_shared=False)

    service.remove(here(tenant, "admin"), tenant.people["builder"])

    with db.transaction(tenant.id) as session:
        kept = {row.id: row.person_id for row in session.execute(text("select id, person_id from saved_views"))}
    assert kept == {shared: tenant.people["admin"]} and own not in kept


def test_somebody_who_left_may_come_back(app, tenant, here):
    service.remove(here(tenant, "owner"), tenant.people["builder"])
    with db.unit_of_work(tenant.id), db.transaction():
        service.enrol(tenant.id, tenant.people["builder"], "auditor", None, by=SYSTEM, invited_by=None)

    assert role_of(tenant.id, tenant.people["builder"]) == "auditor"
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from former_members")) == 0


def test_nobody_removes_themselves(tenant, as_role, here):
    page = as_role("owner").post(f"{page_of(tenant, 'owner')}/remove")

    assert page.status_code == 422 and "cannot remove yourself" in page.text
    with pytest.raises(Invalid):
        service.remove(here(tenant, "admin"), tenant.people["admin"])


def test_the_ownership_is_handed_over(tenant, as_role):
    browser = as_role("owner")

    assert browser.post(f"{page_of(tenant, 'builder')}/transfer").status_code == 303

    assert role_of(tenant.id, tenant.people["builder"]) == "owner"
    assert role_of(tenant.id, tenant.people["owner"]) == "admin"
    assert browser.post(f"{page_of(tenant, 'member')}/transfer").status_code == 403, "only an owner may"
    assert "organisation.ownership_given" in book(tenant.id)


def test_several_owners_are_allowed_and_the_last_one_stays(tenant, as_role):
    browser = as_role("owner")
    assert browser.post(f"{page_of(tenant, 'admin')}/role", data={"role": "owner"}).status_code == 303
    assert browser.post(f"{page_of(tenant, 'admin')}/role", data={"role": "admin"}).status_code == 303

    page = browser.post(f"{page_of(tenant, 'owner')}/role", data={"role": "admin"})

    assert page.status_code == 409 and "needs an owner" in page.text
    assert role_of(tenant.id, tenant.people["owner"]) == "owner"


def at_once(app, *calls):
    """Call all of them at the same moment, each with a connection of its own; what each one raised, or None."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place, call):
        with app.app_context():
            gate.wait()
            try:
                call()
            except Exception as raised:
                results[place] = type(raised)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("attempt", range(3))
def test_two_owners_who_go_at_once_leave_one(app, tenant, here, attempt):
    service.change_role(here(tenant, "owner"), tenant.people["admin"], "owner")
    first, second = tenant.people["owner"], tenant.people["admin"]

    results = at_once(app, lambda: service.leave(tenant.id, first), lambda: service.leave(tenant.id, second))

    assert sorted(map(str, results)) == sorted(map(str, [None, LastOwner]))
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from memberships where role = 'owner'")) == 1


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_owners_who_take_each_other_down_the_second_is_refused(app, tenant, here, attempt):
    service.change_role(here(tenant, "owner"), tenant.people["admin"], "owner")
    one, two = here(tenant, "owner"), here(tenant, "admin")

    results = at_once(
        app, lambda: service.change_role(one, two.person_id, "member"), lambda: service.change_role(two, one.person_id, "member")
    )

    assert sorted(map(str, results)) == sorted(map(str, [None, Forbidden]))
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from memberships where role = 'owner'")) == 1


def test_a_right_that_was_taken_meanwhile_does_not_count(tenant, here):
    """The page was opened as an admin; the press came after."""
    admin = here(tenant, "admin")
    service.change_role(here(tenant, "owner"), tenant.people["admin"], "builder")

    with pytest.raises(Forbidden):
        service.change_role(admin, tenant.people["member"], "builder")
    with pytest.raises(Forbidden):
        service.remove(admin, tenant.people["member"])


def test_who_was_removed_removes_nobody(tenant, here):
    admin = here(tenant, "admin")
    service.remove(here(tenant, "owner"), tenant.people["admin"])

    with pytest.raises(Forbidden):
        service.remove(admin, tenant.people["member"])


def test_a_member_with_a_role_above_is_out_of_reach(tenant, here):
    with pytest.raises(AboveOwn):
        service.remove(here(tenant, "admin"), tenant.people["owner"])


def test_an_admin_signs_a_member_out_here_and_nowhere_else(app, tenant, other_tenant, as_role, sign_in, stranger):
    admin, member, owner = as_role("admin"), as_role("member"), as_role("owner")
    with app.app_context():
        identity.add_member(other_tenant.id, tenant.people["member"], "member", by=SYSTEM)
    elsewhere = as_role("member")
    elsewhere.post("/tenant", data={"tenant": str(other_tenant.id)})

    assert as_role("builder").post(f"{page_of(tenant, 'member')}/sign-out").status_code == 403
    assert stranger.post(f"{page_of(tenant, 'admin')}/sign-out").status_code == 404
    assert admin.post(f"{page_of(tenant, 'owner')}/sign-out").status_code == 403
    assert (member.get("/home").status_code, owner.get("/home").status_code) == (200, 200)

    assert admin.post(f"{page_of(tenant, 'member')}/sign-out").status_code == 303

    assert member.get("/home").status_code == 303
    assert elsewhere.get("/home").status_code == 200 and owner.get("/home").status_code == 200
    assert book(tenant.id, "member.signed%") == ["member.signed_out"]

"""An organisation's own roles: what they may do, who may give them, and the matrix."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Permission
from portal.core.errors import Invalid
from portal.identity import roles
from portal.identity import service as identity
from portal.identity.custom_roles import matrix, service
from portal.identity.custom_roles.service import Draft
from portal.identity.members import service as members
from portal.identity.members.errors import AboveOwn
from tests.identity.members.conftest import book, role_of

HR = ["member:read", "member:edit", "role:edit", "workflow:read"]


def add(here, permissions=HR, name="People team"):
    return service.add_role(here, Draft(name, f"{name} بالعربية", None, permissions))


@pytest.fixture
def clerk(tenant, here, as_role):
    """The member, who has a role of the organisation's own; and its id."""
    role_id = add(here(tenant, "owner"))
    members.change_role(here(tenant, "owner"), tenant.people["member"], str(role_id))
    return as_role("member"), role_id


def test_a_role_is_made_and_given_and_opens_what_it_names(tenant, clerk):
    browser, _role_id = clerk

    assert browser.get("/settings/members").status_code == 200
    assert browser.get("/settings/members/invite").status_code == 200
    assert browser.get("/workflows").status_code == 200
    assert browser.get("/runs").status_code == 403
    assert browser.get("/workflows/new").status_code == 403
    assert "People team" in browser.get("/settings/members").text
    assert "role.added" in book(tenant.id)


def test_jobs_know_the_role_too(app, tenant, clerk):
    with db.transaction(tenant.id):
        assert identity.permissions_of(tenant.id, tenant.people["member"]) == frozenset(HR)


def test_a_change_of_the_role_holds_at_the_next_click(tenant, clerk, here):
    browser, role_id = clerk

    service.change_role(here(tenant, "owner"), role_id, Draft("People team", None, None, ["member:read", "run:read"]))

    assert browser.get("/runs").status_code == 200
    assert browser.get("/settings/members/invite").status_code == 403


def test_the_pages_make_change_and_delete_a_role(tenant, as_role):
    browser = as_role("admin")
    made = browser.post("/settings/roles/new", data={"name": "Watchers", "name_ar": "مراقبون", "permission": ["run:read", "workflow:read"]})
    assert made.status_code == 303 and "Watchers" in browser.get("/settings/roles").text
    with db.transaction(tenant.id) as session:
        role_id = session.scalar(text("select id from roles"))

    assert 'value="run:read" checked' in browser.get(f"/settings/roles/{role_id}").text
    assert browser.post(f"/settings/roles/{role_id}", data={"name": "Seers", "permission": ["run:read"]}).status_code == 303
    assert browser.post(f"/settings/roles/{role_id}/delete").status_code == 303
    assert "Seers" not in browser.get("/settings/roles").text


def test_nobody_gives_a_permission_above_their_own(tenant, clerk, here):
    browser, role_id = clerk

    escalated = browser.post("/settings/roles/new", data={"name": "More", "permission": ["run:operate", "member:read"]})
    own = browser.post(f"/settings/roles/{role_id}", data={"name": "People team", "permission": [*HR, "tenant:edit"]})
    to_self = browser.post(f"/settings/members/{tenant.people['member']}/role", data={"role": "admin"})
    asked = browser.post("/settings/members/invite", data={"addresses": "x@example.com", "role": "builder", "language": "en"})

    assert {page.status_code for page in (escalated, own, to_self, asked)} == {422}
    assert role_of(tenant.id, tenant.people["member"]) == "custom"


def test_a_role_above_ones_own_is_not_touched(tenant, clerk, here):
    browser, _role_id = clerk
    higher = add(here(tenant, "owner"), ["tenant:edit", "member:read"], "Office")

    assert browser.post(f"/settings/roles/{higher}", data={"name": "Mine", "permission": ["member:read"]}).status_code == 403
    assert browser.post(f"/settings/roles/{higher}/delete").status_code == 403
    assert browser.post(f"/settings/members/{tenant.people['admin']}/remove").status_code == 403
    with pytest.raises(AboveOwn):
        service.delete_role(here(tenant, "member"), higher, move_to=None)


@pytest.mark.parametrize("permission", ["root:all", "", "workflow:*", "MEMBER_READ", "member:read' or true"])
def test_an_unknown_permission_is_refused(tenant, here, permission):
    with pytest.raises(Invalid):
        add(here(tenant, "owner"), ["member:read", permission])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": "", "permission": "run:read"}, "one of the two languages"), ({"name": "x" * 81, "permission": "run:read"}, "at most 80"),
        ({"name": "A\u202eB", "permission": "run:read"}, "invisible sign"), ({"name": "Empty"}, "one permission at least"),
        ({"name": "people  TEAM", "permission": "run:read"}, "of this name already"),
        ({"name": "Long", "permission": "run:read", "description": "x" * 301}, "300"),
    ],
)  # fmt: skip
def test_bad_input_keeps_the_form(tenant, here, as_role, data, said):
    add(here(tenant, "owner"))

    page = as_role("owner").post("/settings/roles/new", data=data)

    assert page.status_code == 422 and said in page.text


def test_deleting_a_role_in_use_asks_where_its_members_go(tenant, clerk, as_role, address):
    _browser, role_id = clerk
    owner = as_role("owner")
    owner.post("/settings/members/invite", data={"addresses": address, "role": str(role_id), "language": "en"})

    assert owner.post(f"/settings/roles/{role_id}/delete").status_code == 422
    assert owner.post(f"/settings/roles/{role_id}/delete", data={"role": str(role_id)}).status_code == 422
    assert owner.post(f"/settings/roles/{role_id}/delete", data={"role": "auditor"}).status_code == 303

    assert role_of(tenant.id, tenant.people["member"]) == "auditor"
    with db.transaction(tenant.id) as session:
        assert session.execute(text("select role, role_id from invitations")).all() == [("auditor", None)]


def test_the_database_refuses_a_membership_that_names_no_role(tenant):
    with pytest.raises(Exception, match="own_role_is_named"), db.transaction(tenant.id) as session:
        session.execute(text("update memberships set role = 'custom' where person_id = :id"), {"id": tenant.people["member"]})


def test_a_role_of_another_organisation_cannot_be_given(tenant, other_tenant, here, as_role):
    theirs = add(here(other_tenant, "owner"))

    page = as_role("owner").post(f"/settings/members/{tenant.people['member']}/role", data={"role": str(theirs)})

    assert page.status_code == 422
    with pytest.raises(Exception, match="foreign key"), db.transaction(tenant.id) as session:
        session.execute(
            text("update memberships set role = 'custom', role_id = :role where person_id = :id"),
            {"role": theirs, "id": tenant.people["member"]},
        )


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_who_may_not_make_roles_is_told_so(as_role, role):
    browser = as_role(role)

    assert browser.get("/settings/roles/new").status_code == 403
    assert browser.post("/settings/roles/new", data={"name": "X", "permission": "run:read"}).status_code == 403
    assert browser.get("/settings/roles").status_code == 200


def test_the_matrix_shows_every_guarded_route_once(app, tenant, as_role):
    by_permission, everybody, outside = matrix.read(app)
    listed = [route for each in (*by_permission.values(), everybody) for route in each.routes]
    guarded = [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if getattr(app.view_functions[rule.endpoint], "guarded_by", "staff") != "staff"
    ]

    assert sorted((method, address) for method, address, _asks in listed) == sorted(guarded)
    assert outside > 0
    page = as_role("admin").get("/settings/roles/matrix")
    assert page.text.count("POST /settings/members/invite") == 1
    assert ("POST", "/settings/roles/new", True) in by_permission[Permission.ROLE_EDIT].routes


def test_the_weight_of_a_role_of_ones_own():
    assert roles.weight("custom", {"member:edit"}) == "admin", "whoever runs the organisation is held to an admin's rules"
    assert roles.weight("custom", {"run:read"}) == "member"
    assert roles.weight("owner", set()) == "owner"
    assert roles.permissions_of("custom", ["run:read", "gone:long-ago"]) == {"run:read"}
    assert roles.permissions_of("nobody", None) == roles.permissions_of(None, None) == frozenset()

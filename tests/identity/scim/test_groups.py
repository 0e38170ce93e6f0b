"""Groups of a directory: their members, the roles that they give and take."""

from __future__ import annotations

import pytest

from tests.identity.scim.test_users import members


@pytest.fixture
def weavers(directory):
    made = directory.call("POST", "/Groups", {"displayName": "Weavers", "externalId": "g-1", "members": []})
    assert made.status_code == 201
    return made.scim


def give(browser, group, role):
    assert browser.post(f"/settings/provisioning/groups/{group['id']}", data={"role": role}).status_code == 303


def test_a_group_gives_its_role_and_takes_it_back(directory, tenant, as_role, weavers):
    first, second = directory.add("g1"), directory.add("g2")
    owner = as_role("owner")
    give(owner, weavers, "builder")
    path = f"/Groups/{weavers['id']}"
    who = [f"g1@{directory.domain}", f"g2@{directory.domain}"]

    answer = directory.patch(path, {"op": "Add", "path": "members", "value": [{"value": first["id"]}, {"value": second["id"]}]})

    assert len(answer.scim["members"]) == 2
    assert [members(tenant)[each] for each in who] == ["builder", "builder"]
    assert [each["display"] for each in directory.call("GET", f"/Users/{first['id']}").scim["groups"]] == ["Weavers"]
    directory.patch(path, {"op": "remove", "path": f'members[value eq "{first["id"]}"]'})
    assert [members(tenant)[each] for each in who] == ["member", "builder"]
    directory.patch(path, {"op": "Remove", "path": "members", "value": [{"value": second["id"]}]})
    assert [members(tenant)[each] for each in who] == ["member", "member"]
    directory.patch(path, {"op": "replace", "path": "members", "value": [{"value": first["id"]}]})
    give(owner, weavers, "admin")
    assert members(tenant)[who[0]] == "admin"
    assert directory.call("DELETE", path).status_code == 204
    assert members(tenant)[who[0]] == "member" and directory.call("GET", path).status_code == 404


def test_the_most_powerful_group_counts_and_hand_made_roles_stay(directory, tenant, as_role, weavers):
    owner, made = as_role("owner"), directory.add("m")
    address = f"m@{directory.domain}"
    other = directory.call("POST", "/Groups", {"displayName": "Readers", "members": [{"value": made["id"]}]}).scim
    give(owner, other, "auditor")
    give(owner, weavers, "builder")
    assert members(tenant)[address] == "auditor"
    directory.patch(f"/Groups/{weavers['id']}", {"op": "add", "path": "members", "value": [{"value": made["id"]}]})
    assert members(tenant)[address] == "builder"
    # Who is in no group that gives a role keeps what people here gave.
    plain = directory.call("POST", "/Users", {"userName": tenant.email("admin")}).scim
    directory.patch(f"/Groups/{weavers['id']}", {"op": "add", "path": "members", "value": [{"value": plain["id"]}]})
    assert members(tenant)[tenant.email("admin")] == "builder"
    untouched = directory.call("POST", "/Users", {"userName": tenant.email("auditor")}).scim
    silent = directory.call("POST", "/Groups", {"displayName": "Silent", "members": [{"value": untouched["id"]}]})
    assert silent.status_code == 201 and members(tenant)[tenant.email("auditor")] == "auditor"


def test_nobody_becomes_owner_and_owners_stay(directory, tenant, as_role, weavers):
    owner = as_role("owner")
    assert owner.post(f"/settings/provisioning/groups/{weavers['id']}", data={"role": "owner"}).status_code == 404
    made = directory.call("POST", "/Users", {"userName": tenant.email("owner")}).scim
    give(owner, weavers, "auditor")
    directory.patch(f"/Groups/{weavers['id']}", {"op": "add", "path": "members", "value": [{"value": made["id"]}]})
    assert members(tenant)[tenant.email("owner")] == "owner"
    # A directory that says `roles` says nothing.
    directory.patch(f"/Users/{made['id']}", {"op": "add", "path": "roles", "value": [{"value": "owner"}]})
    sneaky = directory.add("sneaky", roles=[{"value": "owner", "primary": True}])
    assert members(tenant)[sneaky["userName"]] == "member"


def test_groups_are_found_renamed_and_unique(directory, weavers):
    for asked in ('displayName eq "weavers"', 'externalId eq "g-1"'):
        found = directory.call("GET", f"/Groups?filter={asked}&excludedAttributes=members").scim
        assert [each["id"] for each in found["Resources"]] == [weavers["id"]] and "members" not in found["Resources"][0]
    assert directory.call("POST", "/Groups", {"displayName": "WEAVERS"}).status_code == 409
    renamed = directory.patch(f"/Groups/{weavers['id']}", {"op": "Replace", "value": {"id": weavers["id"], "displayName": "Spinners"}})
    assert renamed.status_code == 200 and renamed.scim["displayName"] == "Spinners"
    assert directory.call("PUT", f"/Groups/{weavers['id']}", {"displayName": "Dyers", "members": []}).scim["displayName"] == "Dyers"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "members", "value": [{"value": "01a20ab8-6076-7269-a759-43b5150f910d"}]}, {"op": "add", "path": "members", "value": "x"},
        {"op": "add", "path": "members", "value": [{"value": 7}]}, {"op": "add", "path": "members", "value": [None]},
        {"op": "remove", "path": 'members[display eq "x"]'}, {"op": "replace", "path": 'members[value eq "x"].value', "value": "y"},
        {"op": "remove", "path": "displayName"}, {"op": "replace", "path": "displayName", "value": ""}, {"op": "add", "path": "role", "value": "owner"},
    ],
)  # fmt: skip
def test_a_patch_that_is_not_right_changes_no_group(directory, weavers, operation):
    before = directory.call("GET", f"/Groups/{weavers['id']}").scim
    assert directory.patch(f"/Groups/{weavers['id']}", operation).status_code == 400
    assert directory.call("GET", f"/Groups/{weavers['id']}").scim == before


def test_users_and_groups_of_others_are_not_there(directory, directory_of, other_tenant, weavers, sign_in):
    theirs = directory_of(other_tenant)
    stranger = theirs.add("s")
    answer = directory.patch(f"/Groups/{weavers['id']}", {"op": "add", "path": "members", "value": [{"value": stranger["id"]}]})
    assert answer.status_code == 400
    for method, body in (
        ("GET", None),
        ("DELETE", None),
        ("PUT", {"displayName": "x"}),
        ("PATCH", {"Operations": [{"op": "remove", "path": "members"}]}),
    ):
        assert theirs.call(method, f"/Groups/{weavers['id']}", body).status_code == 404
    assert sign_in(other_tenant, "owner").post(f"/settings/provisioning/groups/{weavers['id']}", data={"role": "admin"}).status_code == 404

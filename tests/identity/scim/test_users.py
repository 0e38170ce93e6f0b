"""Users as Entra ID and Okta send them: made, found, changed, switched off."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from portal.core import db
from portal.core.access import SYSTEM
from portal.core.ids import new_id
from portal.identity import service as identity
from portal.identity.sso import arriving
from portal.identity.sso import service as sso
from portal.identity.sso.errors import SsoRefused
from portal.identity.sso.oidc import Claims
from tests.conftest import PASSWORD, Browser, _person
from tests.identity.scim.conftest import user
from tests.identity.sso.conftest import rows
from tests.identity.sso.test_logout import GIVEN
from tests.identity.sso.test_tokens import DISCOVERY


def members(house):
    found = rows(
        house.id, "select p.email, m.role from people p join memberships m on m.person_id = p.id where m.tenant_id = :t", t=house.id
    )
    return {row.email: row.role for row in found}


def test_a_user_becomes_a_member_and_is_found(directory, tenant):
    made = directory.add("Amal", externalId="ext-1", name={"givenName": "Amal", "familyName": "Q"}, unknown={"a": 1})
    address = f"Amal@{directory.domain}"

    assert members(tenant)[address] == "member"
    for asked in (f'userName eq "{address.lower()}"', f'USERNAME EQ "{address}"', 'externalId eq "ext-1"'):
        found = directory.call("GET", f"/Users?filter={asked}").scim
        assert [each["id"] for each in found["Resources"]] == [made["id"]] and found["totalResults"] == 1
    one = directory.call("GET", f"/Users/{made['id']}").scim
    assert one["userName"] == address and one["active"] is True and "unknown" not in one
    assert one["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    assert directory.call("GET", '/Users?filter=userName eq "nobody@x.example"').scim["Resources"] == []
    again = directory.call("POST", "/Users", user(address.upper()))
    assert again.status_code == 409 and again.scim["scimType"] == "uniqueness"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Replace", "path": "active", "value": "False"}, {"op": "replace", "value": {"active": False}},
        {"op": "replace", "path": "active", "value": False}, {"Op": "Add", "Path": "active", "Value": "false"},
        {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": False},
    ],
)  # fmt: skip
def test_switched_off_is_out_at_once_and_comes_back_with_the_role(directory, tenant, as_role, operation):
    rows(tenant.id, "update people set email = :it, email_key = :it where id = :id returning id",
         it=f"b@{directory.domain}", id=tenant.people["builder"])  # fmt: skip
    made = directory.add("b")
    browser = Browser(directory.client.application.test_client())
    browser.post("/sign-in", data={"email": f"b@{directory.domain}", "password": PASSWORD})
    assert browser.get("/runs").status_code == 200

    answer = directory.patch(f"/Users/{made['id']}", operation)

    assert answer.status_code == 200 and answer.scim["active"] is False
    assert browser.get("/runs").status_code == 303
    assert rows(None, "select 1 from sessions where person_id = :id", id=tenant.people["builder"]) == []
    assert f"b@{directory.domain}" not in members(tenant)
    assert directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": True}).scim["active"] is True
    assert members(tenant)[f"b@{directory.domain}"] == "builder"


def test_who_belongs_to_several_organisations_loses_only_this_one(app, directory, tenant, other_tenant):
    person_id = tenant.people["member"]
    rows(
        tenant.id, "update people set email = :it, email_key = :it where id = :id returning id", it=f"two@{directory.domain}", id=person_id
    )
    with app.app_context(), db.transaction(other_tenant.id):
        identity.add_member(other_tenant.id, person_id, "admin", by=SYSTEM)
    for house in (tenant, other_tenant):
        rows(
            None,
            "insert into sessions (id, person_id, tenant_id) values (:s, :p, :t) returning 1",
            s=house.id.bytes * 2,
            p=person_id,
            t=house.id,
        )
    made = directory.add("two")

    assert directory.call("DELETE", f"/Users/{made['id']}").status_code == 204

    left = rows(None, "select tenant_id from sessions where person_id = :p", p=person_id)
    assert [row.tenant_id for row in left] == [other_tenant.id]
    assert f"two@{directory.domain}" not in members(tenant) and members(other_tenant)[f"two@{directory.domain}"] == "admin"
    assert rows(None, "select is_active from people where id = :p", p=person_id)[0].is_active
    assert directory.call("GET", f"/Users/{made['id']}").status_code == 404
    assert directory.add("two")["id"] == made["id"]
    assert members(tenant)[f"two@{directory.domain}"] == "member"


def test_owners_are_never_touched(directory, tenant):
    rows(tenant.id, "update people set email = :it, email_key = :it where id = :id returning id",
         it=f"o@{directory.domain}", id=tenant.people["owner"])  # fmt: skip
    made = directory.add("o")
    assert directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False}).status_code == 403
    assert directory.call("DELETE", f"/Users/{made['id']}").status_code == 403
    assert directory.call("PUT", f"/Users/{made['id']}", user(f"o@{directory.domain}", active=False)).status_code == 403
    assert members(tenant)[f"o@{directory.domain}"] == "owner"
    assert directory.call("GET", f"/Users/{made['id']}").scim["active"] is True


def test_a_directory_makes_nobody_of_a_domain_that_is_not_its_own(app, directory, other_tenant, tenant):
    for address in ("x@gmail.example", other_tenant.email("owner"), f"x@sub.{directory.domain}", "x@", "nobody", "a@b@c"):
        answer = directory.call("POST", "/Users", user(address))
        assert answer.status_code == 400 and answer.scim["scimType"] == "invalidValue", address
    assert set(members(tenant)) == {tenant.email(role) for role in tenant.people}
    # Who is a member already is managed, whatever the address.
    assert directory.call("POST", "/Users", user(tenant.email("member"))).status_code == 201


def test_somebody_elsewhere_with_a_proven_address_joins_and_stays_who_they_are(app, directory, tenant):
    with app.app_context():
        person_id = _person(f"else@{directory.domain}", "known elsewhere")
    directory.add("else", displayName="Other Name")
    row = rows(None, "select name, email from people where id = :id", id=person_id)[0]
    assert (row.name, row.email) == ("Known Elsewhere", f"else@{directory.domain}")
    assert members(tenant)[f"else@{directory.domain}"] == "member"


def test_changes_of_entra_and_okta(directory):
    made = directory.add("c")
    path = f"/Users/{made['id']}"
    changed = directory.patch(
        path,
        {"op": "Replace", "path": "displayName", "value": "C. Changed"},
        {"op": "Add", "path": "name.givenName", "value": "Cee"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": f"c2@{directory.domain}"},
        {"op": "add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+966500000000"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Weaving"},
        {"op": "add", "value": {"title": "Weaver", "name.familyName": "Changed", "somethingNew": "x"}},
        {"op": "remove", "path": "nickName"},
        {"op": "replace", "path": "userName", "value": f"c2@{directory.domain}"},
    ).scim
    assert changed["displayName"] == "C. Changed" and changed["name"] == {"givenName": "Cee", "familyName": "Changed"}
    assert changed["emails"][0]["value"] == f"c2@{directory.domain}" and changed["phoneNumbers"][0]["type"] == "mobile"
    assert changed["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] == {"department": "Weaving"}
    assert changed["title"] == "Weaver" and changed["userName"] == f"c2@{directory.domain}"
    whole = directory.call("PUT", path, user(f"c2@{directory.domain}", displayName="Whole")).scim
    assert whole["displayName"] == "Whole" and "title" not in whole
    assert [each["id"] for each in directory.call("GET", f'/Users?filter=userName eq "c2@{directory.domain}"').scim["Resources"]] == [
        made["id"]
    ]


def test_pages(directory):
    for number in range(5):
        directory.add(f"p{number}")
    everybody = directory.call("GET", "/Users").scim
    assert everybody["totalResults"] == 5 and everybody["startIndex"] == 1
    seen = []
    for start in (1, 3, 5, 7):
        page = directory.call("GET", f"/Users?startIndex={start}&count=2").scim
        assert page["totalResults"] == 5 and page["itemsPerPage"] == len(page["Resources"]) <= 2
        seen += [each["id"] for each in page["Resources"]]
    assert seen == [each["id"] for each in everybody["Resources"]]
    assert directory.call("GET", "/Users?count=0").scim["Resources"] == []
    assert directory.call("GET", "/Users?startIndex=-5&count=-1").status_code == 200
    assert directory.call("GET", "/Users?count=many").status_code == 400


def test_who_the_directory_switched_off_does_not_come_back_by_single_sign_on(app, directory, tenant):
    made = directory.add("gone")
    directory.call("DELETE", f"/Users/{made['id']}")
    with app.test_request_context():
        provider_id = sso.add_provider(tenant.id, GIVEN, DISCOVERY.as_json(), kind="oidc", secret="", by=SYSTEM)
        rows(
            tenant.id,
            "update identity_providers set tested_at = clock_timestamp(), is_enabled = true where id = :id returning 1",
            id=provider_id,
        )
        with db.unit_of_work(), pytest.raises(SsoRefused) as refused:
            arriving.arrive(sso.find_provider(provider_id), Claims("s", f"gone@{directory.domain}", True), locale="en")
    assert refused.value.reason == "inactive"


BAD = [
    b"", b"{", b"[]", b"7", b"null", b"\xff\xfe", b"[" * 9000, b'{"userName": 7, "emails": 7}', b'{"userName": ["a"]}', b'{"userName": "a\\u0000b"}',
    b'{"userName": "\\ud800"}', b'{"userName": "x", "active": "maybe"}', b'{"userName": "x", "emails": ["a"]}', b'{"userName": "x", "name": []}',
    b'{"userName": ""}', b"{}", b'{"userName": "' + b"x" * 2000 + b'"}', b'{"userName":"a@b.c","emails":[{"value":{"value":{}}}]}',
]  # fmt: skip


@pytest.mark.parametrize("body", BAD)
def test_a_body_that_is_not_right_is_refused(directory, body):
    made = directory.add("x")
    for method, path in (("POST", "/Users"), ("PUT", f"/Users/{made['id']}"), ("PATCH", f"/Users/{made['id']}"), ("POST", "/Groups")):
        if not body and method == "PATCH":
            continue
        assert directory.call(method, path, body).status_code in (400, 415), (method, path)


OPERATIONS = [
    None, 7, [], {}, [7], [None], [{"op": "replace"}], [{"op": "move", "path": "active", "value": True}], [{"op": ["replace"], "path": "x"}],
    [{"op": "replace", "path": 7, "value": 1}], [{"op": "replace", "path": "active", "value": {"a": 1}}], [{"op": "replace", "path": "active", "value": None}],
    [{"op": "replace", "path": "no.such.path", "value": "x"}], [{"op": "replace", "path": "unknown", "value": "x"}],
    [{"op": "replace", "path": "emails[", "value": "x"}], [{"op": "replace", "path": 'emails[type eq "work"', "value": "x"}],
    [{"op": "replace", "path": 'emails[type pr]', "value": "x"}], [{"op": "replace", "path": 'emails[type eq "\\u12"].value', "value": "x"}],
    [{"op": "replace", "path": 'emails[type eq "work"]', "value": "x"}], [{"op": "add", "path": "emails", "value": "x"}],
    [{"op": "remove"}], [{"op": "remove", "path": "userName"}], [{"op": "replace", "path": "userName", "value": ""}],
    [{"op": "replace", "path": "userName.a", "value": "x"}], [{"op": "replace", "value": "x"}], [{"op": "add", "path": "name", "value": "x"}],
    [{"op": "replace", "path": "displayName", "value": "x" * 5000}], [{"op": "replace", "path": "displayName", "value": "a\u0000"}],
    [{"op": "replace", "path": "active", "value": True}] * 101, [{"op": "add", "path": "emails", "value": [{"value": str(n)} for n in range(99)]}],
    [{"op": "replace", "path": "x" * 3000, "value": 1}], [{"op": "replace", "path": "displayName", "value": ["a"]}],
]  # fmt: skip


@pytest.mark.parametrize("operations", OPERATIONS)
def test_a_patch_that_is_not_right_changes_nothing(directory, operations):
    made = directory.add("y")
    before = directory.call("GET", f"/Users/{made['id']}").scim

    answer = directory.call("PATCH", f"/Users/{made['id']}", {"Operations": operations})

    assert answer.status_code == 400, answer.scim
    assert directory.call("GET", f"/Users/{made['id']}").scim == before


@pytest.mark.parametrize(
    "asked",
    [
        "userName", 'userName eq', 'userName eq "a" or active eq "true"', "userName eq 'a'", 'userName sw "a"', 'password eq "x"', 'userName eq "a\\"',
        'userName eq "a") or ("1"="1', "' or 1=1 --", 'id eq "x"', 'userName eq "\\u12"', 'userName eq "' + "x" * 3000 + '"', "(" * 900, 'userName eq 7',
        'userName eq "a\\u0000"', 'userName eq "\\ud800"',
    ],
)  # fmt: skip
def test_a_filter_that_is_not_understood_is_refused(directory, asked):
    directory.add("z")
    for kind in ("Users", "Groups"):
        answer = directory.call("GET", f"/{kind}?filter={quote(asked)}")
        assert answer.status_code == 400, answer.scim


def test_a_filter_is_a_value_and_nothing_else(directory):
    directory.add("z")
    for hostile in ("' or '1'='1", "%", "_", "*", "\\\\", "z@%"):
        found = directory.call("GET", f'/Users?filter=userName eq "{hostile.replace("%", "%25")}"')
        assert found.status_code == 200 and found.scim["Resources"] == []


def test_ids_of_others_are_not_there(directory, directory_of, other_tenant):
    theirs = directory_of(other_tenant)
    made = theirs.add("t")
    for method, body in (("GET", None), ("PUT", user("t@x.example")), ("PATCH", {"Operations": [{"op": "replace", "path": "active", "value": False}]}),
                         ("DELETE", None)):  # fmt: skip
        for target in (made["id"], str(new_id())):
            assert directory.call(method, f"/Users/{target}", body).status_code == 404
    assert theirs.call("GET", f"/Users/{made['id']}").scim["active"] is True
    assert directory.call("GET", f'/Users?filter=userName eq "t@{theirs.domain}"').scim["totalResults"] == 0


@pytest.mark.parametrize("token", ["", "x", "nasij_scim_", "nasij_scim_zz_x", "nasij_scim_" + "0" * 32 + "_abc", "é", "forged"])
def test_without_the_token_nothing_is_said(app, directory, token):
    if token == "forged":
        token = directory.token[:-2] + "xx"
    answer = app.test_client().get("/scim/v2/Users", headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")})
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert app.test_client().get("/scim/v2/Users").status_code == 401
    assert app.test_client().get("/scim/v2/ServiceProviderConfig", headers={"Authorization": "Basic eA=="}).status_code == 401


def test_the_token_is_kept_as_a_hash_and_ends_when_it_is_deleted(directory, tenant, as_role):
    kept = rows(tenant.id, "select id, t::text as written from scim_tokens t")
    assert directory.token not in kept[0].written and directory.token.rpartition("_")[2] not in kept[0].written
    owner = as_role("owner")
    assert directory.token not in owner.get("/settings/provisioning").text
    assert owner.post(f"/settings/provisioning/tokens/{kept[0].id}/delete").status_code == 303
    assert directory.call("GET", "/Users").status_code == 401


def test_a_token_of_another_organisation_opens_only_its_own(directory, directory_of, other_tenant):
    directory.add("mine")
    theirs = directory_of(other_tenant)
    assert theirs.call("GET", "/Users").scim["totalResults"] == 0
    mixed = theirs.token.replace(other_tenant.id.hex, directory.house.id.hex)
    assert directory.client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {mixed}"}).status_code == 401


def test_what_it_can_do_is_told(directory):
    told = directory.call("GET", "/ServiceProviderConfig").scim
    assert told["patch"]["supported"] and told["filter"]["maxResults"] == 200
    assert {each["id"] for each in directory.call("GET", "/ResourceTypes").scim["Resources"]} == {"User", "Group"}
    for listed in directory.call("GET", "/Schemas").scim["Resources"]:
        assert directory.call("GET", f"/Schemas/{listed['id']}").scim["attributes"]
    assert directory.call("GET", "/Schemas/nothing").status_code == 404
    assert directory.call("GET", "/ResourceTypes/User").scim["endpoint"] == "/Users"


def test_a_body_of_another_kind_is_refused(directory):
    assert directory.call("POST", "/Users", user("a@b.example"), kind="text/plain").status_code == 415

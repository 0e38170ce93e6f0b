"""API tokens: what they open, how long, from where, and how they end."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from portal.core import clock, db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.identity.tokens import service
from tests.identity.tokens.conftest import alter, bell_of, letters_of, make_token, one


def test_a_token_opens_what_its_scopes_say(tenant, program):
    made = make_token(tenant, wanted=["workflow:read"])

    me = program(made.secret).get("/api/v1/me")

    assert me.status_code == 200
    assert me.json["permissions"] == ["workflow:read"]
    assert me.json["organisation"]["id"] == str(tenant.id)
    assert program(made.secret).get("/api/v1/workflows").status_code == 200


def test_a_scope_that_is_missing_is_refused(tenant, program):
    made = make_token(tenant, wanted=["workflow:read"])

    refused = program(made.secret).get(f"/api/v1/runs/{made.id}")

    assert refused.status_code == 403
    assert refused.json["type"] == "urn:nasij:problem:forbidden"


def test_who_loses_a_permission_loses_it_in_every_token_at_once(tenant, program):
    made = make_token(tenant, "member")
    path = f"/api/v1/workflows/{made.id}/runs"
    assert program(made.secret).post(path, json={}).status_code == 404

    alter(tenant.id, "update memberships set role = 'auditor' where person_id = :id", id=tenant.people["member"])

    assert program(made.secret).post(path, json={}).status_code == 403
    assert program(made.secret).get("/api/v1/me").json["permissions"] == ["run:read", "workflow:read"]


def test_a_token_dies_with_the_membership(tenant, program):
    made = make_token(tenant, "member")
    alter(tenant.id, "delete from memberships where person_id = :id", id=tenant.people["member"])

    assert program(made.secret).get("/api/v1/me").status_code == 401
    assert one(tenant.id, "select count(*) from api_tokens").count == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update api_tokens set expires_at = clock_timestamp() - interval '1 second', created_at = clock_timestamp() - interval '1 day'",
        "update api_tokens set revoked_at = clock_timestamp(), revoked_because = 'person'",
        "update api_tokens set networks = '[\"192.0.2.0/24\"]'",
        "update people set is_active = false where id = (select person_id from api_tokens)",
        "update tenants set status = 'suspended' where id = (select tenant_id from api_tokens)",
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(tenant, program, statement):
    made = make_token(tenant)
    alter(tenant.id, statement)

    answers = [program(secret).get("/api/v1/me") for secret in (made.secret, None, "", "x", "wfp_test_" + "a" * 36, made.secret[:-1] + "é")]

    assert {answer.status_code for answer in answers} == {401}
    assert len({(answer.json["type"], answer.json["title"], answer.json["detail"]) for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in answers[0].headers


def test_a_session_opens_no_interface_and_a_token_no_page(tenant, program, as_role):
    made = make_token(tenant)

    assert as_role("owner").get("/api/v1/me").status_code == 401
    assert program(made.secret).get("/workflows").status_code == 303


@pytest.mark.parametrize(("address", "status"), [("192.0.2.9", 200), ("2001:db8::5", 200), ("198.51.100.1", 401)])
def test_a_token_is_good_from_its_networks_only(tenant, program, address, status):
    made = make_token(tenant, networks="192.0.2.0/24 2001:db8::/32")

    assert program(made.secret, REMOTE_ADDR=address).get("/api/v1/me").status_code == status


def test_wrong_networks_are_named(tenant):
    with pytest.raises(Invalid) as refused:
        make_token(tenant, networks="10.0.0.0/8 home")

    assert "home" in refused.value.problems["networks"] and "10.0.0.0/8" not in refused.value.problems["networks"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"), ({"name": "x" * 61}, "name"), ({"wanted": []}, "scopes"), ({"wanted": ["workflow:edit"]}, "scopes"),
        ({"wanted": ["token:create"]}, "scopes"), ({"wanted": ["nothing:real"]}, "scopes"), ({"days": 0}, "days"), ({"days": 366}, "days"),
    ],
)  # fmt: skip
def test_what_no_token_may_be(tenant, given, field):
    with pytest.raises(Invalid) as refused:
        make_token(tenant, "member", **given)

    assert list(refused.value.problems) == [field]


def test_the_last_use_is_written_once_a_minute(tenant, program):
    made = make_token(tenant)
    program(made.secret, REMOTE_ADDR="192.0.2.1").get("/api/v1/me")
    program(made.secret, REMOTE_ADDR="192.0.2.2").get("/api/v1/me")

    assert one(tenant.id, "select last_used_from from api_tokens").last_used_from == "192.0.2.1"

    alter(tenant.id, "update api_tokens set last_used_at = last_used_at - interval '61 seconds'")
    program(made.secret, REMOTE_ADDR="192.0.2.3").get("/api/v1/me")

    assert one(tenant.id, "select last_used_from from api_tokens").last_used_from == "192.0.2.3"


@pytest.mark.parametrize("hours", [0, 24])
def test_rotating_leaves_the_old_one_its_overlap(tenant, program, hours):
    old = make_token(tenant, networks="127.0.0.0/8")
    by = Actor("person", tenant.people["owner"])
    with db.transaction(tenant.id):
        new = service.rotate_token(tenant.id, tenant.people["owner"], old.id, overlap_h=hours, by=by)

    assert program(new.secret).get("/api/v1/me").status_code == 200
    assert program(old.secret).get("/api/v1/me").status_code == (200 if hours else 401)
    row = one(tenant.id, "select * from api_tokens where id = :id", id=old.id)
    assert row.rotated_to == new.id
    assert row.expires_at <= clock.now() + timedelta(hours=24) or hours == 0
    assert one(tenant.id, "select networks from api_tokens where id = :id", id=new.id).networks == ["127.0.0.0/8"]
    with pytest.raises(Conflict), db.transaction(tenant.id):
        service.rotate_token(tenant.id, tenant.people["owner"], old.id, overlap_h=hours, by=by)


def test_the_overlap_ends_within_a_day(tenant):
    old = make_token(tenant)
    with pytest.raises(Invalid), db.transaction(tenant.id):
        service.rotate_token(tenant.id, tenant.people["owner"], old.id, overlap_h=25, by=Actor("person", tenant.people["owner"]))


def test_only_the_owner_rotates_and_only_owner_and_admins_revoke(tenant, program, as_role):
    made = make_token(tenant, "builder")

    for role in ("member", "owner"):
        assert as_role(role).post(f"/settings/tokens/{made.id}/rotate", data={"overlap": "0"}).status_code == 404
    assert as_role("member").post(f"/settings/tokens/{made.id}/revoke").status_code == 404
    assert program(made.secret).get("/api/v1/me").status_code == 200

    assert as_role("admin").post(f"/settings/tokens/{made.id}/revoke").status_code == 303

    assert program(made.secret).get("/api/v1/me").status_code == 401
    assert bell_of(tenant, "builder") == ["token.revoked"]
    assert letters_of(tenant.id) == ["token_revoked"]


def test_revoking_twice_is_one_revocation(tenant):
    made = make_token(tenant)
    for _ in range(2):
        with db.transaction(tenant.id):
            service.revoke_token(tenant.id, made.id, person_id=None, by=Actor("person", tenant.people["admin"]))

    assert one(tenant.id, "select count(*) from audit_entries where action = 'token.revoked'").count == 1
    with pytest.raises(NotFound), db.transaction(tenant.id):
        service.revoke_token(tenant.id, made.id, person_id=tenant.people["member"], by=Actor("person", tenant.people["member"]))


@pytest.mark.parametrize(
    ("lifetime", "left", "expected"),
    [
        (90, "29 days 23 hours", [30]), (90, "13 days", [14]), (90, "6 days", [7]), (90, "20 hours", [1]), (90, "31 days", []),
        (7, "6 days", []), (7, "23 hours", [1]), (30, "29 days", []), (30, "13 days", [14]), (1, "1 hour", []),
    ],
)  # fmt: skip
def test_owners_hear_before_the_end(tenant, lifetime, left, expected):
    make_token(tenant, "member", days=lifetime)
    alter(tenant.id, f"update api_tokens set expires_at = clock_timestamp() + interval '{left}'")

    for _ in range(3):
        service.give_notices()

    noticed = one(tenant.id, "select noticed_days from api_tokens").noticed_days
    assert [noticed] * len(bell_of(tenant, "member")) == expected
    assert letters_of(tenant.id) == ["token_expiring"] * len(expected)


def test_each_notice_is_given_once_whoever_leads(tenant, app):
    make_token(tenant, "member")
    for days in (30, 14, 7, 1):
        alter(tenant.id, f"update api_tokens set expires_at = clock_timestamp() + interval '{days} days' - interval '1 hour'")
        ready = threading.Barrier(4)

        def lead(ready=ready):
            ready.wait()
            with app.app_context():
                service.give_notices()

        leaders = [threading.Thread(target=lead) for _ in range(4)]
        for each in leaders:
            each.start()
        for each in leaders:
            each.join()

    assert bell_of(tenant, "member") == ["token.expiring"] * 4
    assert letters_of(tenant.id) == ["token_expiring"] * 4


def test_no_notice_for_what_was_rotated_or_revoked(tenant):
    for column in (
        "revoked_at = clock_timestamp(), revoked_because = 'person'",
        "rotated_to = (select id from api_tokens order by id desc limit 1)",
    ):
        make_token(tenant, "member")
        alter(tenant.id, f"update api_tokens set expires_at = clock_timestamp() + interval '2 days', noticed_days = null, {column}")

    service.give_notices()

    assert bell_of(tenant, "member") == []


def test_what_ended_long_ago_is_deleted(tenant):
    make_token(tenant)
    alter(
        tenant.id,
        "update api_tokens set created_at = created_at - interval '200 days', expires_at = clock_timestamp() - interval '91 days'",
    )
    make_token(tenant)

    service.sweep()

    assert one(tenant.id, "select count(*) from api_tokens").count == 1


def test_what_a_token_did_stands_in_the_book_under_person_and_token(tenant, program):
    from tests.workflows.engine.conftest import Engine, step, values

    workflow_id = Engine(tenant).publish(step("only", "set", **values(x="1")))
    made = make_token(tenant, "member")

    assert program(made.secret).post(f"/api/v1/workflows/{workflow_id}/runs", json={}).status_code == 202

    entry = one(tenant.id, "select * from audit_entries where action = 'run.started'")
    assert (entry.actor_kind, entry.actor_id, entry.details["token"]) == ("person", tenant.people["member"], str(made.id))

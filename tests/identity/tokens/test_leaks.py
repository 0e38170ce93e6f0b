"""Whoever finds a secret of ours can end it, and learns nothing by it."""

from __future__ import annotations

from portal.identity.tokens import spelling
from tests.identity.tokens.conftest import bell_of, letters_of, make_client, make_token, one
from tests.identity.tokens.test_clients import swap


def report(program, texts, address="192.0.2.77"):
    return program(None, REMOTE_ADDR=address).post("/api/v1/leaked-tokens", json=texts)


def test_a_reported_token_ends_and_those_who_must_know_hear(tenant, program):
    made = make_token(tenant, "member")

    answer = report(program, [f"TOKEN={made.secret}"], "192.0.2.70")

    assert answer.status_code == 202
    assert program(made.secret).get("/api/v1/me").status_code == 401
    assert bell_of(tenant, "member") == bell_of(tenant, "owner") == bell_of(tenant, "admin") == ["token.leaked"]
    assert bell_of(tenant, "builder") == []
    assert letters_of(tenant.id) == ["token_leaked"] * 3
    assert one(tenant.id, "select actor_kind from audit_entries where action = 'token.leaked'").actor_kind == "system"


def test_found_and_unknown_are_answered_alike(tenant, program):
    made = make_token(tenant)

    found, unknown, nonsense = (
        report(program, [each], "192.0.2.71") for each in (made.secret, spelling.new(spelling.PERSONAL, "test"), "nonsense")
    )

    assert found.status_code == unknown.status_code == nonsense.status_code == 202
    assert found.json == unknown.json == nonsense.json


def test_whatever_of_a_client_leaks_signs_it_out(tenant, program):
    for number, leak in enumerate(("secret", "refresh", "access", "used")):
        made = make_client(tenant)
        first = swap(made)
        grant = swap(made, first.refresh)
        leaked = {"secret": made.secret, "refresh": grant.refresh, "access": grant.access, "used": made.refresh}[leak]

        report(program, [leaked], f"192.0.2.{80 + number}")

        row = one(tenant.id, "select signed_out_because from api_clients where id = :id", id=made.id)
        assert row.signed_out_because == "leak", leak
        assert program(grant.access).get("/api/v1/me").status_code == 401


def test_a_dead_token_makes_no_noise(tenant, program):
    made = make_token(tenant)
    for _ in range(3):
        report(program, [made.secret, made.secret], "192.0.2.72")

    assert bell_of(tenant, "owner") == ["token.leaked"]


def test_size_and_rate_are_capped(program):
    assert report(program, ["x"] * 101, "192.0.2.73").status_code == 422
    assert report(program, ["x" * 60_000], "192.0.2.73").status_code == 422
    statuses = [report(program, [], "192.0.2.74").status_code for _ in range(31)]
    assert statuses[0] == 202 and statuses[-1] == 429
    refused = report(program, [], "192.0.2.74")
    assert refused.headers["Retry-After"] == "3600"
    assert refused.json["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert report(program, [], "192.0.2.75").status_code == 202


def test_the_page_does_the_same(tenant, visitor, program):
    made = make_token(tenant)
    assert visitor.get("/report-leak").status_code == 200

    answer = visitor.post("/report-leak", data={"found": f"I found {made.secret} in a file"})

    assert answer.status_code == 303
    assert program(made.secret).get("/api/v1/me").status_code == 401
    assert visitor.post("/report-leak", data={"found": ""}).status_code == 422


def test_a_signed_in_reporter_of_another_house_may_report_too(tenant, stranger, program):
    made = make_token(tenant)

    assert stranger.post("/report-leak", data={"found": made.secret}).status_code == 303
    assert program(made.secret).get("/api/v1/me").status_code == 401
    assert stranger.get("/workflows").status_code == 200

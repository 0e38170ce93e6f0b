"""Passkeys against a device of software that says what we want it to say."""

from __future__ import annotations

import json

import pytest

from tests.identity.factors.conftest import passkey_sign_in, rows
from tests.identity.factors.device import PRESENT, Device
from tests.identity.factors.test_second_step import later


@pytest.fixture
def member(as_role):
    return as_role("member")


def test_a_passkey_is_a_sign_in_by_itself(tenant, member, visitor, add_passkey):
    device = add_passkey(member, name="مفتاحي")
    [row] = rows("select * from passkeys where person_id = :id", id=tenant.people["member"])
    assert (row.name, row.transports, row.is_backed_up, row.used_at) == ("مفتاحي", ["internal"], False, None)

    answer = passkey_sign_in(visitor, device, next_address="/runs?status=failed")

    assert answer.headers["Location"] == "/runs?status=failed"
    assert visitor.get("/runs").status_code == 200
    [row] = rows("select sign_count, used_at from passkeys where person_id = :id", id=tenant.people["member"])
    assert row.sign_count == 1 and row.used_at


def test_a_passkey_is_a_second_step(member, add_passkey, after_password):
    device = add_passkey(member)
    browser = after_password("member", next_address="/tables")
    assert passkey_sign_in(browser, device).headers["Location"] == "/tables"
    assert browser.get("/tables").status_code == 200


def test_after_a_password_it_must_be_the_same_persons(member, add_passkey, after_password):
    device = add_passkey(member)
    browser = after_password("owner")

    assert passkey_sign_in(browser, device).headers["Location"] == "/sign-in/factor"
    assert browser.get("/home").headers["Location"].startswith("/sign-in?")


def refused(browser, device, **options):
    assert passkey_sign_in(browser, device, **options).headers["Location"].startswith("/sign-in")
    page = browser.get("/sign-in")
    assert "That passkey was not accepted" in page.text
    assert browser.get("/home").headers["Location"].startswith("/sign-in?")


def test_an_answer_is_taken_once(app, member, visitor, add_passkey):
    device = add_passkey(member)
    options = visitor.client.post("/sign-in/passkey/options").get_json()
    answer = device.get(options)
    assert visitor.client.post("/sign-in/passkey", data={"credential": answer}).headers["Location"] == "/"
    visitor.post("/sign-out")

    assert visitor.client.post("/sign-in/passkey", data={"credential": answer}).headers["Location"].startswith("/sign-in")
    refused(visitor, device, answer=answer)


def test_a_challenge_is_void_after_the_first_try(member, visitor, add_passkey):
    device = add_passkey(member)
    options = visitor.client.post("/sign-in/passkey/options").get_json()
    visitor.client.post("/sign-in/passkey", data={"credential": "{}"})
    assert visitor.client.post("/sign-in/passkey", data={"credential": device.get(options)}).headers["Location"].startswith("/sign-in")


def test_a_challenge_grows_old(member, visitor, add_passkey, monkeypatch):
    device = add_passkey(member)
    options = visitor.client.post("/sign-in/passkey/options").get_json()
    later(monkeypatch, minutes=6)
    assert visitor.client.post("/sign-in/passkey", data={"credential": device.get(options)}).headers["Location"].startswith("/sign-in")


def test_a_challenge_serves_only_what_it_was_made_for(tenant, member, add_passkey):
    add_passkey(member)
    options = member.client.post("/sign-in/passkey/options").get_json()
    options["user"] = {"id": "AAAA"}
    page = member.post("/settings/sign-in/passkey", data={"credential": Device().create(options)})
    assert page.status_code == 422 and "could not be added" in page.text


@pytest.mark.parametrize(
    "spoilt",
    [{"origin": "https://evil.example"}, {"origin": "http://localhost:666"}, {"domain": "evil.example"}, {"flags": PRESENT}, {"user": "AAAA"}],
    ids=["origin", "port", "domain", "nobody was verified", "another user"],
)  # fmt: skip
def test_what_is_not_right_is_refused(member, visitor, add_passkey, spoilt):
    device = add_passkey(member)
    for name, value in spoilt.items():
        setattr(device, name, value)
    refused(visitor, device)


def test_a_counter_that_goes_back_is_a_copied_key(member, visitor, add_passkey):
    device = add_passkey(member)
    assert passkey_sign_in(visitor, device).headers["Location"] == "/"
    visitor.post("/sign-out")
    device.count = 0
    refused(visitor, device)


def test_a_key_that_nobody_added_is_refused(member, visitor, add_passkey):
    device = add_passkey(member)
    stranger = Device(user=device.user)
    refused(visitor, stranger)
    stranger.credential_id = device.credential_id
    refused(visitor, stranger)


@pytest.mark.parametrize("sent", ["", "{}", "[]", "null", "1", '{"rawId": 1}', '{"rawId": "AA", "response": {}}', "[" * 5000, "x" * 30_000, '{"rawId":"é","response":{"userHandle":[]}}'])  # fmt: skip
def test_noise_is_refused(member, visitor, add_passkey, sent):
    refused(visitor, add_passkey(member), answer=sent or " ")
    member.client.post("/settings/sign-in/passkey/options")
    assert member.post("/settings/sign-in/passkey", data={"credential": sent}).status_code == 422


def test_a_key_without_verification_is_not_added(member):
    options = member.client.post("/settings/sign-in/passkey/options").get_json()
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    page = member.post("/settings/sign-in/passkey", data={"credential": Device(flags=PRESENT).create(options)})
    assert page.status_code == 422


def test_a_key_is_added_once_and_held_ones_are_excluded(member, as_role, add_passkey):
    device = add_passkey(member)
    options = member.client.post("/settings/sign-in/passkey/options").get_json()
    assert [each["id"] for each in options["excludeCredentials"]] == [json.loads(device.create(options))["id"]]
    assert member.post("/settings/sign-in/passkey", data={"credential": device.create(options)}).status_code == 422
    builder = as_role("builder")
    options = builder.client.post("/settings/sign-in/passkey/options").get_json()
    assert builder.post("/settings/sign-in/passkey", data={"credential": device.create(options)}).status_code == 422


def test_the_handle_of_a_person_tells_nothing_of_them(tenant, member):
    options = member.client.post("/settings/sign-in/passkey/options").get_json()
    assert "@" not in options["user"]["id"] and len(options["user"]["id"]) == 22


def test_the_challenge_is_kept_by_the_server_alone(member, visitor):
    one = visitor.client.post("/sign-in/passkey/options")
    two = visitor.client.post("/sign-in/passkey/options")
    assert one.headers["Cache-Control"] == "no-store"
    assert one.get_json()["challenge"] != two.get_json()["challenge"]
    assert not one.get_json().get("allowCredentials"), "nobody is told who has passkeys"


def test_who_left_cannot_come_in_with_a_passkey(app, tenant, member, visitor, add_passkey):
    from sqlalchemy import text

    from portal.core import db

    device = add_passkey(member)
    with db.transaction() as session:
        session.execute(text("update people set is_active = false where id = :id"), {"id": tenant.people["member"]})
    refused(visitor, device)

"""Coming in, staying, the language, and going out."""

from __future__ import annotations

import pytest
from flask_login import current_user
from sqlalchemy import text

from portal.core import db
from portal.core.render import local_address
from tests.conftest import PASSWORD, pass_sign_in


@pytest.mark.parametrize(("email", "password"), [("nobody@example.com", PASSWORD), ("owner", "wrong"), ("owner", "")])
def test_a_wrong_sign_in_says_the_same_and_keeps_the_address(tenant, visitor, email, password):
    address = tenant.email("owner") if email == "owner" else email

    page = visitor.post("/sign-in", data={"email": address, "password": password})

    assert page.status_code == 422
    assert address in page.text
    assert password not in page.text or not password


def test_the_browser_gets_a_new_session_at_sign_in(tenant, visitor):
    visitor.get("/sign-in")
    before = visitor.client.get_cookie("sid").value

    pass_sign_in(visitor.client, tenant, "owner")

    after = visitor.client.get_cookie("sid").value
    assert after != before
    with db.transaction() as session:
        rows = session.execute(text("select person_id from sessions where person_id = :id"), {"id": tenant.people["owner"]}).all()
    assert len(rows) == 1


def test_a_chosen_cookie_is_never_adopted(tenant, visitor):
    visitor.client.set_cookie("sid", "chosen-by-an-attacker")

    pass_sign_in(visitor.client, tenant, "owner")

    assert visitor.client.get_cookie("sid").value != "chosen-by-an-attacker"


def test_a_deleted_session_is_nobodys_at_the_next_request(tenant, as_role):
    browser = as_role("owner")
    assert browser.get("/workflows").status_code == 200
    with db.transaction() as session:
        session.execute(text("delete from sessions where person_id = :id"), {"id": tenant.people["owner"]})

    assert browser.get("/workflows").status_code == 303


def test_who_lost_the_membership_is_out_at_once(tenant, as_role):
    browser = as_role("member")
    with db.transaction(tenant.id) as session:
        session.execute(text("delete from memberships where person_id = :id"), {"id": tenant.people["member"]})

    assert browser.get("/workflows").status_code == 303


def test_signing_out_ends_the_session(as_role):
    browser = as_role("owner")
    browser.post("/sign-out")

    assert browser.get("/workflows").status_code == 303


def test_the_language_keeps_the_place_and_follows_the_person(tenant, as_role, sign_in):
    browser = as_role("owner")

    answer = browser.post("/locale", data={"locale": "ar", "next": "/runs?status=failed"})

    assert answer.headers["Location"] == "/runs?status=failed"
    assert '<html lang="ar" dir="rtl"' in browser.get("/runs").text
    assert '<html lang="ar" dir="rtl"' in sign_in(tenant, "owner").get("/workflows").text


@pytest.mark.parametrize(
    "hostile", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "\\\\evil", "/\n/evil", None, ""]
)
def test_next_never_leads_away(hostile):
    assert local_address(hostile) == "/"


def test_a_form_without_its_token_is_refused(app, tenant):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = app.test_client().post("/sign-in", data={"email": tenant.email("owner"), "password": PASSWORD})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == 400
    assert "request" in answer.get_data(as_text=True).lower()


def test_the_session_row_keeps_no_token(tenant, as_role):
    browser = as_role("owner")
    token = browser.client.get_cookie("sid").value
    with db.transaction() as session:
        rows = session.execute(text("select id, data::text as data from sessions")).all()
    assert all(token.encode() not in bytes(row.id) and token not in row.data for row in rows)


def test_flask_login_knows_the_same_person(app, tenant, as_role):
    seen = []

    def look(response):
        seen.append((current_user.is_authenticated, current_user.get_id()))
        return response

    app.after_request_funcs.setdefault(None, []).append(look)
    try:
        as_role("member").get("/workflows")
        app.test_client().get("/sign-in")
    finally:
        app.after_request_funcs[None].remove(look)

    assert seen[-2:] == [(True, str(tenant.people["member"])), (False, None)]


def test_passwords_are_hashed_at_the_full_cost_and_a_weaker_hash_is_made_anew_at_sign_in(app, tenant, real_hashes):
    kept = text("select password_hash from people where id = :id")
    with db.transaction() as session:
        weak = session.scalar(kept, {"id": tenant.people["member"]})

    assert pass_sign_in(app.test_client(), tenant, "member").status_code == 303

    with db.transaction() as session:
        strong = session.scalar(kept, {"id": tenant.people["member"]})
    assert "m=65536,t=3,p=4$" not in weak
    assert strong.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "64 MiB, three passes, four lanes: RFC 9106 and more than OWASP asks for"

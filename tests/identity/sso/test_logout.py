"""A logout token ends what it names, once, and only in its own organisation."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db, egress
from portal.core.access import SYSTEM
from portal.core.secrets import token_hash
from portal.identity.sso import keys as provider_keys
from portal.identity.sso import service
from tests.identity.sso.test_tokens import CLIENT, DISCOVERY, ISSUER, LOGOUT, Provider, claims, signed

GIVEN = {"name": "X", "name_ar": None, "issuer": ISSUER, "client_id": CLIENT, "default_role": "member", "admits_newcomers": True, "allows_passwords": True}  # fmt: skip


@pytest.fixture
def keys(app, monkeypatch):
    provider_keys.forget()
    monkeypatch.setattr(egress, "send", Provider("rsa").send)
    yield
    provider_keys.forget()


@pytest.fixture
def add(app):
    def make(house):
        with app.test_request_context():
            return service.add_provider(house.id, GIVEN, DISCOVERY.as_json(), kind="oidc", secret="", by=SYSTEM)

    return make


def came_through(browser, house, provider_id, sid, subject="somebody"):
    """Mark a signed-in browser as one that came through the provider."""
    values = {"t": house.id, "s": token_hash(browser.client.get_cookie("sid").value), "p": provider_id, "sub": subject, "sid": sid}
    with db.transaction(house.id) as session:
        insert = "insert into sso_sessions (tenant_id, session_id, provider_id, subject, sid) values (:t, :s, :p, :sub, :sid)"
        session.execute(text(insert), values)
    return browser


def is_in(browser):
    return browser.get("/runs").status_code == 200


def end(visitor, provider_id, **changed):
    token = signed(claims(**{**LOGOUT, **changed}), typ="logout+jwt")
    return visitor.post(f"/sign-in/sso/{provider_id}/logout", data={"logout_token": token}).status_code


def test_one_session_all_sessions_and_nobody_elses(tenant, other_tenant, keys, add, sign_in, visitor):
    ours, theirs = add(tenant), add(other_tenant)
    first = came_through(sign_in(tenant, "member"), tenant, ours, "s-1")
    second = came_through(sign_in(tenant, "member"), tenant, ours, "s-2")
    another = came_through(sign_in(tenant, "builder"), tenant, ours, "s-3", subject="else")
    foreign = came_through(sign_in(other_tenant, "member"), other_tenant, theirs, "s-1")
    by_password = sign_in(tenant, "member")

    # A name that is another subject's ends nothing.
    assert end(visitor, ours, sub="else") == 200 and is_in(first)
    assert end(visitor, ours, jti="j-2") == 200
    assert not is_in(first) and all(map(is_in, (second, another, foreign, by_password)))
    assert end(visitor, ours, jti="j-3", sid=None) == 200
    assert not is_in(second) and all(map(is_in, (another, foreign, by_password)))


def test_a_logout_token_counts_once(tenant, keys, add, sign_in, visitor):
    provider_id = add(tenant)
    token = {"logout_token": signed(claims(**LOGOUT), typ="logout+jwt")}
    url = f"/sign-in/sso/{provider_id}/logout"
    assert visitor.post(url, data=token).status_code == 200
    back = came_through(sign_in(tenant, "member"), tenant, provider_id, "s-1")

    assert visitor.post(url, data=token).status_code == 400
    assert is_in(back)


def test_used_tokens_are_forgotten_when_they_have_expired(tenant, keys, add, visitor):
    provider_id = add(tenant)
    assert end(visitor, provider_id) == 200
    count = text("select count(*) from sso_used_tokens")
    service.sweep()
    with db.transaction(tenant.id) as session:
        assert session.scalar(count) == 1
        session.execute(text("update sso_used_tokens set expires_at = clock_timestamp() - interval '1 second'"))
    assert service.sweep() >= 1
    with db.transaction(tenant.id) as session:
        assert session.scalar(count) == 0


def test_deleting_a_provider_ends_its_sessions(tenant, keys, add, sign_in):
    provider_id = add(tenant)
    inside = came_through(sign_in(tenant, "member"), tenant, provider_id, "s-1")
    owner = sign_in(tenant, "owner")

    assert owner.post(f"/settings/sso/{provider_id}/delete").status_code == 303

    assert not is_in(inside) and is_in(owner)
    assert owner.get(f"/settings/sso/{provider_id}").status_code == 404

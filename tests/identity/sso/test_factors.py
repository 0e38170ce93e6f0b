"""Single sign-on beside second steps: the provider asks its own people, and what is ours does not open what wants the provider."""

from __future__ import annotations

from sqlalchemy import text

from portal.core import db
from tests.identity.factors.conftest import passkey_sign_in
from tests.identity.sso.test_hostile import rename


def test_who_came_through_the_provider_is_not_led_to_a_second_step(tenant, set_up, idp, traveller):
    setup = set_up(tenant)
    address = f"a@{setup.domain}"
    rename(tenant, "admin", address)
    with db.transaction() as session:
        session.execute(text("delete from totp_factors where person_id = :id"), {"id": tenant.people["admin"]})
    idp.hire("adam", email=address, email_verified=True, name="Adam")
    person = traveller()

    person.come(setup.start, "adam")

    assert person.browser.get("/runs").status_code == 200
    password_only = traveller().browser
    password_only.post("/sign-in", data={"email": address, "password": "correct horse battery staple"})
    assert password_only.get("/runs").headers["Location"] == "/settings/sign-in"


def test_a_passkey_does_not_pass_by_the_provider(tenant, set_up, as_role, traveller, add_passkey):
    device = add_passkey(as_role("builder"))
    setup = set_up(tenant, allows_passwords="")
    assert passkey_sign_in(traveller().browser, device).headers["Location"] == "/", "another domain than the proven one"
    rename(tenant, "builder", f"b@{setup.domain}")
    browser = traveller().browser

    assert passkey_sign_in(browser, device).headers["Location"].startswith("/sign-in/sso")

    assert browser.get("/runs").headers["Location"].startswith("/sign-in?")

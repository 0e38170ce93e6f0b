"""Where somebody is signed in, what they hear of it, and proving once more that it is them."""

from __future__ import annotations

import pytest
from flask import render_template
from sqlalchemy import text

from portal.core import db
from portal.i18n.reader import LOCALES, reading
from portal.identity import service as identity
from tests.conftest import PASSWORD, Browser
from tests.identity.letters import letters_to

NEW_DEVICE = ("name", "name_ar", "browser", "system", "address")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def enter(app, tenant, role="member", *, agent="test", client=None):
    client = client or app.test_client()
    answer = client.post("/sign-in", data={"email": tenant.email(role), "password": PASSWORD}, headers={"User-Agent": agent})
    assert answer.status_code == 303
    return Browser(client)


def age(tenant, role, column, interval):
    with db.transaction() as session:
        session.execute(
            text(f"update sessions set {column} = {column} - cast(:age as interval) where person_id = :id"),
            {"age": interval, "id": tenant.people[role]},
        )


def test_one_device_is_signed_out_at_its_next_request(app, tenant):
    here, elsewhere = enter(app, tenant), enter(app, tenant, agent=FIREFOX)
    page = here.get("/settings/devices")
    assert "This device" in page.text and "Firefox" in page.text and "Linux" in page.text

    here.post("/settings/devices/end", data={"session": _key(elsewhere, tenant)})

    assert elsewhere.get("/workflows").status_code == 303
    assert here.get("/workflows").status_code == 200


def test_all_other_devices_are_signed_out(app, tenant):
    here, others = enter(app, tenant), [enter(app, tenant) for _ in range(3)]

    here.post("/settings/devices/end-others")

    assert [each.get("/workflows").status_code for each in others] == [303, 303, 303]
    assert "nowhere else" in here.get("/settings/devices").text


def test_nobody_ends_the_session_of_somebody_else(app, tenant, other_tenant):
    here, stranger = enter(app, tenant), enter(app, other_tenant)

    for key in (_key(stranger, other_tenant), "zz", "", "00" * 32):
        assert here.post("/settings/devices/end", data={"session": key}).status_code == 404

    assert stranger.get("/workflows").status_code == 200


def test_a_new_device_is_told_by_mail_and_bell_but_not_the_first(app, tenant):
    email = tenant.email("member")
    first = enter(app, tenant)
    assert letters_to(email) == []

    enter(app, tenant, client=first.client)
    assert letters_to(email) == [], "the same browser again"

    enter(app, tenant, agent=FIREFOX)
    letter = letters_to(email)[-1]
    assert (letter["message"], letter["browser"], letter["system"]) == ("new_device", "Firefox", "Linux")
    assert "had not seen before" in first.get("/notifications").text


def test_the_eleventh_session_ends_the_oldest(app, tenant):
    browsers = [enter(app, tenant) for _ in range(11)]

    assert browsers[0].get("/workflows").status_code == 303
    assert all(each.get("/workflows").status_code == 200 for each in browsers[1:])
    assert "more than ten devices" in browsers[-1].get("/notifications").text


def test_powerful_roles_are_signed_out_sooner(app, tenant):
    owner, member = enter(app, tenant, "owner"), enter(app, tenant, "member")
    for role in ("owner", "member"):
        age(tenant, role, "seen_at", "31 minutes")

    assert owner.get("/workflows").status_code == 303
    assert member.get("/workflows").status_code == 200


def test_every_session_ends_however_busy(app, tenant):
    owner, member = enter(app, tenant, "owner"), enter(app, tenant, "member")
    for role in ("owner", "member"):
        age(tenant, role, "signed_in_at", "13 hours")
    assert (owner.get("/workflows").status_code, member.get("/workflows").status_code) == (303, 200)

    age(tenant, "member", "signed_in_at", "12 hours")
    assert member.get("/workflows").status_code == 303


def test_a_tenant_may_shorten_but_not_lengthen():
    assert identity.limits_of("member", {"idle_min": 10, "absolute_h": 4}) == (600, 4 * 3600)
    assert identity.limits_of("owner", {"idle_min": 600, "absolute_h": 400}) == (1800, 12 * 3600)
    assert identity.limits_of("member", {}) == (3600, 24 * 3600)


def test_switching_the_tenant_changes_the_id_but_not_the_age(app, tenant, other_tenant):
    with app.app_context(), db.unit_of_work(other_tenant.id):
        from portal.core.access import SYSTEM

        identity.add_member(other_tenant.id, tenant.people["member"], "member", by=SYSTEM)
    browser = enter(app, tenant)
    age(tenant, "member", "signed_in_at", "23 hours")
    before = browser.client.get_cookie("sid").value

    browser.post("/tenant", data={"tenant": str(other_tenant.id)})

    assert browser.client.get_cookie("sid").value != before
    age(tenant, "member", "signed_in_at", "2 hours")
    assert browser.get("/workflows").status_code == 303


def test_a_sensitive_page_asks_who_it_is_after_15_minutes(app, tenant):
    browser = enter(app, tenant)
    assert browser.get("/settings/password").status_code == 200
    age(tenant, "member", "confirmed_at", "16 minutes")

    asked = browser.get("/settings/password")
    assert asked.status_code == 303 and asked.headers["Location"] == "/confirm?next=/settings/password"
    assert browser.post("/settings/password", data={"password": "three herons over the wadi"}).status_code == 303
    wrong = browser.post(asked.headers["Location"], data={"password": "wrong"})
    assert wrong.status_code == 422
    before = browser.client.get_cookie("sid").value
    right = browser.post(asked.headers["Location"], data={"password": PASSWORD})

    assert (right.status_code, right.headers["Location"]) == (303, "/settings/password")
    assert browser.client.get_cookie("sid").value != before, "a new id for more rights"
    assert browser.get("/settings/password").status_code == 200


def test_a_fragment_is_led_to_confirm_as_a_page(app, tenant):
    browser = enter(app, tenant)
    age(tenant, "member", "confirmed_at", "16 minutes")

    answer = browser.get("/settings/password", fragment=True)

    assert answer.headers["HX-Redirect"].startswith("/confirm")


def test_confirming_never_leads_away(app, tenant):
    browser = enter(app, tenant)

    answer = browser.post("/confirm?next=https://evil.example", data={"password": PASSWORD})

    assert answer.headers["Location"] == "/"


def _key(browser, tenant):
    from portal.core.secrets import token_hash

    return token_hash(browser.client.get_cookie("sid").value).hex()


def test_signing_out_elsewhere_asks_who_it_is_after_15_minutes(app, tenant):
    here, elsewhere = enter(app, tenant), enter(app, tenant)
    age(tenant, "member", "confirmed_at", "16 minutes")

    for path, data in (("end", {"session": _key(elsewhere, tenant)}), ("end-others", {})):
        assert here.post(f"/settings/devices/{path}", data=data).headers["Location"].startswith("/confirm")
    assert elsewhere.get("/workflows").status_code == 200


@pytest.mark.parametrize(
    ("address", "place", "in_arabic"),
    [
        ("94.97.1.1", "Saudi Arabia", "المملكة العربية السعودية"), ("2001:4860:4860::8888", "United States", "الولايات المتحدة"),
        ("::ffff:41.32.1.1", "Egypt", "مصر"), ("10.1.2.3", "A private network", "شبكة خاصة"), ("fd00::1", "A private network", "شبكة خاصة"),
        ("100.64.9.9", "A private network", "شبكة خاصة"), ("", "Unknown country", "بلد غير معروف"), ("?", "Unknown country", "بلد غير معروف"),
    ],
)  # fmt: skip
def test_devices_are_shown_with_country_and_address(app, tenant, address, place, in_arabic):
    here = enter(app, tenant)
    with db.transaction() as session:
        session.execute(text("update sessions set address = :it where person_id = :id"), {"it": address, "id": tenant.people["member"]})
    page = here.get("/settings/devices")
    assert place in page.text and address in page.text
    here.post("/locale", data={"locale": "ar", "next": "/"})
    assert in_arabic in here.get("/settings/devices").text


def test_the_mail_about_a_new_device_names_its_country(app, tenant):
    enter(app, tenant)
    client = app.test_client()
    client.post("/sign-in", data={"email": tenant.email("member"), "password": PASSWORD}, environ_base={"REMOTE_ADDR": "94.97.1.1"})
    letter = letters_to(tenant.email("member"))[-1]
    with app.test_request_context(), reading(LOCALES["ar"]):
        said = render_template("mail/new_device/body.txt", lang="ar", **{key: letter.get(key, "") for key in NEW_DEVICE})
    assert "السعودية" in said and "94.97.1.1" in said

"""Passkeys and apps as people add and use them, in Chromium with a virtual authenticator."""

from __future__ import annotations

import pyotp
import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.config import ROOT
from tests.browser.conftest import IN_CHROMIUM
from tests.browser.test_accessibility import AXE, OVERFLOW, TAGS
from tests.conftest import PASSWORD

pytestmark = IN_CHROMIUM


@pytest.fixture
def site(address):
    """The same server by its name: browsers know no passkeys for an address of numbers."""
    return address.replace("127.0.0.1", "localhost")


@pytest.fixture
def open_page(chromium):
    opened, noise = [], []

    def open_one(locale="en", *, has_device=True):
        context = chromium.new_context(locale=locale, reduced_motion="reduce")
        context.set_default_timeout(10_000)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("console", lambda said: noise.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)
        if has_device:
            page.devtools = context.new_cdp_session(page)
            page.devtools.send("WebAuthn.enable")
            device = {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }  # fmt: skip
            page.device_id = page.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})["authenticatorId"]
        return page

    yield open_one
    for context in opened:
        context.close()
    assert not noise


def password_in(page, site, tenant, role):
    page.goto(f"{site}/sign-in")
    page.fill("[name=email]", tenant.email(role))
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_passkey_is_added_and_then_signs_in_as_first_and_as_second_step(open_page, site, tenant, locale):
    page = open_page(locale)
    password_in(page, site, tenant, "member")
    page.wait_for_url("**/home")
    page.goto(f"{site}/settings/sign-in")
    page.fill("#add-passkey [name=name]", "حاسوبي Laptop")
    page.locator("#add-passkey button").click()
    page.wait_for_selector(".codes-list")
    assert page.locator(".codes-list code").count() == 10
    page.goto(f"{site}/settings/sign-in")
    assert "حاسوبي Laptop" in page.locator(".factor h2").inner_text()

    # The same device holds one already, and says so.
    page.locator("#add-passkey button").click()
    page.wait_for_selector("[data-passkey-error]:not([hidden])")

    # As the only step.
    page.context.clear_cookies(name="sid")
    page.goto(f"{site}/sign-in?next=/runs")
    page.locator(".passkey-form button").click()
    page.wait_for_url(f"{site}/runs")

    # As the second step.
    page.context.clear_cookies(name="sid")
    password_in(page, site, tenant, "member")
    page.wait_for_url("**/sign-in/factor")
    page.locator(".passkey-form button").click()
    page.wait_for_url("**/home")


def test_who_is_not_verified_does_not_come_in(open_page, site, tenant):
    page = open_page()
    password_in(page, site, tenant, "member")
    page.wait_for_url("**/home")
    page.goto(f"{site}/settings/sign-in")
    page.locator("#add-passkey button").click()
    page.wait_for_selector(".codes-list")
    page.devtools.send("WebAuthn.setUserVerified", {"authenticatorId": page.device_id, "isUserVerified": False})
    page.context.clear_cookies(name="sid")
    page.goto(f"{site}/sign-in")
    page.locator(".passkey-form button").click()
    page.wait_for_selector("[data-passkey-error]:not([hidden])")
    assert page.url.endswith("/sign-in")


def test_a_passkey_confirms_a_sensitive_act(open_page, site, tenant):
    page = open_page()
    password_in(page, site, tenant, "member")
    page.wait_for_url("**/home")
    page.goto(f"{site}/settings/sign-in")
    page.locator("#add-passkey button").click()
    page.wait_for_selector(".codes-list")
    with db.transaction() as session:
        session.execute(text("update sessions set confirmed_at = clock_timestamp() - interval '1 hour'"))
    page.goto(f"{site}/settings/sign-in")
    page.locator("#codes button").click()
    page.wait_for_url("**/confirm?next=**")
    page.locator(".passkey-form button").click()
    page.wait_for_url("**/settings/sign-in")
    page.locator("#codes button").click()
    page.wait_for_selector(".codes-list")


def test_adding_a_passkey_late_leads_to_the_confirmation(open_page, site, tenant):
    page = open_page()
    password_in(page, site, tenant, "member")
    page.wait_for_url("**/home")
    page.goto(f"{site}/settings/sign-in")
    with db.transaction() as session:
        session.execute(text("update sessions set confirmed_at = clock_timestamp() - interval '1 hour'"))
    page.locator("#add-passkey button").click()
    page.wait_for_url("**/confirm?next=**")


def test_a_browser_without_passkeys_shows_no_button(open_page, site):
    page = open_page(has_device=False)
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(f"{site}/sign-in")
    page.wait_for_load_state("networkidle")
    assert not page.locator(".passkey-form").is_visible()


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_an_owner_is_led_through_the_enrolment_of_an_app(chromium, site, tenant, locale, has_script):
    with db.transaction() as session:
        session.execute(text("delete from totp_factors where person_id = :id"), {"id": tenant.people["owner"]})
    context = chromium.new_context(java_script_enabled=has_script, locale=locale)
    context.set_default_timeout(10_000)
    page = context.new_page()
    password_in(page, site, tenant, "owner")
    page.wait_for_url("**/settings/sign-in")
    page.goto(f"{site}/runs")
    page.wait_for_url("**/settings/sign-in")
    page.locator("form[action='/settings/sign-in/app'] button").click()
    page.wait_for_selector(".qr svg")
    page.locator("details summary").first.click()
    key = page.locator("[data-key]").inner_text().replace(" ", "")
    page.fill("[name=code]", "000000")
    page.locator("[name=code]").press("Enter")
    page.wait_for_selector(".error-summary")
    code = pyotp.TOTP(key).now()
    page.fill("[name=code]", code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")) if locale == "ar" else code)
    page.locator("[name=code]").press("Enter")
    page.wait_for_selector(".codes-list")
    recovery = page.locator(".codes-list code").first.inner_text()
    with page.expect_download() as download:
        page.locator("a[download]").click()
    assert recovery in download.value.path().read_text("utf-8")
    page.goto(f"{site}/home")
    assert page.url.endswith("/home")

    context.clear_cookies(name="sid")
    password_in(page, site, tenant, "owner")
    page.wait_for_url("**/sign-in/factor")
    page.locator("a[href*=recovery]").click()
    page.fill("[name=code]", recovery.upper())
    page.locator("[name=code]").press("Enter")
    page.wait_for_url("**/home")
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_axe_finds_nothing_between_the_steps_and_on_the_way_to_a_factor(open_page, site, tenant, locale, theme):
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    page, found = open_page(locale), {}
    page.context.add_cookies([{"name": "theme", "value": theme, "url": site}])

    def look(name):
        page.evaluate(axe)
        if wrong := page.evaluate(AXE, TAGS):
            found[name] = wrong
        page.set_viewport_size({"width": 320, "height": 700})
        if page.evaluate(OVERFLOW) > 0:
            found[name, "wide"] = page.evaluate(OVERFLOW)
        page.set_viewport_size({"width": 1280, "height": 900})

    password_in(page, site, tenant, "owner")
    page.wait_for_url("**/sign-in/factor")
    look("second step")
    page.fill("[name=code]", "000000")
    page.locator("[name=code]").press("Enter")
    page.wait_for_selector(".error-summary")
    look("wrong code")
    page.goto(f"{site}/sign-in/factor?with=recovery")
    look("recovery code")
    with db.transaction() as session:
        session.execute(text("delete from totp_factors where person_id = :id"), {"id": tenant.people["owner"]})
    page.context.clear_cookies(name="sid")
    password_in(page, site, tenant, "owner")
    page.wait_for_url("**/settings/sign-in")
    look("led")
    page.locator("#add-passkey button").click()
    page.wait_for_selector(".codes-list")
    look("codes")
    page.goto(f"{site}/settings/sign-in")
    page.locator(".factor summary").click()
    look("list")
    page.goto(f"{site}/confirm?next=/runs")
    look("confirm")
    assert found == {}

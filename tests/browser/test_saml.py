"""Signing in through a real SAML provider in Chromium: its form posts from another site, and our cookie is not sent with it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.config import ROOT
from portal.identity.sso.saml import certificates
from tests.browser.conftest import IN_CHROMIUM, enter
from tests.browser.test_accessibility import AXE, OVERFLOW, TAGS
from tests.identity.sso.conftest import prove_domain, reaching, zone
from tests.identity.sso.saml.conftest import running_saml, saml_port

__all__ = ["running_saml", "saml_port", "zone"]
pytestmark = IN_CHROMIUM
WORDS = {"en": ("Continue with \u2068Corporate\u2069", "The test went well"), "ar": ("\u2068حساب الشركة\u2069", "نجحت التجربة")}


@pytest.fixture
def outside(app, address, running_saml, zone):
    with reaching(running_saml.port, zone, public_url=address):
        yield


def look(page, found, where):
    page.wait_for_load_state("load")
    page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8"))
    wrong = page.evaluate(AXE, TAGS)
    if wrong or page.evaluate(OVERFLOW) > 0:
        found[where] = wrong or "scrolls sideways"


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_provider_is_set_up_tried_out_and_lets_somebody_in(address, chromium, tenant, outside, running_saml, zone, sign_in, locale):
    saml, noise, found = running_saml, [], {}
    domain = f"{tenant.id.hex[-12:]}.example"
    saml.hire("boss", email="boss@elsewhere.example", name="نورة Boss")
    saml.hire("nora", email=f"nora@{domain}", name="Nora Hashimi")
    prove_domain(sign_in(tenant, "owner"), zone, domain)
    context, page = enter(chromium, address, tenant, locale, noise)

    # An owner sets the provider up from its metadata.
    page.goto(f"{address}/settings/sso/new/saml")
    page.fill("[name=metadata_url]", f"{saml.base}/metadata")
    page.locator("button[name=read]").click()
    page.wait_for_function(f"document.querySelector('[name=issuer]').value === '{saml.issuer}'")
    look(page, found, "new")
    page.fill("[name=name]", "Corporate")
    page.fill("[name=name_ar]", "حساب الشركة")
    page.locator("form[action='/settings/sso/new/saml'] .form-actions button:not([name])").click()
    page.wait_for_url(re.compile(r"/settings/sso/[0-9a-f-]{36}$"))
    settings = page.url
    way = f"{address}/sign-in/sso/{settings.rpartition('/')[2]}"
    assert page.locator(f"[data-copy='{way}/acs']").count() == 1

    # Registered there under another audience: the test says so, then it is put right.
    addresses = {"entity_id": f"{way}/metadata", "acs": f"{way}/acs", "slo": f"{way}/slo"}
    saml.register(addresses, audience="https://other.example")
    page.locator(f"a[href='{settings.removeprefix(address)}/test']").click()
    page.fill("[name=person]", "boss")
    page.locator("button").click()
    page.wait_for_url(settings)
    assert f"{way}/metadata" in page.locator(".notice.tone-danger").inner_text()
    look(page, found, "refused")
    saml.register(addresses)
    page.locator(f"a[href='{settings.removeprefix(address)}/test']").click()
    page.fill("[name=person]", "boss")
    page.locator("button").click()
    page.wait_for_url(settings)
    # The session came through the provider's page and back: the owner is still signed in, and sees who the provider says they are.
    assert WORDS[locale][1] in page.locator(".notice.tone-success").inner_text()
    assert "boss@elsewhere.example" in page.locator("main").inner_text()
    look(page, found, "tested")
    page.locator("form[action$='/enable'] button").click()
    page.wait_for_selector("form[action$='/disable']")
    context.close()

    # Somebody new comes in by their address.
    context = chromium.new_context(locale=locale, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto(f"{address}/sign-in/sso?next=/runs")
    page.fill("[name=where]", f"nora@{domain}")
    page.locator("[name=where]").press("Enter")
    page.wait_for_selector("a.button-primary")
    assert WORDS[locale][0] in page.locator("a.button-primary").inner_text()
    look(page, found, "ways")
    page.locator("a.button-primary").click()
    page.wait_for_url(f"{saml.base}/sso?**")
    page.fill("[name=person]", "nora")
    page.locator("button").click()
    page.wait_for_url(f"{address}/runs")
    cookie = next(each for each in context.cookies(address) if each["name"] == "sid")
    assert cookie["sameSite"] == "Lax"

    # Signing out there ends the session here; the provider hears of it and is content.
    page.goto(f"{saml.base}/logout")
    page.goto(f"{address}/runs")
    page.wait_for_url(f"{address}/sign-in?**")
    context.close()
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from external_identities")) == 1
    assert certificates.seen(saml.certificate).is_expired is False
    assert noise == [] and found == {}

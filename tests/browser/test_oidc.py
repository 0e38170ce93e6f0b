"""Signing in through a real OpenID provider in Chromium: an owner sets it up and tries it out, somebody new comes in on a phone."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.identity.sso import keys
from tests.browser.conftest import IN_CHROMIUM, enter
from tests.browser.test_saml import look
from tests.identity.sso.conftest import idp_port, prove_domain, reaching, running_idp, zone

__all__ = ["idp_port", "running_idp", "zone"]
pytestmark = IN_CHROMIUM
WORDS = {"en": ("Continue with \u2068Corporate\u2069", "The test went well"), "ar": ("\u2068حساب الشركة\u2069", "نجحت التجربة")}


@pytest.fixture
def outside(app, address, running_idp, zone):
    with reaching(running_idp.port, zone, public_url=address):
        keys.forget()
        yield


def type_there(context, who):
    """The provider takes the person from a header, where others would type."""
    context.set_extra_http_headers({"x-person": who})


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_provider_is_set_up_tried_out_and_lets_somebody_in(address, chromium, tenant, outside, running_idp, zone, sign_in, locale):
    idp, noise, found = running_idp, [], {}
    domain, nora = f"{tenant.id.hex[-12:]}.example", f"nora-{locale}"
    idp.hire(f"boss-{locale}", email="boss@elsewhere.example", email_verified=True, name="نورة Boss")
    idp.hire(nora, email=f"nora@{domain}", email_verified=True, name="Nora Hashimi")
    prove_domain(sign_in(tenant, "owner"), zone, domain)
    context, page = enter(chromium, address, tenant, locale, noise)

    # What is wrong is said at its field, and nothing that was typed is lost.
    page.goto(f"{address}/settings/sso/new")
    page.fill("[name=name]", "Corporate")
    page.fill("[name=name_ar]", "حساب الشركة")
    page.fill("[name=issuer]", f"{idp.issuer}/nothing")
    page.fill("[name=client_id]", "later")
    page.locator("button[name=check]").click()
    page.wait_for_selector(".error-summary")
    assert page.input_value("[name=name_ar]") == "حساب الشركة" and page.input_value("[name=client_id]") == "later"
    look(page, found, "refused form")
    page.fill("[name=issuer]", idp.issuer)
    page.locator("button[name=check]").click()
    page.wait_for_selector("dl")
    page.locator("form[action='/settings/sso/new'] .form-actions button:not([name])").click()
    page.wait_for_url(re.compile(r"/settings/sso/[0-9a-f-]{36}$"))
    settings = page.url
    callback = f"{address}/sign-in/sso/{settings.rpartition('/')[2]}/callback"
    assert page.locator(f"[data-copy='{callback}']").count() == 1
    client_id, client_secret = idp.register(callback)
    page.fill("[name=client_id]", client_id)
    page.fill("[name=client_secret]", client_secret)
    page.locator("main form:has([name=client_id]) .form-actions button:not([name])").click()
    page.wait_for_load_state("load")

    type_there(context, f"boss-{locale}")
    page.goto(f"{settings}/test")
    page.wait_for_url(settings)
    assert WORDS[locale][1] in page.locator(".notice.tone-success").inner_text()
    assert "boss@elsewhere.example" in page.locator("main").inner_text()
    assert client_secret not in page.content()
    look(page, found, "tested")
    page.locator("form[action$='/enable'] button").click()
    page.wait_for_selector("form[action$='/disable']")
    context.close()

    # Somebody new comes in by their address.
    context = chromium.new_context(locale=locale, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    type_there(context, nora)
    page = context.new_page()
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto(f"{address}/sign-in/sso?next=/runs")
    page.fill("[name=where]", f"nora@{domain}")
    page.locator("[name=where]").press("Enter")
    page.wait_for_selector("a.button-primary")
    assert WORDS[locale][0] in page.locator("a.button-primary").inner_text()
    look(page, found, "ways")
    page.locator("a.button-primary").click()
    page.wait_for_url(f"{address}/runs")
    context.close()
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from external_identities")) == 1
    assert noise == [] and found == {}

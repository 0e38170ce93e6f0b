"""Trust as people drive it, in both languages: the way out through a provider, a directory, support that is let in and thrown out, an organisation that stands still."""

from __future__ import annotations

import re

import pytest

from portal.core.config import ROOT
from tests.browser.conftest import IN_CHROMIUM, pass_doors
from tests.browser.test_accessibility import AXE, OVERFLOW, TAGS
from tests.identity.sso.conftest import prove_domain, reaching, zone
from tests.identity.sso.saml.conftest import fields_of, running_saml, saml_port

__all__ = ["running_saml", "saml_port", "zone"]
pytestmark = IN_CHROMIUM
WIDTHS = (1280, 390)
WORDS = {
    "en": {
        "test": "The test went well",
        "looks": "looks as",
        "left": "Here, and at",
        "suspended": "The bill is open.",
        "until": "Looking now",
    },
    "ar": {"left": "من هنا، ومن", "suspended": "الفاتورة لم تُدفع."},
}


@pytest.fixture
def outside(app, address, running_saml, zone):
    with reaching(running_saml.port, zone, public_url=address):
        yield


class Drive:
    """Opens browsers, and looks at each page that it is shown: wide and narrow, with axe."""

    def __init__(self, chromium, address, locale):
        self.chromium, self.address, self.locale = chromium, address, locale
        self.words, self.found, self.noise, self.opened = WORDS[locale], {}, [], []

    def open(self, **options):
        context = self.chromium.new_context(locale=self.locale, reduced_motion="reduce", **options)
        context.set_default_timeout(40_000)
        self.opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.noise.append(str(error)))
        page.on(
            "console", lambda said: self.noise.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None
        )
        return page

    def signed_in(self, email):
        page = self.open()
        page.goto(f"{self.address}/sign-in")
        pass_doors(page, email)
        page.wait_for_url(re.compile(r"/(home|staff)$"))
        return page

    def look(self, page, where):
        page.wait_for_load_state("load")
        page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8"))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if wrong := page.evaluate(AXE, TAGS):
                self.found[where, width] = wrong
            if page.evaluate(OVERFLOW) > 0:
                self.found[where, width, "sideways"] = True
        page.set_viewport_size({"width": 1280, "height": 900})


@pytest.fixture(params=["en", "ar"])
def drive(request, chromium, address):
    made = Drive(chromium, address, request.param)
    yield made
    for context in made.opened:
        context.close()
    assert made.noise == [] and made.found == {}


def test_who_signs_out_is_signed_out_at_the_provider_too(drive, address, tenant, outside, running_saml, zone, sign_in):
    saml, domain, owner = running_saml, f"{tenant.id.hex[-12:]}.example", sign_in(tenant, "owner")
    prove_domain(owner, zone, domain)
    made = owner.post("/settings/sso/new/saml", data=fields_of(saml))
    way = f"{address}/sign-in/sso/{made.headers['Location'].rpartition('/')[2]}"
    saml.register({"entity_id": f"{way}/metadata", "acs": f"{way}/acs", "slo": f"{way}/slo"})
    saml.hire("nora", email=f"nora@{domain}", name="Nora Hashimi")
    page = drive.signed_in(tenant.email("owner"))
    page.goto(f"{address}{made.headers['Location']}/test")
    page.fill("[name=person]", "nora")
    page.locator("button").click()
    page.wait_for_url(f"**{made.headers['Location']}")
    page.locator("form[action$='/enable'] button").click()
    page.wait_for_selector("form[action$='/disable']")

    nora = drive.open()
    nora.goto(way)
    nora.fill("[name=person]", "nora")
    nora.locator("button").click()
    nora.wait_for_url(re.compile(r"/(home)?$"))
    nora.locator("[popovertarget=user-menu]").click()
    nora.locator("#user-menu form[action='/sign-out'] button").click()
    nora.wait_for_url(f"{way}/left?all=1")
    assert drive.words["left"] in nora.locator("main").inner_text()
    drive.look(nora, "left")
    nora.goto(way)
    assert nora.url.startswith(f"{saml.base}/sso"), "the provider asks again who it is"


def test_a_directory_gets_its_token(drive, address, tenant):
    owner = drive.signed_in(tenant.email("owner"))
    owner.goto(f"{address}/settings/provisioning")
    drive.look(owner, "empty")
    owner.locator("form[action$='/tokens'] button").click()
    owner.wait_for_selector("[data-copy]")
    drive.look(owner, "token")
    owner.goto(f"{address}/settings/provisioning")
    owner.locator("form[action$='/delete'] button").click()
    owner.wait_for_load_state()
    assert owner.locator("form[action$='/delete']").count() == 0


def test_support_looks_is_seen_live_and_is_thrown_out(drive, address, tenant, staffer):
    owner, staff = drive.signed_in(tenant.email("owner")), drive.signed_in(staffer.email)
    staff.goto(f"{address}/staff/tenants/{tenant.id}")
    drive.look(staff, "no consent")
    owner.goto(f"{address}/settings/support")
    drive.look(owner, "nobody yet")
    owner.locator("form[action$='/grant'] button").click()
    owner.wait_for_selector("form[action$='/revoke']")

    staff.goto(f"{address}/staff/tenants/{tenant.id}/visit")
    staff.select_option("[name=person]", str(tenant.people["builder"]))
    staff.fill("[name=reason]", "short")
    staff.fill("[name=ticket]", "T-77")
    staff.locator("form[action$='/visit'] button").click()
    staff.wait_for_selector(".error-summary")
    drive.look(staff, "refused visit")
    staff.fill("[name=reason]", "The daily report fails since Monday.")
    staff.locator("form[action$='/visit'] button").click()
    staff.wait_for_url(re.compile(r"/(home)?$"))
    staff.goto(f"{address}/runs")
    assert staff.locator("form[action='/support/leave']").count()
    drive.look(staff, "the banner")

    # The page of the organisation shows it by itself, and ends it.
    owner.goto(f"{address}/settings/support")
    owner.wait_for_selector("#visits form[action$='/end']")
    assert "/runs" in owner.locator("#visits").inner_text()
    drive.look(owner, "live")
    staff.goto(f"{address}/workflows")
    owner.locator("#visits", has_text="/workflows").wait_for()
    owner.locator("#visits form[action$='/end'] button").click()
    owner.locator("#visits form[action$='/end']").wait_for(state="detached")
    staff.goto(f"{address}/runs")
    staff.wait_for_url(re.compile(r"/staff$"))
    drive.look(owner, "over")


def test_an_organisation_stands_still_and_says_why(drive, address, tenant, staffer):
    staff, member = drive.signed_in(staffer.email), drive.signed_in(tenant.email("admin"))
    staff.goto(f"{address}/staff/tenants/{tenant.id}")
    staff.fill("[name=reason]", "The bill is open.")
    staff.locator("form[action$='/suspend'] button").click()
    staff.wait_for_selector(".error-summary")
    drive.look(staff, "one language")
    staff.fill("[name=reason_ar]", "الفاتورة لم تُدفع.")
    staff.locator("form[action$='/suspend'] button").click()
    staff.wait_for_selector("form[action$='/resume']")
    drive.look(staff, "suspended, for staff")

    member.goto(f"{address}/runs")
    member.wait_for_url("**/organisations**")
    assert drive.words["suspended"] in member.locator("main").inner_text()
    drive.look(member, "suspended")

    staff.locator("form[action$='/resume'] button").click()
    staff.wait_for_selector("form[action$='/suspend']")
    member.goto(f"{address}/runs")
    assert member.url == f"{address}/runs"


def test_staff_read_their_bell(drive, address, staffer):
    staff = drive.signed_in(staffer.email)
    staff.locator("#bell").click()
    staff.wait_for_url("**/notifications")
    drive.look(staff, "bell")

"""Every page under axe in both languages, light and dark; at 320 px; with the text spacing that readers may ask for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.admin import service as staff
from portal.admin.gallery import GROUPS
from portal.core import clock, db
from portal.core.access import Access, Actor
from portal.core.config import ROOT
from portal.datatables import service as tables
from portal.exports import service as exports
from portal.identity.factors import service as factors
from portal.identity.roles import PERMISSIONS
from portal.identity.support import service as support
from portal.lists import service as lists
from portal.notifications import service as notifications
from portal.tenants.themes import service as themes
from portal.workflows import service
from tests.browser.conftest import IN_CHROMIUM, enter, pass_doors
from tests.whole.test_routes import pages_of
from tests.workflows.home.conftest import Ground

pytestmark = IN_CHROMIUM
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = ["color-contrast", "link-in-text-block"]  # what the dark colours can break; the rest is the same in both
AXE = """
rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(found =>
  found.violations.map(each => each.id + ': ' + each.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')))
"""
# Colours take a moment to change: what is measured stands still.
DARKEN = """
() => {
  document.documentElement.dataset.theme = 'dark';
  return Promise.all(document.getAnimations().map(each => each.finished.catch(() => {})));
}
"""
SPACED = """
() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } '
    + 'p { margin-block-end: 2em !important }');
  document.adoptedStyleSheets = [sheet];
}
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def pages(app, tenant):
    """A tenant with one thing of every kind, and the address of every page."""
    ground, now, by = Ground(tenant), clock.now(), Actor("person", tenant.people["owner"])
    with app.app_context(), db.transaction() as session:
        session.execute(
            text("update tenants set name = :name where id = :id"), {"name": "A rather long name of an organisation", "id": tenant.id}
        )
    published = ground.workflow("A rather long name of a workflow", name_ar="اسم طويل بعض الشيء لمسار عمل")
    runs = [
        ground.run(published, now - timedelta(hours=hours), status) for hours, status in ((1, "succeeded"), (5, "failed"), (30, "failed"))
    ]
    with app.app_context(), db.transaction(tenant.id):
        sample = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)
        service.publish_version(tenant.id, sample, by=by)
        columns = [{"key": "amount", "type": "number", "label": "Amount", "label_ar": "المبلغ", "required": True}]
        table = tables.create_table(tenant.id, "orders", name="Orders", name_ar="الطلبات", columns=columns, by=by)
        tables.insert_row(tenant.id, "orders", {"amount": 1250.5})
        notifications.notify(tenant.id, [tenant.people["owner"]], type="run.failed", message="", severity="error", link=f"/runs/{runs[1]}")
        exports.request_export(tenant.id, tenant.people["owner"], "workflows.runs", {}, file_format="csv", locale="en", by=by)
    with app.app_context(), db.transaction(tenant.id):
        theme = themes.add_theme(tenant.id, name="Corporate", name_ar="الهوية", by=by)
        themes.save_theme(tenant.id, theme, {"colors": {"light": {"primary": "#ffcc00"}}}, by=by)
    with app.test_request_context(), db.transaction(tenant.id):
        here = Access(by.id, tenant.id, "owner", PERMISSIONS["owner"], "Owner", tenant.name, None)
        kind = lists.get("runs")
        state = lists.read(kind, {"status": ["failed"], "from": ["2026-01-01"]})
        view = lists.save_view(here, kind, name="A rather long name of a view", state=state, is_shared=True)
        lists.open_first(here, view, is_first=True)
        gone = lists.save_view(here, lists.get("workflows"), name="Gone", state=lists.read(lists.get("workflows"), {}), is_shared=False)
        lists.delete_view(here, gone)
        factor = factors.begin_app(by.id)
        bulk = lists.ask(here, kind, kind.verb("cancel"), ids=runs, state=state)
        lists.undo(here, bulk)
    flow = f"/workflows/{sample}"
    return [
        "/home", "/workflows", "/workflows/new", flow, f"{flow}/describe", f"{flow}/design", f"{flow}/design?step=ask_manager",
        f"{flow}/design/add?after=long_leave&parent=&lane=", f"{flow}/run", "/runs", "/runs?status=cancelled", f"/runs?view={view}", f"/runs?view={view}&status=failed&sort=duration",
        f"/views/{view}", f"/bulk/{bulk}", f"/workflows?view=all&deleted={gone}&state=x", f"/runs/{runs[0]}",
        f"/runs/{runs[1]}", "/tables", "/tables/new", f"/tables/{table}", "/notifications", "/exports", "/nowhere",
        "/settings/sign-in", f"/settings/sign-in/app/{factor}", "/settings/security",
        "/settings/preferences", "/settings/themes", f"/settings/themes/{theme}", f"/settings/themes/{theme}/versions", "/search", "/search?q=leave", "/shortcuts", "/calendar?month=2026-12",
        "/settings", "/settings/password", "/settings/devices", "/settings/support", "/confirm", "/password/forgotten", "/password/reset?token=x",
    ]  # fmt: skip


@pytest.fixture
def routed(app, ours, pages, as_role):
    """The addresses of all pages that an owner can open, but those of `pages`."""
    return sorted(set(pages_of(app, ours, as_role("owner"))) - set(pages))


@pytest.fixture
def staff_pages(app, tenant, staffer, as_staff, pages):
    """Every kind of page that staff see; the tenant lets them look."""
    by = Actor("person", tenant.people["owner"])
    with app.app_context(), db.unit_of_work(tenant.id):
        support.grant(tenant.id, 4, by=by)
    until = clock.now() + timedelta(hours=1)
    staff.announce(text="Slow today", text_ar="بطء اليوم", tone="warning", since=None, until=until, by=Actor("person", staffer.id))
    return [
        "/staff", "/staff/tenants", "/staff/tenants?q=nothing-at-all", f"/staff/tenants/{tenant.id}", f"/staff/tenants/{tenant.id}/visit",
        "/staff/jobs", "/staff/announcements", "/staff/switches", "/settings", *(f"/staff/gallery/{group}" for group in GROUPS),
    ]  # fmt: skip


def signed_in(chromium, address, tenant, locale, theme="light", *, staffer=None, **look):
    who = {"email": staffer.email, "home": "/staff"} if staffer else {}
    context, page = enter(chromium, address, tenant, "en", [], **who)
    context.add_cookies([{"name": "theme", "value": theme, "url": address}])
    if locale == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    if look:
        page.set_viewport_size(look)
    return context, page


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_axe_finds_nothing_on_pages_in_their_states(address, chromium, tenant, pages, locale):
    context, page = signed_in(chromium, address, tenant, locale)
    found = {path: _axe(page, address + path) for path in pages}
    context.clear_cookies(name="sid")
    found["/sign-in"] = _axe(page, address + "/sign-in")
    context.close()
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_axe_finds_nothing_on_the_page_of_any_route(app, address, chromium, tenant, routed, locale):
    assert len(routed) > 20
    context, page = signed_in(chromium, address, tenant, locale)
    found = {path: _axe(page, address + path) for path in routed}
    context.close()
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_axe_finds_nothing_on_any_page_of_staff(address, chromium, tenant, staffer, staff_pages, locale):
    context, page = signed_in(chromium, address, tenant, locale, staffer=staffer)
    found = {path: _axe(page, address + path) for path in staff_pages}
    context.close()
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def _axe(page, url):
    """Return what axe finds on a page: every rule in light colours, contrast again in dark ones."""
    page.goto(url)
    page.wait_for_load_state("load")
    page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8"))
    light = page.evaluate(AXE, TAGS)
    page.evaluate(DARKEN)
    return light + [f"dark: {each}" for each in page.evaluate(AXE, CONTRAST)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_while_rows_are_chosen_and_the_filters_stand_open(address, chromium, tenant, pages, width, theme):
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    context, page = signed_in(chromium, address, tenant, "ar", theme, width=width, height=800)
    found = {}
    for path in ("/runs?view=all", "/workflows"):
        page.goto(address + path)
        page.locator("[data-select-row]").first.check()
        assert page.locator("[data-bulk-number]").inner_text() == "1"
        page.evaluate(axe)
        found[path, "chosen"] = page.evaluate(AXE, TAGS)
        page.locator(".list-filters summary").click()
        found[path, "filters"] = page.evaluate(AXE, TAGS)
        page.keyboard.press("Escape")
        page.locator("[popovertarget=column-menu]").click()
        found[path, "columns"] = page.evaluate(AXE, TAGS)
    context.close()
    assert {key: wrong for key, wrong in found.items() if wrong} == {}


def test_many_rows_are_handled_and_taken_back_without_a_script(app, address, chromium, tenant, pages):
    context = chromium.new_context(java_script_enabled=False, locale="en")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    pass_doors(page, tenant.email("owner"))
    page.wait_for_url(f"{address}/home")

    page.goto(f"{address}/runs?view=all")
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Failed", exact=True).check()
    page.get_by_role("button", name="Show", exact=True).click()
    assert "status=failed" in page.url
    page.locator("[data-select-row]").first.check()
    page.get_by_role("button", name="Retry what failed").click()
    page.wait_for_url("**/bulk/*")
    page.get_by_role("button", name="Undo").click()

    assert "Nothing was changed" in page.locator(".bulk-state").inner_text()
    context.close()


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_no_page_scrolls_sideways_on_a_narrow_screen_or_with_wide_text(address, chromium, tenant, routed, pages, locale):
    context, page = signed_in(chromium, address, tenant, locale, width=320, height=700)
    wide = _wide(page, address, [*pages, *routed])
    context.close()
    assert wide == []


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_no_page_of_staff_scrolls_sideways(address, chromium, tenant, staffer, staff_pages, locale):
    context, page = signed_in(chromium, address, tenant, locale, staffer=staffer, width=320, height=700)
    wide = _wide(page, address, staff_pages)
    context.close()
    assert wide == []


def _wide(page, address, paths):
    wide = []
    for path in paths:
        page.goto(address + path)
        if page.evaluate(OVERFLOW) > 0:
            wide.append((path, "320 px", page.evaluate(OVERFLOW)))
        page.evaluate(SPACED)
        if page.evaluate(OVERFLOW) > 0:
            wide.append((path, "text spacing", page.evaluate(OVERFLOW)))
    return wide


def test_the_main_job_needs_no_script(app, address, chromium, tenant):
    context = chromium.new_context(java_script_enabled=False, locale="en")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    pass_doors(page, tenant.email("owner"))
    page.wait_for_url(f"{address}/home")

    page.goto(f"{address}/workflows/new?sample=leave_request")
    page.fill("[name=name]", "Without a script")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/design")
    design = page.url
    page.get_by_role("button", name="Publish", exact=True).click()
    page.wait_for_load_state()
    page.goto(design.removesuffix("/design") + "/run")
    for name, value in (("employee", "Layla"), ("employee_email", "l@example.com"), ("manager_email", "m@example.com"), ("days", "٣")):
        page.fill(f"[name={name}]", value)
    page.fill("[name=starts_on]", "2026-12-01")
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url("**/runs/*")

    assert "Without a script" in page.locator("h1").inner_text()
    context.close()

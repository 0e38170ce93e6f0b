"""Every page under axe in both languages, light and dark; at 320 px; with the text spacing that readers may ask for."""

from __future__ import annotations

import pytest

from portal.core.config import ROOT
from tests.browser.conftest import IN_CHROMIUM, pass_doors, signed_in

pytestmark = IN_CHROMIUM
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = ["color-contrast", "link-in-text-block"]  # what the dark colours can break; the rest is the same in both
# Nothing is preloaded: only a rule that is none of these reads style sheets.
AXE = """
rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false}).then(found =>
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

"""Every page in both languages, opened once: what axe finds in light and dark, what is too wide at 320 px or with the text spacing that
readers may ask for, what the security policy refuses, what the browser complains of.
"""

from __future__ import annotations

import pytest

from portal.core.config import ROOT
from tests.browser.chromium import Watched
from tests.browser.conftest import IN_CHROMIUM, pass_doors, signed_in

pytestmark = IN_CHROMIUM
PARTS = 2  # of the pages, so that several processes share them
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
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_wrong_with_any_page(address, chromium, tenant, pages, routed, locale, part):
    assert len(routed) > 20
    context, page = signed_in(chromium, address, tenant, locale)
    found = _look_at(context, page, address, [*pages, *routed][part::PARTS])
    context.close()
    assert found == {}


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_nothing_is_wrong_with_any_page_of_staff(address, chromium, tenant, staffer, staff_pages, locale):
    context, page = signed_in(chromium, address, tenant, locale, staffer=staffer)
    found = _look_at(context, page, address, staff_pages)
    context.close()
    assert found == {}


def _look_at(context, page, address, paths):
    """Return what is wrong with pages, by path: what the policy refused, what is too wide on a phone, what axe finds."""
    watched, found = Watched(context, page), {}
    for path in paths:
        page.set_viewport_size({"width": 320, "height": 700})
        watched.open(address + path)
        if wrong := [*watched.heard.get(page.url, ()), *_wide(page), *_axe(page)]:
            found[path] = wrong
    return found


def _wide(page):
    """Say where the page that is open scrolls sideways at 320 px, also with wide text."""
    plain = page.evaluate(OVERFLOW)
    page.evaluate(SPACED)
    spaced = page.evaluate(OVERFLOW)
    page.evaluate("document.adoptedStyleSheets = []")
    return [f"{name}: {over} px too wide" for name, over in (("at 320 px", plain), ("with wide text", spaced)) if over > 0]


def _axe(page):
    """Return what axe finds on the page that is open: every rule in light colours, contrast again in dark ones."""
    page.set_viewport_size({"width": 1280, "height": 720})
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


def test_who_takes_rows_back_keeps_the_focus_on_the_page(address, chromium, tenant, pages):
    context, page = signed_in(chromium, address, tenant, "en")
    page.goto(f"{address}/runs?view=all&status=failed")
    page.locator("[data-select-row]").first.check()
    page.get_by_role("button", name="Retry what failed").click()
    page.wait_for_url("**/bulk/*")
    page.get_by_role("button", name="Undo").press("Enter")
    page.wait_for_selector("text=Nothing was changed")

    page.wait_for_function("document.activeElement.matches('main h1')")
    context.close()


def test_a_summary_of_errors_stands_apart_from_the_first_field(address, chromium, tenant, pages):
    context, page = signed_in(chromium, address, tenant, "en")
    page.goto(f"{address}/views/new?list=runs")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector(".error-summary")

    gap = "() => document.querySelector('.form > .field').getBoundingClientRect().top - document.querySelector('.error-summary').getBoundingClientRect().bottom"
    assert page.evaluate(gap) >= 16
    context.close()


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

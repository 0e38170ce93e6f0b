"""Themes in Chromium: fonts that arrive late move nothing, and who asks for more contrast gets the product's colours."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.core.config import ROOT
from portal.tenants.themes import service as themes
from tests.browser.conftest import IN_CHROMIUM
from tests.browser.test_accessibility import AXE, OVERFLOW, TAGS, signed_in

pytestmark = IN_CHROMIUM
BRAND = "#7a1f5c"
SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => { for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts += each.value; })
  .observe({ type: "layout-shift", buffered: true });
"""
# A line that ends within a few per cent of the edge may break otherwise in what stands in; no scale helps that, so these do not.
LOGIN_TEXT = {"en": "Everything that we work on, in one place\nFor staff and partners", "ar": "كل أعمالنا في مكان واحد\nللموظفين والشركاء"}


@pytest.fixture
def wear(app, tenant):
    def publish(family):
        by = Actor("person", tenant.people["owner"])
        columns = {"typography": {"family": family}, "colors": {"light": {"primary": BRAND}}, "branding": {"login_text": LOGIN_TEXT}}
        with app.app_context(), db.unit_of_work(tenant.id):
            theme = themes.add_theme(tenant.id, name="Corporate", name_ar=None, by=by)
            themes.save_theme(tenant.id, theme, columns, by=by)
            themes.publish_theme(tenant.id, theme, by=by)
            return themes.queries.slug_of(tenant.id)

    return publish


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize("family", ["plex", "readex", "cairo", "vazirmatn"])
def test_a_font_that_arrives_late_moves_nothing(address, chromium, wear, family, locale, width):
    slug = wear(family)
    context = chromium.new_context(locale=locale, viewport={"width": width, "height": 850}, reduced_motion="reduce")
    context.add_init_script(SHIFTS)
    page = context.new_page()
    asked = []

    def late(route):
        asked.append(route.request.url.rsplit("/", 1)[1].split(".")[0])
        time.sleep(0.6)
        route.continue_()

    page.route("**/fonts/*", late)
    page.goto(f"{address}/sign-in?org={slug}")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(300)

    shown = page.evaluate("[...document.fonts].filter((each) => each.status === 'loaded').map((each) => each.family.replaceAll('\"', ''))")
    name = {"plex": "Nasij Sans", "readex": "Readex Pro", "cairo": "Cairo", "vazirmatn": "Vazirmatn"}[family]
    assert name in shown
    assert not any(each.startswith(("nasij-sans-arabic", "nasij-sans-latin")) for each in asked) or family == "plex"
    assert page.evaluate("window.shifts") <= 0.02
    context.close()


BESIDE = """
async ([family, weight, text]) => {
  await document.fonts.load(`${weight} 16px "${family}"`, text);
  const measured = (fonts) => {
    const span = document.createElement("span");
    Object.assign(span.style, { fontFamily: fonts, fontWeight: weight, fontSize: "20px", lineHeight: "normal", whiteSpace: "nowrap", position: "absolute" });
    span.textContent = text;
    document.body.append(span);
    const { width, height } = span.getBoundingClientRect();
    span.remove();
    return [width, height];
  };
  return [measured(`"${family}"`), measured(["Arial", "Roboto", "Noto", "DejaVu"].map((each) => `"${family} ${each}"`).join())];
}
"""
TEXTS = {
    "en": "Long leaves go to the manager, short ones are confirmed at once. Undo and redo go back through every saved change.",
    "ar": "الإجازات الطويلة ترفع إلى المدير والقصيرة تؤكد فورا ويبقى ما في النماذج عند تبديل اللغة وانقطاع الاتصال وانتهاء الجلسة",
}


@pytest.mark.parametrize("weight", [400, 600])
@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize(("family", "name"), [("readex", "Readex Pro"), ("cairo", "Cairo"), ("vazirmatn", "Vazirmatn")])
def test_what_stands_in_for_a_font_is_as_wide_and_as_high(address, chromium, wear, family, name, locale, weight):
    slug = wear(family)
    context = chromium.new_context(locale=locale)
    page = context.new_page()
    page.goto(f"{address}/sign-in?org={slug}")

    (width, height), (beside, as_high) = page.evaluate(BESIDE, [name, weight, TEXTS[locale]])

    assert beside == pytest.approx(width, rel=0.05)
    assert as_high == pytest.approx(height, abs=1.5)
    context.close()


@pytest.mark.parametrize(("asked", "is_branded"), [({}, True), ({"contrast": "more"}, False), ({"forced_colors": "active"}, False)])
def test_who_asks_for_contrast_or_own_colours_gets_none_of_the_brands(address, chromium, wear, asked, is_branded):
    slug = wear("plex")
    context = chromium.new_context(locale="en", **asked)
    page = context.new_page()
    page.goto(f"{address}/sign-in?org={slug}")
    found = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--primary')")
    assert (BRAND in found) is is_branded
    assert (page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--nila-900')") != "#1e2769") is is_branded
    context.close()


@pytest.mark.parametrize(
    ("locale", "theme", "width"), [("ar", "light", 390), ("en", "dark", 390), ("ar", "dark", 1280), ("en", "light", 1280)]
)
def test_axe_finds_nothing_in_what_a_theme_brings(app, address, chromium, tenant, wear, locale, theme, width):
    slug = wear("cairo")
    with app.app_context(), db.transaction(tenant.id) as session:
        theme_id = session.scalar(text("select id from themes"))
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    context, page = signed_in(chromium, address, tenant, locale, theme, width=width, height=850)
    found = {}

    def look(name):
        page.evaluate(axe)
        found[name] = page.evaluate(AXE, TAGS) + ([f"{name} is too wide"] if page.evaluate(OVERFLOW) else [])

    page.goto(f"{address}/settings/themes/{theme_id}/versions?show=1")
    look("versions")
    page.goto(f"{address}/settings/themes/{theme_id}")
    look("editor")
    with app.app_context(), db.unit_of_work(tenant.id):
        themes.save_theme(tenant.id, theme_id, {"border_radius": {"m": 2}}, by=Actor("person", tenant.people["admin"]))
    page.fill("[name=border_radius-s]", "3")
    page.locator("[name=border_radius-s]").blur()
    page.wait_for_selector(".theme-clash")
    assert page.evaluate("document.activeElement.classList.contains('theme-clash')")
    look("clash")
    context.clear_cookies(name="sid")
    page.goto(f"{address}/sign-in?org={slug}")
    look("sign-in")
    context.close()
    assert {name: wrong for name, wrong in found.items() if wrong} == {}

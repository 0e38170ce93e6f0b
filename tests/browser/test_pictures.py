"""Every component looks as it was last accepted, in both languages and looks; `make pictures` accepts what is there now."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from portal.admin import samples
from portal.admin.gallery import GROUPS
from portal.i18n import formats
from tests.browser import pictures
from tests.browser.conftest import IN_CHROMIUM, enter
from tests.browser.pictures import Box

pytestmark = IN_CHROMIUM
KEPT = Path(__file__).parent / "pictures"
NOON = datetime(2026, 12, 3, 9, tzinfo=UTC)
WIDTH = 1000
IS_ACCEPTED = os.environ.get("PICTURES") == "accept"
BOXES = """
() => [...document.querySelectorAll('[data-sample]')].map((each) => {
  const box = each.querySelector('.sample-ground').getBoundingClientRect();
  return {name: each.dataset.sample, x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height};
})
"""
# Bars that stay in view would lie over whatever sample happens to be there.
STILL = """
(look) => {
  document.documentElement.dataset.theme = look;
  for (const each of document.querySelectorAll('body *')) {
    if (!each.closest('[data-sample]') && ['fixed', 'sticky'].includes(getComputedStyle(each).position)) each.style.visibility = 'hidden';
  }
  document.activeElement.blur();
  return Promise.all([document.fonts.ready, ...document.getAnimations().map((each) => each.finished.catch(() => {}))]);
}
"""


@pytest.fixture
def gallery(address, chromium, tenant, staffer, monkeypatch):
    """Open a page of the gallery at a moment that is always the same."""
    for module in (samples, formats):
        monkeypatch.setattr(module, "clock", SimpleNamespace(now=lambda: NOON))
    context, page = enter(chromium, address, tenant, "en", [], email=staffer.email, home="/staff")
    page.set_viewport_size({"width": WIDTH, "height": 900})

    def opened(group, locale):
        if page.locator("html").get_attribute("lang") != locale:
            page.click("[data-lang-switch] button")
            page.wait_for_selector(f"html[lang={locale}]")
        page.goto(f"{address}/staff/gallery/{group}")
        page.wait_for_load_state("load")
        return page

    yield opened
    context.close()


def tiles(page, look="light"):
    page.evaluate(STILL, look)
    return pictures.tiles_of(page.screenshot(full_page=True, animations="disabled"), [Box(**each) for each in page.evaluate(BOXES)])


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_components_look_as_accepted(gallery, locale):
    changed = {}
    for group in GROUPS:
        page = gallery(group, locale)
        for look in ("light", "dark"):
            now, path = tiles(page, look), KEPT / f"{group}-{locale}-{look}.png"
            if IS_ACCEPTED:
                pictures.write(path, now)
            was = pictures.read(path)
            assert sorted(was) == sorted(now), (
                f"{group}: other samples than when the pictures were taken; look at them, then `make pictures`"
            )
            changed |= {(name, look): told for name, tile in now.items() if (told := pictures.difference(was[name], tile))}
    assert changed == {}, "look at the gallery; if this is meant, `make pictures` accepts it"


FAULTS = {
    "icons at the other side": ("actions", ".sample-ground .button { flex-direction: row-reverse }", {"button"}),
    "padding gone": ("forms", ".input { padding: 0 !important; min-block-size: 0 !important }", {"text", "select"}),
    "a component mirrored": ("forms", ".check { direction: ltr }", {"checkbox", "radios"}),
    "an error that nobody sees": ("forms", ".error { visibility: hidden }", {"text"}),
    "a label that is hidden": ("forms", ".label { visibility: hidden }", {"text", "number"}),
    "a colour of the dark look in the light one": ("text", ".tag { background: #001a33 !important }", {"tag", "status"}),
    "a table whose cells are centred": ("data", ".table :is(td, th) { text-align: center !important }", {"table"}),
    "another font": ("text", "* { font-family: monospace !important }", {"name"}),
    "a notice without its ground": ("messages", ".notice { background: none !important; border-color: transparent !important }", {"notice"}),
}  # fmt: skip
BREAK = "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet] }"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_component_is_seen(gallery, fault):
    group, css, names = FAULTS[fault]
    page = gallery(group, "ar")
    page.evaluate(BREAK, css)
    was, now = pictures.read(KEPT / f"{group}-ar-light.png"), tiles(page)
    assert names <= {name for name, tile in now.items() if pictures.difference(was[name], tile)}


# What another version or machine may do: other hinting, no subpixel places, a hair's breadth in size.
HAIR = ["html { font-size: 16.05px }", ".sample-ground { translate: .4px .4px }", "* { text-rendering: geometricPrecision }"]


def test_a_hair_is_not_seen(gallery):
    for group in GROUPS:
        page = gallery(group, "ar")
        was = pictures.read(KEPT / f"{group}-ar-light.png")
        for css in HAIR:
            page.evaluate(BREAK, css)
            seen = {name: told for name, tile in tiles(page).items() if (told := pictures.difference(was[name], tile))}
            assert seen == {}, (group, css)

"""Charts in Chromium: walked by keyboard in both languages, whole without a script, one block swapped by the period."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.core import clock
from tests.browser.conftest import IN_CHROMIUM, enter
from tests.workflows.home.conftest import Ground

pytestmark = IN_CHROMIUM
FOCUSED = "document.activeElement.getAttribute('aria-label')"


@pytest.fixture
def lively(app, tenant):
    ground, now = Ground(tenant), clock.now()
    for name, name_ar in (("One", "واحد"), ("Two", "اثنان")):
        workflow_id = ground.workflow(name, name_ar=name_ar)
        for hours in range(1, 200, 9):
            ground.run(workflow_id, now - timedelta(hours=hours), "failed" if hours % 2 else "succeeded")
    return tenant


def walk(page, chart, *keys):
    """Focus the chart's stop, press the keys, and return what is focused after each."""
    page.locator(f"#{chart} [data-point][tabindex='0']").focus()
    said = [page.evaluate(FOCUSED)]
    for key in keys:
        page.keyboard.press(key)
        said.append(page.evaluate(FOCUSED))
    return said


def labels(page, chart):
    return page.locator(f"#{chart} [data-point]").evaluate_all("all => all.map((each) => each.getAttribute('aria-label'))")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_arrows_follow_the_screen_in_both_languages(address, chromium, lively, language):
    noise: list[str] = []
    context, page = enter(chromium, address, lively, "en", noise)
    if language == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    page.goto(f"{address}/home?period=7d")
    days = labels(page, "chart-runs")

    said = walk(page, "chart-runs", "ArrowLeft", "ArrowLeft", "ArrowRight", "Home", "ArrowLeft", "End", "ArrowUp")

    assert said == [days[-1], days[-2], days[-3], days[-2], days[0], days[0], days[-1], days[-1]]
    xs = page.locator("#chart-runs .chart-band").evaluate_all("all => all.map((each) => each.getBoundingClientRect().x)")
    assert xs == sorted(xs), "left is earlier on the screen, too"
    assert page.locator("#chart-runs [tabindex='0']").count() == 1
    assert page.locator("figure:has(#chart-runs) [data-readout]").text_content() == days[-1]

    hours = labels(page, "chart-hours")
    said = walk(page, "chart-hours", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowUp")
    assert said == [hours[0], hours[1], hours[25], hours[24], hours[24], hours[0]]

    bars = labels(page, "chart-failures")
    page.locator("#chart-failures a").first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == bars[1]
    context.close()
    assert noise == []


def test_the_period_swaps_one_block_and_keeps_focus_and_address(address, chromium, lively):
    noise: list[str] = []
    context, page = enter(chromium, address, lively, "en", noise)
    page.goto(f"{address}/home")
    page.evaluate("window.stayed = true")
    page.locator("#period-7d").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#overview h2:has-text('The last 7 days')")

    assert page.evaluate("window.stayed") is True
    assert page.url == f"{address}/home?period=7d"
    assert page.evaluate("document.activeElement.id") == "period-7d"
    assert page.locator("#period-7d").get_attribute("aria-current") == "true"
    page.hover("#chart-runs .chart-point >> nth=-1")
    page.mouse.move(0, 0)
    assert "runs. Busiest:" in page.locator("figure:has(#chart-runs) [data-readout]").text_content()
    page.go_back()
    page.wait_for_selector("#overview h2:has-text('The last 30 days')")
    context.close()
    assert noise == []


def test_without_a_script_the_period_the_tables_and_the_charts_are_there(address, chromium, lively):
    context, _page = enter(chromium, address, lively, "en", [])
    plain = chromium.new_context(java_script_enabled=False, storage_state=context.storage_state())
    page = plain.new_page()
    page.goto(f"{address}/home")
    page.click("#period-7d")
    page.wait_for_url(f"{address}/home?period=7d")

    page.click("figure:has(#chart-runs) summary")
    assert page.locator("figure:has(#chart-runs) td").first.is_visible()
    assert page.locator("#chart-runs .chart-point rect[fill]").first.is_visible()
    plain.close()
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_sticks_out_of_the_screen(address, chromium, lively, width):
    context, page = enter(chromium, address, lively, "en", [])
    page.set_viewport_size({"width": width, "height": 800})
    for period in ("24h", "90d"):
        page.goto(f"{address}/home?period={period}")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    context.close()

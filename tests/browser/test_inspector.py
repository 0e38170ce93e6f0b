"""The inspector in a real browser: completion and picker by keyboard in both directions, previews, trying; axe while they are open."""

from __future__ import annotations

import os

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.core.config import ROOT
from portal.workflows import queries, service
from portal.workflows.inspector import pins
from tests.browser.conftest import IN_CHROMIUM, signed_in
from tests.browser.test_accessibility import AXE, OVERFLOW, TAGS

pytestmark = IN_CHROMIUM


@pytest.fixture
def workflow_id(app, tenant):
    by = Actor("person", tenant.people["builder"])
    with app.app_context(), db.transaction(tenant.id):
        made = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)
        sample = {"result": True, "values": {"reason": "Wedding", "مدة": 3}, "votes": [{"by": "Sara"}, {"by": "Ali"}], "note": ""}
        pins.pin(tenant.id, made, "long_leave", sample, by=by)
        pins.pin(tenant.id, made, "start", {"employee": "Sara"}, by=by)
    return made


@pytest.mark.parametrize(
    ("locale", "width", "theme"), [("ar", 1280, "light"), ("en", 1280, "dark"), ("ar", 390, "dark"), ("en", 390, "light")]
)
def test_values_are_completed_picked_and_tried_with_keys(address, chromium, tenant, workflow_id, locale, width, theme):
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    context, page = signed_in(chromium, address, tenant, locale, theme, width=width, height=844)
    noise, found = [], {}
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("console", lambda said: noise.append(said.text) if said.type == "error" else None)

    def look(state):
        page.evaluate("() => Promise.all(document.getAnimations().map(each => each.finished.catch(() => {})))")
        if pictures := os.environ.get("INSPECTOR_PICTURES"):
            page.screenshot(path=f"{pictures}/{locale}-{width}-{state}.png")
        page.evaluate("window.scrollTo(0, 0)")  # what the bar at the top covers while one scrolls is no target
        page.evaluate(axe)
        found[state] = page.evaluate(AXE, TAGS)
        found[state, "wide"] = page.evaluate(OVERFLOW) if page.evaluate(OVERFLOW) > 0 else []

    page.goto(f"{address}/workflows/{workflow_id}/design?step=confirm")
    subject = page.locator("#f-confirm-subject")
    subject.fill("")
    subject.press_sequentially("For ${")
    page.wait_for_selector("#complete [aria-selected=true]")
    assert subject.get_attribute("aria-activedescendant") == "complete-0"
    look("completion")
    subject.press_sequentially("input.emp")
    page.keyboard.press("Enter")
    assert subject.input_value() == "For ${ input.employee }"
    subject.press_sequentially(".")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert page.locator("#complete").count() == 0 and subject.input_value() == "For ${ input.employee. }"
    page.keyboard.press("Control+Space")
    page.wait_for_selector("#complete")
    subject.press_sequentially("upp")
    page.keyboard.press("Enter")
    assert subject.input_value() == "For ${ input.employee.upperAscii() }"
    page.locator("#pv-f-confirm-subject .preview-value", has_text="For SARA").wait_for()
    look("preview")

    subject.fill("For ${ input.employee / 2 }")
    page.wait_for_selector("#pv-f-confirm-subject[data-state=problem]")
    page.locator("#pv-f-confirm-subject .preview-place").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "f-confirm-subject"
    look("problem")
    subject.fill("To:")
    page.wait_for_selector("#pv-f-confirm-subject:not([data-state])", state="attached")

    page.locator("#values-confirm > summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('[data-pick-search]')")
    page.keyboard.type("votes")
    page.wait_for_selector("[data-insert='steps.long_leave.votes[0].by']")
    look("picker")
    for _step in range(12):
        page.keyboard.press("ArrowDown")
        if page.evaluate("document.activeElement.dataset.insert") == "steps.long_leave.votes[0].by":
            break
    page.keyboard.press("Enter")
    assert subject.input_value() == "To:${ steps.long_leave.votes[0].by }"
    page.locator("#pv-f-confirm-subject .preview-value", has_text="To:Sara").wait_for()

    page.locator("#try-step").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#tried")
    assert page.evaluate("document.activeElement.id") == "tried"
    assert "To:Sara" in page.locator("#tried-given").inner_text()
    look("tried")
    page.goto(f"{address}/workflows/{workflow_id}/design?step=ask_manager")
    page.click("#sample-ask_manager > summary")
    look("sample")
    page.fill("#sample-text-ask_manager", "{")
    page.click("#pin-ask_manager")
    page.wait_for_selector("#sample-text-ask_manager-error")
    look("refused")
    context.close()

    assert {state: wrong for state, wrong in found.items() if wrong} == {}
    assert [each for each in noise if "status of 422" not in each] == []


def test_the_whole_flow_is_as_large_as_the_window_allows(address, chromium, tenant, workflow_id):
    context, page = signed_in(chromium, address, tenant, "ar", "light", width=1280, height=500)
    found = {}
    for height in (500, 2600):
        page.set_viewport_size({"width": 1280, "height": height})
        page.goto(f"{address}/workflows/{workflow_id}/design")
        with page.expect_response(lambda answer: "zoom=" in answer.url) as told:
            page.locator("#zoom-fit").click()
        found[height] = told.value.url.partition("zoom=")[2].partition("&")[0]
    context.close()

    assert found == {500: "60", 2600: "100"}


def test_values_among_arabic_read_left_to_right_while_one_types(app, address, chromium, tenant, workflow_id):
    context, page = signed_in(chromium, address, tenant, "ar", "light", width=1280, height=844)
    page.goto(f"{address}/workflows/{workflow_id}/design?step=confirm")
    subject = page.locator("#f-confirm-subject")
    subject.fill("")
    subject.press_sequentially("إجازة ${ input.emp")
    assert subject.input_value() == "إجازة \u2066${ input.emp\u2069", "already before it is closed"
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    subject.press_sequentially("، شكرًا")
    assert subject.input_value() == "إجازة \u2066${ input.employee }\u2069، شكرًا", "the cursor stood outside"
    for _ in range(8):
        page.keyboard.press("Backspace")
    assert subject.input_value() == "إجازة \u2066${ input.employee\u2069 ", "the bracket goes with one key"
    subject.press_sequentially("}")
    with page.expect_response("**/steps/confirm"):
        page.keyboard.press("Tab")
    page.wait_for_load_state("networkidle")
    assert subject.input_value() == "إجازة \u2066${ input.employee }\u2069"
    assert page.locator("#pv-f-confirm-subject .preview-value").inner_text() == "إجازة Sara"
    with app.app_context(), db.transaction(tenant.id):
        node = next(each for each in queries.get_workflow(tenant.id, workflow_id).nodes if each["key"] == "confirm")
    assert node["config"]["subject"] == "إجازة ${ input.employee }", "what is for the eye is not kept"
    page.evaluate("() => document.addEventListener('copy', event => { document.title = event.clipboardData.getData('text/plain') })")
    subject.press("Control+A")
    subject.press("Control+C")
    assert page.title() == "إجازة ${ input.employee }"
    context.close()

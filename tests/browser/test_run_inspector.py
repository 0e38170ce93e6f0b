"""A run that goes on, followed in Chromium with the inspector open, by keyboard alone; and the same page on a phone and without a script."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.engine import runner
from tests.browser.conftest import IN_CHROMIUM, enter, pass_doors
from tests.workflows.engine.conftest import Engine, step, values

pytestmark = IN_CHROMIUM
# Marks every element of the page, so that it can be told afterwards which ones are still the same.
MARK = "() => document.querySelectorAll('#run-live *').forEach((each, number) => { each.seen = number + 1 })"
SAME = "(selector) => Boolean(document.querySelector(selector)?.seen)"


@pytest.fixture
def workflow(app, tenant):
    by = Actor("person", tenant.people["owner"])
    nodes = [
        step("first", "set", **values(amount="${ 12 }", lines="${ [1, 2, 3] }")),
        step("pause", "wait", mode="for", amount=1, unit="hours"),
        step("ask", "approval", title="May it?", candidates=["role:owner"]),
        step("last", "set", **values(y="${ steps.first.amount }")),
    ]
    with app.app_context(), db.transaction(tenant.id) as session:
        workflow_id = service.create_workflow(tenant.id, name="Watched", name_ar="مراقَب", sample="blank", by=by)
        found = service.queries.get_workflow(tenant.id, workflow_id, lock=True)
        found.nodes = nodes
        session.flush()
        service.publish_version(tenant.id, workflow_id, by=by)
    return workflow_id


def carry_out(app):
    with app.app_context():
        runner.pump(worker="test", budget_s=10)


def started(app, tenant, workflow):
    with app.app_context():
        return Engine(tenant).start(workflow)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_live_run_is_followed_and_handled_by_keyboard_with_the_inspector_open(app, address, chromium, tenant, workflow, language):
    noise: list[str] = []
    context, page = enter(chromium, address, tenant, "en", noise)
    if language == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    run_id = started(app, tenant, workflow)
    page.goto(f"{address}/runs/{run_id}")

    page.focus("#step-first")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "step-pause"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_selector("#inspector")
    page.wait_for_selector("#inspector-title:focus")
    assert page.url.endswith("?step=first")
    page.evaluate(MARK)

    carry_out(app)  # the first step is done, the second one waits

    page.wait_for_selector("#inspected-state [data-status=succeeded]")
    page.wait_for_selector("#step-pause[data-state=waiting]")
    assert page.evaluate("document.activeElement.id") == "inspector-title", "the focus stays where it was"
    assert all(page.evaluate(SAME, each) for each in ("#inspector", "#step-first", "#step-last", "#bar-last")), "what is there is kept"
    page.locator("#inspect-log summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#inspect-log").get_attribute("open") is not None

    # Escape leads back to the card; the next one is opened, and its wait is skipped.
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "step-first"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("#inspector [data-kind=wait], #inspector-title")
    page.wait_for_url("**?step=pause")
    skip = page.locator("#inspector form[action$='/skip'] button")
    skip.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#step-pause[data-state=succeeded]")
    assert page.locator("#live").inner_text().strip() != ""
    carry_out(app)
    page.wait_for_selector("#step-ask[data-state=waiting]")
    assert page.url.endswith("?step=pause"), "the step that is open stays open"
    assert page.locator("#inspect-log").get_attribute("open") is not None, "what was unfolded stays so"
    assert page.locator("#run-said").inner_text() != ""

    # The question is answered in the inspector.
    page.focus("#step-ask")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer-form")
    page.locator("#answer-form button[value=approve]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#step-ask[data-state=succeeded]")
    carry_out(app)
    page.wait_for_selector("#run-live[data-final]", state="attached")
    assert page.locator("#inspect-answers").count() == 1

    # Closing gives the focus back to the card.
    page.focus("#close-inspector")
    page.keyboard.press("Enter")
    page.wait_for_selector("#inspector", state="detached")
    page.wait_for_selector("#step-ask:focus")
    page.go_back()
    page.wait_for_selector("#inspector")
    context.close()
    assert noise == []


def test_bars_lead_to_their_steps_by_keyboard(app, address, chromium, tenant, workflow):
    noise: list[str] = []
    context, page = enter(chromium, address, tenant, "en", noise)
    run_id = started(app, tenant, workflow)
    carry_out(app)
    page.goto(f"{address}/runs/{run_id}")

    page.focus("#bar-first")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") == "bar-pause"
    page.keyboard.press("Enter")
    page.wait_for_selector("#inspector")
    page.keyboard.press("Escape")
    page.wait_for_selector("#bar-pause:focus")
    context.close()
    assert noise == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_time_begins_at_the_start_edge_of_the_page(app, address, chromium, tenant, workflow, language):
    context, page = enter(chromium, address, tenant, "en", [])
    if language == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    run_id = started(app, tenant, workflow)
    carry_out(app)
    page.goto(f"{address}/runs/{run_id}")

    first, pause = (page.locator(f"#bar-{key} rect").first.bounding_box() for key in ("first", "pause"))
    plot = page.locator("#bar-first svg").bounding_box()
    if language == "en":
        assert first["x"] - plot["x"] < 0.3 * plot["width"] and first["x"] <= pause["x"] + 1
    else:
        assert plot["x"] + plot["width"] - first["x"] - first["width"] < 0.3 * plot["width"]
        assert first["x"] + first["width"] >= pause["x"] + pause["width"] - 1
    context.close()


def test_on_a_phone_the_inspector_is_a_sheet_over_the_lower_part(app, address, chromium, tenant, workflow):
    context, page = enter(chromium, address, tenant, "en", [])
    page.set_viewport_size({"width": 390, "height": 800})
    run_id = started(app, tenant, workflow)
    carry_out(app)
    page.goto(f"{address}/runs/{run_id}")
    page.click("#step-first")
    page.wait_for_selector("#inspector")

    sheet = page.locator("#inspector").bounding_box()
    assert (sheet["x"], sheet["width"]) == (0, 390) and sheet["y"] > 250 and round(sheet["y"] + sheet["height"]) == 800
    assert page.locator("#step-first").bounding_box()["y"] < sheet["y"]
    context.close()


def test_the_inspector_needs_no_script(app, address, chromium, tenant, workflow):
    context = chromium.new_context(java_script_enabled=False, locale="en")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    pass_doors(page, tenant.email("owner"))
    page.wait_for_url(f"{address}/home")
    run_id = started(app, tenant, workflow)
    carry_out(app)

    page.goto(f"{address}/runs/{run_id}")
    page.click("#step-pause")
    page.wait_for_url("**?step=pause#inspector")
    page.get_by_role("button", name="Skip the wait").click()
    page.wait_for_url("**?step=pause#inspector")

    assert "Succeeded" in page.locator("#inspected-state").inner_text()
    context.close()

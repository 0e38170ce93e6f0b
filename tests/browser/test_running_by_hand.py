"""What was found by hand in the running half: pages that answer a sent form, and what arrived at a way to start."""

from __future__ import annotations

import pytest

from tests.browser.conftest import IN_CHROMIUM
from tests.browser.test_accessibility import signed_in
from tests.workflows.triggers.conftest import Starts, declared, step, values

pytestmark = IN_CHROMIUM


def test_a_refused_form_turns_into_the_other_language_with_what_was_typed(address, chromium, tenant):
    context, page = signed_in(chromium, address, tenant, "en")
    page.goto(f"{address}/views/new?list=runs&status=failed")
    page.fill("[name=name]", "x" * 60)
    page.locator("[name=name]").evaluate("each => { each.removeAttribute('maxlength'); each.value += 'y' }")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector(".error-summary")
    page.click("[data-lang-switch] button")

    page.wait_for_selector("html[dir=rtl]")
    page.wait_for_function("document.querySelector('[name=name]')?.value.endsWith('xy')")
    assert "/views/new?list=runs" in page.url
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_what_arrived_fits_its_card(app, address, chromium, tenant, width):
    with app.app_context():
        starts = Starts(tenant)
        workflow_id = starts.publish_with(step("only", "set", **values(x="1")), inputs=[declared("who", required=True)])
        trigger_id = starts.add(workflow_id, "webhook", proof="none")
        token = starts.token(trigger_id)
    context, page = signed_in(chromium, address, tenant, "ar", width=width, height=800)
    for given in ({"who": "x"}, {}):
        page.request.post(f"{address}/hooks/{token}", data=given)
    with app.app_context():
        starts.pump()
    page.goto(f"{address}/workflows/{workflow_id}/starts/{trigger_id}")

    wrap = page.locator(".table-wrap:has(th[scope=row])")
    assert wrap.locator("th[scope=row]").count() == 2
    assert wrap.evaluate("each => each.scrollWidth - each.clientWidth") <= 0
    context.close()

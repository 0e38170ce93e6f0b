"""What was found by hand in the running half: pages that answer a sent form, and what arrived at a way to start."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.workflows.engine.store import answering
from portal.workflows.engine.store.answering import Vote
from tests.browser.conftest import IN_CHROMIUM
from tests.browser.test_accessibility import signed_in
from tests.workflows.engine.conftest import Engine
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


def test_what_somebody_writes_stays_while_somebody_else_decides(app, address, chromium, tenant):
    with app.app_context():
        engine = Engine(tenant)
        ask = step("ask", "approval", title="May it?", candidates=["role:owner", "role:admin"])
        run_id = engine.start(engine.publish(step("first", "set", **values(x="1")), ask))
        engine.pump()
        with engine.in_house() as session:
            task_id = session.scalar(text("select id from workflow_tasks where execution_id = :id"), {"id": run_id})
    context, page = signed_in(chromium, address, tenant, "en")
    page.goto(f"{address}/runs/{run_id}?step=ask")
    page.fill("[name=note]", "Not before the budget is there")
    with app.app_context():
        admin = tenant.people["admin"]
        answering.vote(tenant.id, task_id, Vote(admin, "approve", {}, "", f"person:{admin}"))
        engine.pump()
    with page.expect_response(lambda answer: answer.url.endswith("step=ask")):
        page.wait_for_timeout(300)

    assert page.locator("[name=note]").input_value() == "Not before the budget is there"
    page.click("#answer-form [name=outcome][value=approve]")
    page.wait_for_selector("[name=comment]")
    page.wait_for_timeout(3500)  # longer than any pause after which the page asks again
    assert page.locator("[name=comment]").input_value() == "Not before the budget is there"
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

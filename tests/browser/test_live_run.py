"""The main job in Chromium: sign in, start a run, watch it, in both languages; and a stream that is cut."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.engine import runner
from portal.workflows.engine.store import answering
from portal.workflows.engine.store.answering import Vote
from tests.browser.conftest import IN_CHROMIUM, enter, signed_in
from tests.workflows.engine.conftest import Engine, step, values

pytestmark = IN_CHROMIUM


@pytest.fixture
def workflow(app, tenant):
    by = Actor("person", tenant.people["owner"])
    with app.app_context(), db.transaction(tenant.id) as session:
        workflow_id = service.create_workflow(tenant.id, name="Watched", name_ar="مراقَب", sample="blank", by=by)
        found = service.queries.get_workflow(tenant.id, workflow_id, lock=True)
        found.nodes = [step("first", "set", **values(x="1")), step("last", "set", **values(y="${ steps.first.x }"))]
        session.flush()
        service.publish_version(tenant.id, workflow_id, by=by)
    return workflow_id


def carry_out(app):
    with app.app_context():
        runner.pump(worker="test", budget_s=10)


@pytest.mark.parametrize(("language", "word"), [("en", "Succeeded"), ("ar", "تم بنجاح")])
def test_a_run_is_watched_to_its_end_without_a_reload(app, address, chromium, tenant, workflow, language, word):
    noise: list[str] = []
    context, page = enter(chromium, address, tenant, "en", noise)
    if language == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    page.goto(f"{address}/workflows/{workflow}/run")
    page.click("#start-form button[type=submit]")
    page.wait_for_url(f"{address}/runs/*")

    carry_out(app)

    page.wait_for_selector(f"#run-live :text('{word}')")
    page.wait_for_selector("#run-live[data-final], #run-live [data-final]", state="attached")
    context.close()
    assert noise == []


def test_the_page_converges_after_its_stream_was_cut(app, address, chromium, tenant, workflow):
    noise: list[str] = []
    context, page = enter(chromium, address, tenant, "en", noise)
    page.route("**/stream*", lambda route: route.abort())
    page.goto(f"{address}/workflows/{workflow}/run")
    page.click("#start-form button[type=submit]")
    page.wait_for_url(f"{address}/runs/*")

    carry_out(app)

    page.wait_for_selector("#run-live :text('Succeeded')")
    context.close()
    assert noise == []


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

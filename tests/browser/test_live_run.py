"""The main job in Chromium: sign in, start a run, watch it, in both languages; and a stream that is cut."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.engine import runner
from tests.browser.conftest import IN_CHROMIUM, enter
from tests.workflows.engine.conftest import step, values

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

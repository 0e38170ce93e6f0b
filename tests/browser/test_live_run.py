"""The main job in Chromium: sign in, start a run, watch it, in both languages; and a stream that is cut."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from werkzeug.serving import make_server

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.engine import runner
from tests.conftest import PASSWORD
from tests.workflows.engine.conftest import step, values

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on PATH")]


@pytest.fixture(scope="module")
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "CI must have Chromium: .ci/run installs it"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


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


def enter(chromium, address, tenant, locale, noise):
    context = chromium.new_context(locale=locale, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("console", lambda said: noise.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)
    page.goto(f"{address}/sign-in")
    page.fill("[name=email]", tenant.email("owner"))
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"{address}/home")
    return context, page


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

"""What stands below another thing stands apart from it, and the buttons of a row beside each other: looked at where neither was so."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from tests.browser.conftest import IN_CHROMIUM, pass_doors, signed_in
from tests.workflows.engine.conftest import step, values
from tests.workflows.triggers.conftest import Starts, declared

pytestmark = IN_CHROMIUM
APART = """([above, below]) => document.querySelector(below).getBoundingClientRect().top
  - document.querySelector(above).getBoundingClientRect().bottom"""


@pytest.fixture
def enter(address, chromium):
    """Open a page at a width for somebody, or for nobody."""
    contexts = []

    def opened(path, email=None, width=1280):
        context = chromium.new_context(locale="ar", viewport={"width": width, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        if email:
            page.goto(f"{address}/sign-in")
            pass_doors(page, email)
            page.wait_for_url(lambda url: "/sign-in" not in url)
        page.goto(f"{address}{path}")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_words_and_forms_stand_off_from_what_is_above_them(enter, tenant, width):
    spent = enter("/invitation?in=1&token=1", width=width)
    assert spent.evaluate(APART, [".sign-in-card .lead", ".sign-in-card .button"]) >= 16

    calendar = enter("/settings/calendars/new", tenant.email("owner"), width)
    assert calendar.evaluate(APART, ["#f-hours_to_1", "label[for=f-hours_from_2]"]) >= 8
    calendar.fill("[name=name]", "Office")
    calendar.click(".settings-main .button-primary")
    calendar.wait_for_selector("#holidays .empty")
    assert calendar.evaluate(APART, ["#holidays .empty", "#holidays .form"]) >= 12


def test_the_buttons_of_a_row_stand_beside_each_other(app, enter, tenant):
    by = Actor("person", tenant.people["owner"])
    with app.app_context(), db.transaction(tenant.id) as session:
        workflow = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)
        service.publish_version(tenant.id, workflow, by=by)
        session.execute(
            text("update workflow_templates set settings = settings || '{\"deadline_s\": 600}' where id = :id"), {"id": workflow}
        )
        session.expire_all()
        service.publish_version(tenant.id, workflow, by=by)

    page = enter(f"/workflows/{workflow}/versions", tenant.email("owner"))

    beside = page.evaluate(
        "() => [...document.querySelectorAll('tbody tr:last-child .is-actions .button')].map(each => each.getBoundingClientRect().bottom)"
    )
    assert len(beside) == 2 and max(beside) - min(beside) < 4


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

"""A task decided on a phone, in both languages: everything in reach of a thumb, nothing beside the page, nothing for axe to find."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from tests.browser.conftest import IN_CHROMIUM
from tests.browser.test_accessibility import OVERFLOW, _axe, signed_in
from tests.workflows.engine.conftest import Engine, step

pytestmark = IN_CHROMIUM
FIELD = {"key": "days", "type": "number", "label": "Days", "label_ar": "الأيام", "required": True, "choices": []}
HEIGHTS = """() => [...document.querySelectorAll('form[action$="/decide"] button')].map(each => each.getBoundingClientRect().height)"""


@pytest.mark.parametrize(("locale", "words"), [("en", "Approve"), ("ar", "موافقة")])
def test_a_task_is_decided_on_a_phone(app, address, chromium, tenant, locale, words):
    with app.app_context():
        engine = Engine(tenant)
        asked = {"title": "Leave of Sara, under a rather long headline", "title_ar": "إجازة سارة", "details": "Ten days", "form": [FIELD]}
        run_id = engine.start(engine.publish(step("ask", "approval", candidates=["role:owner"], **asked)))
        engine.pump()
        with db.transaction(tenant.id) as session:
            task_id = session.scalar(text("select id from workflow_tasks"))
    context, page = signed_in(chromium, address, tenant, locale, width=390, height=844)

    page.goto(f"{address}/tasks/{task_id}")
    assert page.evaluate(OVERFLOW) <= 0
    assert min(page.evaluate(HEIGHTS)) >= 44
    assert _axe(page) == []
    page.set_viewport_size({"width": 390, "height": 844})  # axe looks at the wide page
    page.fill("#f-days", "5")
    page.locator("form[action$='/decide'] button", has_text=words).click()
    page.wait_for_selector(".notice.tone-success")
    context.close()

    with app.app_context():
        assert engine.run(run_id).status == "succeeded"
        assert engine.steps(run_id)["ask"].output["values"] == {"days": 5}

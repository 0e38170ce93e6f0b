"""A day is chosen from a month, by keyboard, in the direction of the page; typed days stay possible."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from tests.browser.conftest import IN_CHROMIUM, enter

pytestmark = IN_CHROMIUM


@pytest.mark.parametrize(("locale", "onward"), [("en", "ArrowRight"), ("ar", "ArrowLeft")])
def test_a_day_is_chosen_from_the_keyboard(app, address, chromium, tenant, locale, onward):
    by = Actor("person", tenant.people["owner"])
    with app.app_context(), db.transaction(tenant.id):
        workflow = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)
        service.publish_version(tenant.id, workflow, by=by)
    noise = []
    context, page = enter(chromium, address, tenant, "en", noise)
    if locale == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    page.goto(f"{address}/workflows/{workflow}/run")
    field = page.locator("#f-starts_on")
    field.fill("2026-12-31")

    page.locator("[data-calendar-button]").first.press("Enter")
    page.locator("[data-day='2026-12-31']:focus").wait_for()
    page.keyboard.press(onward)
    page.locator("[data-calendar-month='2027-01'] [data-day='2027-01-01']:focus").wait_for()
    page.keyboard.press("ArrowDown")
    page.locator("[data-day='2027-01-08']:focus").wait_for()
    page.keyboard.press("PageUp")
    page.locator("[data-day='2026-12-08']:focus").wait_for()
    page.keyboard.press("Enter")

    assert field.input_value() == "2026-12-08"
    assert page.evaluate("document.activeElement.id") == "f-starts_on"
    assert not page.locator("#f-starts_on-month").is_visible()
    assert noise == []
    context.close()

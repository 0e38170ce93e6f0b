"""Once a form came back with errors, a corrected field is checked again when it is left; nothing is carried out by that."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from tests.browser.conftest import IN_CHROMIUM, enter

pytestmark = IN_CHROMIUM
SAID = {"en": ("Give the workflow a name.", "Corrected.", "Error:"), "ar": ("أدخل اسمًا لمسار العمل.", "صُحّح.", "خطأ:")}


def workflows_of(house):
    with db.transaction(house.id) as session:
        return session.execute(text("select count(*) from workflow_templates")).scalar()


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_corrected_field_loses_its_error_when_it_is_left_and_gets_it_again(address, chromium, tenant, locale):
    wrong, corrected, mark = SAID[locale]
    noise = []
    context, page = enter(chromium, address, tenant, "en", noise)
    if locale == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    before = workflows_of(tenant)
    page.goto(f"{address}/workflows/new")
    page.evaluate("document.querySelector('main form[method=post]').noValidate = true")
    name, error, summary = page.locator("#f-name"), page.locator("#f-name-error"), page.locator(".error-summary")

    # Not sent yet: leaving a field says nothing.
    name.focus()
    page.keyboard.press("Tab")
    assert error.count() == 0
    name.press("Enter")
    summary.wait_for()
    assert page.title().startswith(mark)
    assert page.evaluate("document.activeElement.classList.contains('error-summary')")
    assert wrong in error.inner_text() and wrong in summary.inner_text()

    name.fill("Leave")
    page.keyboard.press("Tab")
    error.wait_for(state="hidden")
    assert name.get_attribute("aria-invalid") is None and name.get_attribute("aria-describedby") is None
    assert not summary.is_visible() and not page.title().startswith(mark)
    page.locator("#live", has_text=corrected).wait_for(state="attached")
    assert page.evaluate("document.activeElement !== document.body"), "the focus went where Tab led"

    name.fill("  ")
    page.keyboard.press("Tab")
    error.wait_for()
    assert wrong in error.inner_text() and wrong in summary.inner_text()
    assert name.get_attribute("aria-invalid") == "true" and name.get_attribute("aria-describedby") == "f-name-error"
    assert page.title().startswith(mark)

    assert workflows_of(tenant) == before
    name.fill("Leave")
    name.press("Enter")
    page.wait_for_url("**/design")
    assert workflows_of(tenant) == before + 1
    assert noise == []
    context.close()


def test_columns_change_places_from_the_keyboard(address, chromium, tenant):
    context, page = enter(chromium, address, tenant, "en", [])
    page.goto(f"{address}/workflows/new?sample=leave_request")
    page.fill("[name=name]", "Leave")
    page.locator("[name=name]").press("Enter")
    page.wait_for_url("**/design")
    page.goto(f"{address}/workflows")
    page.get_by_role("button", name="Columns").press("Enter")
    page.get_by_role("button", name="Move “Changed” earlier").press("Enter")
    page.locator("#live", has_text="“Changed” is now column 3 of 4.").wait_for(state="attached")
    page.keyboard.press("Enter")
    page.locator("#live", has_text="“Changed” is now column 2 of 4.").wait_for(state="attached")
    page.get_by_role("button", name="Show these").press("Enter")
    page.wait_for_load_state()
    heads = [each.strip() for each in page.locator("thead th:not(.is-select):not(.is-actions)").all_inner_texts()]
    assert heads == ["Name", "Changed", "State", "Last run"]
    context.close()

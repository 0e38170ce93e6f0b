"""The frame in Chromium: the palette by keyboard, what was typed outlives the switch of language, a lost connection and the end of a session."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from tests.browser.conftest import IN_CHROMIUM, enter, pass_doors, signed_in

pytestmark = IN_CHROMIUM


@pytest.fixture
def leave(app, tenant):
    with app.app_context(), db.transaction(tenant.id):
        by = Actor("person", tenant.people["owner"])
        return service.create_workflow(tenant.id, name="Leave request", name_ar="طلب إجازة", sample="blank", by=by)


@pytest.fixture
def page(address, chromium, tenant):
    noise: list[str] = []
    context, page = enter(chromium, address, tenant, "en", noise)
    yield page
    context.close()
    assert noise == []


@pytest.mark.parametrize(("language", "typed"), [("en", "leave"), ("ar", "اجازه")])
def test_a_workflow_is_opened_by_keyboard_alone(page, leave, language, typed):
    if language == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette [role=option]")
    page.keyboard.type(typed)
    page.wait_for_selector(f"#palette a[href='/workflows/{leave}'][aria-selected=true]")
    assert page.get_attribute("#palette-text", "aria-activedescendant") == page.get_attribute("#palette [aria-selected=true]", "id")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/workflows/{leave}")


def test_escape_closes_the_palette_and_gives_the_focus_back(page):
    page.focus(".search-button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#palette [role=option]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#palette", state="hidden")
    assert page.evaluate("document.activeElement.matches('.search-button')")


def test_a_question_mark_shows_the_keys_and_can_be_switched_off(page, address):
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")
    page.locator("[data-single-keys]").uncheck()
    page.keyboard.press("Escape")
    page.goto(f"{address}/home")
    page.keyboard.press("?")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette[open]")
    assert not page.locator("#shortcuts").is_visible()


def test_what_was_typed_outlives_the_switch_of_language(page, address):
    page.goto(f"{address}/workflows/new")
    page.fill("[name=name]", "Not yet sent")
    page.click("[data-lang-switch] button")
    page.wait_for_selector("html[dir=rtl]")
    page.wait_for_function("document.querySelector('[name=name]').value === 'Not yet sent'")


def test_what_was_typed_outlives_the_session(page, address, tenant):
    page.goto(f"{address}/workflows/new")
    page.fill("[name=name]", "Before the end")
    page.context.clear_cookies(name="sid")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/sign-in?next=**")
    pass_doors(page, tenant.email("owner"))
    page.wait_for_url("**/workflows/new")
    page.wait_for_function("document.querySelector('[name=name]').value === 'Before the end'")


def test_without_a_connection_nothing_is_sent_or_lost(page, address):
    page.goto(f"{address}/workflows/new")
    page.fill("[name=name]", "Kept")
    page.context.set_offline(True)
    page.wait_for_selector("#offline", state="visible")
    page.get_by_role("button", name="Create", exact=True).click()
    assert page.url.endswith("/workflows/new")
    assert page.input_value("[name=name]") == "Kept"
    page.context.set_offline(False)
    page.wait_for_selector("#offline", state="hidden")


def test_a_form_says_that_it_is_not_saved_only_once_something_changed(page, address):
    page.goto(f"{address}/settings/preferences")
    state = page.locator(".save-state")
    assert state.is_hidden(), "a choice for which the page names none stands at its first, which is no change"
    page.select_option("[name=calendar]", index=1)
    assert state.is_visible()
    page.select_option("[name=calendar]", index=0)
    assert state.is_hidden()


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

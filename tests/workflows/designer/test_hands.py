"""The designer in a real browser: keyboard, saving as you go, dragging, in both directions, under the strict CSP."""

from __future__ import annotations

import shutil
import threading

import pytest
from sqlalchemy import text
from werkzeug.serving import make_server

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from tests.conftest import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")


@pytest.fixture(scope="module")
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_design(address, chromium, tenant):
    opened, noise = [], []
    by = Actor("person", tenant.people["builder"])
    with db.transaction(tenant.id):
        workflow_id = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)

    def enter(locale="en", *, width=1280, query="", touch=False):
        context = chromium.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", has_touch=touch)
        context.set_default_timeout(8_000)
        opened.append(context)
        page = context.new_page()
        page.goto(f"{address}/sign-in")
        page.fill("[name=email]", tenant.email("builder"))
        page.fill("[name=password]", PASSWORD)
        page.locator("[name=password]").press("Enter")
        page.wait_for_url(f"{address}/home")
        if page.get_attribute("html", "lang") != locale:
            page.click("[data-lang-switch] button")
            page.wait_for_selector(f"html[lang={locale}]")
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("console", lambda said: noise.append(said.text) if said.type == "error" and "status of 4" not in said.text else None)
        page.goto(f"{address}/workflows/{workflow_id}/design{query}")
        page.wait_for_selector("a.step-card[tabindex='0']")
        return page

    yield enter
    for context in opened:
        context.close()
    assert not noise


def focused(page):
    return page.evaluate("document.activeElement.id")


def said(page, words):
    page.wait_for_function("words => document.getElementById('live').textContent.includes(words)", arg=words)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
    return focused(page)


@pytest.mark.parametrize(("locale", "to_no", "to_yes"), [("en", "ArrowRight", "ArrowLeft"), ("ar", "ArrowLeft", "ArrowRight")])
def test_arrows_follow_what_the_eye_sees(open_design, locale, to_no, to_yes):
    page = open_design(locale)
    page.focus("#step-start")

    assert press(page, "ArrowDown", "ArrowDown") == "step-ask_manager"
    assert press(page, to_no) == "step-confirm"
    assert press(page, to_yes) == "step-ask_manager"
    assert press(page, "End") == "step-tell_me"
    assert press(page, "Home") == "step-start"


def test_a_step_is_added_moved_opened_and_deleted_without_a_mouse(open_design):
    page = open_design()
    page.focus("#step-long_leave")

    press(page, "a")
    page.keyboard.type("wait")
    press(page, "Enter")
    said(page, "Step added after “\u2068More than 5 days?\u2069”, position 4 of 6.")
    assert focused(page) == "step-wait"
    press(page, "Alt+ArrowUp")
    said(page, "“\u2068Wait\u2069” moved. After “\u2068Confirm to the employee\u2069”")
    assert focused(page) == "step-wait"
    press(page, "Enter")
    page.wait_for_function("() => document.activeElement.id === 'inspector-title'")
    assert press(page, "Escape") == "step-wait"
    press(page, "Delete")
    said(page, "“\u2068Wait\u2069” was deleted.")
    assert focused(page) == "step-confirm"
    press(page, "Control+z")
    page.wait_for_selector("#step-wait")


def test_what_is_typed_is_saved_before_the_next_step_opens(open_design):
    page = open_design(query="?step=ask_manager")

    page.fill("#f-ask_manager-to", "${ input.boss }")
    page.click("#step-confirm")
    page.wait_for_selector("#f-confirm-to")

    assert "input.boss" in page.inner_text("#step-ask_manager")
    page.click("#undo-button")
    page.wait_for_function("() => !document.getElementById('step-ask_manager').textContent.includes('input.boss')")


def test_undo_shows_in_the_open_form(open_design):
    page = open_design(query="?step=tell_me")

    page.select_option("#f-tell_me-severity", "error")
    said(page, "Saved.")
    page.click("#undo-button")
    said(page, "Undone: Changing a step.")

    assert page.input_value("#f-tell_me-severity") == "success"


def test_a_refused_value_stays_while_the_next_one_is_typed(open_design):
    page = open_design(query="?step=ask_manager")
    page.click("#more-ask_manager summary")

    page.fill("#f-ask_manager-attempts", "many")
    press(page, "Tab")
    page.wait_for_selector("#f-ask_manager-attempts-error")

    assert page.input_value("#f-ask_manager-attempts") == "many"
    assert focused(page) == "f-ask_manager-timeout_s"


def test_a_value_is_put_at_the_cursor(open_design):
    page = open_design(query="?step=confirm")
    page.click("#values-confirm summary")
    page.fill("#f-confirm-subject", "For ")
    page.click("[data-insert='input.employee']")
    said(page, "Saved.")

    assert page.input_value("#f-confirm-subject") == "For ${ input.employee }"
    assert focused(page) == "f-confirm-subject"
    assert page.evaluate("document.getElementById('values-confirm').open")


def test_a_card_is_dragged_to_a_plus(open_design):
    page = open_design()

    page.drag_and_drop("#step-tell_me", ".lane[data-lane=else] .lane-steps > .slot .slot-add")

    said(page, "“\u2068Tell who asked\u2069” moved. In “\u2068More than 5 days?\u2069”, first if no")


def chosen(page):
    return page.eval_on_selector_all("#flow .choose:checked", "all => all.map(each => each.value)")


def test_several_are_chosen_and_handled_as_one(open_design):
    page = open_design()
    page.focus("#step-ask_manager")

    press(page, "Space")
    said(page, "“Ask the manager” is chosen. Chosen: 1.")
    assert press(page, "Shift+ArrowDown", "Shift+ArrowDown") == "step-note_down"
    assert chosen(page) == ["ask_manager", "confirm", "note_down"]
    assert press(page, "Shift+ArrowUp") == "step-confirm" and chosen(page) == ["ask_manager", "confirm"]
    press(page, "Alt+ArrowUp")
    said(page, "2 steps moved.")
    assert chosen(page) == ["ask_manager", "confirm"] and focused(page) == "step-confirm"
    press(page, "Control+d")
    said(page, "2 steps were duplicated.")
    assert chosen(page) == ["email", "email_2"]
    press(page, "Delete")
    said(page, "2 steps were deleted.")
    assert chosen(page) == []
    press(page, "Control+z")
    page.wait_for_selector("#step-email")
    press(page, "Space", "Escape")
    said(page, "Nothing is chosen.")
    assert chosen(page) == []


@pytest.mark.parametrize(("locale", "to_no"), [("en", "ArrowRight"), ("ar", "ArrowLeft")])
def test_a_step_goes_into_the_lane_at_that_side(open_design, locale, to_no):
    page = open_design(locale)
    page.focus("#step-ask_manager")

    press(page, f"Alt+{to_no}")
    page.wait_for_selector(".lane[data-lane=else] #step-ask_manager")
    assert focused(page) == "step-ask_manager"
    press(page, f"Alt+{to_no}")
    said(page, {"en": "There is no lane at this side.", "ar": "لا مسلك"}[locale])


def test_a_place_is_pressed_for_what_is_chosen(open_design):
    page = open_design()
    page.focus("#step-note_down")

    press(page, "Space")
    page.click("#chosen-to")
    said(page, "Press the + where the steps belong")
    press(page, "Enter")
    said(page, "1 step moved. At the beginning")
    assert focused(page) == "step-note_down"


def test_steps_are_copied_and_pasted_with_keys_and_from_the_clipboard(open_design):
    page = open_design()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.focus("#step-confirm")

    press(page, "Control+c")
    said(page, "1 step copied.")
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('nasij')")
    assert focused(page) == "step-confirm"
    page.focus("#step-tell_me")
    press(page, "Control+v")
    said(page, "1 step was put in.")
    assert focused(page) == "step-email"
    page.evaluate('navigator.clipboard.writeText(\'{"no": "steps"}\')')
    press(page, "Control+v")
    page.wait_for_selector("#wrong")
    assert "What was pasted are no steps." in page.inner_text("#wrong")


def test_single_keys_can_be_switched_off(open_design):
    page = open_design()
    page.evaluate("document.cookie = 'keys=off; Path=/'")
    page.focus("#step-confirm")

    press(page, "a", "/", "?")
    assert not page.evaluate("document.querySelector('dialog[open], :popover-open')")
    page.evaluate("document.cookie = 'keys=on; Path=/'")
    press(page, "?")
    assert page.evaluate("document.getElementById('shortcuts').open")


def test_folded_lanes_stay_folded_and_open_for_who_looks_inside(open_design):
    page = open_design()

    page.click("#branch-long_leave > summary")
    page.reload()
    page.wait_for_selector("a.step-card[tabindex='0']")
    assert not page.is_visible("#step-confirm") and "2 steps inside" in page.inner_text("#branch-long_leave > summary")
    page.focus("#step-long_leave")
    assert press(page, "ArrowDown") == "step-note_down"
    press(page, "/")
    page.keyboard.type("confirm")
    assert press(page, "Enter") == "step-confirm"
    assert page.is_visible("#step-confirm")


def test_who_may_not_edit_any_more_sees_what_was_typed(open_design, tenant):
    page = open_design(query="?step=confirm")
    with db.transaction(tenant.id) as session:
        session.execute(text("update memberships set role = 'auditor' where person_id = :id"), {"id": tenant.people["builder"]})

    page.fill("#f-confirm-subject", "Long thought about")
    press(page, "Tab")
    page.wait_for_selector("#lost")

    assert "Long thought about" in [
        page.input_value(f"#{each}") for each in page.eval_on_selector_all("textarea", "all => all.map(each => each.id)")
    ]
    assert focused(page) == "lost"


def touch(page, kind, x, y):
    points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
    if not hasattr(page, "_wire"):
        page._wire = page.context.new_cdp_session(page)
    page._wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def middle(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_drags_after_a_moment_and_scrolls_before(open_design):
    page = open_design(width=390, touch=True)
    page.evaluate("document.getElementById('step-ask_manager').scrollIntoView({block: 'center'})")
    start = middle(page, "#step-ask_manager")

    touch(page, "touchStart", *start)
    touch(page, "touchMove", start[0], start[1] - 40)
    page.wait_for_timeout(450)
    assert not page.query_selector(".drag-ghost")
    touch(page, "touchEnd", 0, 0)

    page.evaluate("document.getElementById('step-ask_manager').scrollIntoView({block: 'center'})")
    start = middle(page, "#step-ask_manager")
    touch(page, "touchStart", *start)
    page.wait_for_selector(".drag-ghost")
    slot = ".lane[data-lane=else] .lane-steps > .slot .slot-add"
    assert page.locator(slot).bounding_box()["width"] >= 44
    touch(page, "touchMove", start[0] + 20, start[1] + 20)
    touch(page, "touchMove", *middle(page, slot))
    page.wait_for_selector(".slot.is-over")
    page.keyboard.press("Escape")
    assert not page.query_selector(".drag-ghost")
    touch(page, "touchEnd", 0, 0)
    assert page.query_selector(".lane[data-lane=then] #step-ask_manager")

    start = middle(page, "#step-ask_manager")
    touch(page, "touchStart", *start)
    page.wait_for_selector(".drag-ghost")
    touch(page, "touchMove", start[0] + 20, start[1] + 20)
    touch(page, "touchMove", *middle(page, slot))
    page.wait_for_selector(".slot.is-over")
    touch(page, "touchEnd", 0, 0)
    page.wait_for_selector(".lane[data-lane=else] #step-ask_manager")


@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize("query", ["", "?step=start", "?step=note_down"])
def test_nothing_is_cut_off_on_a_narrow_phone(open_design, locale, query):
    page = open_design(locale, width=320, query=query)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("(box => box.scrollWidth - box.clientWidth)(document.getElementById('inspector'))") <= 1

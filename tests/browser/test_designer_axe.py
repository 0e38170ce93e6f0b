"""The designer under axe in its states: chosen steps, the help sheet, the map, a conflict; on a phone and wide, light and dark."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.core.config import ROOT
from portal.workflows import service
from portal.workflows.designer import drafts
from portal.workflows.designer.edits import Place
from tests.browser.conftest import IN_CHROMIUM, signed_in
from tests.browser.test_accessibility import AXE, OVERFLOW, TAGS

pytestmark = IN_CHROMIUM


@pytest.mark.parametrize(
    ("locale", "width", "theme"), [("ar", 390, "dark"), ("en", 1280, "light"), ("ar", 1280, "light"), ("en", 390, "dark")]
)
def test_axe_finds_nothing_in_the_states_of_the_designer(app, address, chromium, tenant, locale, width, theme):
    by = Actor("person", tenant.people["builder"])
    with app.app_context(), db.transaction(tenant.id):
        workflow_id = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)
        jump = {"kind": "goto", "name": "Again", "name_ar": "من جديد", "config": {"to": "long_leave"}, "note": "Why it is so"}
        drafts.add_step(tenant.id, workflow_id, jump, Place("long_leave", "else", "confirm"), revision=0, by=by)
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    context, page = signed_in(chromium, address, tenant, locale, theme, width=width, height=844)
    found = {}

    def look(state):
        page.evaluate("() => Promise.all(document.getAnimations().map(each => each.finished.catch(() => {})))")
        page.evaluate(axe)
        found[state] = page.evaluate(AXE, TAGS)
        found[state, "wide"] = page.evaluate(OVERFLOW) if page.evaluate(OVERFLOW) > 0 else []

    design = f"{address}/workflows/{workflow_id}/design"
    for path in (
        "?step=goto",
        "?select=1",
        "?step=start&zoom=140",
        "?zoom=60",
        "/map",
        "/map?size=actual",
        "/add?after=confirm&parent=long_leave&lane=else",
    ):
        page.goto(design + path)
        look(path)
    page.goto(f"{design}?zoom=100")
    page.focus("#step-long_leave")
    for keys in ("Space", "Shift+ArrowDown"):
        page.keyboard.press(keys)
    look("chosen")
    page.click("#chosen-to")
    look("placing")
    page.keyboard.press("Escape")
    page.click("#branch-long_leave > summary")
    look("folded")
    page.focus("#step-long_leave")
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")
    look("help")
    page.keyboard.press("Escape")
    page.goto(f"{design}?step=note_down")
    with app.app_context(), db.transaction(tenant.id):
        drafts.change_step(tenant.id, workflow_id, "note_down", {"name": "Theirs"}, revision=1, by=by)
    page.fill("#f-note_down-name", "Mine")
    page.keyboard.press("Tab")
    page.wait_for_selector("#conflict")
    look("conflict")
    page.click("#keep-mine")
    page.wait_for_selector("#conflict", state="detached")
    assert page.locator("#step-note_down").inner_text().find("Mine") >= 0 or locale == "ar"
    context.close()

    assert {state: wrong for state, wrong in found.items() if wrong} == {}

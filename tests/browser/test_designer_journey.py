"""One workflow of twelve steps — three lanes, a loop, an approval — built, tried, published and run: with keys alone in both
languages, with a finger on a phone, and without a script."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.workflows import queries, service
from portal.workflows.versions import trials
from tests.browser.conftest import IN_CHROMIUM, pass_doors
from tests.workflows.engine.conftest import Engine

pytestmark = IN_CHROMIUM
SWITCH = (("Small", "false"), ("Large", "true"))
BUILT = {
    "set": (None, None), "switch": (None, None), "set_2": ("switch", "otherwise"), "set_3": ("switch", "case_2"), "set_4": ("switch", "case_1"),
    "foreach": (None, None), "set_5": ("foreach", "each"), "approval": (None, None),
    **{f"set_{number}": (None, None) for number in range(6, 10)},
}  # fmt: skip
REVISION = "document.getElementById('designer').dataset.revision"


@pytest.fixture
def design(app, address, chromium, tenant):
    """Open the design of a blank workflow; give the page and the workflow's id."""
    opened, noise = [], []
    with app.app_context(), db.transaction(tenant.id):
        by = Actor("person", tenant.people["owner"])
        workflow_id = service.create_workflow(tenant.id, name="Orders", name_ar="الطلبات", sample="blank", by=by)

    def enter(locale, **look):
        context = chromium.new_context(locale=locale, reduced_motion="reduce", **look)
        context.set_default_timeout(10_000)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("console", lambda said: noise.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)
        page.goto(f"{address}/sign-in")
        pass_doors(page, tenant.email("owner"))
        page.wait_for_url(f"{address}/home")
        if page.get_attribute("html", "lang") != locale:
            page.click("[data-lang-switch] button")
            page.wait_for_selector(f"html[lang={locale}]")
        page.goto(f"{address}/workflows/{workflow_id}/design")
        return page, workflow_id

    yield enter
    for context in opened:
        context.close()
    assert not noise


def nodes_of(app, tenant, workflow_id):
    with app.app_context(), db.transaction(tenant.id):
        return {node["key"]: node for node in queries.get_workflow(tenant.id, workflow_id).nodes}


def assert_built(app, tenant, workflow_id):
    nodes = nodes_of(app, tenant, workflow_id)
    assert {key: (node["parent"], node["lane"]) for key, node in nodes.items()} == BUILT
    assert nodes["switch"]["config"]["cases"] == [{"name": name, "value": value} for name, value in SWITCH]


def assert_tried(app, tenant, workflow_id):
    with app.app_context(), db.transaction(tenant.id):
        trial = trials.list_trials(tenant.id, workflow_id)[0]
        assert trials.get(tenant.id, trial.id).results[0]["status"] == "succeeded"


def pump(app, tenant):
    with app.app_context():
        Engine(tenant).pump()


def assert_ran(app, tenant):
    with app.app_context(), db.transaction(tenant.id) as session:
        assert session.scalar(text("select status from workflow_executions where tenant_id = :id"), {"id": tenant.id}) == "succeeded"
        done = dict(
            session.execute(text("select node_key, count(*) from workflow_steps where state = 'succeeded' group by node_key")).all()
        )
    assert done["set_3"] == 1 and done["set_5"] == 2 and "set_4" not in done, "the lane “Large”, and the loop twice"


def changed(page, act):
    """Do something and wait until the designer stands at another revision."""
    before = page.evaluate(REVISION)
    act()
    page.wait_for_function(f"before => {REVISION} !== before", arg=before)


def is_at(page, selector):
    return page.evaluate("selector => document.activeElement.matches(selector)", selector)


def tab_to(page, selector, way="Tab"):
    for _ in range(150):
        if is_at(page, selector):
            return
        page.keyboard.press(way)
    raise AssertionError(f"{selector} is not reached with {way}")


def card_to(page, key):
    """Go to a card with the arrows alone."""
    page.keyboard.press("Home")
    tab_to(page, f"#step-{key}", "ArrowDown")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def type_in(page, selector, words):
    tab_to(page, selector)
    page.keyboard.type(words)
    changed(page, lambda: press(page, "Tab"))


def add_with_keys(page, key, kind):
    card_to(page, key)
    press(page, "a")
    page.wait_for_selector("#kind-picker:popover-open")
    page.keyboard.type(kind)
    changed(page, lambda: press(page, "Enter"))
    assert is_at(page, f"#step-{kind}")
    press(page, "Enter")
    page.wait_for_function("() => document.activeElement.id === 'inspector-title'")


@pytest.mark.parametrize(("locale", "to_lane_before"), [("en", "ArrowLeft"), ("ar", "ArrowRight")])
def test_with_keys_alone(app, tenant, design, locale, to_lane_before):
    page, workflow_id = design(locale)
    tab_to(page, "#step-start")

    add_with_keys(page, "start", "set")
    type_in(page, "#f-set-values", "x")
    type_in(page, "#f-set-values-v0", "1")
    press(page, "Escape")
    assert is_at(page, "#step-set")
    for many in (2, 4, 8):
        changed(page, lambda: press(page, "Control+d"))
        page.wait_for_function("many => document.querySelectorAll('#flow a.step-card').length === many + 1", arg=many)
        press(page, "Escape")
        card_to(page, "set")
        press(page, "Space", *["Shift+ArrowDown"] * (page.locator("#flow a.step-card").count() - 2))
    press(page, "Escape", "End")
    changed(page, lambda: press(page, "Control+d"))

    add_with_keys(page, "set", "switch")
    for number, (name, value) in enumerate(SWITCH):
        type_in(page, f"#f-switch-cases{f'-n{number}' if number else ''}", name)
        type_in(page, f"#f-switch-cases-v{number}", value)
    press(page, "Escape")
    for key, lanes in (("set_2", 0), ("set_3", 1), ("set_4", 2)):
        card_to(page, key)
        changed(page, lambda: press(page, "Alt+ArrowUp"))
        for _ in range(lanes):
            page.wait_for_function("key => document.activeElement.id === `step-${key}`", arg=key)
            changed(page, lambda: press(page, f"Alt+{to_lane_before}"))
    page.wait_for_function("() => document.activeElement.id === 'step-set_4'")
    add_with_keys(page, "switch", "foreach")
    type_in(page, "#f-foreach-list", "[1, 2]")
    press(page, "Escape")
    card_to(page, "set_5")
    changed(page, lambda: press(page, "Alt+ArrowUp"))
    page.wait_for_function("() => document.activeElement.id === 'step-set_5'")
    add_with_keys(page, "foreach", "approval")
    type_in(page, "#f-approval-title", "Agree?")
    tab_to(page, "[name=c-candidates][value='role:owner']")
    changed(page, lambda: press(page, "Space"))
    assert_built(app, tenant, workflow_id)

    tab_to(page, "a[href$='/try']", "Shift+Tab")
    press(page, "Enter")
    page.wait_for_url("**/try")
    tab_to(page, "main form[action$='/try'][method=post] button")
    press(page, "Enter")
    page.wait_for_url("**/trials/*")
    assert_tried(app, tenant, workflow_id)
    page.go_back()
    page.go_back()
    page.wait_for_selector("a.step-card[tabindex='0']")
    tab_to(page, "#publish-button")
    press(page, "Enter")
    page.wait_for_selector("#published")
    tab_to(page, "#published a")
    press(page, "Enter")
    page.wait_for_url("**/run")
    tab_to(page, "#start-form button")
    press(page, "Enter")
    page.wait_for_url("**/runs/*")
    pump(app, tenant)
    page.goto(page.url.split("/runs/")[0] + "/tasks")
    tab_to(page, "main a[href^='/tasks/']:not([href*='?'])")
    press(page, "Enter")
    page.wait_for_selector("form[action$='/decide']")
    tab_to(page, "form[action$='/decide'] button[value=approve]")
    press(page, "Enter")
    page.wait_for_selector(".notice.tone-success")
    pump(app, tenant)
    assert_ran(app, tenant)


class Finger:
    """A finger on the screen: long presses go through the browser's own touch events."""

    def __init__(self, page):
        self.page, self.wire = page, page.context.new_cdp_session(page)

    def touch(self, kind, *at):
        points = [] if kind == "touchEnd" else [{"x": at[0], "y": at[1]}]
        self.wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def middle(self, selector):
        box = self.page.locator(selector).first.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, card, slot):
        page = self.page
        page.evaluate("selector => document.querySelector(selector).scrollIntoView({block: 'center'})", card)
        x, y = self.middle(card)
        self.touch("touchStart", x, y)
        page.wait_for_selector(".drag-ghost")
        for _ in range(300):  # at the edge the page scrolls by itself
            to_x, to_y = self.middle(slot)
            inside = 90 < to_y < page.viewport_size["height"] - 90
            self.touch("touchMove", to_x, to_y if inside else 20 if to_y < 90 else page.viewport_size["height"] - 20)
            if inside and page.query_selector(".slot.is-over"):
                break
            page.wait_for_timeout(16)
        changed(page, lambda: self.touch("touchEnd"))


def test_with_a_finger_on_a_phone(app, tenant, design):
    page, workflow_id = design("ar", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    finger = Finger(page)
    page.wait_for_selector("a.step-card[tabindex='0']")

    def add(slot, kind):
        page.tap(slot)
        page.wait_for_selector("#kind-picker:popover-open")
        changed(page, lambda: page.tap(f"#kind-picker [value='{kind}']"))

    def fill(selector, words):
        page.fill(selector, words)
        changed(page, lambda: page.locator(selector).blur())

    def close():
        page.tap("#close-inspector")
        page.wait_for_selector("#inspector:not([data-open])")

    add("[data-place='||']", "set")
    fill("#f-set-values", "x")
    fill("#f-set-values-v0", "1")
    close()
    for chosen in (["set"], ["set", "set_2"], ["set", "set_2", "set_3", "set_4"], ["set_8"]):
        page.tap("#choosing-on")
        page.wait_for_selector("#choosing-off")
        for key in chosen:
            page.tap(f"#step-{key}")
        changed(page, lambda: page.tap("#chosen-duplicate"))
        if page.query_selector("#choosing-off"):
            page.tap("#choosing-off")
            page.wait_for_selector("#choosing-on")
    add("[data-place='||set']", "switch")
    for number, (name, value) in enumerate(SWITCH):
        fill(f"#f-switch-cases{f'-n{number}' if number else ''}", name)
        fill(f"#f-switch-cases-v{number}", value)
    close()
    finger.drag("#step-set_2", "[data-place='switch|otherwise|']")
    finger.drag("#step-set_3", "[data-place='switch|case_2|']")
    page.tap("#choosing-on")
    page.wait_for_selector("#choosing-off")
    page.tap("#step-set_4")
    page.tap("#chosen-to")
    changed(page, lambda: page.tap("[data-place='switch|case_1|']"))
    if page.query_selector("#choosing-off"):
        page.tap("#choosing-off")
        page.wait_for_selector("#choosing-on")
    add("[data-place='||switch']", "foreach")
    fill("#f-foreach-list", "[1, 2]")
    close()
    finger.drag("#step-set_5", "[data-place='foreach|each|']")
    add("[data-place='||foreach']", "approval")
    fill("#f-approval-title", "Agree?")
    changed(page, lambda: page.check("[name=c-candidates][value='role:owner']"))
    close()
    assert_built(app, tenant, workflow_id)

    _try_publish_run(app, tenant, page, workflow_id, page.tap)


def test_without_a_script(app, tenant, design):
    page, workflow_id = design("en", java_script_enabled=False)
    url = page.url

    def add(slot, kind):
        page.click(slot)
        page.click(f".kind[value='{kind}']")

    def choose(*keys):
        page.click("#choosing-on")
        for key in keys:
            page.check(f"#choose-{key}")

    add("[data-place='||']", "set")
    page.fill("#f-set-values", "x")
    page.fill("#f-set-values-v0", "1")
    page.click("#save-set")
    for keys in (["set"], ["set", "set_2"], ["set", "set_2", "set_3", "set_4"], ["set_8"]):
        page.goto(url)
        choose(*keys)
        page.click("#chosen-duplicate")
    add("[data-place='||set']", "switch")
    for number, (name, value) in enumerate(SWITCH):
        page.fill(f"#f-switch-cases{f'-n{number}' if number else ''}", name)
        page.fill(f"#f-switch-cases-v{number}", value)
        page.click("#save-switch")
    for key, lane in (("set_2", "otherwise"), ("set_3", "case_2"), ("set_4", "case_1")):
        page.goto(url)
        choose(key)
        page.click("#chosen-to")
        page.select_option("[name=place]", f"switch|{lane}|")
        page.get_by_role("button", name="Move", exact=True).click()
    add("[data-place='||switch']", "foreach")
    page.fill("#f-foreach-list", "[1, 2]")
    page.click("#save-foreach")
    page.goto(f"{url}?step=set_5")
    page.click("#places-set_5 summary")
    page.select_option("#f-set_5-place", "foreach|each|")
    page.locator("#places-set_5 button").click()
    add("[data-place='||foreach']", "approval")
    page.fill("#f-approval-title", "Agree?")
    page.check("[name=c-candidates][value='role:owner']")
    page.click("#save-approval")
    assert_built(app, tenant, workflow_id)
    # Copied here, pasted at the end, and taken back.
    page.goto(url)
    choose("set_9")
    page.click("#chosen-copy")
    page.click("[data-place='||set_9']")
    page.get_by_role("button", name="Paste here").click()
    page.wait_for_selector("#step-set_10")
    page.click("#undo-button")
    assert_built(app, tenant, workflow_id)

    _try_publish_run(app, tenant, page, workflow_id, page.click)


def _try_publish_run(app, tenant, page, workflow_id, push):
    page.wait_for_load_state()
    design = f"{page.url.split('/workflows/')[0]}/workflows/{workflow_id}/design"
    push("a[href$='/try']")
    push("main form[action$='/try'][method=post] button")
    page.wait_for_url("**/trials/*")
    assert_tried(app, tenant, workflow_id)
    page.goto(design)
    push("#publish-button")
    page.wait_for_selector("#published, .toast")
    page.goto(design.replace("/design", "/run"))
    push("#start-form button")
    page.wait_for_url("**/runs/*")
    pump(app, tenant)
    page.goto(design.split("/workflows/")[0] + "/tasks")
    push("main a[href^='/tasks/']:not([href*='?'])")
    push("form[action$='/decide'] button[value=approve]")
    page.wait_for_selector(".notice.tone-success")
    pump(app, tenant)
    assert_ran(app, tenant)

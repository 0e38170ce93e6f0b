"""The pages of runs with blocks: pause and resume, taking back, items by page, and the designer's forms for lanes."""

from __future__ import annotations

import re

import pytest

from tests.workflows.engine.conftest import step, values


@pytest.fixture
def looped(engine):
    workflow = engine.publish(
        step("each", "foreach", source="times", times=120, if_fails="continue", undo=True),
        step("work", "set", parent="each", lane="each", **values(n="${ index == 7 ? int('x') : index }")),
        step("back", "set", parent="each", lane="undo", **values(x="1")),
        step("pause", "wait", mode="for", amount=1, unit="hours"),
    )
    return engine.go(workflow)


def numbers(page):
    return re.findall(r'<th scope="row"[^>]*>(?:<[^>]*>)*(\d+)', page.text)


def test_a_loop_shows_counts_and_its_items_by_page_never_all_of_them(engine, looped, as_role):
    browser = as_role("owner")

    page = browser.get(f"/runs/{looped.id}")
    listed = browser.get(f"/runs/{looped.id}/steps/{engine.steps(looped.id)['each'].id}/items")

    assert page.text.count('class="step-card"') == 4
    assert "119" in page.text_of(".crowd")[0]
    assert len(numbers(listed)) == 50
    second = browser.get(f"/runs/{looped.id}/steps/{engine.steps(looped.id)['each'].id}/items?after=99")
    assert numbers(second)[0] == "101"
    failed = browser.get(f"/runs/{looped.id}/steps/{engine.steps(looped.id)['each'].id}/items?state=failed")
    assert numbers(failed) == ["8"]


def test_a_run_is_paused_and_goes_on_by_buttons(engine, looped, as_role):
    browser = as_role("owner")

    assert browser.post(f"/runs/{looped.id}/pause").status_code == 303
    assert engine.run(looped.id).status == "paused"
    assert "Go on" in browser.get(f"/runs/{looped.id}").text
    browser.post(f"/runs/{looped.id}/resume")
    assert engine.run(looped.id).status == "running"


def test_a_run_is_cancelled_and_taken_back_by_a_button(engine, looped, as_role):
    browser = as_role("owner")

    browser.post(f"/runs/{looped.id}/cancel", data={"undo": "1"})
    engine.pump()

    assert engine.run(looped.id).status == "compensated"
    assert "1 step was taken back." in browser.get(f"/runs/{looped.id}").text


def test_a_case_that_goes_takes_its_lane_and_the_others_move_up(engine, as_role):
    workflow = engine.publish(
        step("pick", "switch", cases=[{"name": "A", "value": "true"}, {"name": "B", "value": "false"}]),
        step("a", "set", parent="pick", lane="case_1", **values(x="1")),
        step("b", "set", parent="pick", lane="case_2", **values(x="1")),
    )
    form = {
        "revision": "0", "name": "Pick", "name_ar": "", "drop": "cases:0",
        "c-cases-name": ["A", "B", ""], "c-cases-value": ["true", "false", ""],
    }  # fmt: skip

    saved = as_role("builder").post(f"/workflows/{workflow}/design/steps/pick", data=form)

    assert saved.status_code == 303
    with engine.in_house() as session:
        from portal.workflows.models import WorkflowTemplate

        nodes = session.get(WorkflowTemplate, workflow).nodes
    assert [(node["key"], node["lane"]) for node in nodes] == [("pick", None), ("b", "case_1")]


def test_error_and_undo_lanes_come_with_a_choice_in_the_form(engine, as_role):
    workflow = engine.publish(step("a", "set", **values(x="1")))
    form = {"revision": "0", "name": "A", "name_ar": "", "on_error": "lane", "undo": ["0", "1"]}
    browser = as_role("builder")

    browser.post(f"/workflows/{workflow}/design/steps/a", data=form)
    page = browser.get(f"/workflows/{workflow}/design?step=a")

    assert page.text_of(".lane-label") == ["If it fails", "To take it back"]
    added = browser.post(
        f"/workflows/{workflow}/design/add", data={"kind": "stop", "parent": "a", "lane": "error", "after": "", "revision": "1"}
    )
    assert added.status_code == 303

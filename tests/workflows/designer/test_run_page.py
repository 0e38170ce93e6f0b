"""The page of a run: the flow of its version with what became of each step."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.designer import edits
from portal.workflows.designer.flow import run_tree
from portal.workflows.engine import runner

GIVEN = {
    "employee": "ليلى <b>",
    "employee_email": "l@example.com",
    "manager_email": "m@example.com",
    "days": "3",
    "starts_on": "2026-12-01",
}


def state(name, **more):
    return SimpleNamespace(state=name, output=None, **more)


def test_each_card_has_the_state_of_its_step_and_lanes_know_which_was_taken():
    nodes = [
        {"key": "if", "kind": "condition", "name": "If", "parent": None, "lane": None},
        {"key": "a", "kind": "set", "name": "A", "parent": "if", "lane": "then"},
        {"key": "b", "kind": "set", "name": "B", "parent": "if", "lane": "else"},
        {"key": "c", "kind": "set", "name": "C", "parent": None, "lane": None},
    ]
    states = {"if": SimpleNamespace(state="succeeded", output={"result": False}, port="else"), "a": state("skipped"), "b": state("leased")}

    cards = run_tree(nodes, states)

    assert [card.state and card.state.state for card in edits.every_card(cards)] == ["succeeded", "skipped", "leased", None]
    assert [lane.is_taken for lane in cards[0].lanes] == [False, True]


def test_lanes_are_open_before_the_condition_has_decided():
    nodes = [{"key": "if", "kind": "condition", "name": "If", "parent": None, "lane": None}]

    assert [lane.is_taken for lane in run_tree(nodes, {})[0].lanes] == [None, None]


@pytest.fixture
def start(tenant):
    def begin(sample="leave_request", given=GIVEN):
        by = Actor("person", tenant.people["owner"])
        with db.transaction(tenant.id):
            workflow_id = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample=sample, by=by)
            service.publish_version(tenant.id, workflow_id, by=by)
            return service.start_run(tenant.id, workflow_id, given=given, by=by)[0]

    return begin


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_a_run_opens_as_page_and_as_fragment_in_both_languages(start, tenant, sign_in, locale):
    browser = sign_in(tenant, "owner", locale)
    url = f"/runs/{start()}"

    page, part = browser.get(url), browser.get(url, fragment=True)

    assert page.status_code == part.status_code == 200
    assert part.text.lstrip().startswith('<div class="run-live" id="run-live" data-stream="')
    assert "data-final" not in part.text.split(">")[0]
    assert re.findall(r'<a class="step-card" id="step-(\w+)"', page.text) == [
        "long_leave",
        "ask_manager",
        "confirm",
        "note_down",
        "tell_me",
    ]


def test_a_finished_run_says_what_each_step_took_and_gave(start, as_role):
    run_id = start("daily_report", {"day": "2026-11-22", "orders": "4", "revenue": "100"})
    runner.pump(worker="test", budget_s=10)

    text = as_role("owner").get(f"/runs/{run_id}").text

    assert re.search(r'id="step-figures"[^>]*data-state="succeeded"', text)
    assert re.search(r'id="step-settle_down"[^>]*data-state="waiting"', text)
    inside = as_role("owner").get(f"/runs/{run_id}?step=figures&view=json").text
    assert '"average": 25' in re.sub(r"&#34;|&quot;", '"', inside)
    assert 'id="cancel-run"' in text


def test_what_people_wrote_stays_text(start, as_role):
    text = as_role("owner").get(f"/runs/{start()}").text

    assert "ليلى <b>" not in text


def test_who_may_not_operate_sees_no_buttons(start, as_role):
    text = as_role("auditor").get(f"/runs/{start()}").text

    assert 'id="cancel-run"' not in text

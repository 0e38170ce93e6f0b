"""What happens in Nasij starts runs: conditions, depth, caps, once."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask_babel import force_locale

from portal import events
from portal.core import bus, db
from portal.core.errors import Invalid
from portal.workflows.triggers import event, listening
from tests.workflows.triggers.conftest import declared, step, values

BREAKS = step("only", "set", **values(x="${ int(input.who) }"))
QUICK = step("only", "set", **values(x="1"))
INPUTS = [declared("run_id"), declared("status")]


@pytest.fixture
def watched(starts):
    return starts.publish_with(QUICK)


@pytest.fixture
def watcher(starts):
    return starts.publish_with(QUICK, inputs=INPUTS)


def test_a_run_that_ends_starts_another_once(starts, watched, watcher):
    trigger_id = starts.add(watcher, "event", event="run.finished", when=f'input.workflow_id == "{watched}"')
    run_id = starts.start(watched)
    starts.pump()

    assert starts.outcomes(trigger_id) == ["waiting"]  # the listener wrote a row, nothing more
    starts.fire()
    starts.fire()

    (run,) = starts.runs(watcher)
    assert run.input_data == {"run_id": str(run_id), "status": "succeeded"}
    with db.transaction(starts.house.id):
        bus.announce(events.RunFinished(starts.house.id, run_id, watched, "succeeded", None))
    starts.fire()
    assert len(starts.runs(watcher)) == 1


def test_a_condition_that_does_not_hold_starts_nothing(starts, watched, watcher):
    trigger_id = starts.add(watcher, "event", when='input.status == "failed"')
    starts.start(watched)
    starts.pump()
    starts.fire()

    assert starts.outcomes(trigger_id) == ["filtered"] and starts.runs(watcher) == []


@pytest.mark.parametrize(("when", "reason"), [("input.status", "not_boolean"), ("input.nothing == 1", "condition: ")])
def test_a_condition_that_breaks_is_written_down(starts, watched, watcher, when, reason):
    trigger_id = starts.add(watcher, "event", when=when)
    starts.start(watched)
    starts.pump()
    starts.fire()

    (receipt,) = starts.receipts(trigger_id)
    assert receipt.outcome in ("refused", "filtered") and receipt.reason.startswith(reason)
    assert starts.runs(watcher) == []


def test_a_workflow_that_listens_to_itself_ends(starts):
    workflow_id = starts.publish_with(QUICK)
    trigger_id = starts.add(workflow_id, "event", event="run.finished")
    starts.start(workflow_id)

    for _ in range(12):
        starts.pump()
        starts.fire()

    assert starts.outcomes(trigger_id) == ["started"] * event.MAX_DEPTH + ["too_deep"]
    assert [each.depth for each in starts.receipts(trigger_id)] == [1, 2, 3, 4, 5, 6]
    assert len(starts.runs(workflow_id)) == 1 + event.MAX_DEPTH


def test_a_minute_starts_as_many_as_it_may(starts, watched, watcher):
    trigger_id = starts.add(watcher, "event", event="run.started", per_minute=2, when=f'input.workflow_id == "{watched}"')
    for _ in range(6):
        starts.start(watched)
    starts.fire()

    outcomes = starts.outcomes(trigger_id)
    assert (
        set(outcomes) <= {"started", "limited", "waiting", "filtered"} and 2 <= outcomes.count("started") <= 4
    )  # four where the minute turned
    assert len(starts.runs(watcher)) == outcomes.count("started")


def test_what_is_rolled_back_did_not_happen(starts, watched, watcher):
    trigger_id = starts.add(watcher, "event", event="run.started")

    def announce_and_break():
        with db.transaction(starts.house.id):
            bus.announce(events.RunStarted(starts.house.id, watched, watched))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        announce_and_break()

    assert starts.receipts(trigger_id) == []


def test_a_trigger_hears_from_when_it_is_on(starts, watched, watcher):
    starts.start(watched)  # this process now believes that nobody waits
    trigger_id = starts.add(watcher, "event", event="run.started")
    starts.start(watched)
    assert starts.outcomes(trigger_id) == ["waiting"]
    starts.switch(watcher, trigger_id, on=False)
    starts.fire()
    starts.start(watched)
    assert [(each.outcome, each.reason) for each in starts.receipts(trigger_id)] == [("skipped", "off")]


def test_others_do_not_hear(starts, watched, watcher, other_tenant, app):
    trigger_id = starts.add(watcher, "event", event="run.started")
    from tests.workflows.triggers.conftest import Starts

    others = Starts(other_tenant)
    others.start(others.publish_with(QUICK))

    assert starts.receipts(trigger_id) == []


def test_no_more_than_a_second_is_believed(starts, watched, watcher, monkeypatch):
    listening.forget_nobody(starts.house.id)
    starts.start(watched)
    assert (starts.house.id, "run.started") in listening._nobody
    trigger_id = starts.add(watcher, "event", event="run.started")
    listening._nobody[(starts.house.id, "run.started")] = 0.0  # what another process believed has run out
    starts.start(watched)
    assert starts.outcomes(trigger_id) == ["waiting"]


def test_public_events_are_named_in_both_languages_and_hold_no_secret(app):
    with app.test_request_context():
        for name, (kind, words) in event.PUBLIC.items():
            with force_locale("en"):
                english = str(words)
            with force_locale("ar"):
                arabic = str(words)
            assert re.search("[\u0621-\u064a]", arabic) and english != arabic, name
            fields = {each.name for each in dataclasses.fields(kind)}
            assert "tenant_id" in fields and not fields & {"token", "secret", "password", "email"}


def test_a_wrong_condition_is_refused_before_it_is_kept(starts, watcher):
    for when in ("input.", "steps.x == 1", "run.id == 1"):
        with pytest.raises(Invalid) as refused:
            starts.add(watcher, "event", when=when)
        assert "when" in refused.value.problems


def test_who_made_it_is_told_when_its_run_fails(starts, tenant):
    from sqlalchemy import text

    workflow_id = starts.publish_with(BREAKS, inputs=[declared("who")])
    watched = starts.publish_with(QUICK)
    starts.add(workflow_id, "event", event="run.finished", when=f'input.workflow_id == "{watched}"', inputs={"who": "x"})
    starts.start(watched)
    starts.pump()
    starts.fire()
    starts.pump()

    with db.transaction(tenant.id) as session:
        told = session.execute(text("select person_id, type from notifications")).all()
    assert [(each.person_id, each.type) for each in told] == [(tenant.people["owner"], "run.failed")]

"""Schedules that fire: each instant once, whatever dies; what was missed; what overlaps."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.core.config import ROOT
from portal.core.errors import Invalid
from portal.tenants import service as tenants
from portal.workflows.triggers import firing, service
from portal.workflows.triggers.schedule import plan_of
from tests.workflows.triggers.conftest import declared, step, values

SLOW = step("pause", "wait", mode="for", amount=1, unit="hours")
QUICK = step("only", "set", **values(x="1"))


def minutes_ago(number: int) -> datetime:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return now - timedelta(minutes=number)


def nominal(starts, trigger_id, outcome="started"):
    return [each.nominal_at for each in starts.receipts(trigger_id) if each.outcome == outcome]


@pytest.fixture
def workflow_id(starts):
    return starts.publish_with(QUICK)


def every_minute(starts, workflow_id, **config):
    if datetime.now(UTC).second > 55:
        time.sleep(5)  # a test that sees the minute turn would see two instants
    return starts.add(workflow_id, "schedule-cron", cron="* * * * *", zone="Asia/Riyadh", **config)


def test_what_is_due_starts_once_and_is_due_again(starts, workflow_id):
    trigger_id = every_minute(starts, workflow_id)
    starts.fire()
    assert starts.runs(workflow_id) == []
    meant = minutes_ago(0)
    starts.backdate(trigger_id, meant)

    starts.fire()
    starts.fire()

    (run,) = starts.runs(workflow_id)
    assert run.dedup_key == f"{trigger_id}:{meant:%Y-%m-%dT%H:%M:%SZ}" and run.executed_by is None
    assert starts.outcomes(trigger_id) == ["started"]
    trigger = starts.trigger(trigger_id)
    assert trigger.next_fire_at > datetime.now(UTC) and trigger.last_fired_at == meant
    assert starts.finish(run.id).status == "succeeded"


def test_an_instant_that_had_started_does_not_start_again(starts, workflow_id):
    trigger_id = every_minute(starts, workflow_id)
    for _ in range(3):
        starts.backdate(trigger_id, minutes_ago(0))
        starts.fire()

    assert len({each.nominal_at for each in starts.receipts(trigger_id)}) == len(starts.runs(workflow_id)) <= 2


@pytest.mark.parametrize(
    ("misfire", "started"), [("skip", 0), ("latest", 1), ("all", 4)],
)  # fmt: skip
def test_what_was_missed(starts, workflow_id, misfire, started):
    trigger_id = starts.add(workflow_id, "schedule-interval", every=10, unit="minutes", zone="UTC", misfire=misfire, catchup=4, window_h=1)
    now = datetime.now(UTC)
    first = min(each for each in (firing.times.upcoming(plan_of(starts.trigger(trigger_id).config), now - timedelta(minutes=65), 7)))
    starts.backdate(trigger_id, first)

    starts.fire()

    late = [each for each in starts.receipts(trigger_id) if now - each.nominal_at > firing.ON_TIME]
    on_time = [each for each in starts.receipts(trigger_id) if now - each.nominal_at <= firing.ON_TIME]
    caught = [each for each in late if each.outcome == "started"]
    expected = 0 if misfire == "latest" and on_time else started
    assert len(caught) == expected, starts.outcomes(trigger_id)
    assert {each.outcome for each in late} - {"started"} == {"missed"}
    assert all(each.nominal_at > max(other.nominal_at for other in late if other.outcome == "missed") for each in caught)
    assert len(starts.runs(workflow_id)) == len(caught) + len(on_time)


def test_what_came_due_while_the_organisation_stood_still_was_missed(starts, workflow_id):
    trigger_id = every_minute(starts, workflow_id, misfire="skip")
    starts.backdate(trigger_id, minutes_ago(9))
    by = Actor("system", None)
    with db.unit_of_work(starts.house.id):
        tenants.suspend(starts.house.id, reason="r", reason_ar="r", by=by)

    starts.fire()
    assert starts.receipts(trigger_id) == [], "nothing is started, and nothing forgotten"

    with db.unit_of_work(starts.house.id):
        tenants.resume(starts.house.id, by=by)
    starts.fire()
    assert len(nominal(starts, trigger_id, "missed")) >= 7 and nominal(starts, trigger_id)[0] >= minutes_ago(2)


def test_catching_up_has_bounds(starts, workflow_id):
    trigger_id = every_minute(starts, workflow_id, misfire="all", catchup=5, window_h=1)
    starts.backdate(trigger_id, minutes_ago(60 * 24 * 30))

    starts.fire()

    assert 5 <= len(starts.runs(workflow_id)) <= 7
    assert starts.outcomes(trigger_id).count("missed") <= firing.MOST_MISSED


def two_instants(starts, trigger_id):
    """Let two instants come due one after the other, both on time."""
    for meant in (minutes_ago(1), minutes_ago(0)):
        starts.backdate(trigger_id, meant)
        with db.transaction(starts.house.id):
            opened = firing.queries.opened(starts.house.id, trigger_id)
            firing._start(opened, meant)


@pytest.mark.parametrize(
    ("overlap", "outcomes", "statuses"),
    [
        ("allow", ["started", "started"], ["pending", "pending"]),
        ("skip", ["started", "skipped"], ["pending"]),
        ("queue", ["started", "queued"], ["pending"]),
        ("cancel", ["started", "started"], ["cancelled", "pending"]),
    ],
)
def test_what_overlaps(starts, overlap, outcomes, statuses):
    workflow_id = starts.publish_with(SLOW)
    trigger_id = every_minute(starts, workflow_id, overlap=overlap)

    two_instants(starts, trigger_id)

    assert starts.outcomes(trigger_id) == outcomes
    assert [each.status for each in starts.runs(workflow_id)] == statuses


def test_one_waits_until_the_run_before_it_has_ended(starts):
    workflow_id = starts.publish_with(SLOW)
    trigger_id = every_minute(starts, workflow_id, overlap="queue")
    two_instants(starts, trigger_id)
    with db.transaction(starts.house.id):
        firing._start(firing.queries.opened(starts.house.id, trigger_id), minutes_ago(-1))
    assert starts.outcomes(trigger_id) == ["started", "queued", "skipped"]
    starts.backdate(trigger_id, datetime.now(UTC) + timedelta(hours=1))
    starts.fire()
    assert len(starts.runs(workflow_id)) == 1

    from portal.workflows import service as workflows

    with starts.in_house():
        workflows.cancel_run(starts.house.id, starts.runs(workflow_id)[0].id, by=starts.by)
    starts.fire()
    starts.fire()

    assert starts.outcomes(trigger_id) == ["started", "started", "skipped"]
    assert [each.status for each in starts.runs(workflow_id)] == ["cancelled", "pending"]


def test_editing_counts_from_now(starts, workflow_id):
    trigger_id = every_minute(starts, workflow_id, misfire="all", catchup=100)
    starts.backdate(trigger_id, minutes_ago(30))
    trigger = starts.trigger(trigger_id)
    with starts.in_house():
        place = service.place_of(starts.house.id, workflow_id, timezone="UTC")
        service.change_trigger(
            starts.house.id, trigger_id, name="x", name_ar=None, config={**trigger.config, "cron": "0 8 * * *"}, place=place, by=starts.by
        )

    starts.fire()

    assert starts.runs(workflow_id) == []
    assert starts.trigger(trigger_id).next_fire_at > datetime.now(UTC)


def test_off_and_on_again_forgets_what_was_between(starts, workflow_id):
    trigger_id = every_minute(starts, workflow_id, misfire="all")
    starts.switch(workflow_id, trigger_id, on=False)
    starts.backdate(trigger_id, minutes_ago(30))
    starts.fire()
    starts.switch(workflow_id, trigger_id, on=True)
    starts.fire()

    assert starts.runs(workflow_id) == []


def test_a_last_day_ends_it(starts, workflow_id):
    trigger_id = starts.add(workflow_id, "schedule-cron", cron="0 8 * * *", zone="Asia/Riyadh", ends_on="2020-01-01")

    assert starts.trigger(trigger_id).next_fire_at is None


def test_inputs_come_from_the_settings(starts):
    workflow_id = starts.publish_with(QUICK, inputs=[declared("day", "date", required=True), declared("who")])
    with pytest.raises(Invalid) as refused:
        every_minute(starts, workflow_id)
    assert "in-day" in refused.value.problems
    trigger_id = every_minute(starts, workflow_id, inputs={"day": "${ input.day }", "who": "the clock"})
    starts.backdate(trigger_id, minutes_ago(0))

    starts.fire()

    (run,) = starts.runs(workflow_id)
    assert run.input_data["who"] == "the clock" and len(run.input_data["day"]) == 10


def test_inputs_that_became_wrong_are_written_down(starts):
    workflow_id = starts.publish_with(QUICK, inputs=[declared("amount", "number")])
    trigger_id = every_minute(starts, workflow_id, inputs={"amount": "12"})
    with starts.in_house() as session:  # as it was before the input became a number
        session.execute(
            text("update workflow_triggers set config = jsonb_set(config, '{inputs,amount}', '\"many\"') where id = :id"),
            {"id": trigger_id},
        )
    starts.backdate(trigger_id, minutes_ago(0))

    starts.fire()

    (receipt,) = starts.receipts(trigger_id)
    assert receipt.outcome == "refused" and set(receipt.problems) == {"amount"}


@pytest.mark.parametrize(
    ("kind", "config", "field"),
    [
        ("cron", {"cron": "* * * *"}, "cron"), ("cron", {"cron": "61 * * * *"}, "cron"), ("cron", {"cron": "0 0 31 2 *"}, "cron"),
        ("cron", {"cron": "* * * * * *"}, "cron"), ("cron", {"cron": ""}, "cron"), ("cron", {"zone": "Mars/Base"}, "zone"),
        ("cron", {"starts_on": "soon"}, "starts_on"), ("cron", {"starts_on": "2026-02-02", "ends_on": "2026-02-01"}, "ends_on"),
        ("interval", {"every": 0}, "every"), ("interval", {"every": "x"}, "every"), ("interval", {"unit": "weeks"}, "unit"),
        ("hijri", {"day": 31}, "day"), ("hijri", {"at": "25:00"}, "at"), ("hijri", {"month": "13"}, "month"),
        ("cron", {"catchup": 101}, "catchup"), ("cron", {"window_h": 169}, "window_h"), ("cron", {"overlap": "x"}, "overlap"),
    ],
)  # fmt: skip
def test_settings_are_checked_before_they_are_kept(starts, workflow_id, kind, config, field):
    with pytest.raises(Invalid) as refused:
        starts.add(workflow_id, f"schedule-{kind}", **config)

    assert field in refused.value.problems


FIRE = """
import sys, time
from worker import *
from portal.tenants import service as tenants
from portal.workflows.triggers import firing
with create_app().app_context():
    print("ready", flush=True)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        firing.fire_due()
"""


@pytest.mark.chaos
def test_two_dispatchers_and_kill_9_start_each_instant_once(starts):
    """Twelve schedules with sixty missed instants each; dispatchers are killed again and again while they catch up."""
    workflow_id = starts.publish_with(QUICK)
    triggers = [every_minute(starts, workflow_id, misfire="all", catchup=60, window_h=2) for _ in range(12)]
    first = minutes_ago(60)
    expected = {}
    for trigger_id in triggers:
        starts.backdate(trigger_id, first)
    begun = datetime.now(UTC)

    def dispatcher():
        return subprocess.Popen([sys.executable, "-c", FIRE], cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)

    crew = [dispatcher(), dispatcher()]
    for each in crew:
        assert each.stdout.readline() == "ready\n"
    kills, deadline = 0, time.monotonic() + 90
    while time.monotonic() < deadline:
        started = len(starts.runs(workflow_id))
        if started >= 12 * 59 and kills >= 4:
            break
        time.sleep(0.15)
        victim = crew[kills % 2]
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        kills += 1
        crew[(kills - 1) % 2] = dispatcher()
        crew[(kills - 1) % 2].stdout.readline()
    for each in crew:
        each.send_signal(signal.SIGKILL)
        each.wait()
    starts.fire()

    for trigger_id in triggers:
        instants = nominal(starts, trigger_id)
        expected[trigger_id] = instants
        assert len(instants) == len(set(instants)), "an instant started twice"
        steps = {later - earlier for earlier, later in itertools.pairwise(instants)}
        assert steps == {timedelta(minutes=1)}, f"an instant is missing: {steps}"
        assert instants[0] - first <= timedelta(minutes=3) and begun - instants[-1] < timedelta(minutes=2)
    assert len(starts.runs(workflow_id)) == sum(map(len, expected.values()))
    assert kills >= 4

"""An organisation that stands still: nothing of its runs begins, nothing is lost, and nothing runs out meanwhile."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.core.config import current_settings
from portal.tenants import service as tenants
from portal.workflows import stored
from portal.workflows.engine import runner
from portal.workflows.engine.store import leasing, look, settling
from portal.workflows.signals import kept
from tests.conftest import make_house
from tests.workflows.engine.conftest import Engine, step, values

STAFF = Actor("system", None)
HOUR = step("pause", "wait", mode="for", amount=1, unit="hours")
ASKS = step("ask", "approval", candidates=["role:owner"], title="May it?", limit=1, limit_unit="hours", if_late="fail")


def suspend(engine):
    with db.unit_of_work(engine.house.id):
        tenants.suspend(engine.house.id, reason="r", reason_ar="r", by=STAFF)


def resume(engine):
    with db.unit_of_work(engine.house.id):
        tenants.resume(engine.house.id, by=STAFF)


def as_owner(statement, *given):
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute(statement, given)


def stood_for(engine, hours):
    """Put the moment at which it was suspended, and all that happened before, so many hours back."""
    tenant, shift = engine.house.id, f"interval '{hours} hours'"
    as_owner(f"update tenants set status_at = status_at - {shift} where id = %s", tenant)
    for table, column, which in standstill_columns():
        as_owner(f"update {table} set {column} = {column} - {shift} where tenant_id = %s and {which}", tenant)


def standstill_columns():
    return (
        ("workflow_executions", "deadline_at", "completed_at is null"), ("workflow_timers", "due_at", "fired_at is null"),
        ("workflow_tasks", "due_at", "state = 'open'"), ("workflow_signals", "expires_at", "true"),
    )  # fmt: skip


def test_a_worker_claims_nothing_of_it_and_goes_on_when_it_does(engine):
    other = Engine(make_house())
    workflow = engine.publish(step("one", "set", **values(x="1")), step("two", "set", **values(x="2")))
    runs = [engine.start(workflow) for _ in range(3)]
    lease = engine.claim()
    suspend(engine)
    theirs = other.start(other.publish(step("only", "set", **values(x="1"))))

    assert runner.pump(worker="real", budget_s=20) == 1, "the step of the other organisation"
    engine.sweep()
    assert other.run(theirs).status == "succeeded"
    assert sorted(engine.states(each)["one"] for each in runs) == ["leased", "ready", "ready"]
    soon = leasing.due_in_s(("fast", "io", "ai", "bulk"))
    assert soon is None or soon > 3600, "no worker looks again and again for what it may not take"
    assert sum(look.ready_counts().values()) == 0
    engine.assert_nothing_is_stuck()

    settling.settle(lease, None, None, carry=False)
    assert engine.states(lease.run_id)["one"] == "succeeded", "what was in hand comes to its end"
    assert runner.pump(worker="real", budget_s=20) == 0

    resume(engine)
    assert runner.pump(worker="real", budget_s=20) == 2
    for each in runs:
        assert engine.run(each).status == "succeeded"
        engine.assert_sound(each)


def test_the_clock_starts_ends_and_reminds_nothing_of_it(engine):
    waits = engine.start(engine.publish(HOUR, step("then", "set", **values(x="1"))))
    asks = engine.start(engine.publish(ASKS))
    late = engine.start(engine.publish(step("hour", "wait", mode="for", amount=9, unit="hours"), deadline_s=3600))
    engine.pump()
    suspend(engine)
    stood_for(engine, 5)

    assert not look.due_timers() and not look.overdue()
    engine.sweep()
    assert [engine.run(each).status for each in (waits, asks, late)] == ["running"] * 3
    assert [engine.states(waits)["pause"], engine.states(asks)["ask"]] == ["waiting", "waiting"]

    resume(engine)
    engine.sweep()
    engine.pump()
    assert engine.run(waits).status == "succeeded", "a wait for a moment that has passed ends at once"
    assert [engine.run(each).status for each in (asks, late)] == ["running", "running"], "a limit moves by as long as it stood still"
    with engine.in_house() as session:
        left = session.scalar(text("select deadline_at - clock_timestamp() from workflow_executions where id = :id"), {"id": late})
        due = session.scalar(text("select due_at - clock_timestamp() from workflow_tasks"))
    assert timedelta(minutes=55) < left <= timedelta(hours=1)
    assert timedelta(minutes=55) < due <= timedelta(hours=1)


def test_a_limit_that_had_run_out_before_is_not_given_back(engine):
    late = engine.start(engine.publish(HOUR, deadline_s=3600))
    engine.pump()
    as_owner("update workflow_executions set deadline_at = clock_timestamp() - interval '1 minute' where id = %s", late)
    suspend(engine)
    resume(engine)

    engine.sweep()

    assert engine.run(late).status == "timed_out"


def test_a_signal_that_comes_meanwhile_is_kept_and_handed_over_later(engine):
    run_id = engine.start(engine.publish(step("hear", "signal", signal="paid", corr_key="7")))
    engine.pump()
    suspend(engine)

    with engine.in_house():
        kept.keep(engine.house.id, "paid", key="7", payload={"n": 1}, source="api")
    engine.sweep()
    assert engine.states(run_id)["hear"] == "waiting"
    as_owner("update workflow_signals set expires_at = clock_timestamp() - interval '1 minute' where tenant_id = %s", engine.house.id)
    kept.sweep()
    as_owner("update tenants set status_at = status_at - interval '1 hour' where id = %s", engine.house.id)

    resume(engine)
    engine.sweep()

    assert engine.outputs(run_id)["hear"]["payload"] == {"n": 1}


def test_files_of_its_runs_stay_meanwhile(engine):
    run_id = engine.start(engine.publish(HOUR))
    with engine.in_house():
        stored.keep_file(engine.house.id, run_id, "it", "k", name="a.csv", media_type="text/csv", content=b"x")
    suspend(engine)
    as_owner("update workflow_files set expires_at = clock_timestamp() - interval '1 minute' where tenant_id = %s", engine.house.id)
    as_owner("update tenants set status_at = status_at - interval '1 hour' where id = %s", engine.house.id)
    stored.sweep()
    resume(engine)
    with engine.in_house():
        assert len(stored.files_of(engine.house.id, run_id)) == 1

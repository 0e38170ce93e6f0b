"""What can go wrong with a worker, a lock or a run that no other test sees: the alarm, the dispatcher's patience, signs of life."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from flask import render_template
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db, failpoints
from portal.core.config import current_settings
from portal.core.failpoints import Failpoint
from portal.tenants import service as tenants
from portal.workflows.engine import janitor, runner, stuck
from portal.workflows.engine.store import leasing, look
from tests.identity.letters import letters_to
from tests.workflows.engine.conftest import step, values

HOUR = step("pause", "wait", mode="for", amount=1, unit="hours")


def as_owner(statement, *given):
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute(statement, given)


@pytest.mark.parametrize("how", ["step gone", "timer gone", "parked"])
def test_a_run_that_nothing_moves_on_raises_an_alarm_once(engine, how, as_staff, staffer):
    stuck.watch()  # what other tests left behind has had its alarm
    run_id = engine.start(engine.publish(HOUR))
    if how != "parked":
        engine.pump()
    assert run_id not in look.stuck()
    as_owner({
        "step gone": "update workflow_steps set state = 'skipped', finished_at = clock_timestamp() where execution_id = %s",
        "timer gone": "update workflow_timers set fired_at = clock_timestamp() where execution_id = %s",
        "parked": "update workflow_steps set queue = 'parked:' || queue where execution_id = %s",
    }[how], run_id)  # fmt: skip

    assert run_id in look.stuck()
    assert stuck.watch() == 1
    assert stuck.watch() == 0
    link = f"/staff/tenants/{engine.house.id}?run={run_id}#runs-title"
    letters = [each for each in letters_to(staffer.email) if each["message"] == "run_stuck" and each["run"] == str(run_id)]
    assert [each["link"] for each in letters] == [link], "one mail for a run"
    assert engine.house.name in render_template("mail/run_stuck/body.txt", lang="en", **letters[0])
    as_owner("update workflow_executions set created_at = created_at - interval '9 days' where id = %s", run_id)
    for _ in range(12):
        engine.start(engine.publish(HOUR))
    browser = as_staff()
    assert browser.get("/notifications").text.count(f"run={run_id}") == 1
    assert ">Stuck<" in browser.get(link).text.replace(" ", "").replace("\n", "")

    with db.transaction():
        house_id = tenants.house_id()
    with db.transaction(house_id) as session:
        wanted = text("select details from audit_entries where action = 'run.stuck' and target_id = :id")
        assert [row.details["organisation"] for row in session.execute(wanted, {"id": run_id})] == [str(engine.house.id)]
    as_owner("update workflow_executions set status = 'cancelled', completed_at = clock_timestamp() where id = %s", run_id)


def test_the_alarm_comes_within_a_minute():
    from worker import WATCHING

    assert stuck.watch in WATCHING and janitor.WATCH_S + janitor.ROUND_S < 60


def test_a_run_that_a_stopped_worker_holds_does_not_hold_up_the_others(engine):
    blocked, other = engine.start(engine.publish(step("only", "set", **values(x="1")))), engine.start(engine.publish(HOUR))
    engine.claim()
    engine.pump()
    as_owner("update workflow_steps set lease_until = clock_timestamp() - interval '1 second' where execution_id = %s", blocked)
    as_owner("update workflow_timers set due_at = clock_timestamp() where execution_id = %s", other)

    with psycopg.connect(current_settings().database_owner_url) as stopped:
        stopped.execute("select 1 from workflow_executions where id = %s for update", (blocked,))
        sweeping = threading.Thread(target=janitor.sweep)
        sweeping.start()
        sweeping.join(8)
        is_free, status = not sweeping.is_alive(), engine.run(other).status
        stopped.rollback()
    sweeping.join()

    assert (is_free, status) == (True, "succeeded")
    engine.sweep()
    assert engine.finish(blocked).status == "succeeded"


def test_a_worker_that_stops_in_a_transaction_is_parted_from_its_locks(engine, monkeypatch):
    run_id = engine.start(engine.publish(step("only", "set", **values(x="1"))))
    monkeypatch.setattr(db, "_looks_first", False)  # as `db.trust_connections` does for the processes of workers
    db.engine.cache_clear()
    try:
        with db.unit_of_work(engine.house.id) as session:
            session.execute(text("select 1 from workflow_executions where id = :id for update"), {"id": run_id})
            time.sleep(current_settings().lease_s * 2 + 1)
            as_owner("select 1 from workflow_executions where id = %s for update nowait", run_id)
            with pytest.raises(DBAPIError):
                session.execute(text("select 1"))
    finally:
        db.engine.cache_clear()


def test_a_sign_of_life_that_breaks_is_not_the_last_one(engine, tmp_path):
    engine.start(engine.publish(step("only", "email", to="a@example.com", subject="s", body="b")))
    lease = leasing.claim(worker="test", lease_s=1)
    failpoints.armed = Failpoint("heartbeat", "before", "raise", tmp_path / "marker")
    try:
        with runner.Keeper(None) as keeper, keeper.keeping(lease):
            time.sleep(2.5)
    finally:
        failpoints.armed = None

    assert (tmp_path / "marker").exists()
    assert not look.expired()

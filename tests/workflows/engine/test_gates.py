"""At most so many runs at once: of a workflow, of a key; what happens else, in which order, and after a crash."""

from __future__ import annotations

import subprocess
import sys
import threading

import psycopg
import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.config import ROOT, current_settings
from portal.workflows import service
from portal.workflows.engine import janitor
from portal.workflows.engine.store import ending, gates, look, pausing
from portal.workflows.errors import GateFull
from portal.workflows.models import WorkflowTemplate
from tests.workflows.engine.conftest import step, values


def gated(engine, *nodes, limit: int = 1, key: str = "", when_full: str = "queue", inputs: tuple[str, ...] = ("customer",), **more):
    """Publish a workflow of which only so many runs may go on at once; it waits for an hour unless told what to do."""
    workflow = engine.publish(*(nodes or (step("pause", "wait", mode="for", amount=1, unit="hours"),)), inputs=inputs)
    change(engine, workflow, {"limit": limit, "key": key, "when_full": when_full}, **more)
    return workflow


def change(engine, workflow, concurrency, **more):
    with engine.in_house() as session:
        row = session.get(WorkflowTemplate, workflow)
        row.settings = {**row.settings, "concurrency": concurrency, **more}
        session.flush()
        service.publish_version(engine.house.id, workflow, by=engine.by)


def start(engine, workflow, priority=None, key=None, **given):
    with engine.in_house():
        return service.start_run(engine.house.id, workflow, given=given, by=engine.by, dedup_key=key, priority=priority)[0]


def waiting(engine, *runs):
    return [engine.run(each).is_gated for each in runs]


def cancel(engine, run):
    with engine.in_house():
        service.cancel_run(engine.house.id, run, by=engine.by)


def test_a_run_over_the_limit_waits_for_its_turn_and_goes_in_when_one_ends(engine):
    workflow = gated(engine, limit=2)
    first, second, third, fourth = (start(engine, workflow) for _ in range(4))
    engine.pump()

    assert waiting(engine, first, second, third, fourth) == [False, False, True, True]
    assert [engine.run(each).status for each in (third, fourth)] == ["pending", "pending"]
    assert not {first, second, third, fourth} & set(look.stuck())

    cancel(engine, first)
    engine.pump()

    assert waiting(engine, third, fourth) == [False, True]
    assert engine.run(third).status == "running"
    with engine.in_house() as session:
        kinds = session.scalars(text("select kind from workflow_events where execution_id = :id order by seq"), {"id": third}).all()
    assert kinds[:3] == ["run.accepted", "run.admitted", "run.started"]


def test_each_value_of_the_key_has_a_gate_of_its_own(engine):
    workflow = gated(engine, key="input.customer")
    runs = [start(engine, workflow, customer=name) for name in ("a", "a", "b", None)]

    assert waiting(engine, *runs) == [False, True, False, False]


def test_a_workflow_may_refuse_what_is_too_much_but_not_what_it_accepted_before(engine):
    workflow = gated(engine, when_full="refuse")
    first = start(engine, workflow, key="same")

    assert start(engine, workflow, key="same") == first
    with pytest.raises(GateFull):
        start(engine, workflow, key="other")
    cancel(engine, first)
    assert waiting(engine, start(engine, workflow, key="other")) == [False]


def test_a_newer_run_may_take_the_place_of_the_oldest(engine):
    workflow = gated(engine, limit=2, when_full="cancel")
    first, second = start(engine, workflow), start(engine, workflow)
    engine.pump()
    third = start(engine, workflow)

    assert [engine.run(each).status for each in (first, second, third)] == ["cancelled", "running", "pending"]
    assert engine.run(first).error["code"] == "superseded"
    assert waiting(engine, third) == [False]


def test_the_more_urgent_goes_in_first_and_a_minute_is_worth_one_priority(engine):
    workflow = gated(engine)
    first = start(engine, workflow)
    late, urgent, old = start(engine, workflow), start(engine, workflow, priority=1), start(engine, workflow, priority=5)
    with engine.in_house() as session:
        session.execute(text("update workflow_executions set created_at = created_at - interval '5 minutes' where id = :id"), {"id": old})

    order = []
    for _ in range(3):
        cancel(engine, first)
        first = next(each for each in (late, urgent, old) if each not in order and not engine.run(each).is_gated)
        order.append(first)

    assert order == [old, urgent, late]


def test_a_run_that_waits_can_be_cancelled_and_paused(engine):
    workflow = gated(engine)
    first, second, third = (start(engine, workflow) for _ in range(3))
    cancel(engine, second)
    assert engine.run(second).status == "cancelled"

    assert pausing.pause(engine.house.id, third, actor="x")
    cancel(engine, first)
    assert (engine.run(third).status, waiting(engine, third)) == ("paused", [True])
    assert pausing.resume(engine.house.id, third, actor="x")
    assert engine.run(third).status == "pending"
    assert engine.claim() is None

    engine.sweep()
    assert waiting(engine, third) == [False]
    engine.pump()
    assert engine.run(third).status == "running"


def test_a_higher_limit_lets_in_who_waits_and_no_limit_everybody(engine):
    workflow = gated(engine)
    runs = [start(engine, workflow) for _ in range(4)]
    change(engine, workflow, {"limit": 2, "key": "", "when_full": "queue"})
    engine.sweep()
    assert waiting(engine, *runs) == [False, False, True, True]

    change(engine, workflow, None)
    engine.sweep()
    assert waiting(engine, *runs) == [False] * 4


def test_a_process_that_dies_before_it_lets_the_next_one_in_delays_it_for_a_round_at_most(engine):
    workflow = gated(engine)
    first, second = start(engine, workflow), start(engine, workflow)
    dying = f"""
import os
from uuid import UUID
from portal.app import create_app
from portal.core import db
from portal.workflows.engine.store import ending
tenant, run = UUID({str(engine.house.id)!r}), UUID({str(first)!r})
with create_app().app_context():
    with db.transaction(tenant):
        db.after_commit(lambda: os._exit(9))
        ending.cancel(tenant, run, actor="test")
"""
    died = subprocess.run([sys.executable, "-c", dying], cwd=ROOT, check=False)

    assert died.returncode == 9
    assert engine.run(first).status == "cancelled"
    assert waiting(engine, second) == [True]
    janitor.sweep()
    assert waiting(engine, second) == [False]


def test_no_snapshot_shows_more_inside_than_the_limit(app, engine):
    workflow = gated(engine, step("only", "set", **values(x="1")), limit=2)
    seen, done = [], threading.Event()

    def watch():
        with psycopg.connect(current_settings().database_owner_url, autocommit=True) as connection:
            while not done.is_set():
                wanted = "select count(*) from workflow_executions where tenant_id = %s and not is_gated and completed_at is null"
                seen.append(connection.execute(wanted, (engine.house.id,)).fetchone()[0])

    def push():
        with app.app_context():
            for _ in range(8):
                start(engine, workflow)
                engine.pump()

    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=push) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while engine.pump() + engine.sweep():
        pass
    done.set()
    watcher.join()

    assert max(seen) == 2
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from workflow_executions where status = 'succeeded'")) == 32


def test_a_sub_workflow_waits_at_its_gate_and_its_caller_for_it(engine):
    child = gated(engine, step("only", "set", **values(x="1")))
    holding = start(engine, child)
    parent = engine.start(engine.publish(step("call", "subworkflow", workflow=str(child))))
    while lease := engine.claim():
        if lease.run_id == holding:
            held = lease
            continue
        from portal.workflows.engine.store import settling

        settling.settle(lease, None, None, carry=False)
    assert engine.states(parent) == {"call": "waiting"}

    ending.give_up(held)
    cancel(engine, holding)
    with db.transaction(system=True) as session:
        session.execute(text("update workflow_steps set lease_until = clock_timestamp() where id = :id"), {"id": held.step_id})
    while engine.sweep() + engine.pump():
        pass

    assert engine.run(parent).status == "succeeded"


def test_gates_at_which_nobody_stands_are_forgotten(engine):
    workflow = gated(engine, key="input.customer")
    kept, ended = start(engine, workflow, customer="a"), start(engine, workflow, customer="b")
    cancel(engine, ended)
    gates.sweep()

    with engine.in_house() as session:
        assert session.scalars(text("select key from workflow_gates")).all() == [engine.run(kept).gate_key]

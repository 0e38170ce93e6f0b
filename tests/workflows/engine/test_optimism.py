"""A worker goes on with what it knows of a run: whatever others changed meanwhile is found out, and nothing is written that must not be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from portal.core import db
from portal.core.access import SYSTEM
from portal.datatables import service as tables
from portal.workflows import service
from portal.workflows.engine import runner
from portal.workflows.engine.store import following, settling
from tests.workflows.engine.conftest import step
from tests.workflows.engine.test_database_steps import COLUMNS, insert


@pytest.fixture
def second(engine, monkeypatch):
    """Do the first of two steps that each add a row; give (run id, the lease of the second, what the worker knows of the run)."""
    monkeypatch.setattr(following, "MAX_APPLIED", 0)
    add_table(engine)
    run_id = engine.start(engine.publish(insert("first", "1"), insert("second", "2")))
    run, lease = settling.settle(engine.claim(), None, None, carry=True)
    assert lease.node_key == "second"
    return run_id, lease, run


def add_table(engine):
    with engine.in_house():
        tables.create_table(engine.house.id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)


def rows(engine):
    with engine.in_house():
        return sorted(row["n"] for row in tables.find_rows(engine.house.id, "rows", {}))


def change(engine, statement, **facts):
    with engine.in_house() as session:
        session.execute(text(statement), facts)


def test_what_nobody_changed_is_written_without_another_look(engine, second):
    run_id, lease, run = second

    settling.settle(lease, run, None, carry=True)

    assert (rows(engine), engine.run(run_id).status) == ([1, 2], "succeeded")


def test_a_lease_that_went_to_somebody_else_writes_nothing(engine, second):
    run_id, lease, run = second
    change(engine, "update workflow_steps set lease_epoch = lease_epoch + 1 where id = :id", id=lease.step_id)

    settling.settle(lease, run, None, carry=True)

    assert (rows(engine), engine.states(run_id)["second"]) == ([1], "leased")
    change(engine, "update workflow_steps set lease_until = clock_timestamp() where id = :id", id=lease.step_id)
    engine.sweep()
    assert (engine.finish(run_id).status, rows(engine)) == ("succeeded", [1, 2])


def test_a_run_that_was_cancelled_meanwhile_adds_no_row(engine, second):
    run_id, lease, run = second
    with engine.in_house():
        service.cancel_run(engine.house.id, run_id, by=engine.by)

    settling.settle(lease, run, None, carry=True)

    assert (rows(engine), engine.run(run_id).status) == ([1], "cancelled")


def test_a_run_that_was_paused_meanwhile_ends_its_step_and_begins_no_other(engine, second):
    run_id, lease, run = second
    with engine.in_house():
        service.pause_run(engine.house.id, run_id, by=engine.by)

    settling.settle(lease, run, None, carry=True)

    assert rows(engine) == [1, 2]
    assert engine.run(run_id).status in ("paused", "succeeded")


def test_a_table_that_was_made_anew_under_its_name_gets_the_row(engine, second):
    run_id, lease, run = second
    change(engine, "update data_tables set slug = 'old' where slug = 'rows'")
    add_table(engine)

    settling.settle(lease, run, None, carry=True)

    assert (rows(engine), engine.run(run_id).status) == ([2], "succeeded")


def test_a_table_that_went_is_the_failure_of_the_step(engine, second):
    run_id, lease, run = second
    change(engine, "update data_tables set slug = 'old' where slug = 'rows'")

    settling.settle(lease, run, None, carry=True)

    assert (engine.run(run_id).status, engine.run(run_id).error["code"]) == ("failed", "table_not_found")


def test_what_does_not_hold_keeps_nothing(engine, second):
    def write(session):
        db.write_later(session.connection(), "update workflow_executions set priority = 1", {})
        db.write_later(session.connection(), "select must(false)", {})

    with pytest.raises(db.Mistaken), db.optimistic(), engine.in_house() as session:
        write(session)

    assert engine.run(second[0]).priority != 1


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("meanwhile", ["paused", "cancelled", "somebody else's"])
def test_whatever_happens_between_two_steps_of_a_worker_is_found_out(engine, monkeypatch, number, meanwhile):
    monkeypatch.setattr(following, "MAX_APPLIED", 0)
    add_table(engine)
    run_id = engine.start(engine.publish(*(insert(f"row_{each}", str(each)) for each in (1, 2, 3, 4))))
    settle, done = settling.settle, []

    def meddle(step_id):
        if meanwhile == "somebody else's":
            change(
                engine,
                "update workflow_steps set lease_epoch = lease_epoch + 1, lease_until = clock_timestamp() where id = :id",
                id=step_id,
            )
            return
        with engine.in_house():
            (service.pause_run if meanwhile == "paused" else service.cancel_run)(engine.house.id, run_id, by=engine.by)

    def meddled(lease, *given, **more):
        done.append(lease.node_key)
        if len(done) == number:
            with ThreadPoolExecutor(1) as apart:
                apart.submit(meddle, lease.step_id).result()
        return settle(lease, *given, **more)

    monkeypatch.setattr(settling, "settle", meddled)
    engine.pump()

    passed = {"paused": number, "cancelled": number - 1, "somebody else's": number - 1}[meanwhile]
    assert rows(engine) == list(range(1, passed + 1))
    if meanwhile == "paused" and number < 4:
        with engine.in_house():
            service.resume_run(engine.house.id, run_id, by=engine.by)
    for _ in range(4):
        engine.sweep()
        engine.pump()
    ends = ("cancelled", [*range(1, number)]) if meanwhile == "cancelled" else ("succeeded", [1, 2, 3, 4])
    assert (engine.run(run_id).status, rows(engine)) == ends
    engine.assert_sound(run_id)


def test_what_a_transaction_that_is_repeated_had_changed_in_memory_is_forgotten(engine, monkeypatch):
    """Another worker told just as many events meanwhile: a count that is right by chance hides neither its steps nor what was undone."""
    monkeypatch.setattr(following, "MAX_APPLIED", 0)
    add_table(engine)
    lanes = [insert(f"{lane}_{each}", "1", parent="both", lane=lane) for lane in ("lane_1", "lane_2") for each in (1, 2)]
    run_id = engine.start(engine.publish(step("both", "parallel", lanes=2), *lanes, insert("last", "2")))
    settling.settle(engine.claim(), None, None, carry=False)
    theirs, ours = (settling.settle(engine.claim(), None, None, carry=True) for _worker in range(2))
    write, broken = settling.write_settle, []

    def deadlocked(*given, **more):
        write(*given, **more)
        if not broken:
            broken.append(True)
            with ThreadPoolExecutor(1) as apart:
                run, lease = theirs
                apart.submit(settling.settle, lease, run, None, carry=False).result()
            raise OperationalError("", {}, psycopg.errors.DeadlockDetected())

    monkeypatch.setattr(settling, "write_settle", deadlocked)
    run, lease = ours
    runner.again(partial(settling.settle, lease, run, None, carry=False))
    engine.pump()

    assert (engine.run(run_id).status, rows(engine)) == ("succeeded", [1, 1, 1, 1, 2])
    engine.assert_sound(run_id)

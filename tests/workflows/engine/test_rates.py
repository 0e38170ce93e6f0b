"""Calls through a connection with a limit leave evenly spread; whoever is too early stands aside and loses no attempt."""

from __future__ import annotations

import itertools
import threading
import time

from sqlalchemy import text

from portal.core import db
from portal.workflows.engine import runner
from portal.workflows.engine.store import ending, leasing, pausing, rates
from tests.connections.systems import Reply, connect
from tests.workflows.engine.conftest import step


def limited(engine, other, count, per="second"):
    connection = connect(engine.house.id, "http_bearer", hosts=other.host, token="a-long-token-1")
    with engine.in_house() as session:
        session.execute(
            text("update connections set rate_count = :count, rate_per = :per where id = :id"),
            {"count": count, "per": per, "id": connection},
        )
    return connection


def calling(engine, other, connection):
    return engine.publish(step("call", "webhook", method="GET", url=f"{other.url}/x", connection=str(connection)))


def test_calls_leave_evenly_spread_whoever_makes_them_and_spend_one_attempt_each(app, engine, other):
    times = []
    other.answer = lambda _asked: times.append(time.monotonic()) or Reply(body={"ok": True})
    workflow = calling(engine, other, limited(engine, other, 5))
    runs = [engine.start(workflow) for _ in range(11)]
    began = time.monotonic()

    def work(name):
        with app.app_context():
            runner.pump(worker=name, budget_s=20, linger_s=1.2)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [engine.run(each).status for each in runs] == ["succeeded"] * 11
    assert {engine.steps(each)["call"].attempt for each in runs} == {1}
    assert len(times) == 11
    # Six calls are five gaps, wherever one begins to count; the way to the receiver is not always as long.
    assert min(after - before for before, after in zip(times, times[5:], strict=False)) >= 5 * 0.2 - 0.2
    assert times[-1] - began < 12


def leases(engine, workflow, count):
    for _ in range(count):
        engine.start(workflow)
    return [leasing.claim(worker="test", lease_s=30) for _ in range(count)]


def config_of(connection):
    return {"connection": str(connection)}


def test_of_many_that_ask_at_once_exactly_one_may_leave_in_each_gap(app, engine, other):
    connection = limited(engine, other, 2)
    held = leases(engine, calling(engine, other, connection), 8)
    passed = []

    def ask(lease):
        with app.app_context():
            if rates.may_leave(lease, config_of(connection)):
                passed.append(lease)

    threads = [threading.Thread(target=ask, args=(lease,)) for lease in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(passed) == 1
    with engine.in_house() as session:
        rows = session.execute(
            text("select available_at, attempt, started_at from workflow_steps where state = 'ready' order by available_at")
        ).all()
    assert [(row.attempt, row.started_at) for row in rows] == [(0, None)] * 7
    places = [row.available_at for row in rows]
    # Each has a place of its own, half a second behind the one before.
    assert all((after - before).total_seconds() >= 0.499 for before, after in itertools.pairwise(places))


def test_who_has_just_come_passes_nobody_who_stands_aside(engine, other):
    connection = limited(engine, other, 10)
    workflow = calling(engine, other, connection)
    first, second = leases(engine, workflow, 2)
    assert rates.may_leave(first, config_of(connection))
    assert not rates.may_leave(second, config_of(connection))
    time.sleep(0.15)

    (third,) = leases(engine, workflow, 1)  # the one that stood aside is due now, and it is first in line
    assert third.step_id == second.step_id
    (fourth,) = [leasing.claim(worker="test", lease_s=30)]
    assert rates.may_leave(third, config_of(connection))
    assert not rates.may_leave(fourth, config_of(connection))


def test_a_place_that_nobody_needs_any_more_is_given_away(engine, other):
    connection = limited(engine, other, 1, "minute")
    workflow = calling(engine, other, connection)
    first, second = leases(engine, workflow, 2)
    assert rates.may_leave(first, config_of(connection))
    assert not rates.may_leave(second, config_of(connection))
    with engine.in_house() as session:
        before = session.scalar(text("select available_at from workflow_steps where id = :id"), {"id": second.step_id})
    ending.cancel(engine.house.id, second.run_id, actor="test")

    (third,) = leases(engine, workflow, 1)
    assert not rates.may_leave(third, config_of(connection))

    with engine.in_house() as session:
        after = session.scalar(text("select available_at from workflow_steps where id = :id"), {"id": third.step_id})
    assert abs((after - before).total_seconds()) < 1


def test_a_step_of_a_paused_run_stands_aside_where_no_worker_looks(engine, other):
    connection = limited(engine, other, 1, "minute")
    workflow = calling(engine, other, connection)
    first, second = leases(engine, workflow, 2)
    assert rates.may_leave(first, config_of(connection))
    pausing.pause(engine.house.id, second.run_id, actor="x")

    assert not rates.may_leave(second, config_of(connection))

    assert engine.steps(second.run_id)["call"].queue == "parked:io"


def test_a_connection_without_a_limit_keeps_nobody(engine, other):
    connection = connect(engine.house.id, "http_bearer", hosts=other.host, token="a-long-token-1")
    held = leases(engine, calling(engine, other, connection), 3)

    assert all(rates.may_leave(lease, config_of(connection)) for lease in held)
    with db.transaction(engine.house.id) as session:
        assert session.scalar(text("select count(*) from workflow_rates")) == 0

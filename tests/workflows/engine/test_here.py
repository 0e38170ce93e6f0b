"""A run that goes on where it was started: in the process that accepted it, until something outside, an answer, or the end of a turn."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import SYSTEM
from portal.datatables import service as tables
from portal.workflows import service
from portal.workflows.engine import runner
from portal.workflows.engine.store import following, settling
from tests.workflows.engine.conftest import step, values
from tests.workflows.engine.test_database_steps import COLUMNS, insert

ANSWER = step("answer", "respond", status="200", body="done", type="text/plain", headers=[])


@pytest.fixture(autouse=True)
def _rows(engine, monkeypatch):
    monkeypatch.setattr(following, "MAX_APPLIED", 0)
    with engine.in_house():
        tables.create_table(engine.house.id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)


def rows(engine):
    with engine.in_house():
        return sorted(row["n"] for row in tables.find_rows(engine.house.id, "rows", {}))


def start_with(engine, *nodes):
    """Return a move that starts a run of these steps with a hand."""
    return start_of(engine, engine.publish(*nodes))


def start_of(engine, workflow_id):
    def move(hand):
        with db.transaction(engine.house.id):
            return service.start_run(engine.house.id, workflow_id, given={}, by=engine.by, hand=hand)[0]

    return move


def inserts(many):
    return [insert(f"row_{number}", str(number)) for number in range(1, many + 1)]


@pytest.fixture
def written(monkeypatch):
    """Give the statements by which settles were written."""
    found = []
    write_settle = settling.write_settle
    monkeypatch.setattr(settling, "write_settle", lambda *given, **more: found.append(given[1].node_key) or write_settle(*given, **more))
    return found


def test_it_ends_here_with_a_commit_for_each_step_and_none_waits_for_a_worker(engine, written):
    run_id, hand = runner.start_here(start_with(engine, *inserts(4)))

    assert (engine.run(run_id).status, rows(engine)) == ("succeeded", [1, 2, 3, 4])
    assert written == ["row_2", "row_3", "row_4"]  # the first one is done where the run is accepted
    assert hand.said() == []
    assert engine.pump() == 0
    engine.assert_sound(run_id)


def test_it_tells_the_same_story_as_a_run_that_workers_claim(engine):
    move = start_with(engine, *inserts(3), step("sum", "set", **values(n="${ 1 + 1 }")))
    here = runner.start_here(move)[0]
    claimed = move(None)
    engine.pump()

    assert engine.story(here) == engine.story(claimed)


def test_what_reaches_outside_is_left_to_a_worker(engine):
    mail = step("mail", "email", to="somebody@receiver.example", subject="Hello", body="Hello")
    run_id, _hand = runner.start_here(start_with(engine, *inserts(2), mail))

    assert engine.states(run_id) == {"row_1": "succeeded", "row_2": "succeeded", "mail": "ready"}


def test_it_stops_being_carried_once_the_caller_has_heard(engine):
    run_id, hand = runner.start_here(start_with(engine, insert("row_1", "1"), ANSWER, *inserts(4)[1:]))

    assert [each["body"] for each in hand.said()] == ["done"]
    assert engine.states(run_id) == {"row_1": "succeeded", "answer": "succeeded", "row_2": "succeeded", "row_3": "ready"}
    assert engine.finish(run_id).status == "succeeded"
    assert rows(engine) == [1, 2, 3, 4]


def test_it_stops_at_the_end_of_its_turn(engine, monkeypatch):
    monkeypatch.setattr(runner, "TURN_S", 0.0)
    run_id, _hand = runner.start_here(start_with(engine, *inserts(4)))

    assert engine.states(run_id) == {"row_1": "succeeded", "row_2": "succeeded", "row_3": "ready"}
    assert (engine.finish(run_id).status, rows(engine)) == ("succeeded", [1, 2, 3, 4])


def test_the_bulk_lane_is_not_for_whoever_starts(engine):
    workflow_id = engine.publish(*inserts(3))
    with engine.in_house() as session:
        session.execute(
            text('update workflow_templates set settings = settings || \'{"lane": "bulk"}\' where id = :id'), {"id": workflow_id}
        )
        service.publish_version(engine.house.id, workflow_id, by=engine.by)

    run_id, _hand = runner.start_here(start_of(engine, workflow_id))

    assert engine.states(run_id) == {"row_1": "succeeded", "row_2": "ready"}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_process_that_dies_in_the_middle_leaves_the_rest_to_a_worker_and_nothing_is_done_twice(engine, monkeypatch, number):
    """The process is gone: what it would have done next does not happen, and its lease expires."""
    settle, done = settling.settle, []

    class Died(BaseException):
        pass

    def dies(lease, *given, **more):
        done.append(lease)
        if len(done) == number:
            raise Died
        return settle(lease, *given, **more)

    monkeypatch.setattr(settling, "settle", dies)
    with pytest.raises(Died):
        runner.start_here(start_with(engine, *inserts(4)))
    monkeypatch.setattr(settling, "settle", settle)
    (lease,) = done[-1:]
    assert rows(engine) == list(range(1, number + 1))
    assert engine.pump() == 0  # it is leased as long as nobody knows

    with engine.in_house() as session:
        session.execute(text("update workflow_steps set lease_until = clock_timestamp() where id = :id"), {"id": lease.step_id})
    engine.sweep()

    assert (engine.finish(lease.run_id).status, rows(engine)) == ("succeeded", [1, 2, 3, 4])
    engine.assert_sound(lease.run_id)


def test_a_database_that_breaks_here_does_not_break_the_start(engine, monkeypatch):
    settle = settling.settle

    def broken(*_given, **_more):
        raise RuntimeError("it is gone")

    monkeypatch.setattr(settling, "settle", broken)
    run_id, _hand = runner.start_here(start_with(engine, *inserts(2)))
    monkeypatch.setattr(settling, "settle", settle)

    assert engine.states(run_id) == {"row_1": "succeeded", "row_2": "leased"}


def test_a_step_that_fails_here_is_judged_as_anywhere(engine):
    run_id, _hand = runner.start_here(start_with(engine, insert("row_1", "1"), insert("row_2", "many"), insert("row_3", "3")))

    assert (engine.run(run_id).status, rows(engine)) == ("failed", [1])
    assert engine.steps(run_id)["row_2"].error["code"] == "row_invalid"
    engine.assert_sound(run_id)

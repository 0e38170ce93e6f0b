"""Runs from start to end on a real database."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.errors import Invalid
from portal.workflows import service
from portal.workflows.actions.base import Done
from portal.workflows.engine import runner
from portal.workflows.engine.store import leasing, look, settling
from portal.workflows.errors import WrongState
from tests.workflows.engine.conftest import step, values


def test_values_flow_from_step_to_step(engine):
    workflow = engine.publish(
        step("first", "set", **values(total="${ int(input.a) * 2 }")),
        step("second", "set", **values(text="total ${ steps.first.total }")),
        inputs=("a",),
    )

    run = engine.finish(engine.start(workflow, a="21"))

    assert (run.status, run.output_data) == ("succeeded", {"text": "total 42"})


@pytest.mark.parametrize(("a", "ran", "skipped"), [("9", "yes", "no"), ("1", "no", "yes")])
def test_a_condition_takes_one_lane_and_the_lanes_meet(engine, a, ran, skipped):
    workflow = engine.publish(
        step("check", "condition", when="int(input.a) > 5"),
        step("yes", "set", parent="check", lane="then", **values(x="1")),
        step("no", "set", parent="check", lane="else", **values(x="2")),
        step("last", "set", **values(done="yes")),
        inputs=("a",),
    )

    run_id = engine.start(workflow, a=a)
    engine.pump()

    assert engine.states(run_id) == {
        "check": "succeeded",
        ran: "succeeded",
        skipped: "skipped",
        "last": "succeeded",
    }
    assert engine.run(run_id).status == "succeeded"


def test_a_step_that_cannot_work_out_its_value_fails_the_run_with_a_reason(engine):
    workflow = engine.publish(
        step("first", "set", **values(x="${ input.a.b }")),
        step("last", "set", **values(y="1")),
        inputs=("a",),
    )

    run_id = engine.start(workflow, a="text")
    run = engine.finish(run_id)

    assert (run.status, run.error["code"], run.error["step"]) == (
        "failed",
        "expression",
        "first",
    )
    assert "last" not in engine.states(run_id)


def test_the_same_key_starts_one_run_also_at_once(engine):
    workflow = engine.publish(step("only", "set", **values(x="1")))
    found = []

    threads = [threading.Thread(target=lambda: found.append(engine.start(workflow, key="same"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert len(set(found)) == 1


def test_wrong_input_is_refused_and_nothing_starts(engine):
    workflow = engine.publish(step("only", "set", **values(x="1")), inputs=("a",))

    with pytest.raises(Invalid) as refused:
        engine.start(workflow, a="x" * 2000)

    assert list(refused.value.problems) == ["a"]
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from workflow_executions")) == 0


def test_a_wait_holds_no_worker_and_ends_by_the_clock(engine):
    workflow = engine.publish(
        step("pause", "wait", mode="for", amount=1, unit="seconds"),
        step("last", "set", **values(x="1")),
    )
    run_id = engine.start(workflow)
    engine.pump()
    assert engine.states(run_id) == {"pause": "waiting"}
    assert engine.claim() is None

    engine.sweep()
    assert engine.states(run_id) == {"pause": "waiting"}
    time.sleep(1.1)
    engine.sweep()

    assert engine.run(run_id).status == "succeeded"


def test_a_lost_worker_is_replaced_and_its_late_answer_changes_nothing(engine):
    workflow = engine.publish(step("only", "set", **values(x="1")))
    run_id = engine.start(workflow)
    lease = leasing.claim(worker="dead", lease_s=0.05)
    run = leasing.open_run(lease)
    time.sleep(0.1)

    engine.sweep()
    assert engine.states(run_id) == {"only": "ready"}
    call = settling.prepare(lease, run)
    assert settling.settle(lease, run, runner.ACTIONS["set"].perform(call), carry=False)[1] is None
    assert engine.states(run_id) == {"only": "ready"}
    assert engine.finish(run_id).status == "succeeded"


def test_a_step_that_kills_its_worker_again_and_again_is_stopped(engine):
    workflow = engine.publish(step("poison", "set", **values(x="1")))
    run_id = engine.start(workflow)

    for _ in range(4):
        assert leasing.claim(worker="doomed", lease_s=0.02)
        time.sleep(0.05)
        engine.sweep()

    run = engine.run(run_id)
    assert (run.status, run.error["code"]) == ("failed", "crash_loop")
    assert leasing.claim(worker="next", lease_s=1) is None


def test_an_unsafe_step_cut_off_after_its_fence_asks_a_person(engine):
    workflow = engine.publish(
        step("mail", "email", to="a@example.com", subject="s", body="b"),
        step("last", "set", **values(x="1")),
    )
    run_id = engine.start(workflow)
    lease = leasing.claim(worker="dead", lease_s=0.05)
    leasing.open_run(lease)
    assert leasing.fence(lease, {"to": "a@example.com"})
    time.sleep(0.1)

    engine.sweep()

    assert engine.states(run_id) == {"mail": "in_doubt"}
    assert engine.claim() is None
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from notifications where type = 'step.in_doubt'")) == 3, "owner, admin and builder"
        service.decide_step(engine.house.id, run_id, "mail", "done", by=engine.by)
    engine.pump()
    assert engine.run(run_id).status == "succeeded"


def test_cancelling_ends_what_waits_and_stops_what_is_leased(engine):
    workflow = engine.publish(
        step("first", "set", **values(x="1")),
        step("pause", "wait", mode="for", amount=1, unit="hours"),
    )
    waiting, leased = engine.start(workflow), None
    engine.pump()
    leased = engine.start(workflow)
    lease = engine.claim()
    run = leasing.open_run(lease)

    for run_id in (waiting, leased):
        with engine.in_house():
            service.cancel_run(engine.house.id, run_id, by=engine.by)

    assert engine.run(waiting).status == "cancelled"
    assert engine.run(leased).status == "cancelling"
    assert leasing.heartbeat(lease, lease_s=2) is False
    assert settling.settle(lease, run, Done({"x": 1}), carry=True)[1] is None
    assert engine.run(leased).status == "cancelled"
    with pytest.raises(WrongState), engine.in_house():
        service.cancel_run(engine.house.id, waiting, by=engine.by)


def test_a_run_past_its_time_limit_is_timed_out(engine):
    workflow = engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours"), deadline_s=60)
    run_id = engine.start(workflow)
    engine.pump()
    with engine.in_house() as session:
        session.execute(
            text("update workflow_executions set deadline_at = clock_timestamp() where id = :id"),
            {"id": run_id},
        )

    engine.sweep()

    run = engine.run(run_id)
    assert (run.status, run.error["code"]) == ("timed_out", "deadline")


def test_a_retry_takes_over_what_was_done_and_goes_on_at_the_failed_step(engine):
    workflow = engine.publish(
        step("first", "set", **values(x="1")),
        step("bad", "condition", when="input.flag == 'yes' ? true : input.flag"),
        inputs=("flag",),
    )
    run_id = engine.start(workflow, flag="no")
    assert engine.finish(run_id).status == "failed"

    with engine.in_house():
        again = service.retry_run(engine.house.id, run_id, by=engine.by)
    with engine.in_house():
        assert service.retry_run(engine.house.id, run_id, by=engine.by) == again

    assert engine.states(again) == {"first": "succeeded", "bad": "ready"}
    assert engine.run(again).replay_of == run_id
    assert engine.run(run_id).status == "failed"


def test_a_published_version_and_an_ended_run_never_change(engine):
    workflow = engine.publish(step("only", "set", **values(x="1")))
    run_id = engine.start(workflow)
    engine.pump()

    for statement in ("update workflow_executions set status = 'running', completed_at = null where id = :id",):
        with (
            pytest.raises(DBAPIError, match="never change"),
            engine.in_house() as session,
        ):
            session.execute(text(statement), {"id": run_id})
    with pytest.raises(DBAPIError), engine.in_house() as session:
        session.execute(text("update workflow_versions set number = 9"))


def test_events_are_numbered_without_gaps(engine):
    workflow = engine.publish(step("a", "set", **values(x="1")), step("b", "set", **values(x="1")))
    run_id = engine.start(workflow)
    engine.pump()

    with engine.in_house() as session:
        rows = session.execute(
            text("select seq, kind from workflow_events where execution_id = :id order by seq"),
            {"id": run_id},
        ).all()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert [row.kind for row in rows] == [
        "run.accepted",
        "run.started",
        "step.succeeded",
        "step.succeeded",
        "run.succeeded",
    ]
    assert engine.run(run_id).event_seq == len(rows)


def test_publishing_changes_no_running_run(engine):
    workflow_id = engine.publish(
        step("pause", "wait", mode="for", amount=0, unit="seconds"),
        step("old", "set", **values(x="old")),
    )
    run_id = engine.start(workflow_id)
    with engine.in_house():
        workflow = service.queries.get_workflow(engine.house.id, workflow_id, lock=True)
        workflow.nodes = [step("new", "set", **values(x="new"))]
        assert service.publish_version(engine.house.id, workflow_id, by=engine.by) == 2

    engine.pump()
    engine.sweep()

    assert engine.run(run_id).output_data == {"x": "old"}
    assert engine.finish(engine.start(workflow_id)).output_data == {"x": "new"}


def test_nothing_is_ever_stuck(app, engine):
    mine = {engine.start(engine.publish(step("only", "set", **values(x="1")))) for _ in range(3)}
    engine.pump()

    stuck = set(look.stuck())
    assert not stuck & mine
    # Of the whole suite: every run that the engine ever held. Rows that tests of lists write by hand never had a step.
    with app.app_context(), db.transaction(system=True) as session:
        held = set(session.scalars(text("select distinct execution_id from workflow_steps")))
    assert not stuck & held


def test_a_pump_that_lingers_gives_way_to_other_work(engine):
    began = time.monotonic()

    runner.pump(worker="test", budget_s=30, linger_s=20, gives_way=lambda: True)

    assert time.monotonic() - began < 5

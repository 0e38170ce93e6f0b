"""Switch, parallel, for each, repeat, group, go to, stop, errors: on a real database, by a worker of this process."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from portal.workflows import service
from portal.workflows.actions.base import Done, Failed
from portal.workflows.engine.store import leasing, settling
from tests.workflows.engine.conftest import step, values

BROKEN = values(x="${ input.none.at.all }")


def bad(key, **more):
    """A step that fails in the run: its number cannot be read."""
    return step(key, "set", **values(x="${ int('no number') }"), **more)


def fine(key, **more):
    return step(key, "set", **values(x=f"{key}"), **more)


@pytest.mark.parametrize(("a", "taken"), [("1", "one"), ("2", "two"), ("9", "other")])
def test_a_switch_takes_the_first_case_that_is_true(engine, a, taken):
    workflow = engine.publish(
        step("choose", "switch", cases=[{"name": "One", "value": "input.a == '1'"}, {"name": "Two", "value": "int(input.a) < 5"}]),
        fine("one", parent="choose", lane="case_1"),
        fine("two", parent="choose", lane="case_2"),
        fine("other", parent="choose", lane="otherwise"),
        fine("last"),
        inputs=("a",),
    )

    run = engine.go(workflow, a=a)

    assert run.status == "succeeded"
    assert engine.trace(run.id) == ["choose", taken, "last"]
    assert engine.states(run.id)["other"] == ("succeeded" if taken == "other" else "skipped")


def test_parallel_lanes_all_run_and_meet(engine):
    workflow = engine.publish(
        step("both", "parallel", lanes=2),
        fine("left", parent="both", lane="lane_1"),
        fine("right", parent="both", lane="lane_2"),
        step("last", "set", **values(sum="${ steps.left.x } ${ steps.right.x } ${ steps.both.succeeded }")),
    )

    run = engine.go(workflow)

    assert (run.status, run.output_data) == ("succeeded", {"sum": "left right 2"})
    assert engine.outputs(run.id)["both"] == {"succeeded": 2, "lanes": {"lane_1": {"x": "left"}, "lane_2": {"x": "right"}}}


def test_values_of_parallel_lanes_are_there_for_a_worker_that_reads_the_run_anew(engine):
    workflow = engine.publish(
        step("both", "parallel", lanes=2),
        fine("left", parent="both", lane="lane_1"),
        step("inner", "group", parent="both", lane="lane_2"),
        fine("right", parent="inner", lane="do"),
        step("pause", "wait", mode="for", amount=0, unit="seconds"),
        step("last", "set", **values(sum="${ steps.left.x } ${ steps.right.x }")),
    )

    assert engine.go(workflow).output_data == {"sum": "left right"}


def waiting_lanes(**join):
    return (
        step("race", "parallel", lanes=2, **join),
        fine("quick", parent="race", lane="lane_1"),
        step("slow", "wait", parent="race", lane="lane_2", mode="for", amount=1, unit="hours"),
        fine("last"),
    )


def test_any_lane_is_enough_and_the_other_is_cancelled(engine):
    run = engine.go(engine.publish(*waiting_lanes(join="any")))

    assert run.status == "succeeded"
    assert engine.states(run.id) == {"race": "succeeded", "quick": "succeeded", "slow": "cancelled", "last": "succeeded"}


def test_the_other_lanes_may_run_to_their_end_and_the_run_waits_for_them(engine):
    run = engine.go(engine.publish(*waiting_lanes(join="any", rest="run")))

    assert run.status == "running"
    assert engine.states(run.id) == {"race": "succeeded", "quick": "succeeded", "slow": "waiting", "last": "succeeded"}
    with engine.in_house() as session:
        session.execute(text("update workflow_timers set due_at = clock_timestamp() where execution_id = :id"), {"id": run.id})
    engine.sweep()
    assert engine.run(run.id).status == "succeeded"
    assert engine.states(run.id)["slow"] == "succeeded"


def test_two_of_three_lanes_are_enough_although_one_fails(engine):
    workflow = engine.publish(
        step("vote", "parallel", lanes=3, join="some", need=2),
        bad("a", parent="vote", lane="lane_1"),
        fine("b", parent="vote", lane="lane_2"),
        fine("c", parent="vote", lane="lane_3"),
        fine("last"),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert engine.states(run.id) == {"vote": "succeeded", "a": "failed", "b": "succeeded", "c": "succeeded", "last": "succeeded"}


def test_a_lane_that_fails_fails_the_block_and_cancels_the_rest(engine):
    workflow = engine.publish(
        step("both", "parallel", lanes=2),
        step("slow", "wait", parent="both", lane="lane_1", mode="for", amount=1, unit="hours"),
        bad("b", parent="both", lane="lane_2"),
        fine("last"),
    )

    run = engine.go(workflow)

    assert (run.status, run.error["step"], run.error["code"]) == ("failed", "b", "expression")
    assert engine.states(run.id) == {"both": "failed", "slow": "cancelled", "b": "failed"}


def test_an_error_lane_catches_and_the_run_goes_on(engine):
    workflow = engine.publish(
        bad("risky", on_error="lane"),
        step("caught", "set", parent="risky", lane="error", **values(why="${ error.code } at ${ error.step }")),
        fine("last"),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert engine.outputs(run.id)["caught"] == {"why": "expression at risky"}
    assert engine.trace(run.id) == ["risky failed", "caught", "last"]


def test_an_error_lane_is_skipped_when_nothing_fails(engine):
    run = engine.go(engine.publish(fine("risky", on_error="lane"), fine("caught", parent="risky", lane="error"), fine("last")))

    assert engine.states(run.id) == {"risky": "succeeded", "caught": "skipped", "last": "succeeded"}


def test_the_error_lane_of_a_group_catches_what_fails_inside(engine):
    workflow = engine.publish(
        step("all", "group", on_error="lane"),
        fine("a", parent="all", lane="do"),
        bad("b", parent="all", lane="do"),
        fine("c", parent="all", lane="do"),
        step("caught", "set", parent="all", lane="error", **values(at="${ error.step }")),
        fine("last"),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert engine.trace(run.id) == ["a@all:0", "b@all:0 failed", "all failed", "caught", "last"]
    assert engine.outputs(run.id)["caught"] == {"at": "b"}


def test_a_step_may_fail_and_the_run_goes_on(engine):
    workflow = engine.publish(bad("risky", on_error="continue"), step("last", "set", **values(why="${ steps.risky.error.code }")))

    run = engine.go(workflow)

    assert (run.status, run.output_data) == ("succeeded", {"why": "expression"})


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_stop_ends_the_run_from_any_depth(engine, outcome):
    workflow = engine.publish(
        step("both", "parallel", lanes=2),
        step("slow", "wait", parent="both", lane="lane_1", mode="for", amount=1, unit="hours"),
        step("halt", "stop", parent="both", lane="lane_2", outcome=outcome, message="Enough of ${ input.a }"),
        fine("last"),
        inputs=("a",),
    )

    run = engine.go(workflow, a="it")

    assert run.status == outcome
    assert engine.states(run.id) == {"both": "cancelled", "slow": "cancelled", "halt": "succeeded"}
    if outcome == "failed":
        assert (run.error["code"], run.error["detail"]) == ("stopped", "Enough of it")
    with engine.in_house() as session:
        assert (
            session.scalar(text("select count(*) from workflow_timers where execution_id = :id and fired_at is null"), {"id": run.id}) == 0
        )
        assert (
            session.scalar(text("select count(*) from workflow_frames where execution_id = :id and ended_at is null"), {"id": run.id}) == 0
        )


def test_a_leased_step_of_a_cancelled_lane_ends_without_consequences(engine):
    workflow = engine.publish(
        step("race", "parallel", lanes=2, join="any"),
        step("mail", "email", parent="race", lane="lane_1", to="a@example.com", subject="s", body="b"),
        step("quick", "wait", parent="race", lane="lane_2", mode="for", amount=0, unit="seconds"),
        fine("last"),
    )
    run_id = engine.start(workflow)
    settling.settle(engine.claim(), None, None, carry=True)
    lease = engine.claim()
    assert lease.node_key == "mail"
    run = leasing.open_run(lease)

    engine.sweep()

    assert engine.states(run_id) == {"race": "succeeded", "mail": "leased", "quick": "succeeded", "last": "succeeded"}
    assert engine.run(run_id).status == "running"
    assert leasing.fence(lease, {}) is False
    assert settling.settle(lease, run, Done({"x": 1}), carry=True)[1] is None
    assert engine.run(run_id).status == "succeeded"


def test_a_run_that_fails_while_a_worker_holds_a_step_waits_for_it(engine):
    workflow = engine.publish(
        step("both", "parallel", lanes=2),
        step("mail", "email", parent="both", lane="lane_1", to="a@example.com", subject="s", body="b"),
        step("pause", "wait", parent="both", lane="lane_2", mode="for", amount=0, unit="seconds"),
        bad("b", parent="both", lane="lane_2"),
    )
    run_id = engine.start(workflow)
    settling.settle(engine.claim(), None, None, carry=True)
    lease = engine.claim()
    run = leasing.open_run(lease)

    engine.sweep()
    assert engine.run(run_id).status == "cancelling"
    assert settling.settle(lease, run, Done({"x": 1}), carry=True)[1] is None

    ended = engine.run(run_id)
    assert (ended.status, ended.error["step"]) == ("failed", "b")


def items(result="", **more):
    return (
        step("each", "foreach", source="list", list="[3, 1, 2]", result=result, **more),
        step("double", "set", parent="each", lane="each", **values(at="${ index }", twice="${ item * 2 }")),
        fine("last"),
    )


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_a_for_each_gives_its_results_in_order(engine, at_once):
    run = engine.go(engine.publish(*items(at_once=at_once)))

    each = engine.outputs(run.id)["each"]
    assert run.status == "succeeded"
    assert each["results"] == [{"at": 0, "twice": 6}, {"at": 1, "twice": 2}, {"at": 2, "twice": 4}]
    assert (each["count"], each["succeeded"], each["failed"]) == (3, 3, 0)


def test_a_for_each_keeps_what_it_is_told_to_keep(engine):
    run = engine.go(engine.publish(*items(result="steps.double.twice + index")))

    assert engine.outputs(run.id)["each"]["results"] == [6, 3, 6]


def failing_items(policy, on_error="fail"):
    return (
        step("each", "foreach", source="list", list="['1', 'x', '3']", if_fails=policy, on_error=on_error),
        step("read", "set", parent="each", lane="each", **values(n="${ int(item) }")),
    )


@pytest.mark.parametrize(("policy", "status", "done"), [("stop", "failed", 2), ("continue", "succeeded", 3), ("collect", "failed", 3)])
def test_what_becomes_of_an_item_that_fails_is_the_authors_choice(engine, policy, status, done):
    run = engine.go(engine.publish(*failing_items(policy)))

    assert run.status == status
    assert len([row for row in engine.trace(run.id) if row.startswith("read")]) == done
    if policy == "continue":
        each = engine.outputs(run.id)["each"]
        assert (each["results"], each["failed"], each["errors"][0]["index"]) == ([{"n": 1}, None, {"n": 3}], 1, 1)
    if policy == "collect":
        assert (run.error["code"], run.error["step"]) == ("items_failed", "each")


def test_the_collected_errors_are_there_in_the_error_lane(engine):
    workflow = engine.publish(
        *failing_items("collect", on_error="lane"),
        step("caught", "set", parent="each", lane="error", **values(n="${ steps.each.errors[0].code }")),
    )

    assert engine.go(workflow).output_data == {"n": "expression"}


def test_a_for_each_over_nothing_goes_on(engine):
    workflow = engine.publish(
        step("each", "foreach", source="list", list="[]"),
        fine("inside", parent="each", lane="each"),
        step("last", "set", **values(n="${ steps.each.count }")),
    )

    assert engine.go(workflow).output_data == {"n": 0}


def test_something_that_is_no_list_fails_the_for_each(engine):
    workflow = engine.publish(step("each", "foreach", source="list", list="input.a"), fine("b", parent="each", lane="each"), inputs=("a",))

    assert engine.go(workflow, a="text").error["code"] == "not_a_list"


def test_loops_inside_loops_see_what_is_around_them(engine):
    workflow = engine.publish(
        step("outer", "foreach", source="list", list="['a', 'b']", at_once=2),
        step("name", "set", parent="outer", lane="each", **values(n="${ item }")),
        step("inner", "foreach", parent="outer", lane="each", source="times", times=2, at_once=2, result="steps.name.n + string(item)"),
        fine("work", parent="inner", lane="each"),
        step("last", "set", **values(all="${ steps.outer.results }")),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert [each["results"] for each in run.output_data["all"]] == [["a0", "a1"], ["b0", "b1"]]


def test_a_repeat_ends_when_its_condition_is_met(engine):
    workflow = engine.publish(
        step("again", "repeat", until="steps.count.n >= 3", rounds=10),
        step("count", "set", parent="again", lane="each", **values(n="${ round == 1 ? 1 : previous.n + 1 }")),
        fine("last"),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert engine.outputs(run.id)["again"] == {"rounds": 3, "last": {"n": 3}}


@pytest.mark.parametrize(("spent", "status"), [("fail", "failed"), ("continue", "succeeded")])
def test_a_repeat_is_bounded(engine, spent, status):
    workflow = engine.publish(step("again", "repeat", until="false", rounds=4, if_spent=spent), fine("a", parent="again", lane="each"))

    run = engine.go(workflow)

    assert run.status == status
    assert len([row for row in engine.trace(run.id) if row.startswith("a@")]) == 4


def test_going_back_runs_the_steps_again_in_a_new_generation(engine):
    workflow = engine.publish(
        fine("a"),
        fine("b"),
        step("back", "goto", to="b", most=2, if_spent="continue"),
        fine("last"),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert engine.trace(run.id) == ["a", "b", "back", "b", "back", "b", "back", "last"]


def test_going_back_is_bounded_and_then_fails(engine):
    run = engine.go(engine.publish(fine("a"), step("back", "goto", to="a", most=3)))

    assert (run.status, run.error["code"]) == ("failed", "jumps_spent")


def test_going_forward_out_of_a_lane_passes_over_what_is_between(engine):
    workflow = engine.publish(
        step("check", "condition", when="true"),
        step("ahead", "goto", parent="check", lane="then", to="end"),
        fine("never", parent="check", lane="then"),
        fine("between"),
        fine("end"),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert engine.trace(run.id) == ["check", "ahead", "end"]
    assert engine.states(run.id)["between"] == "skipped"


def test_going_back_with_waits_between_is_read_anew_each_time(engine):
    workflow = engine.publish(
        fine("a"),
        step("both", "parallel", lanes=2),
        step("pause", "wait", parent="both", lane="lane_1", mode="for", amount=0, unit="seconds"),
        fine("b", parent="both", lane="lane_2"),
        step("back", "goto", to="a", most=2, if_spent="continue"),
        step("last", "set", **values(n="${ steps.back.times }")),
    )

    run = engine.go(workflow)

    assert (run.status, run.output_data) == ("succeeded", {"n": 2})
    assert [row for row in engine.trace(run.id) if row.startswith("pause")] == ["pause@both:0", "pause@both~1:0", "pause@both~2:0"]


def test_pause_stops_everything_and_resume_goes_on(engine):
    workflow = engine.publish(
        step("pause", "wait", mode="for", amount=0, unit="seconds"),
        step("mail", "email", to="a@example.com", subject="s", body="b"),
    )
    run_id = engine.start(workflow)
    engine.pump()
    with engine.in_house():
        service.pause_run(engine.house.id, run_id, by=engine.by)

    engine.sweep()
    engine.pump()
    assert engine.states(run_id) == {"pause": "waiting"}
    assert engine.run(run_id).status == "paused"
    with engine.in_house():
        service.resume_run(engine.house.id, run_id, by=engine.by)
    engine.sweep()

    assert engine.run(run_id).status == "running"
    assert engine.states(run_id) == {"pause": "succeeded", "mail": "ready"}


def test_a_worker_ends_the_step_in_hand_of_a_paused_run_and_begins_nothing(engine):
    run_id = engine.start(engine.publish(fine("a"), fine("b")))
    lease = engine.claim()
    with engine.in_house():
        service.pause_run(engine.house.id, run_id, by=engine.by)

    settling.settle(lease, None, None, carry=True)

    assert engine.states(run_id) == {"a": "succeeded", "b": "ready"}
    assert engine.claim() is None
    with engine.in_house():
        service.resume_run(engine.house.id, run_id, by=engine.by)
    assert engine.finish(run_id).status == "succeeded"


def test_a_long_list_holds_only_a_window_of_items(engine, monkeypatch):
    from portal.workflows.engine.store import framing

    most = []
    opened = framing.opened
    monkeypatch.setattr(framing, "opened", lambda moves, *given: (opened(moves, *given), most.append(len(moves.run.frames)))[0])
    workflow = engine.publish(
        step("each", "foreach", source="times", times=5_000, at_once=10),
        step("work", "set", parent="each", lane="each", **values(n="${ item * 2 }")),
        step("last", "set", **values(n="${ steps.each.succeeded }", left="${ steps.each.results.size() }")),
    )

    run = engine.go(workflow)

    assert (run.status, run.output_data["n"]) == ("succeeded", 5_000)
    assert max(most) <= 11
    engine.assert_sound(run.id)


def test_a_step_that_holds_its_worker_past_its_limit_has_timed_out_and_is_tried_again(engine):
    workflow = engine.publish(step("call", "webhook", method="POST", url="https://example.com/", headers=[], body="", timeout_s=1))
    run_id = engine.start(workflow)
    lease = leasing.claim(worker="hangs", lease_s=0.2)
    leasing.open_run(lease)
    assert leasing.fence(lease, {})
    time.sleep(1.2)

    engine.sweep()

    row = engine.steps(run_id)["call"]
    assert (row.state, row.error["code"], row.error["class"]) == ("ready", "timeout", "timeout")


def test_the_author_chooses_after_which_errors_a_step_is_tried_again(engine):
    def judged(on):
        workflow = engine.publish({**step("call", "webhook", url="https://example.com/"), "retry": {"attempts": 3, "on": on}})
        engine.start(workflow)
        lease = engine.claim()
        run = leasing.open_run(lease)
        settling.settle(lease, run, Failed("call_status", detail="403"), carry=False)
        return engine.steps(run.id)["call"]

    assert (judged(["auth"]).state, judged(["transient"]).state) == ("ready", "failed")

"""Compensation: what a failed run did is taken back, the last first, only what succeeded, each once."""

from __future__ import annotations

import pytest

from portal.workflows import service
from tests.workflows.engine.conftest import step, values


def bad(key, **more):
    return step(key, "set", **values(x="${ int('no number') }"), **more)


def booked(key, **more):
    """A step that can be taken back, with the step that does it."""
    back = step(f"un_{key}", "set", parent=key, lane="undo", **values(was="${ steps." + key + ".x }", why="${ error.code }"))
    return step(key, "set", undo=True, **values(x=key), **more), back


def undone(engine, run_id):
    return [row.partition("@")[0] for row in engine.trace(run_id) if row.startswith("un_")]


def test_the_last_is_taken_back_first_and_only_what_succeeded(engine):
    workflow = engine.publish(
        *booked("a"),
        *booked("b"),
        step("plain", "set", **values(x="1")),
        bad("c", undo=True),
        step("un_c", "set", parent="c", lane="undo", **values(x="1")),
    )

    run = engine.go(workflow)

    assert run.status == "compensated"
    assert undone(engine, run.id) == ["un_b", "un_a"]
    assert (run.error["step"], run.error["undone"], run.error["not_undone"]) == ("c", 2, 0)
    assert engine.outputs(run.id)["un_a"] == {"was": "a", "why": "expression"}


def test_a_run_that_succeeds_takes_nothing_back(engine):
    run = engine.go(engine.publish(*booked("a"), *booked("b")))

    assert run.status == "succeeded"
    assert undone(engine, run.id) == []


def test_items_are_taken_back_in_the_reverse_of_the_order_in_which_they_ended(engine):
    do, back = booked("book", parent="each", lane="each")
    back["config"] = values(n="${ item }")
    workflow = engine.publish(step("each", "foreach", source="list", list="['a', 'b', 'c']"), do, back, bad("end"))

    run = engine.go(workflow)

    assert run.status == "compensated"
    assert [row for row in engine.trace(run.id) if row.startswith("un_")] == [f"un_book@each:{n}/book:undo" for n in (2, 1, 0)]
    with engine.in_house():
        rows = [row for row in service.queries.steps_of(engine.house.id, run.id) if row.node_key == "un_book"]
    assert {row.scope_path: row.output["n"] for row in rows} == {"each:0/book:undo": "a", "each:1/book:undo": "b", "each:2/book:undo": "c"}


def test_an_undoing_that_fails_is_reported_and_the_others_go_on(engine):
    do, _back = booked("b")
    workflow = engine.publish(*booked("a"), do, bad("un_b", parent="b", lane="undo"), bad("end"))

    run = engine.go(workflow)

    assert run.status == "failed"
    assert undone(engine, run.id) == ["un_b", "un_a"]
    assert (run.error["code"], run.error["undone"], run.error["not_undone"]) == ("expression", 1, 1)


def test_an_undoing_may_wait_and_have_attempts_of_its_own(engine):
    do, back = booked("a")
    workflow = engine.publish(
        do, step("rest", "wait", parent="a", lane="undo", mode="for", amount=0, unit="seconds"), back, *booked("b"), bad("end")
    )
    run_id = engine.start(workflow)
    engine.pump()
    assert engine.run(run_id).status == "compensating"

    engine.sweep()

    assert engine.run(run_id).status == "compensated"
    assert undone(engine, run_id) == ["un_b", "un_a"]


@pytest.mark.parametrize(("undo", "status"), [(True, "compensated"), (False, "cancelled")])
def test_a_run_is_cancelled_with_or_without_taking_back(engine, undo, status):
    run = engine.go(engine.publish(*booked("a"), step("pause", "wait", mode="for", amount=1, unit="hours")))
    with engine.in_house():
        service.cancel_run(engine.house.id, run.id, by=engine.by, undo=undo)
    engine.pump()

    assert engine.run(run.id).status == status
    assert undone(engine, run.id) == (["un_a"] if undo else [])


def test_a_failure_that_is_caught_takes_nothing_back(engine):
    workflow = engine.publish(*booked("a"), bad("c", on_error="continue"), step("last", "set", **values(x="1")))

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert undone(engine, run.id) == []

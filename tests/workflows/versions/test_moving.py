"""Running runs go on with the live version at safe points only; what does not fit is refused with its reason and left alone."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.config import current_settings
from portal.core.errors import NotFound
from portal.lists import service as lists
from portal.workflows.designer import drafts
from portal.workflows.versions import moving
from portal.workflows.versions.moving import CannotMove
from tests.workflows.engine.conftest import step, values

SETTINGS = {"inputs": [], "deadline_s": 86400}
PAUSE = step("pause", "wait", mode="for", amount=1, unit="hours")
FIRST, LAST = step("first", "set", **values(x="1")), step("last", "set", **values(x="old"))


def publish(engine, workflow, *nodes):
    from portal.workflows import queries, service

    with engine.in_house():
        revision = queries.get_workflow(engine.house.id, workflow).draft_revision
        drafts.replace(engine.house.id, workflow, list(nodes), SETTINGS, revision=revision, label="step.changed", by=engine.by)
        return service.publish_version(engine.house.id, workflow, by=engine.by)


def move(engine, run_id):
    with engine.in_house():
        return moving.move_run(engine.house.id, run_id, by=engine.by)


def refused(engine, run_id):
    before = told(engine, run_id)
    with pytest.raises(CannotMove) as caught:
        move(engine, run_id)
    assert told(engine, run_id) == before, "a refusal changes nothing"
    return caught.value.code_of, caught.value.step


def told(engine, run_id):
    with engine.in_house() as session:
        kinds = session.scalars(text("select kind from workflow_events where execution_id = :run order by seq"), {"run": run_id}).all()
        return engine.run(run_id).version_id, list(kinds)


def wake(engine, run_id):
    with engine.in_house() as session:
        session.execute(
            text("update workflow_timers set due_at = clock_timestamp() where execution_id = :run and fired_at is null"), {"run": run_id}
        )
    engine.sweep()
    engine.pump()


def asleep(engine, *nodes):
    workflow = engine.publish(*nodes)
    run_id = engine.start(workflow)
    engine.pump()
    return workflow, run_id


def test_a_sleeping_run_wakes_up_in_the_new_version(engine):
    workflow, run_id = asleep(engine, FIRST, PAUSE, LAST)
    new = step("last", "set", **values(x="new ${ steps.first.x }"))
    assert publish(engine, workflow, FIRST, PAUSE, step("also", "set", **values(y="1")), new) == 2

    assert move(engine, run_id) == 2
    with engine.in_house():
        (row,) = moving.moves_of(engine.house.id, run_id)
    assert (row.version, row.actor) == (2, f"person:{engine.by.id}")
    wake(engine, run_id)

    assert engine.run(run_id).status == "succeeded"
    assert engine.trace(run_id) == ["first", "pause", "also", "last"]
    assert engine.outputs(run_id)["last"] == {"x": "new 1"}
    engine.assert_sound(run_id)


def test_steps_of_the_past_are_passed_over_and_joins_behind_them_still_come(engine):
    fork = step("which", "condition", when="true")
    yes = step("yes", "wait", parent="which", lane="then", mode="for", amount=1, unit="hours")
    no = step("no", "set", parent="which", lane="else", **values(x="1"))
    workflow, run_id = asleep(engine, FIRST, fork, yes, no, LAST)
    between, deeper = step("between", "set", **values(x="1")), step("deeper", "set", parent="which", lane="else", **values(x="1"))
    publish(engine, workflow, step("zero", "set", **values(x="1")), FIRST, between, fork, yes, no, deeper, LAST)

    with engine.in_house():
        (line,) = moving.preview(engine.house.id, workflow)
    assert line.fit.obstacle is None and set(line.fit.passed_over) == {"zero", "between", "deeper"}
    move(engine, run_id)
    wake(engine, run_id)

    assert engine.run(run_id).status == "succeeded"
    assert engine.states(run_id)["last"] == "succeeded"
    assert {engine.states(run_id)[key] for key in ("zero", "between", "deeper")} == {"skipped"}
    engine.assert_sound(run_id)


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ((PAUSE, LAST), ("step_gone", "first")),
        ((FIRST, LAST), ("step_gone", "pause")),
        ((step("first", "limit", list="[1]", count=1), PAUSE, LAST), ("other_kind", "first")),
        ((PAUSE, FIRST, LAST), ("other_order", "first")),
        (
            (FIRST, step("box", "group"), {**PAUSE, "parent": "box", "lane": "do"}, LAST),
            ("other_place", "pause"),
        ),
    ],
    ids=lambda each: each[0] if isinstance(each[0], str) else "",
)
def test_what_does_not_fit_is_refused(engine, nodes, reason):
    workflow, run_id = asleep(engine, FIRST, PAUSE, LAST)
    publish(engine, workflow, *nodes)

    assert refused(engine, run_id) == reason
    wake(engine, run_id)
    assert engine.outputs(run_id)["last"] == {"x": "old"}, "it goes on as it was"


def test_a_lane_that_was_taken_must_still_be_there(engine):
    cases = [{"name": "A", "value": "false"}, {"name": "B", "value": "true"}]
    workflow, run_id = asleep(engine, step("pick", "switch", cases=cases), PAUSE, LAST)
    publish(engine, workflow, step("pick", "switch", cases=cases[:1]), PAUSE, LAST)

    assert refused(engine, run_id) == ("lane_gone", "pick")


def test_a_loop_that_waits_goes_on_with_the_new_inside(engine):
    each = step("each", "foreach", source="times", times=2, at_once=1)
    inside = {**PAUSE, "parent": "each", "lane": "each"}
    workflow, run_id = asleep(engine, each, inside, LAST)
    publish(engine, workflow, each, inside, step("more", "set", parent="each", lane="each", **values(x="1")), LAST)

    move(engine, run_id)
    wake(engine, run_id)
    wake(engine, run_id)

    assert engine.run(run_id).status == "succeeded"
    assert [key for key in engine.trace(run_id) if key.startswith("more")] == ["more@each:0", "more@each:1"]
    engine.assert_sound(run_id)
    other, second = asleep(engine, each, inside, LAST)
    publish(engine, other, {**each, "kind": "repeat", "config": {"rounds": 2, "until": "false"}}, inside, LAST)
    assert refused(engine, second) == ("other_kind", "each")


def test_nothing_moves_while_a_step_is_in_hand_in_doubt_or_the_run_is_over(engine):
    call = step("call", "email", to="a@example.com", subject="s", body="b")
    workflow = engine.publish(call, PAUSE)
    run_id = engine.start(workflow)
    lease = engine.claim()
    publish(engine, workflow, call, PAUSE, LAST)

    assert refused(engine, run_id) == ("in_hand", "call")
    with engine.in_house() as session:
        session.execute(text("update workflow_steps set state = 'in_doubt', lease_until = null where id = :id"), {"id": lease.step_id})
    assert refused(engine, run_id) == ("in_doubt", "call")

    done = engine.go(engine.publish(FIRST))
    assert refused(engine, done.id) == ("ended", None)
    other = engine.publish(FIRST, PAUSE)
    fresh = engine.start(other)
    engine.pump()
    assert refused(engine, fresh) == ("same", None)


def test_a_run_that_is_taken_meanwhile_is_left_to_its_worker(engine):
    """The claim is not committed yet: the move waits for it, and then sees it."""
    import threading

    call = step("call", "email", to="a@example.com", subject="s", body="b")
    workflow = engine.publish(call, PAUSE)
    run_id = engine.start(workflow)
    publish(engine, workflow, call, PAUSE, LAST)
    seen = []
    with psycopg.connect(current_settings().database_system_url) as worker:
        claimed = worker.execute("select execution_id from claim_step(array['fast', 'io'], 'other', 30, null, null, 0)").fetchone()
        assert claimed == (run_id,)

        def moves():
            try:
                with db.unit_of_work(engine.house.id):
                    moving.move_run(engine.house.id, run_id, by=engine.by)
            except CannotMove as refusal:
                seen.append(refusal.code_of)

        thread = threading.Thread(target=moves)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert seen == ["in_hand"]


def test_a_paused_and_a_run_that_has_not_begun_move_too(engine):
    from portal.workflows import service

    workflow = engine.publish(FIRST, PAUSE, LAST)
    run_id = engine.start(workflow)
    publish(engine, workflow, {**FIRST, "timeout_s": 77}, PAUSE, step("last", "set", **values(x="new")))
    with engine.in_house():
        service.pause_run(engine.house.id, run_id, by=engine.by)

    move(engine, run_id)
    assert engine.steps(run_id)["first"].timeout_s == 77
    with engine.in_house():
        service.resume_run(engine.house.id, run_id, by=engine.by)
    engine.pump()
    wake(engine, run_id)
    assert engine.outputs(run_id)["last"] == {"x": "new"}


def test_others_move_nothing(engine, other_tenant):
    _workflow, run_id = asleep(engine, FIRST, PAUSE)
    with pytest.raises(NotFound), db.transaction(other_tenant.id):
        moving.move_run(other_tenant.id, run_id, by=engine.by)


def test_the_page_shows_each_run_and_moves_the_chosen_ones_by_a_job(engine, as_role):
    workflow, run_id = asleep(engine, FIRST, PAUSE, LAST)
    stays = engine.start(workflow)
    engine.pump()
    publish(engine, workflow, FIRST, PAUSE, step("last", "set", **values(x="new")))
    browser = as_role("owner")
    url = f"/workflows/{workflow}/versions/move"

    assert "2 runs can move" in browser.get(url).text
    assert browser.post(url, data={}).status_code == 422
    asked = browser.post(url, data={"ids": [str(run_id)]})
    bulk_id = asked.headers["Location"].rpartition("/")[2]
    with engine.in_house() as session:
        session.execute(text("update bulk_actions set starts_at = clock_timestamp() where id = :id"), {"id": bulk_id})
    lists.carry_out(engine.house.id, __import__("uuid").UUID(bulk_id))

    assert engine.run(run_id).version_id != engine.run(stays).version_id
    assert "Moved to version 2" in browser.get(f"/runs/{run_id}").text
    assert as_role("member").get(url).status_code == 403

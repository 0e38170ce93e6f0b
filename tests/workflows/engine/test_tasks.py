"""Human tasks: who decides, how many, once; deadlines, escalation, leavers."""

from __future__ import annotations

import threading

import psycopg
import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import SYSTEM
from portal.core.config import current_settings
from portal.core.errors import NotFound
from portal.identity import service as identity
from portal.workflows.engine import quorum
from portal.workflows.engine.store import answering, ending, look
from portal.workflows.engine.store.answering import Vote
from portal.workflows.errors import AlreadyVoted, DraftInvalid, TaskClosed
from portal.workflows.explain import explain_error
from tests.conftest import _person
from tests.workflows.engine.conftest import step, values

AFTER = step("then", "set", **values(outcome="${ steps.ask.outcome }"))


def asks(*who, key="ask", **config):
    return step(key, "approval", **{"title": "Leave of Sara", "title_ar": "إجازة سارة", "candidates": list(who), **config})


@pytest.fixture
def crew(engine):
    """Five members with the role builder beside the one that is there, by number."""
    people = [_person(f"crew-{number}-{engine.house.id.hex[-12:]}@example.com", f"crew {number}") for number in range(5)]
    with engine.in_house():
        for each in people:
            identity.add_member(engine.house.id, each, "member", by=SYSTEM)
    return people


def task_of(engine, run_id, key="ask"):
    with engine.in_house() as session:
        return session.execute(
            text("select * from workflow_tasks where execution_id = :run and node_key = :key"), {"run": run_id, "key": key}
        ).one()


def vote(engine, task, person_id, outcome="approve", note=""):
    return answering.vote(engine.house.id, task.id, Vote(person_id, outcome, {}, note, f"person:{person_id}"))


def started(engine, *nodes):
    run_id = engine.start(engine.publish(*nodes))
    engine.pump()
    return run_id


@pytest.mark.parametrize(("kind", "count", "voters", "votes", "decided"), [
    ("any", 1, 5, {"approve": 1}, "approve"),
    ("any", 1, 5, {"reject": 1}, "reject"),
    ("all", 1, 3, {"approve": 2}, None),
    ("all", 1, 3, {"approve": 3}, "approve"),
    ("all", 1, 3, {"approve": 1, "reject": 1}, "reject"),
    ("majority", 1, 5, {"approve": 2, "reject": 2}, None),
    ("majority", 1, 5, {"approve": 3}, "approve"),
    ("majority", 1, 4, {"approve": 2, "reject": 2}, "reject"),
    ("count", 2, 5, {"approve": 1, "reject": 1}, None),
    ("count", 2, 5, {"approve": 2}, "approve"),
    ("count", 3, 4, {"return": 1, "reject": 1}, "reject"),
    ("count", 3, 2, {}, None),
])  # fmt: skip
def test_votes_come_to_a_decision(kind, count, voters, votes, decided):
    need = quorum.needed(kind, count, voters)
    assert quorum.verdict(votes, ["approve", "return", "reject"], need=need, voters=voters) == decided


def test_one_of_the_candidates_decides_and_the_run_goes_on(engine, crew):
    run_id = started(engine, asks(f"person:{crew[0]}", "role:admin"), AFTER)
    assert engine.states(run_id) == {"ask": "waiting"}
    task = task_of(engine, run_id)

    with pytest.raises(NotFound):
        vote(engine, task, crew[1])
    assert vote(engine, task, crew[0], note="fine") == "approve"
    assert vote(engine, task, crew[0]) == "approve", "the same again is the same answer"
    engine.pump()

    steps = engine.steps(run_id)
    assert engine.run(run_id).status == "succeeded"
    assert steps["ask"].output["note"] == "fine" and steps["then"].output == {"outcome": "approve"}
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from notifications where type = 'task.opened'")) == 2
    with db.transaction(system=True) as session:
        assert session.scalar(text("select count(*) from letters where tenant_id = :id and message = 'task'"), {"id": engine.house.id}) == 2


def test_two_who_decide_at_once_come_to_one_result(engine, crew, app):
    run_id = started(engine, asks(*(f"person:{each}" for each in crew)), AFTER)
    task, results = task_of(engine, run_id), []

    def decide(person_id, outcome):
        with app.app_context():
            try:
                results.append(vote(engine, task, person_id, outcome))
            except TaskClosed as closed:
                results.append(("told", closed.outcome))

    threads = [threading.Thread(target=decide, args=(each, ("approve", "reject")[number % 2])) for number, each in enumerate(crew)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    engine.pump()

    (decided,) = [each for each in results if isinstance(each, str)]
    assert sorted(map(str, results)) == sorted(map(str, [decided] + [("told", decided)] * 4))
    assert engine.steps(run_id)["then"].output == {"outcome": decided}
    assert engine.steps(run_id)["ask"].output["outcome"] == decided


def test_all_must_decide_and_nobody_twice(engine, crew):
    run_id = started(engine, asks(*(f"person:{each}" for each in crew[:3]), quorum="all"))
    task = task_of(engine, run_id)

    assert vote(engine, task, crew[0]) is None
    with pytest.raises(AlreadyVoted):
        vote(engine, task, crew[0], "reject")
    assert vote(engine, task, crew[1]) is None
    assert vote(engine, task, crew[2]) == "approve"
    assert engine.run(run_id).status == "succeeded"


def test_four_eyes(engine, crew):
    owner = engine.house.people["owner"]
    second = asks(f"person:{crew[0]}", f"person:{crew[1]}", f"person:{owner}", key="second", four_eyes="both")
    run_id = started(engine, asks(f"person:{crew[0]}"), second)
    vote(engine, task_of(engine, run_id), crew[0])
    engine.pump()
    task = task_of(engine, run_id, "second")

    for barred in (owner, crew[0]):
        with pytest.raises(NotFound):
            vote(engine, task, barred)
    assert vote(engine, task, crew[1]) == "approve"


def test_a_question_that_nobody_can_answer_fails_with_a_reason(engine):
    run_id = started(engine, asks(f"person:{engine.house.people['owner']}", four_eyes="starter"))
    assert engine.run(run_id).status == "failed"
    error = engine.steps(run_id)["ask"].error
    assert error["code"] == "task_nobody"
    with engine.in_house():
        assert explain_error(error)["detail"] == "Able to decide: 0. Needed: 1."


def pass_time(engine, seconds):
    with psycopg.connect(current_settings().database_owner_url) as connection:
        for table, column in (
            ("workflow_timers", "due_at"),
            ("workflow_tasks", "remind_at"),
            ("workflow_tasks", "escalate_at"),
            ("workflow_tasks", "due_at"),
        ):
            connection.execute(
                f"update {table} set {column} = {column} - make_interval(secs => %s) where tenant_id = %s", (seconds, engine.house.id)
            )


def told(engine, what):
    with engine.in_house() as session:
        return session.scalar(text("select count(*) from notifications where type = :what"), {"what": f"task.{what}"})


def test_reminder_then_escalation_then_expiry(engine, crew):
    ask = asks(f"person:{crew[0]}", remind_h=1, escalate_h=2, escalate_to=[f"person:{crew[1]}"], limit=20, limit_unit="hours")
    run_id = started(engine, ask, AFTER)
    task = task_of(engine, run_id)
    engine.sweep()
    assert (told(engine, "reminded"), told(engine, "escalated")) == (0, 0)

    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("update workflow_tasks set remind_at = clock_timestamp() where id = %s", (task.id,))
    engine.sweep()
    engine.sweep()
    assert told(engine, "reminded") == 1, "not again before the next hour"
    with pytest.raises(NotFound):
        vote(engine, task, crew[1])

    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("update workflow_tasks set escalate_at = clock_timestamp() where id = %s", (task.id,))
    engine.sweep()
    engine.sweep()
    assert told(engine, "escalated") == 1
    assert answering.eligible(engine.house.id, task) == {crew[0], crew[1]}

    pass_time(engine, 20 * 3600 + 1)
    engine.sweep()
    engine.pump()
    assert task_of(engine, run_id).state == "expired"
    assert engine.steps(run_id)["then"].output == {"outcome": "expired"}
    with pytest.raises(TaskClosed):
        vote(engine, task, crew[0])


def test_a_cancelled_run_closes_its_task(engine, crew):
    run_id = started(engine, asks(f"person:{crew[0]}", limit=5, limit_unit="hours"))
    ending.cancel(engine.house.id, run_id, actor="test")

    assert task_of(engine, run_id).state == "cancelled"
    with pytest.raises(TaskClosed):
        vote(engine, task_of(engine, run_id), crew[0])
    assert run_id not in look.stuck()


def test_who_leaves_is_waited_for_no_more(engine, crew, as_role):
    run_id = started(engine, asks(*(f"person:{each}" for each in crew[:2]), quorum="all"))
    vote(engine, task_of(engine, run_id), crew[0])
    assert engine.run(run_id).status == "running"

    as_role("owner").post(f"/settings/members/{crew[1]}/remove")

    if crew[1] in identity_members(engine):
        pytest.fail("the member is still there")
    assert engine.run(run_id).status == "succeeded"


def identity_members(engine):
    with engine.in_house():
        return identity.member_ids(engine.house.id)


@pytest.mark.parametrize(("change", "field"), [
    ({"candidates": []}, "candidates"), ({"title": ""}, "title"), ({"quorum": "count", "quorum_count": 0}, "quorum_count"),
    ({"limit": 3, "limit_unit": "days"}, "limit"), ({"remind_h": 0.01}, "remind_h"), ({"escalate_h": 2}, "escalate_to"),
    ({"form": [{"key": "note", "type": "text"}]}, "form"),
        ({"form": [{"key": "X", "type": "text"}]}, "form"), ({"form": [{"key": "a", "type": "choice", "choices": []}]}, "form"),
])  # fmt: skip
def test_wrong_settings_are_told_before_publishing(engine, change, field):
    with pytest.raises(DraftInvalid) as refused:
        engine.publish(asks("role:admin", **change))
    assert field in [each.field for each in refused.value.problems]


def test_a_run_that_waits_for_people_holds_no_worker(engine, crew):
    run_id = started(engine, asks(f"person:{crew[0]}"))
    with engine.in_house() as session:
        held = text(
            "select count(*) from workflow_steps where execution_id = :run and (lease_owner is not null or state in ('ready', 'leased'))"
        )
        assert session.scalar(held, {"run": run_id}) == 0
    assert engine.claim() is None and not any(look.ready_counts().values())


def lanes(**config):
    """An approval whose outcomes have lanes of their own, with a step in each."""
    wanted = {"own_lanes": True, "may_return": True, **config}
    inside = [
        step(f"if_{lane}", "set", parent="ask", lane=lane, **values(went=lane)) for lane in ("approve", "return", "reject", "expired")
    ]
    return [asks("role:member", **wanted), *inside, step("then", "set", **values(outcome="${ steps.ask.outcome }"))]


@pytest.mark.parametrize("outcome", ["approve", "return", "reject"])
def test_a_decision_leads_into_its_lane(engine, crew, outcome):
    run_id = started(engine, *lanes(limit=2, limit_unit="hours"))
    vote(engine, task_of(engine, run_id), crew[0], outcome)
    engine.pump()

    assert engine.run(run_id).status == "succeeded"
    states = engine.states(run_id)
    assert {key for key, state in states.items() if state == "succeeded"} == {"ask", f"if_{outcome}", "then"}
    assert {states[f"if_{other}"] for other in ("approve", "return", "reject", "expired") if other != outcome} == {"skipped"}


def test_a_task_that_nobody_decides_leads_into_the_lane_of_lateness(engine, crew):
    run_id = started(engine, *lanes(limit=2, limit_unit="hours"))
    with engine.in_house() as session:
        session.execute(text("update workflow_timers set due_at = clock_timestamp() where execution_id = :run"), {"run": run_id})
    engine.sweep()
    engine.pump()

    assert engine.run(run_id).status == "succeeded"
    assert engine.states(run_id)["if_expired"] == "succeeded" and engine.steps(run_id)["then"].output == {"outcome": "expired"}


def test_a_lane_that_cannot_be_taken_is_a_problem_of_the_draft(engine, crew):
    with pytest.raises(DraftInvalid):  # without a limit there is no lane of lateness
        engine.publish(*lanes())


def test_a_fork_that_fails_and_goes_on_goes_into_none_of_its_lanes(engine):
    broken = step("which", "condition", when="1 / 0 > 1", on_error="continue")
    inside = [step(f"if_{lane}", "set", parent="which", lane=lane, **values(went=lane)) for lane in ("then", "else")]
    run_id = started(engine, broken, *inside, step("behind", "set", **values(went="on")))

    assert engine.run(run_id).status == "succeeded"
    assert engine.states(run_id) == {"which": "failed", "if_then": "skipped", "if_else": "skipped", "behind": "succeeded"}

"""Dry runs and simulations as people ask for them, and what is kept of them."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.core.config import current_settings
from portal.core.errors import Invalid, NotFound
from portal.workflows.designer import drafts
from portal.workflows.versions import reserve, trials
from tests.workflows.engine.conftest import step, values

INPUT = {"key": "n", "type": "number", "label": "N", "label_ar": "ن", "required": True, "choices": []}


def fork(over):
    return (
        step("big", "condition", when=f"input.n > {over}"),
        step("yes", "set", parent="big", lane="then", **values(x="big")),
        step("no", "set", parent="big", lane="else", **values(x="small")),
        step("last", "set", **values(x="${ input.n }")),
    )


def put_draft(engine, workflow, nodes, settings, revision=0):
    with engine.in_house():
        drafts.replace(engine.house.id, workflow, list(nodes), settings, revision=revision, label="step.changed", by=engine.by)


@pytest.fixture
def workflow(engine):
    """Version 1 forks above 10 and has run with 5, 15 and 25; the draft forks above 20."""
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate

    settings = {"inputs": [INPUT], "deadline_s": 86400}
    with db.transaction(engine.house.id) as session:
        made = WorkflowTemplate(tenant_id=engine.house.id, name="Fork", nodes=list(fork(10)), settings=settings)
        session.add(made)
        session.flush()
        service.publish_version(engine.house.id, made.id, by=engine.by)
    for number in (5, 15, 25):
        assert engine.go(made.id, n=number).status == "succeeded"
    put_draft(engine, made.id, fork(20), settings)
    return made.id


def dry(engine, workflow, which="draft", *, may_read=True, **given):
    with engine.in_house():
        return trials.dry_run(engine.house.id, workflow, which, given=given, answers={}, may_read=may_read, by=engine.by)


def kept(engine, trial_id):
    with engine.in_house():
        return trials.get(engine.house.id, trial_id)


def test_a_dry_run_says_what_differs_from_the_last_real_run(engine, workflow):
    result = kept(engine, dry(engine, workflow, n=15)).results[0]

    assert result["status"] == "succeeded"
    assert {each["key"]: each["what"] for each in result["apart"]} == {
        "big": "other_way", "yes": "only_old", "no": "only_new", "last": "other_output",
    }  # fmt: skip
    assert kept(engine, dry(engine, workflow, "1", n=25)).results[0]["apart"] == []


def test_who_sees_no_runs_gets_nothing_of_them(engine, workflow):
    result = kept(engine, dry(engine, workflow, n=15, may_read=False)).results[0]

    assert (result["run_id"], result["apart"]) == (None, None)


def test_inputs_are_read_as_for_a_run_and_a_trial_is_counted_nowhere(engine, workflow):
    with pytest.raises(Invalid):
        dry(engine, workflow, n="many")
    dry(engine, workflow, n=1)
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from workflow_executions")) == 3
        assert session.scalar(text("select count(*) from audit_entries where action = 'workflow.tried'")) == 1


def test_a_simulation_finds_the_runs_that_would_go_another_way(engine, workflow):
    with engine.in_house():
        trial_id = trials.simulate(engine.house.id, workflow, "draft", count=50, by=engine.by)
    assert kept(engine, trial_id).state == "running"
    trials.carry_out(engine.house.id, trial_id)

    trial = kept(engine, trial_id)
    assert trial.state == "done"
    assert [each["is_same_way"] for each in trial.results] == [True, False, True], "newest first: 25, 15, 5"
    assert {each["key"] for each in trial.results[1]["apart"]} == {"big", "yes", "no"}
    trials.carry_out(engine.house.id, trial_id)
    assert len(kept(engine, trial_id).results) == 3, "a job that comes again does nothing more"


def test_inputs_that_no_longer_fit_are_told_for_each_run(engine, workflow):
    new = {"key": "who", "type": "text", "label": "Who", "label_ar": None, "required": True, "choices": []}
    put_draft(engine, workflow, fork(20), {"inputs": [INPUT, new]}, revision=1)
    with engine.in_house():
        trial_id = trials.simulate(engine.house.id, workflow, "draft", count=2, by=engine.by)
    trials.carry_out(engine.house.id, trial_id)

    assert [(each["status"], list(each["problems"])) for each in kept(engine, trial_id).results] == [("refused", ["who"])] * 2


def test_decisions_and_results_of_the_real_run_are_used_again(engine):
    workflow = engine.publish(
        step("call", "webhook", url="https://nowhere.invalid/x", method="GET", attempts=1, on_error="continue"),
        step("ok", "set", **values(x="1")),
    )
    assert engine.go(workflow).status == "succeeded"
    with engine.in_house():
        trial_id = trials.simulate(engine.house.id, workflow, "draft", count=5, by=engine.by)
    trials.carry_out(engine.house.id, trial_id)

    (result,) = kept(engine, trial_id).results
    assert result["is_same_way"], result


def test_a_simulation_is_stopped_and_others_find_no_trial(engine, workflow, other_tenant):
    with engine.in_house():
        trial_id = trials.simulate(engine.house.id, workflow, "draft", count=5, by=engine.by)
        trials.stop(engine.house.id, trial_id, by=engine.by)
    trials.carry_out(engine.house.id, trial_id)
    assert (kept(engine, trial_id).state, kept(engine, trial_id).results) == ("stopped", [])
    with pytest.raises(NotFound), db.transaction(other_tenant.id):
        trials.get(other_tenant.id, trial_id)


def test_only_the_last_trials_are_kept(engine, workflow, monkeypatch):
    monkeypatch.setattr(trials, "KEPT", 2)
    for _number in range(4):
        dry(engine, workflow, n=1)
    with engine.in_house():
        assert len(trials.list_trials(engine.house.id, workflow)) == 2


def test_the_pages_ask_show_and_replay(engine, workflow, as_role):
    browser = as_role("builder")
    url = f"/workflows/{workflow}/try"

    assert browser.get(url).status_code == 200
    wrong = browser.post(url, data={"which": "draft", "in-n": "many"})
    assert wrong.status_code == 422 and "many" in wrong.text
    empty = browser.post(url, data={"which": "draft", "in-n": "many"}).text_of(".error-summary")[0]
    assert "N: Enter a number" in " ".join(empty.split()), "the line says which field it is about"
    made = browser.post(url, data={"which": "draft", "in-n": "15"})
    page = browser.get(made.headers["Location"])
    assert "Went another way" in page.text and "Nothing was sent" in page.text

    assert browser.post(f"/workflows/{workflow}/simulations", data={"count": "7"}).status_code == 422
    replay = browser.post(f"/workflows/{workflow}/simulations", data={"which": "draft", "count": "5"}).headers["Location"]
    assert "0 of 3" in browser.get(replay).text
    trials.carry_out(engine.house.id, replay.rpartition("/")[2])
    done = browser.get(replay)
    assert "3 of 3" in done.text and "Only in the real run" in done.text
    assert as_role("member").get(replay).status_code == 403


def test_a_draft_that_cannot_run_is_told_with_its_steps(engine, workflow, as_role):
    put_draft(engine, workflow, [step("bad", "email")], {"inputs": []}, revision=1)

    refused = as_role("builder").post(f"/workflows/{workflow}/try", data={"which": "draft"})

    assert refused.status_code == 422
    assert "/design?step=bad" in refused.text


def test_a_person_is_the_one_who_tries(engine, workflow, tenant):
    with engine.in_house():
        by = Actor("person", tenant.people["builder"])
        trial_id = trials.dry_run(tenant.id, workflow, "draft", given={"n": 1}, answers={}, may_read=True, by=by)
    assert kept(engine, trial_id).asked_by == tenant.people["builder"]


@pytest.fixture
def turns(engine):
    """Nobody has had the turn of the replays lately."""
    as_owner("delete from workflow_leaders where name = 'trials'")
    yield
    as_owner("delete from workflow_leaders where name = 'trials'")


def as_owner(statement, *given):
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute(statement, given)


def asked_again(engine, trial_id):
    """Return in how many seconds the jobs of a replay come, of those that were asked for."""
    with psycopg.connect(current_settings().database_owner_url) as connection:
        rows = connection.execute(
            "select extract(epoch from available_at - clock_timestamp()) from outbox where name = 'workflows.simulate' and arguments ->> 1 = %s"
            " order by available_at",
            (str(trial_id),),
        )
        return [float(row[0]) for row in rows]


def test_replays_take_turns_and_pause_behind_each(engine, turns):
    assert reserve.take("one") == 0
    assert reserve.take("two") >= 1, "one turn at a time in the whole house"
    assert reserve.give_back("two", 0.1) and reserve.take("two") >= 1, "nobody gives back the turn of somebody else"
    assert reserve.give_back("one", 4.0) == 12.0
    assert 10 < reserve.take("two") <= 12, "a quarter of one worker"
    as_owner("update workflow_leaders set until = clock_timestamp() where name = 'trials'")
    assert reserve.take("two") == 0, "and that for certain, also when its last owner died"


def test_a_replay_whose_turn_it_is_not_comes_again_later(engine, workflow, turns):
    with engine.in_house():
        trial_id = trials.simulate(engine.house.id, workflow, "draft", count=3, by=engine.by)
    reserve.take("somebody else")

    trials.take_turn(engine.house.id, trial_id)

    assert kept(engine, trial_id).results == []
    assert asked_again(engine, trial_id)[-1] > 0.5
    reserve.give_back("somebody else", 0.0)
    trials.take_turn(engine.house.id, trial_id)
    assert kept(engine, trial_id).state == "done"


def test_a_turn_is_short_and_what_is_left_is_done_in_another_one(engine, workflow, turns, monkeypatch):
    with engine.in_house():
        trial_id = trials.simulate(engine.house.id, workflow, "draft", count=3, by=engine.by)
    monkeypatch.setattr(reserve, "TURN_S", 0.0)

    trials.take_turn(engine.house.id, trial_id)

    assert len(kept(engine, trial_id).results) <= 1 and kept(engine, trial_id).state == "running"
    assert len(asked_again(engine, trial_id)) == 2, "the first one, and the one behind the pause"


def test_one_dry_run_of_an_organisation_at_a_time_and_a_few_in_the_house(engine, workflow, as_role, monkeypatch):
    browser, url = as_role("owner"), f"/workflows/{workflow}/try"
    monkeypatch.setattr(reserve, "PATIENCE_S", 0.3)
    with psycopg.connect(current_settings().database_owner_url) as other:
        other.execute("select pg_advisory_xact_lock(hashtextextended(%s, 27))", (str(engine.house.id),))
        refused = browser.post(url, data={"which": "draft", "in-n": "5"})
        assert (refused.status_code, "Another dry run is going on" in refused.text, 'value="5"' in refused.text) == (409, True, True)
        other.rollback()
        for number in range(reserve.AT_ONCE):
            other.execute("select pg_advisory_xact_lock(hashtext('dry runs'), %s)", (number,))
        assert browser.post(url, data={"which": "draft", "in-n": "5"}).status_code == 409
        other.rollback()
    assert browser.post(url, data={"which": "draft", "in-n": "5"}).status_code == 303

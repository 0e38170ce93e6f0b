"""Runs that failed for good: found by what they failed of, rehearsed, taken up again many at once."""

from __future__ import annotations

import re
import time

import pytest
from sqlalchemy import text

from portal.lists import bulk, filing
from portal.workflows import service
from portal.workflows.engine.store import leasing
from portal.workflows.failures.lists import failure_rows
from tests.workflows.engine.conftest import step, values


def fail(engine, workflow):
    run_id = engine.start(workflow)
    engine.pump()
    assert engine.run(run_id).status == "failed"
    return run_id


@pytest.fixture
def broken(engine):
    """A workflow whose second step fails, and two failed runs of it."""
    bad = {**step("sum", "set", attempts=1, **values(x="${ 1 / 0 }")), "name": "Add up", "name_ar": "الجمع"}
    engine.workflow = engine.publish(step("first", "set", **values(x="1")), bad)
    return [fail(engine, engine.workflow) for _each in range(2)]


def carry_out(engine, page):
    bulk_id = re.search(r"/bulk/([0-9a-f-]+)", page.headers["Location"])[1]
    with engine.in_house() as session:
        session.execute(text("update bulk_actions set starts_at = clock_timestamp() where id = :id"), {"id": bulk_id})
    bulk.carry_out(engine.house.id, bulk_id)
    with engine.in_house() as session:
        return session.execute(text("select * from bulk_actions where id = :id"), {"id": bulk_id}).one()


def test_failed_runs_are_found_by_what_they_failed_of(engine, broken, as_role, stranger):
    owner = as_role("owner")
    page = owner.get("/runs/failed")
    assert all(f"/runs/{each}" in page.text for each in broken)
    assert "Add up" in page.text and "A value could not be worked out." in page.text
    for query in (f"workflow={engine.workflow}", "step=sum", "code=expression", "class=validation", "by=me", "period=today"):
        assert f"/runs/{broken[0]}" in owner.get(f"/runs/failed?{query}").text, query
    for query in (
        "step=first",
        "code=call_status",
        "class=timeout",
        f"by={engine.house.people['member']}",
        "period=2020-01-01..2020-01-02",
    ):
        page = owner.get(f"/runs/failed?{query}")
        assert f"/runs/{broken[0]}" not in page.text and "No failed run matches" in page.text, query
    assert f"/runs/{broken[0]}" not in stranger.get("/runs/failed").text
    assert "/runs/failed" in owner.get("/runs").text


def test_what_would_be_taken_up_is_shown_first_and_done_only_then(engine, broken, as_role):
    owner = as_role("owner")
    with engine.in_house():
        service.retry_run(engine.house.id, broken[0], by=engine.by)
    asked = {"list": "failures", "verb": "redrive", "ids": [str(each) for each in broken], "query": ""}

    page = owner.post("/bulk", data=asked)

    assert page.status_code == 200
    assert "Nothing has happened yet." in page.text and "Add up" in page.text
    assert {"Workflow", "Rows"} <= set(page.text_of("body//th[@scope='col']")) and all(
        len(each) > 1 for each in page.text_of("body//th[@scope='col']")
    )
    assert "It was taken up again already." in page.text and "Take 1 run up again" in page.text
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from bulk_actions")) == 0

    done = carry_out(engine, owner.post("/bulk", data={**asked, "sure": "1"}))
    assert (done.done_count, done.skipped_count, done.reasons[0]["code"]) == (1, 1, "retried")
    again = owner.post("/bulk", data={**asked, "sure": "1"})
    assert carry_out(engine, again).done_count == 0, "nobody is taken up twice"
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from workflow_executions where replay_of = :run"), {"run": broken[1]}) == 1
        assert session.scalar(text("select count(*) from audit_entries where action in ('bulk.asked', 'bulk.finished')")) >= 2
        assert session.scalar(text("select count(*) from notifications where type = 'bulk.done'")) >= 1
    assert f"/runs/{broken[1]}" not in owner.get("/runs/failed").text, "it is somebody's work now"
    assert f"/runs/{broken[1]}" in owner.get("/runs/failed?retried=too").text


def test_all_that_match_are_taken_up_and_it_can_be_undone_before_it_begins(engine, broken, as_role):
    owner = as_role("owner")
    asked = {"list": "failures", "verb": "redrive", "all": "1", "query": "step=sum"}
    assert "Take 2 runs up again" in owner.post("/bulk", data=asked).text

    begun = owner.post("/bulk", data={**asked, "sure": "1"})
    assert owner.post(f"{begun.headers['Location']}/undo").status_code == 303
    assert carry_out(engine, begun).done_count == 0

    assert carry_out(engine, owner.post("/bulk", data={**asked, "sure": "1"})).done_count == 2


def test_a_step_that_brings_workers_down_is_not_taken_up_with_others(engine, as_role):
    run_id = engine.start(engine.publish(step("mail", "email", to="a@example.com", subject="s", body="b")))
    for number in range(5):
        if leasing.claim(worker=f"dead {number}", lease_s=0.01) is None:
            break
        time.sleep(0.05)
        engine.sweep()
    assert (engine.run(run_id).status, engine.run(run_id).error["code"]) == ("failed", "crash_loop")

    owner = as_role("owner")
    page = owner.post("/bulk", data={"list": "failures", "verb": "redrive", "ids": [str(run_id)], "query": ""})
    assert "Look at it first" in page.text and "Nothing would be changed." in page.text
    done = carry_out(
        engine, owner.post("/bulk", data={"list": "failures", "verb": "redrive", "ids": [str(run_id)], "query": "", "sure": "1"})
    )
    assert (done.done_count, done.reasons[0]["code"]) == (0, "poison")
    shown = owner.get(f"/runs/{run_id}").text
    assert "brought its worker down" in shown and "Retry all the same" in shown


def test_members_take_up_their_own_runs_only(engine, broken, as_role):
    page = as_role("member").post("/bulk", data={"list": "failures", "verb": "redrive", "all": "1", "query": ""})
    assert "Nothing would be changed." in page.text and "only your own runs" in page.text
    assert as_role("auditor").post("/bulk", data={"list": "failures", "verb": "redrive", "all": "1", "query": ""}).status_code == 403


def test_a_file_holds_the_same_rows(engine, broken, tenant):
    with engine.in_house():
        rows = list(failure_rows(engine.house.id, {filing.READER: [str(tenant.people["owner"])], "step": ["sum"]}))
    assert {row[-1] for row in rows} == {str(each) for each in broken}
    assert rows[0][1] == "Add up" and rows[0][3] == "expression"

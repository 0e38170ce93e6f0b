"""A step that was cut off is a question in the inbox, answered there or on the page of the run."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from portal.core import db
from portal.workflows.engine.store import ending, leasing
from tests.workflows.engine.conftest import step, values


def cut_off(engine, run_id=None):
    """Let a mail be cut off behind its fence; return its run."""
    if run_id is None:
        mail = {**step("mail", "email", to="a@example.com", subject="s", body="b"), "name": "Write to them", "name_ar": "مراسلتهم"}
        run_id = engine.start(engine.publish(mail, step("last", "set", **values(x="1"))))
    lease = leasing.claim(worker="dead", lease_s=0.05)
    leasing.open_run(lease)
    assert leasing.fence(lease, {"to": "a@example.com"})
    time.sleep(0.1)
    engine.sweep()
    assert engine.states(run_id) == {"mail": "in_doubt"}
    return run_id


def task_of(engine, run_id):
    with engine.in_house() as session:
        return session.execute(text("select * from workflow_tasks where execution_id = :run"), {"run": run_id}).one()


@pytest.fixture
def doubt(engine):
    return cut_off(engine)


def test_it_is_asked_of_those_who_look_after_runs_by_bell_and_mail(engine, doubt, as_role):
    task = task_of(engine, doubt)
    assert (task.kind, task.state, task.title, task.title_ar) == ("doubt", "open", "Did “Write to them” happen?", "هل حدثت «مراسلتهم»؟")
    for role in ("owner", "admin", "builder"):
        assert "Did “Write to them” happen?" in as_role(role).get("/tasks").text
    assert as_role("member").get(f"/tasks/{task.id}").status_code == 404
    with db.transaction(system=True) as session:
        letters = session.scalar(text("select count(*) from letters where tenant_id = :id and message = 'task'"), {"id": engine.house.id})
    assert letters == 3

    page = as_role("admin").get(f"/tasks/{task.id}")
    assert "may or may not have happened" in page.text
    assert all(words in page.text for words in ("It happened, go on", "It did not, do it again", "Stop here as failed"))


@pytest.mark.parametrize(("answer", "status", "state"), [("done", "succeeded", "succeeded"), ("fail", "failed", "failed")])
def test_it_is_answered_from_the_inbox(engine, doubt, as_role, answer, status, state):
    task = task_of(engine, doubt)
    assert as_role("admin").get(f"/tasks/{task.id}/decide?outcome={answer}").status_code == 405, "a link decides nothing"
    assert as_role("admin").post(f"/tasks/{task.id}/decide", data={"outcome": answer, "note": "I rang them"}).status_code == 303
    engine.pump()

    assert engine.run(doubt).status == status and engine.states(doubt)["mail"] == state
    closed = task_of(engine, doubt)
    assert (closed.state, closed.outcome) == ("decided", answer)
    assert "I rang them" in as_role("owner").get(f"/tasks/{task.id}").text


def test_it_is_answered_on_the_page_of_the_run_and_the_inbox_knows(engine, doubt, as_role, tenant):
    assert as_role("admin").post(f"/runs/{doubt}/steps/mail/decide", data={"decision": "done"}).status_code == 303
    engine.pump()

    assert engine.run(doubt).status == "succeeded"
    task = task_of(engine, doubt)
    assert (task.state, task.outcome) == ("decided", "done")
    with engine.in_house() as session:
        assert session.scalar(text("select person_id from workflow_votes where task_id = :id"), {"id": task.id}) == tenant.people["admin"]
    late = as_role("builder").post(f"/tasks/{task.id}/decide", data={"outcome": "fail"})
    assert late.status_code == 409 and "Somebody else was faster" in late.text


def test_a_repeated_step_that_is_cut_off_again_is_asked_about_again(engine, doubt, as_role):
    task = task_of(engine, doubt)
    assert as_role("admin").post(f"/tasks/{task.id}/decide", data={"outcome": "repeat"}).status_code == 303
    assert engine.states(doubt) == {"mail": "ready"} and task_of(engine, doubt).state == "decided"

    cut_off(engine, doubt)

    again = task_of(engine, doubt)
    assert (again.id, again.state, again.gen) == (task.id, "open", 1)
    assert "Did “Write to them” happen?" in as_role("admin").get("/tasks").text, "who answered before is asked again"
    assert as_role("admin").post(f"/tasks/{task.id}/decide", data={"outcome": "done"}).status_code == 303
    engine.pump()
    assert engine.run(doubt).status == "succeeded"


def test_a_run_that_is_cancelled_asks_no_more(engine, doubt):
    with engine.in_house():
        ending.cancel(engine.house.id, doubt, actor="test")

    assert task_of(engine, doubt).state == "cancelled"


def test_candidates_are_taken_out_as_long_as_somebody_is_left(engine, as_role, tenant):
    engine.run_id = engine.start(engine.publish(step("ask", "approval", title="Leave", candidates=["role:member", "role:admin"])))
    engine.pump()
    path = f"/tasks/{task_of(engine, engine.run_id).id}"
    assert as_role("admin").post(f"{path}/delegate", data={"person": str(tenant.people["auditor"])}).status_code == 303
    assert as_role("admin").post(f"{path}/decide", data={"outcome": "approve"}).status_code == 404, "it is handed on"

    builder = as_role("builder")
    assert as_role("member").post(f"{path}/candidates/remove", data={"who": "role:admin"}).status_code == 403
    assert builder.post(f"{path}/candidates/remove", data={"who": f"person:{tenant.people['auditor']}"}).status_code == 303
    assert builder.post(f"{path}/candidates/remove", data={"who": "role:member"}).status_code == 303
    assert "took out" in builder.get(path).text
    assert as_role("member").post(f"{path}/decide", data={"outcome": "approve"}).status_code == 404
    last = builder.post(f"{path}/candidates/remove", data={"who": "role:admin"})
    assert last.status_code == 409 and "Too few would be left" in last.text
    assert as_role("admin").post(f"{path}/decide", data={"outcome": "approve"}).status_code == 303, "what was handed on came back"
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from audit_entries where action = 'task.removed'")) == 2

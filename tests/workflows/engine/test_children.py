"""Sub-workflows and error workflows: runs that begin other runs."""

from __future__ import annotations

from sqlalchemy import select, text

from portal.workflows import service, vetting
from portal.workflows.engine.store import leasing
from portal.workflows.models import WorkflowExecution, WorkflowTemplate
from tests.workflows.engine.conftest import step, values


def bad(key, **more):
    return step(key, "set", **values(x="${ int('no number') }"), **more)


def calls(key, workflow_id, **given):
    inputs = [{"name": name, "value": value} for name, value in given.items()]
    return step(key, "subworkflow", workflow=str(workflow_id), inputs=inputs)


def children(engine, run_id):
    with engine.in_house() as session:
        wanted = select(WorkflowExecution).where(WorkflowExecution.root_id == run_id).order_by(WorkflowExecution.created_at)
        return list(session.scalars(wanted))


def test_a_sub_workflow_gets_values_and_gives_its_result(engine):
    double = engine.publish(step("work", "set", **values(twice="${ int(input.n) * 2 }")), inputs=("n",))
    workflow = engine.publish(
        calls("call", double, n="${ input.a }"), step("last", "set", **values(n="${ steps.call.output.twice }")), inputs=("a",)
    )

    run = engine.go(workflow, a="21")

    assert (run.status, run.output_data) == ("succeeded", {"n": 42})
    [child] = children(engine, run.id)
    assert (child.depth, child.status, child.input_data) == (1, "succeeded", {"n": "21"})


def test_the_caller_waits_without_a_worker(engine):
    slow = engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours"))
    run = engine.go(engine.publish(calls("call", slow)))

    assert engine.states(run.id) == {"call": "waiting"}
    assert engine.claim() is None


def test_a_value_that_does_not_fit_the_called_workflow_fails_the_step(engine):
    asks = engine.publish(step("work", "set", **values(x="1")), inputs=("n",))
    run = engine.go(engine.publish(calls("call", asks, n="${ 'x'.replace('x', '" + "y" * 1500 + "') }")))

    assert (run.status, run.error["code"]) == ("failed", "child_input")
    assert "n:" in run.error["detail"]
    assert not children(engine, run.id)


def test_the_failure_of_a_sub_workflow_travels_up(engine):
    failing = engine.publish(bad("broken"))
    workflow = engine.publish(
        {**calls("call", failing), "on_error": "lane"},
        step("caught", "set", parent="call", lane="error", **values(why="${ error.code }: ${ error.detail }")),
    )

    run = engine.go(workflow)

    assert run.status == "succeeded"
    assert run.output_data["why"].startswith("child_failed: failed: expression")


def test_cancelling_travels_down(engine):
    slow = engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours"))
    middle = engine.publish(calls("down", slow))
    run = engine.go(engine.publish(calls("call", middle)))
    assert [child.status for child in children(engine, run.id)] == ["running", "running"]

    with engine.in_house():
        service.cancel_run(engine.house.id, run.id, by=engine.by)
    for _ in range(3):
        engine.sweep()

    assert engine.run(run.id).status == "cancelled"
    assert [child.status for child in children(engine, run.id)] == ["cancelled", "cancelled"]


def test_a_workflow_that_calls_itself_is_stopped_at_the_tenth_level(engine):
    first = engine.publish(step("work", "set", **values(x="1")))
    with engine.in_house() as session:
        session.get(WorkflowTemplate, first).nodes = [calls("again", first)]
        version = session.get(WorkflowTemplate, first).published_version_id
    # Publishing refuses it; a circle that closes later, through another workflow, is what the bound is for.
    other = engine.publish(calls("back", first))
    with engine.in_house() as session:
        workflow = session.get(WorkflowTemplate, first)
        workflow.nodes = [calls("again", other)]
        problems = vetting.check_draft(workflow)
    assert [(problem.step, problem.field) for problem in problems] == [("again", "workflow")]
    assert version is not None


def test_items_may_each_be_a_run_of_their_own(engine):
    square = engine.publish(step("work", "set", **values(n="${ int(input.n) * int(input.n) }")), inputs=("n",))
    workflow = engine.publish(
        step("each", "foreach", source="list", list="[1, 2, 3]", at_once=3, result="steps.call.output.n"),
        {**calls("call", square, n="${ item }"), "parent": "each", "lane": "each"},
    )

    run = engine.go(workflow)

    assert engine.outputs(run.id)["each"]["results"] == [1, 4, 9]
    assert len(children(engine, run.id)) == 3


def test_a_failed_run_starts_its_error_workflow_once_and_never_in_a_circle(engine):
    helper = engine.publish(bad("also_broken"), inputs=("run_id", "code", "step"))
    workflow = engine.publish(bad("broken"))
    with engine.in_house() as session:
        for each in (workflow, helper):
            row = session.get(WorkflowTemplate, each)
            row.settings = {**row.settings, "error_workflow": str(helper)}
            service.publish_version(engine.house.id, each, by=engine.by)

    run = engine.go(workflow)
    engine.pump()

    with engine.in_house() as session:
        rows = session.execute(text("select status, input_data, error_of from workflow_executions where error_of is not null")).all()
    assert len(rows) == 1
    assert (rows[0].error_of, rows[0].status) == (run.id, "failed")
    assert rows[0].input_data == {"run_id": str(run.id), "code": "expression", "step": "broken"}


def test_a_step_claimed_before_its_caller_ended_still_ends(engine):
    slow = engine.publish(step("mail", "email", to="a@example.com", subject="s", body="b"))
    run_id = engine.start(engine.publish(calls("call", slow)))
    engine.pump_until_ready()
    lease = engine.claim()
    assert lease is not None and leasing.open_run(lease) is not None
    with engine.in_house():
        service.cancel_run(engine.house.id, run_id, by=engine.by)
    engine.sweep()

    assert leasing.fence(lease, {}) is False

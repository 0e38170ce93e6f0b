"""Large values are kept apart, once for each organisation, and read as if they stood in their rows."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.errors import NotFound
from portal.workflows import payloads, service
from portal.workflows.engine import runner
from portal.workflows.history import sweeping
from tests.workflows.engine.conftest import step, values
from tests.workflows.history.test_retention import age, rule

BIG = "س" * 40_000
SHA = "0" * 64


def raw(engine: Any, run_id: Any) -> dict[str, Any]:
    with engine.in_house() as session:
        rows = session.execute(text("select node_key, input, output from workflow_steps where execution_id = :run"), {"run": run_id})
        return {row.node_key: row for row in rows}


def kept(engine: Any) -> int:
    with engine.in_house() as session:
        return int(session.scalar(text("select count(*) from workflow_payloads")))


@pytest.fixture
def passes_on(engine: Any) -> Any:
    return engine.publish(
        step("a", "set", **values(x="${ input.given }")),
        step("b", "set", **values(y="${ steps.a.x }")),
        step("c", "set", **values(length="${ size(steps.b.y) }")),
        inputs=("given",),
    )


def start(engine: Any, workflow: Any, given: str) -> Any:
    """Start with an input that is longer than what people may type."""
    from portal.workflows import queries
    from portal.workflows.engine.store import starting

    with engine.in_house():
        live = queries.live_version(engine.house.id, workflow)
        return starting.start(engine.house.id, workflow, live.id, input_data={"given": given}, by=engine.by.id)[0]


@pytest.mark.parametrize("alone", [False, True], ids=["one transaction", "each alone"])
def test_large_values_go_through_a_run_by_reference(engine, passes_on, alone, monkeypatch):
    from portal.workflows.engine.store import following

    if alone:
        monkeypatch.setattr(following, "MAX_INLINE", 0)
    run_id = start(engine, passes_on, BIG)

    run = engine.finish(run_id)

    assert (run.status, run.output_data) == ("succeeded", {"length": 40_000})
    stored = raw(engine, run_id)
    assert payloads.looks_kept(run.input_data)
    assert all(payloads.looks_kept(stored[key].output) for key in ("a", "b"))
    assert stored["c"].output == {"length": 40_000}
    with engine.in_house():
        assert payloads.read_one(engine.house.id, stored["b"].output) == {"y": BIG}
        assert payloads.of_run(engine.house.id, run_id, stored["b"].output["$payload"]).startswith('{"y": "س')


def test_the_same_value_is_kept_once_and_other_runs_do_not_hand_it_out(engine, passes_on):
    first = start(engine, passes_on, BIG)
    engine.finish(first)
    count = kept(engine)
    second = start(engine, passes_on, BIG)
    engine.finish(second)
    assert kept(engine) == count

    other = start(engine, passes_on, "small")
    engine.finish(other)
    sha = raw(engine, first)["a"].output["$payload"]
    with engine.in_house():
        assert payloads.of_run(engine.house.id, second, sha)
        for wrong in (sha[:-1], SHA, "../x"):
            with pytest.raises(NotFound):
                payloads.of_run(engine.house.id, first, wrong)
        with pytest.raises(NotFound):
            payloads.of_run(engine.house.id, other, sha)


def test_a_value_that_only_looks_like_a_reference_reads_no_other_value(engine, passes_on):
    secret = start(engine, passes_on, BIG)
    engine.finish(secret)
    sha = raw(engine, secret)["a"].output["$payload"]
    forged = {"$payload": sha, "size": 1}
    run_id = engine.go(engine.publish(step("a", "set", **values(x="1")))).id
    with engine.in_house() as session:
        apart = payloads.Apart(engine.house.id)
        stored = apart.text_of(forged)
        apart.keep(session.connection(), run_id)
        read = payloads.read(session.connection(), engine.house.id, [json.loads(stored)])
    assert read == [forged]


def test_small_values_stay_in_their_rows(engine, passes_on):
    run_id = start(engine, passes_on, "small")
    engine.finish(run_id)
    assert raw(engine, run_id)["a"].output == {"x": "small"}
    assert kept(engine) == 0


def test_a_value_over_the_limit_fails_its_step(engine, passes_on):
    run_id = start(engine, passes_on, "a" * (payloads.MAX_VALUE_BYTES - 6))
    run = engine.finish(run_id)
    assert (run.status, run.error["code"]) == ("failed", "output_too_large")


def test_a_retry_takes_large_values_over(engine):
    workflow = engine.publish(
        step("a", "set", **values(x="${ input.given }")),
        step("b", "set", **values(y="${ int('no number') }")),
        inputs=("given",),
    )
    run = engine.finish(start(engine, workflow, BIG))
    with engine.in_house():
        again = service.retry_run(engine.house.id, run.id, by=engine.by)
    engine.pump()
    with engine.in_house():
        assert payloads.read_one(engine.house.id, raw(engine, again)["a"].output) == {"x": BIG}


def test_items_and_sub_workflows_take_large_values(engine):
    workflow = engine.publish(
        step("a", "set", **values(x="${ input.given }")),
        step("each", "foreach", source="times", times=3),
        step("inner", "set", parent="each", lane="each", **values(z="${ steps.a.x }")),
        step("last", "set", **values(n="${ steps.each.succeeded }")),
        inputs=("given",),
    )
    run = engine.finish(start(engine, workflow, BIG))
    assert (run.status, run.output_data) == ("succeeded", {"n": 3})


def test_values_go_with_the_last_run_that_uses_them(engine, passes_on):
    first, second = start(engine, passes_on, BIG), start(engine, passes_on, BIG)
    engine.finish(first)
    engine.finish(second)
    rule(engine, None, 1, 1)
    age(first, 10)
    sweeping.sweep()
    with db.transaction(engine.house.id) as session:
        session.execute(text("update workflow_payloads set expires_at = clock_timestamp() - interval '1 minute'"))
    sweeping.sweep()
    assert kept(engine) > 0

    age(second, 10)
    sweeping.sweep()

    assert kept(engine) == 0


def test_the_memory_of_many_large_steps_does_not_add_up(engine):
    workflow = engine.publish(
        step("each", "foreach", source="times", times=40, at_once=1),
        step("a", "set", parent="each", lane="each", **values(x="${ input.given }")),
        inputs=("given",),
    )
    run_id = start(engine, workflow, "x" * 500_000)
    tracemalloc.start()
    runner.pump(worker="test", budget_s=120)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert engine.run(run_id).status == "succeeded"
    assert peak < 60_000_000

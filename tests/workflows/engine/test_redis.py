"""Redis carries hints: without it, emptied, or brought back from an old picture, the same comes out (I-12)."""

from __future__ import annotations

import pytest

from portal.core import jobs
from portal.core.config import current_settings
from portal.devkit.children import free_port
from tests.workflows.engine.conftest import step, values

PROGRAM = (
    step("first", "set", **values(n="${ int(input.n) + 1 }")),
    step("pause", "wait", mode="for", amount=0, unit="seconds"),
    step("many", "foreach", source="times", times=3),
    step("each", "set", parent="many", lane="each", **values(n="${ index }")),
    step("last", "set", **values(n="${ steps.first.n + steps.many.succeeded }")),
)


def picture():
    """Return every key of Redis as it stands."""
    return {key: jobs.connection().dump(key) for key in jobs.connection().keys("*")}


@pytest.mark.parametrize("what", ["there", "away", "emptied", "an old picture"])
def test_redis_changes_no_result(engine, monkeypatch, what):
    jobs.connection().flushall()
    jobs.forget_outage()
    if what == "away":
        monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
        current_settings.cache_clear()
        jobs.connection.cache_clear()
    workflow_id = engine.publish(*PROGRAM, inputs=("n",))
    run_id = engine.start(workflow_id, n="1")
    engine.sweep()
    before = picture() if what == "an old picture" else {}
    assert bool(before) is (what == "an old picture"), "there is a ticket in it"

    engine.pump()
    if what == "emptied":
        jobs.connection().flushall()
    for key, value in before.items():
        jobs.connection().restore(key, 0, value, replace=True)
    for number in range(3):
        jobs.perform("workflows.pump", ["fast"]) if before and number == 0 else engine.pump()
        engine.sweep()

    run = engine.run(run_id)
    assert (run.status, run.output_data) == ("succeeded", {"n": 5})
    engine.assert_sound(run_id)
    monkeypatch.undo()
    current_settings.cache_clear()
    jobs.connection.cache_clear()
    jobs.forget_outage()

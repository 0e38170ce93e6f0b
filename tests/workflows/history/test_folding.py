"""Folding the events of any program gives where the run and its steps stand (I-16)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from portal.core import db
from portal.workflows import queries
from portal.workflows.engine.store import ending, following, pausing
from portal.workflows.history import events
from portal.workflows.history.folding import fold
from tests.workflows.engine.conftest import step, values
from tests.workflows.engine.test_programs import programs


def assert_folds(engine: Any, run_id: Any) -> None:
    head = events.check(engine.house.id, run_id)
    stand = fold(events.events_of(engine.house.id, run_id))
    with db.transaction(engine.house.id):
        run, rows = queries.get_run(engine.house.id, run_id), queries.steps_of(engine.house.id, run_id)
        status, steps = run.status, [(row.node_key, row.scope_path, row.state, row.ended_seq) for row in rows]
    assert head.count == len(list(events.events_of(engine.house.id, run_id))) == run.event_seq
    assert stand.status == status
    assert {seq: (key, scope, state) for key, scope, state, seq in steps if seq and seq > 0} == stand.ended
    assert Counter((key, scope) for key, scope, state, _seq in steps if state == "skipped") == stand.skipped
    if run.completed_at is None:
        waiting = {(key, scope): state for key, scope, state, _seq in steps if state in ("waiting", "in_doubt")}
        assert waiting == stand.open


@pytest.mark.parametrize("inline", [200, 3, 0], ids=["all-at-once", "in-pieces", "each-alone"])
def test_events_of_random_programs_fold_to_their_rows(engine, monkeypatch, inline):
    monkeypatch.setattr(following, "MAX_INLINE", inline)

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(programs())
    def check(nodes: list[dict[str, Any]]) -> None:
        workflow = engine.publish(*nodes)
        assert_folds(engine, engine.go(workflow).id)

        cut = engine.start(workflow)
        assert_folds(engine, cut)
        pausing.pause(engine.house.id, cut, actor="test")
        assert_folds(engine, cut)
        pausing.resume(engine.house.id, cut, actor="test")
        engine.pump_until_ready()
        assert_folds(engine, cut)
        ending.cancel(engine.house.id, cut, actor="test", undo=True)
        assert_folds(engine, cut)
        engine.pump()
        engine.sweep()
        assert_folds(engine, cut)

    check()


def test_waiting_and_answered_steps_fold_as_well(engine):
    workflow = engine.publish(step("wait", "wait", how="for", seconds=3600), step("a", "set", **values(x="1")))
    run = engine.go(workflow)
    assert_folds(engine, run.id)

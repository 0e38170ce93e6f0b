"""A worker tells pages of a run's changes together, and never keeps the last one to itself."""

from __future__ import annotations

import pytest

from portal.core import jobs
from portal.core.ids import new_id
from portal.workflows.engine.store import hints


@pytest.fixture
def heard(app):
    """Give what was heard so far of a run, as its last events."""
    with app.app_context():
        run_id, listener = new_id(), jobs.connection().pubsub(ignore_subscribe_messages=True)
        listener.subscribe(f"nasij:run:{run_id}")
        listener.get_message(timeout=1)

        def said():
            found = []
            while message := listener.get_message(timeout=0.05):
                found.append(int(message["data"]))
            return found

        yield run_id, said
        listener.close()


def test_outside_of_a_worker_each_change_is_told(heard):
    run_id, said = heard
    for seq in (1, 2):
        hints.publish(run_id, seq)
    assert said() == [1, 2]


def test_changes_within_a_moment_are_told_once_by_the_last(heard):
    run_id, said = heard
    with hints.gathered():
        for seq in (1, 2, 3):
            hints.publish(run_id, seq)
        assert said() == []
    assert said() == [3]


def test_what_was_gathered_is_told_before_something_long_and_after_a_moment(heard, monkeypatch):
    run_id, said = heard
    with hints.gathered():
        hints.publish(run_id, 1)
        hints.tell_now()
        assert said() == [1]
        monkeypatch.setattr(hints, "GATHER_S", 0.0)
        hints.publish(run_id, 2)
        assert said() == [2]
    assert said() == []

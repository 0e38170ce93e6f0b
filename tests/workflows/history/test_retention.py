"""Runs go when their time is over, with everything in them; holds keep them; what is left proves what was."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.core.config import current_settings
from portal.core.errors import Invalid, NotFound
from portal.workflows.history import events, retention, sweeping
from portal.workflows.history.retention import Rule
from portal.workflows.inspector import pins
from tests.workflows.engine.conftest import step, values

BAD = "${ int('no number') }"


def age(run_id: Any, days: int) -> None:
    """Let a run, and those that it called, have ended days ago."""
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update workflow_executions set completed_at = completed_at - make_interval(days => %s) where id = %s or root_id = %s",
            (days, run_id, run_id),
        )


def is_there(engine: Any, run_id: Any) -> bool:
    with engine.in_house() as session:
        return session.scalar(text("select count(*) from workflow_executions where id = :run"), {"run": run_id}) == 1


def rule(engine: Any, workflow_id: Any, succeeded: int | None, failed: int | None) -> None:
    with engine.in_house():
        retention.set_rule(engine.house.id, workflow_id, Rule(succeeded, failed), by=engine.by)


def rows_of(engine: Any, run_id: Any) -> dict[str, int]:
    with engine.in_house() as session:
        found = {}
        for table, which in sweeping.PARTS.items():
            found[table] = session.scalar(text(f"select count(*) from {table} where {which}"), {"tenant": engine.house.id, "run": run_id})
        return {table: count for table, count in found.items() if count}


@pytest.fixture
def simple(engine: Any) -> Any:
    return engine.publish(step("a", "set", **values(x="1")))


def test_each_run_is_kept_as_long_as_its_rule_says(engine, simple):
    broken = engine.publish(step("a", "set", **values(x=BAD)))
    young, old, failed, other = engine.go(simple), engine.go(simple), engine.go(broken), engine.go(broken)
    for run, days in ((young, 3), (old, 10), (failed, 10), (other, 40)):
        age(run.id, days)

    assert sweeping.sweep() == 0  # without a rule everything stays
    rule(engine, None, 7, 30)
    sweeping.sweep()

    assert [is_there(engine, run.id) for run in (young, old, failed, other)] == [True, False, True, False]

    rule(engine, simple, None, None)  # this one for ever, whatever the others
    age(young.id, 1000)
    sweeping.sweep()
    assert is_there(engine, young.id)


def test_a_deleted_run_leaves_nothing_but_its_tombstone_and_that_proves_an_export(engine, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 5)
    workflow = engine.publish(
        step("each", "foreach", source="times", times=7, at_once=2),
        step("inner", "set", parent="each", lane="each", **values(x="1")),
    )
    run = engine.go(workflow)
    assert rows_of(engine, run.id).keys() >= {"workflow_frames", "workflow_events", "workflow_steps"}
    with engine.in_house():
        head = events.head_of(engine.house.id, run.id)
    age(run.id, 10)
    rule(engine, None, 1, 1)

    sweeping.sweep()

    assert (is_there(engine, run.id), rows_of(engine, run.id)) == (False, {})
    with engine.in_house() as session:
        left = retention.tombstones(engine.house.id)[0].WorkflowTombstone
        told = session.execute(text("select details from audit_entries where action = 'runs.expired'")).scalars().all()
    assert (left.execution_id, left.event_count, left.event_hash.hex(), left.days) == (run.id, head.count, head.hash, 1)
    assert left.deleted_at is not None
    assert told == [{"runs": 1}]
    with pytest.raises(psycopg.errors.RestrictViolation), psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("update workflow_tombstones set event_count = 1 where execution_id = %s", (run.id,))


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", [1, 2, 4, 7])
def test_a_sweep_that_is_killed_between_batches_is_gone_on_with(engine, monkeypatch, after):
    monkeypatch.setattr(sweeping, "BATCH", 2)
    run = engine.go(engine.publish(*(step(f"s{number}", "set", **values(x="1")) for number in range(6))))
    age(run.id, 10)
    rule(engine, None, 1, 1)
    batch, count = sweeping._batch, []

    def dying(values: Any) -> Any:
        count.append(1)
        if len(count) > after:
            raise Killed
        return batch(values)

    monkeypatch.setattr(sweeping, "_batch", dying)
    with pytest.raises(Killed):
        sweeping.sweep()
    monkeypatch.setattr(sweeping, "_batch", batch)
    assert is_there(engine, run.id)
    with engine.in_house():
        assert retention.is_going(engine.house.id, run.id)

    assert sweeping.sweep() == 1

    assert (is_there(engine, run.id), rows_of(engine, run.id)) == (False, {})


@pytest.mark.parametrize("scope", ["tenant", "workflow", "run"])
def test_a_hold_keeps_and_its_end_lets_go(engine, simple, scope):
    run = engine.go(simple)
    age(run.id, 10)
    rule(engine, None, 1, 1)
    on = {"workflow": {"workflow_id": simple}, "run": {"run_id": run.id}, "tenant": {}}[scope]
    with engine.in_house():
        held = retention.hold(engine.house.id, reason="Case 17", by=engine.by, **on)
        assert retention.hold(engine.house.id, reason="Case 18", by=engine.by, **on) == held
    sweeping.sweep()
    assert is_there(engine, run.id)

    with engine.in_house():
        retention.lift(engine.house.id, held, reason="The case is closed", by=engine.by)
    sweeping.sweep()

    assert not is_there(engine, run.id)
    with engine.in_house() as session:
        told = session.execute(
            text("select action, details ->> 'reason' as reason from audit_entries where action like 'hold.%' order by id")
        ).all()
    assert sorted((row.action, row.reason) for row in told) == [("hold.lifted", "The case is closed"), ("hold.placed", "Case 17")]


def test_a_hold_that_comes_between_batches_stops_what_is_left(engine, simple, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 1)
    run = engine.go(simple)
    age(run.id, 10)
    rule(engine, None, 1, 1)
    sweeping.bury(engine.house.id, run.id)
    values_of = {"tenant": engine.house.id, "run": run.id, "batch": 1}
    assert sweeping._batch(values_of) is False
    with engine.in_house():
        retention.hold(engine.house.id, reason="Case 17", by=engine.by)
    before = rows_of(engine, run.id)

    assert sweeping.sweep() == 0

    assert (is_there(engine, run.id), rows_of(engine, run.id)) == (True, before)


def test_a_run_goes_with_those_that_it_called_and_a_hold_on_one_of_them_holds_all(engine):
    child = engine.publish(step("a", "set", **values(x="1")))
    parent = engine.publish(step("call", "subworkflow", workflow=str(child), inputs=[]))
    run = engine.go(parent)
    assert run.status == "succeeded"
    with engine.in_house() as session:
        called = session.scalar(text("select id from workflow_executions where root_id = :run"), {"run": run.id})
    age(run.id, 10)
    rule(engine, None, 1, 1)
    with engine.in_house():
        held = retention.hold(engine.house.id, reason="Case 17", by=engine.by, workflow_id=child)
    sweeping.sweep()
    assert is_there(engine, run.id)
    with engine.in_house():
        retention.lift(engine.house.id, held, reason="closed", by=engine.by)

    assert sweeping.sweep() == 2

    assert not is_there(engine, run.id)
    assert not is_there(engine, called)


def test_the_application_itself_deletes_no_run(engine, simple):
    run = engine.go(simple)
    for table in ("workflow_events", "workflow_steps", "workflow_executions", "workflow_tombstones", "legal_holds"):
        with pytest.raises(Exception, match="permission denied"), db.transaction(engine.house.id) as session:
            session.execute(text(f"delete from {table}"))
    assert is_there(engine, run.id)


def test_other_organisations_see_and_change_nothing(engine, simple, other_tenant):
    run = engine.go(simple)
    with engine.in_house():
        held = retention.hold(engine.house.id, reason="Case 17", by=engine.by)
    stranger = Actor("person", other_tenant.people["owner"])
    with db.transaction(other_tenant.id):
        assert retention.holds(other_tenant.id, is_open=True) == []
        for attempt in (
            lambda: retention.lift(other_tenant.id, held, reason="mine", by=stranger),
            lambda: retention.hold(other_tenant.id, reason="mine", by=stranger, run_id=run.id),
            lambda: retention.hold(other_tenant.id, reason="mine", by=stranger, workflow_id=simple),
            lambda: retention.set_rule(other_tenant.id, simple, Rule(1, 1), by=stranger),
            lambda: events.head_of(other_tenant.id, run.id),
        ):
            with pytest.raises(NotFound):
                attempt()


def test_figures_and_reasons_that_make_no_sense_are_refused(engine, simple):
    with engine.in_house():
        for figures in ((0, None), (None, -1), (36_501, 1)):
            with pytest.raises(Invalid):
                retention.set_rule(engine.house.id, simple, Rule(*figures), by=engine.by)
        with pytest.raises(Invalid):
            retention.hold(engine.house.id, reason="  ", by=engine.by)


def test_samples_go_with_the_run_that_they_were_taken_from_unless_somebody_said_that_they_stay(engine, simple):
    run, other = engine.go(simple), engine.go(simple)
    with engine.in_house():
        pins.pin(engine.house.id, simple, "a", {"x": "taken"}, by=engine.by, run_id=run.id)
        pins.pin(engine.house.id, simple, "start", {"who": "made up"}, by=engine.by)
    rule(engine, None, 7, 7)
    with engine.in_house():
        hold = retention.hold(engine.house.id, reason="a question of the law", by=engine.by, run_id=run.id)
    age(run.id, 10)

    sweeping.sweep()
    assert samples(engine, simple) == {"a", "start"}  # held: neither the run goes nor what came of it
    with engine.in_house():
        retention.lift(engine.house.id, hold, reason="it is answered", by=engine.by)
    before = engine.run(other.id)
    sweeping.sweep()
    assert not is_there(engine, run.id) and samples(engine, simple) == {"start"}

    with engine.in_house():
        pins.pin(engine.house.id, simple, "a", {"x": "stays"}, by=engine.by, run_id=before.id, outlives=True)
    age(other.id, 10)
    sweeping.sweep()
    assert not is_there(engine, other.id) and samples(engine, simple) == {"a", "start"}
    with engine.in_house() as session:
        told = session.execute(text("select target_id, actor_id, details from audit_entries where action = 'sample.kept'")).one()
    assert (told.target_id, told.actor_id, told.details) == (simple, engine.by.id, {"step": "a", "run": str(other.id)})


def test_what_is_taken_from_a_run_that_is_being_deleted_is_refused(engine, simple):
    run = engine.go(simple)
    rule(engine, None, 7, 7)
    age(run.id, 10)
    assert sweeping.bury(engine.house.id, run.id)

    with engine.in_house(), pytest.raises(Invalid):
        pins.pin(engine.house.id, simple, "a", {"x": "late"}, by=engine.by, run_id=run.id)
    assert samples(engine, simple) == set()


def samples(engine: Any, workflow_id: Any) -> set[str]:
    with engine.in_house() as session:
        return set(session.scalar(text("select pins from workflow_templates where id = :id"), {"id": workflow_id}))

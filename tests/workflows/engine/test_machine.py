"""The store and the planner against a model in memory: any order of starts, claims, ends, crashes, time, people; each step checked.

MACHINE_EXAMPLES=1000 looks longer, and makes what fails small.
"""

from __future__ import annotations

import os
from typing import Any

import psycopg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from portal.core.config import current_settings
from portal.core.errors import Conflict
from portal.workflows import service
from portal.workflows.actions.base import Done, Failed
from portal.workflows.engine import janitor
from portal.workflows.engine.store import answering, ending, leasing, look, pausing, rescuing, settling
from portal.workflows.engine.store.answering import Vote
from portal.workflows.errors import AlreadyVoted, TaskClosed, WrongState
from portal.workflows.signals import service as signals
from tests.workflows.engine.conftest import put_aside_what_others_left, step, values
from tests.workflows.engine.machine_model import ATTEMPTS, ENDED, HOUR, LEASE_S, Clock, Model

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "25"))
# Making a failing example small takes minutes: only in the long form.
PHASES = [Phase.generate, *([Phase.shrink] if "MACHINE_EXAMPLES" in os.environ else [])]
OUTCOMES = {
    "done": Done({"x": 1}),
    "failed": Failed("broken", sent=False),
    "retry": Failed("busy", again=True, sent=False, retry_after_s=HOUR),
}
# Our words for a run that is ending while workers hold steps of it, and for one that nobody has begun.
STATUS = {"closing": "cancelling", "pending": "running"}

RUNS = """
select e.id, e.status, e.version_id, e.event_seq, e.completed_at, e.error, e.output_data,
  (select count(*) from workflow_events v where v.execution_id = e.id) as events,
  (select max(seq) from workflow_events v where v.execution_id = e.id) as top,
  (select count(*) from workflow_timers t where t.execution_id = e.id and t.fired_at is null) as timers,
  (select count(*) from workflow_tasks t where t.execution_id = e.id and t.state = 'open') as tasks,
  (select count(*) from workflow_waits w where w.execution_id = e.id and w.ended_at is null) as waits,
  (select count(*) from workflow_frames f where f.execution_id = e.id and f.ended_at is null) as frames,
  (select count(*) from (select 1 from workflow_attempts a join workflow_steps s on s.id = a.step_id where s.execution_id = e.id
     and a.outcome = 'succeeded' group by a.step_id having count(*) > 1) twice) as twice
from workflow_executions e where e.workflow_id = :workflow
"""
STEPS = """
select s.* from workflow_steps s join workflow_executions e on e.id = s.execution_id where e.workflow_id = :workflow and s.state <> 'skipped'
"""


def call(key: str, **more: Any) -> dict[str, Any]:
    config = {"method": "POST", "url": "https://example.com/", "headers": [], "body": "{}", "if_cut_off": "repeat"}
    return step(key, "webhook", attempts=ATTEMPTS, timeout_s=3600, **config, **more)


def program(house: Any, mark: int) -> list[dict[str, Any]]:
    people = [f"person:{house.people[role]}" for role in ("owner", "admin")]
    lane = [{"parent": "both", "lane": f"lane_{number}"} for number in (1, 2)]
    return [
        step("both", "parallel", lanes=2, join="all", timeout_s=3600),
        call("a", undo=True, **lane[0]), call("un_a", parent="a", lane="undo"),
        step("pause", "wait", mode="for", amount=1, unit="hours", timeout_s=3600, **lane[0]),
        step("told", "signal", signal="go", corr_key="${ run.id }", timeout_s=3600, **lane[1]),
        call("b", undo=True, **lane[1]), call("un_b", parent="b", lane="undo"),
        step("ask", "approval", title=f"{mark}", title_ar="؟", candidates=people, quorum="all", timeout_s=3600, **lane[1]),
        call("last"),
    ]  # fmt: skip


class Machine(RuleBasedStateMachine):
    engine: Any

    def __init__(self) -> None:
        super().__init__()
        put_aside_what_others_left()
        self.clock, self.versions = Clock(), 1
        self.house, self.by = self.engine.house, self.engine.by
        self.workflow_id = self.engine.publish(*program(self.house, 0), deadline_s=2_592_000)
        self.runs: dict[Any, Model] = {}
        self.keys: dict[str, Any] = {}
        self.pinned: dict[Any, Any] = {}
        self.leases: list[Any] = []
        self.opened: dict[int, Any] = {}
        self.frozen: dict[Any, Any] = {}

    # What is done.

    @rule(key=st.sampled_from(["k0", "k1", "k2", "k3"]))
    def start(self, key: str) -> None:
        run_id = self.engine.start(self.workflow_id, key=key)
        assert self.keys.setdefault(key, run_id) == run_id, "the same key, the same run"
        if run_id not in self.runs:
            self.runs[run_id] = Model(self.clock)

    @rule()
    def claim(self) -> None:
        lease = leasing.claim(worker="machine", lease_s=LEASE_S)
        able = {(run_id, key) for run_id, model in self.runs.items() for key in model.claimable}
        if lease is None:
            assert not able
            return
        assert (lease.run_id, lease.node_key) in able
        claimed = self.runs[lease.run_id].claim(lease.node_key)
        assert (lease.epoch, lease.attempt) == (claimed.epoch, claimed.attempt)
        self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(number=st.integers(0, 50))
    def open(self, number: int) -> None:
        number, lease, model = self.lease(number)
        if not model.holds(lease.node_key, lease.epoch) or lease.effect in ("pure", "db"):
            return
        run = leasing.open_run(lease)
        assert (run is None) == (model.status == "closing")
        if run is not None:
            self.opened[number] = run

    @precondition(lambda self: self.leases)
    @rule(number=st.integers(0, 50), how=st.sampled_from(["done", "done", "done", "failed", "retry"]))
    def settle(self, number: int, how: str) -> None:
        number, lease, model = self.lease(number)
        mine = model.holds(lease.node_key, lease.epoch)
        before = None if mine else self.rows(lease.run_id)
        applies = lease.effect in ("pure", "db")
        if not applies and number in self.opened:
            assert settling.settle(lease, self.opened[number], OUTCOMES[how], carry=False)[1] is None
        elif applies:
            if settling.settle(lease, None, None, carry=False)[0] is None:
                ending.give_up(lease)
        elif mine and (run := leasing.open_run(lease)) is not None:
            settling.settle(lease, run, OUTCOMES[how], carry=False)
        else:
            ending.give_up(lease)
        if before is not None:
            assert self.rows(lease.run_id) == before, "a write with an old epoch changed something"
        elif model.status == "closing" and not (number in self.opened and not applies):
            model.give_up(lease.node_key)
        else:
            model.end_attempt(lease.node_key, "done" if applies else how)

    @precondition(lambda self: self.leases)
    @rule(number=st.integers(0, 50))
    def heartbeat(self, number: int) -> None:
        _number, lease, model = self.lease(number)
        mine = model.holds(lease.node_key, lease.epoch)
        assert leasing.heartbeat(lease, lease_s=LEASE_S) is (mine and model.status != "closing")
        if mine:
            model.steps[lease.node_key].at = self.clock.now + LEASE_S

    @precondition(lambda self: self.leases)
    @rule(number=st.integers(0, 50))
    def fence(self, number: int) -> None:
        _number, lease, model = self.lease(number)
        assert leasing.fence(lease, {}) is (model.holds(lease.node_key, lease.epoch) and model.status != "closing")

    @precondition(lambda self: self.leases)
    @rule(number=st.integers(0, 50))
    def expire(self, number: int) -> None:
        _number, lease, model = self.lease(number)
        if model.holds(lease.node_key, lease.epoch):
            self.sql("update workflow_steps set lease_until = clock_timestamp() - interval '1 second' where id = %s", lease.step_id)
            model.steps[lease.node_key].at = self.clock.now - 1
        self.sweep()

    @rule()
    def let_an_hour_pass(self) -> None:
        self.clock.now += HOUR + 1
        back, where = f"- interval '{HOUR + 1} seconds'", "where tenant_id = %s"
        self.sql(f"update workflow_timers set due_at = due_at {back} {where} and fired_at is null", self.house.id)
        moved = f"available_at = available_at {back}, lease_until = lease_until {back}"
        self.sql(f"update workflow_steps set {moved} {where} and state in ('ready', 'leased')", self.house.id)
        self.sweep()

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 5), undo=st.booleans())
    def cancel(self, number: int, undo: bool) -> None:
        run_id, model = self.run(number)
        assert ending.cancel(self.house.id, run_id, actor="person", undo=undo) is not model.is_over
        model.cancel(undo=undo)

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 5))
    def pause(self, number: int) -> None:
        run_id, model = self.run(number)
        assert pausing.pause(self.house.id, run_id, actor="person") is (model.status == "running")
        if model.status == "running":
            model.status = "paused"

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 5))
    def resume(self, number: int) -> None:
        run_id, model = self.run(number)
        assert pausing.resume(self.house.id, run_id, actor="person") is (model.status == "paused")
        if model.status == "paused":
            model.status = "running"

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 5))
    def signal(self, number: int) -> None:
        run_id, model = self.run(number)
        key = str(run_id)
        _id, is_new = signals.send_signal(self.house.id, "go", key=key, payload=1, by=self.by, source="api", dedup_key=key)
        if not is_new:
            return
        told = model.steps.get("told")
        model.signal_is_there = True
        if told is not None and told.state == "waiting":
            model.take_signal()

    @precondition(lambda self: any("ask" in model.steps for model in self.runs.values()))
    @rule(number=st.integers(0, 5), role=st.integers(0, 1), outcome=st.sampled_from(["approve", "approve", "reject"]))
    def vote(self, number: int, role: int, outcome: str) -> None:
        asked = [(run_id, model) for run_id, model in self.runs.items() if "ask" in model.steps]
        run_id, model = asked[number % len(asked)]
        with self.engine.in_house() as session:
            task_id = session.scalar(text("select id from workflow_tasks where execution_id = :id"), {"id": run_id})
        if task_id is None:
            return  # nobody has begun to ask yet
        person = self.house.people[("owner", "admin")[role]]
        try:
            answering.vote(self.house.id, task_id, Vote(person, outcome, {}, "", f"person:{person}"))
            said = "counted"
        except TaskClosed:
            said = "closed"
        except AlreadyVoted:
            said = "already"
        assert said == model.vote(role, outcome)

    @precondition(lambda self: self.runs)
    @rule(number=st.integers(0, 5))
    def fire_timers_that_are_stale(self, number: int) -> None:
        run_id, model = self.run(number)
        pause = model.steps.get("pause")
        if pause is not None and pause.state == "waiting" and pause.at <= self.clock.now:
            return
        before = self.rows(run_id)
        with self.engine.in_house() as session:
            timers = list(session.scalars(text("select id from workflow_timers where execution_id = :id"), {"id": run_id}))
        assert not any(rescuing.fire(self.house.id, run_id, timer_id) for timer_id in timers)
        assert self.rows(run_id) == before

    @rule()
    def publish(self) -> None:
        with self.engine.in_house():
            workflow = service.queries.get_workflow(self.house.id, self.workflow_id, lock=True)
            workflow.nodes = [*program(self.house, self.versions), step(f"more_{self.versions}", "set", **values(x="1"))][:9]
            service.publish_version(self.house.id, self.workflow_id, by=self.by)
        self.versions += 1

    # What must hold after each of these.

    @invariant()
    def holds(self) -> None:
        with self.engine.in_house() as session:
            rows = session.execute(text(RUNS), {"workflow": self.workflow_id}).all()
            steps = session.execute(text(STEPS), {"workflow": self.workflow_id}).all()
        assert {row.id for row in rows} == set(self.runs) and len(rows) == len(self.keys), "I-1, I-2"
        stuck = set(look.stuck())
        for row in rows:
            self.holds_of(row, [each for each in steps if each.execution_id == row.id], stuck)

    def holds_of(self, row: Any, steps: list[Any], stuck: set[Any]) -> None:
        model = self.runs[row.id]
        assert STATUS.get(row.status, row.status) == STATUS.get(model.status, model.status)
        assert {each.node_key: each.state for each in steps} == {key: each.state for key, each in model.steps.items()}
        assert len(steps) == len({each.node_key for each in steps}), "I-6: each step begins once"
        assert row.twice == 0, "I-3: no step has two attempts that succeeded"
        for each in steps:
            known = model.steps[each.node_key]
            assert (each.lease_owner is not None) == (each.state == "leased"), "I-3, I-24"
            assert each.attempt <= max(known.attempt, 1), "I-10: no attempt that the model did not begin"
            assert each.crash_count == known.crashes <= 4, "I-21"
        assert row.id not in stuck, "I-7"
        assert row.events == row.top == row.event_seq, "I-16: dense"
        assert self.pinned.setdefault(row.id, row.version_id) == row.version_id, "I-17"
        undone = [
            each.node_key
            for each in sorted(steps, key=lambda each: each.ended_seq or 0)
            if each.node_key.startswith("un_") and each.state == "succeeded"
        ]
        assert undone == model.undone, "I-22"
        if row.status in ENDED:
            assert (row.timers, row.tasks, row.waits, row.frames) == (0, 0, 0, 0), "I-8"
            assert row.completed_at is not None
            assert self.frozen.setdefault(row.id, (row, steps)) == (row, steps), "I-5"

    def teardown(self) -> None:
        with psycopg.connect(current_settings().database_owner_url) as connection:
            open_ones = connection.execute(
                "select count(*) from pg_stat_activity where application_name = 'nasij' and state like 'idle in%'"
            ).fetchone()
        assert open_ones == (0,), "I-24: nothing holds a transaction"

    # Help.

    def sweep(self) -> None:
        janitor.sweep()
        for model in self.runs.values():
            model.sweep()

    def lease(self, number: int) -> tuple[int, Any, Model]:
        number %= len(self.leases)
        return number, self.leases[number], self.runs[self.leases[number].run_id]

    def run(self, number: int) -> tuple[Any, Model]:
        return list(self.runs.items())[number % len(self.runs)]

    def rows(self, run_id: Any) -> Any:
        """Return everything of a run that a move may change, but for timers that are marked as stale."""
        with self.engine.in_house() as session:
            wanted = "select row_to_json(t)::text from {} t where execution_id = :id order by 1"
            found = [
                list(session.scalars(text(wanted.format(table)), {"id": run_id}))
                for table in ("workflow_steps", "workflow_events", "workflow_frames")
            ]
            return found, session.scalar(text("select row_to_json(t)::text from workflow_executions t where id = :id"), {"id": run_id})

    def sql(self, statement: str, *given: object) -> None:
        with psycopg.connect(current_settings().database_owner_url) as connection:
            connection.execute(statement, given)


_ = (Conflict, WrongState)


def test_the_engine_does_what_the_model_says(engine):
    Machine.engine = engine
    health = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None, suppress_health_check=health, phases=PHASES),
    )

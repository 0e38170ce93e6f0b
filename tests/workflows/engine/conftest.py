"""Build, publish and run small workflows directly through the service."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import select, text

from portal.core import db
from portal.core.access import Actor
from portal.core.config import current_settings
from portal.workflows import queries, service
from portal.workflows.engine import janitor, runner
from portal.workflows.engine.store import leasing, look
from portal.workflows.models import WorkflowExecution, WorkflowTemplate


def step(
    key: str,
    kind: str,
    *,
    parent: str | None = None,
    lane: str | None = None,
    attempts: int = 3,
    timeout_s: int = 30,
    on_error: str = "fail",
    undo: bool = False,
    **config: Any,
):
    return {
        "key": key, "kind": kind, "name": key, "name_ar": None, "parent": parent, "lane": lane, "config": config,
        "retry": {"attempts": attempts}, "timeout_s": timeout_s, "on_error": on_error, "undo": undo,
    }  # fmt: skip


def values(**given: str) -> dict[str, Any]:
    return {"values": [{"name": name, "value": value} for name, value in given.items()]}


class Engine:
    """A tenant's workflows, run by a worker of this process."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.by = Actor("person", house.people["owner"])

    def publish(
        self,
        *nodes: dict[str, Any],
        inputs: tuple[str, ...] = (),
        deadline_s: int = 86400,
    ) -> Any:
        settings = {
            "inputs": [
                {
                    "key": key,
                    "type": "text",
                    "label": key,
                    "label_ar": key,
                    "required": False,
                    "choices": [],
                }
                for key in inputs
            ],
            "deadline_s": deadline_s,
        }
        with db.transaction(self.house.id) as session:
            workflow = WorkflowTemplate(
                tenant_id=self.house.id,
                name="Test",
                nodes=list(nodes),
                settings=settings,
            )
            session.add(workflow)
            session.flush()
            service.publish_version(self.house.id, workflow.id, by=self.by)
        return workflow.id

    def publish_again(self, workflow_id: Any, nodes: list[dict[str, Any]]) -> None:
        """Publish a new version of a workflow with these steps."""
        with db.transaction(self.house.id) as session:
            session.get_one(WorkflowTemplate, workflow_id).nodes = list(nodes)
            session.flush()
            service.publish_version(self.house.id, workflow_id, by=self.by)

    def family(self, run_id: Any) -> list[Any]:
        """Return a run and all that it started, at any depth."""
        with db.transaction(self.house.id) as session:
            both = (WorkflowExecution.id == run_id) | (WorkflowExecution.root_id == run_id)
            return list(session.scalars(select(WorkflowExecution).where(both)))

    def start(self, workflow_id: Any, key: str | None = None, **given: Any) -> Any:
        with db.transaction(self.house.id):
            return service.start_run(self.house.id, workflow_id, given=given, by=self.by, dedup_key=key)[0]

    def pump(self) -> int:
        return runner.pump(worker="test", budget_s=20)

    def pump_until_ready(self) -> None:
        """Carry out one claimed step and what follows it in its transaction; leave what it made ready."""
        from portal.workflows.engine.store import settling

        settling.settle(self.claim(), None, None, carry=False)

    def sweep(self) -> int:
        return janitor.sweep()

    def run(self, run_id: Any) -> Any:
        with db.transaction(self.house.id):
            return queries.get_run(self.house.id, run_id)

    def steps(self, run_id: Any) -> dict[str, Any]:
        with db.transaction(self.house.id):
            return {each.node_key: each for each in queries.steps_of(self.house.id, run_id)}

    def trace(self, run_id: Any) -> list[str]:
        """Return what ended, in the order in which it ended: `key`, or `key@frame`; what did not succeed has its state behind it."""
        with db.transaction(self.house.id):
            rows = [row for row in queries.steps_of(self.house.id, run_id) if row.ended_seq is not None]
        rows.sort(key=lambda row: row.ended_seq)
        return [
            f"{row.node_key}{'@' if row.scope_path else ''}{row.scope_path}{'' if row.state == 'succeeded' else ' ' + row.state}"
            for row in rows
        ]

    def story(self, run_id: Any) -> tuple[list[Any], list[Any]]:
        """Return what a run tells of itself, whoever carried it: its events in order, and its steps."""
        with self.in_house() as session:
            told = session.execute(
                text("select kind, node_key from workflow_events where execution_id = :id order by seq"), {"id": run_id}
            ).all()
        steps = [(each.node_key, each.state, each.attempt, each.port, each.input) for each in self.steps(run_id).values()]
        return [tuple(event) for event in told], sorted(steps, key=lambda each: each[0])

    def outputs(self, run_id: Any) -> dict[str, Any]:
        with db.transaction(self.house.id):
            return {row.node_key: row.output for row in queries.steps_of(self.house.id, run_id)}

    def go(self, workflow_id: Any, **given: Any) -> Any:
        """Run a workflow to its end or as far as it can go without time passing; returns the run."""
        run_id = self.start(workflow_id, **given)
        for _ in range(20):
            if not self.pump() + self.sweep():
                break
        return self.run(run_id)

    def assert_sound(self, run_id: Any) -> None:
        """Check what must hold for every run that has ended (I-3, I-6, I-7, I-8)."""
        wanted = """
            select (select count(*) from workflow_steps s where s.execution_id = e.id and s.state in ('ready','leased','waiting','in_doubt'))
                 + (select count(*) from workflow_timers t where t.execution_id = e.id and t.fired_at is null)
                 + (select count(*) from workflow_frames f where f.execution_id = e.id and f.ended_at is null) as live,
                   (select count(*) from (select step_id from workflow_attempts a join workflow_steps s on s.id = a.step_id
                      where s.execution_id = e.id and a.outcome = 'succeeded' group by step_id having count(*) > 1) twice) as twice,
                   (select count(*) - count(distinct ended_seq) from workflow_steps s where s.execution_id = e.id and ended_seq is not null) as doubled,
                   (select count(*) from workflow_events v where v.execution_id = e.id) - e.event_seq as holes,
                   e.completed_at is not null as ended
            from workflow_executions e where e.id = :id"""
        with db.transaction(self.house.id) as session:
            row = session.execute(text(wanted), {"id": run_id}).one()
        assert (row.live, row.twice, row.doubled, row.holes, row.ended) == (0, 0, 0, 0, True)

    def assert_nothing_is_stuck(self) -> None:
        """Fail when a run of this tenant has not ended although nothing of it lives (I-7); on in the teardown of every test."""
        assert not [run_id for tenant_id, run_id in look.stuck_runs() if tenant_id == self.house.id]

    def states(self, run_id: Any) -> dict[str, str]:
        return {key: each.state for key, each in self.steps(run_id).items()}

    def in_house(self) -> Any:
        return db.transaction(self.house.id)

    def finish(self, run_id: Any) -> Any:
        self.pump()
        return self.run(run_id)

    def claim(self) -> Any:
        return leasing.claim(worker="test", lease_s=2)


def put_aside_what_others_left() -> None:
    """Claims and sweeps take from every tenant: what other tests left behind must not be first in line."""
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("update workflow_steps set available_at = clock_timestamp() + interval '1 day' where state = 'ready'")
        connection.execute("update workflow_steps set lease_until = clock_timestamp() + interval '1 day' where state = 'leased'")
        connection.execute("update workflow_timers set due_at = clock_timestamp() + interval '1 day' where fired_at is null")

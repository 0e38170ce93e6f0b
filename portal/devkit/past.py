"""A past for the demo: two months of ended runs, so that the home page shows an organisation at work from the first minute.

The rows are written as the engine would have left them; the same seed of chance gives the same past each time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select, text

from portal.core import clock, db
from portal.core.ids import new_id
from portal.workflows import definition
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.engine.store.rows import idem_key
from portal.workflows.models import (
    WorkflowAttempt,
    WorkflowEvent,
    WorkflowExecution,
    WorkflowRevision,
    WorkflowStep,
    WorkflowTemplate,
    WorkflowVersion,
)

DAYS = 60
SEED = 1447
ZONE = ZoneInfo("Asia/Riyadh")
BUSY = {4: 1, 5: 2}  # Friday and Saturday are the weekend
PEOPLE = ("سارة القحطاني", "فهد العتيبي", "Maya Rahman", "خالد الزهراني", "نورة الشمري", "Daniel Weber", "ريم الدوسري", "يوسف حمدان")
SUPPLIERS = ("مصنع الخليج للتغليف", "Najd Paper Mills", "شركة الواحة للنقل", "Blue Dune Textiles", "مؤسسة الإتقان", "Cedar Office Supplies")
TOOK_S = {
    "condition": (0.0, 0.02),
    "set": (0.0, 0.02),
    "database": (0.02, 0.3),
    "email": (0.8, 4.0),
    "webhook": (0.4, 6.0),
    "wait": (3.0, 3.2),
    "notification": (0.02, 0.2),
}
Told = tuple[str, str | None]  # what happened, to which step
Inputs = Callable[[random.Random, datetime], dict[str, Any]]

ENDS = """
update workflow_executions e set status = r.status, completed_at = r.completed_at, event_hash = v.hash
from jsonb_to_recordset(cast(:ends as jsonb)) as r(id uuid, status text, completed_at timestamptz)
join workflow_events v on v.execution_id = r.id
where e.id = r.id and v.tenant_id = e.tenant_id and v.seq = e.event_seq
"""


@dataclass(frozen=True, slots=True)
class Story:
    """How a workflow has lived: how often it runs, how often each step kind failed, and what went in."""

    slug: str
    weight: int
    failing: dict[str, tuple[float, str, str]]  # step → (how often, error code, detail)
    inputs: Inputs


@dataclass(slots=True)
class Rows:
    """What is written at the end, each table by one statement."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def _leave(chance: random.Random, at: datetime) -> dict[str, Any]:
    who = chance.choice(PEOPLE)
    starts = (at + timedelta(days=chance.randint(5, 30))).date().isoformat()
    days = chance.choice((1, 2, 2, 3, 4, 5, 7, 10, 14))
    return {
        "employee": who, "employee_email": "employee@nasij.example", "manager_email": "manager@nasij.example",
        "days": days, "starts_on": starts, "reason": "",
    }  # fmt: skip


def _supplier(chance: random.Random, _at: datetime) -> dict[str, Any]:
    return {"supplier": chance.choice(SUPPLIERS), "registration": str(chance.randint(1_010_000_000, 1_019_999_999))}


def _report(chance: random.Random, at: datetime) -> dict[str, Any]:
    orders = chance.randint(20, 90)
    return {"day": at.date().isoformat(), "orders": orders, "revenue": orders * chance.randint(90, 260)}


def _order(chance: random.Random, _at: datetime) -> dict[str, Any]:
    return {"supplier": chance.choice(SUPPLIERS), "amount": chance.randint(4, 400) * 100}


STORIES = (
    Story("leave_request", 4, {"ask_manager": (0.08, "mail_timeout", ""), "confirm": (0.03, "mail_busy", "")}, _leave),
    Story("supplier_check", 3, {"ask_registry": (0.16, "call_timeout", "")}, _supplier),
    Story("daily_report", 3, {"write_row": (0.03, "row_invalid", "revenue")}, _report),
    Story("purchase_order", 4, {"ask_finance": (0.06, "mail_recipient_refused", "")}, _order),
)


def publish_then(tenant_id: UUID, workflow_id: UUID, *, at: datetime, by: UUID) -> None:
    """Publish the draft of a workflow as if it had been done at that moment."""
    with db.transaction(tenant_id) as session:
        workflow = session.get_one(WorkflowTemplate, workflow_id)
        nodes, settings = workflow.nodes, workflow.settings
        version = WorkflowVersion(
            tenant_id=tenant_id, template_id=workflow_id, number=1, nodes=nodes, edges=definition.edges_of(nodes), settings=settings,
            graph_hash=definition.graph_hash(nodes, settings), author_id=by, created_at=at,
        )  # fmt: skip
        session.add(version)
        session.flush()
        workflow.published_version_id, workflow.created_at, workflow.updated_at = version.id, at, at


def change_draft(tenant_id: UUID, workflow_id: UUID, node: dict[str, Any], *, at: datetime, by: UUID) -> None:
    """Add a step at the end of a draft, as if it had been done at that moment."""
    with db.transaction(tenant_id) as session:
        workflow = session.get_one(WorkflowTemplate, workflow_id)
        workflow.nodes = [*workflow.nodes, node]
        workflow.edges = definition.edges_of(workflow.nodes)
        workflow.draft_revision, workflow.updated_at = workflow.draft_revision + 1, at
        session.add(
            WorkflowRevision(
                tenant_id=tenant_id, template_id=workflow_id, number=workflow.draft_revision, nodes=workflow.nodes,
                settings=workflow.settings, label="step.added", author_id=by, created_at=at,
            )
        )  # fmt: skip


def write(tenant_id: UUID, workflows: dict[str, UUID], people: list[UUID]) -> None:
    """Write two months of runs of the workflows, known by the slug of their story; a failed one is mostly retried."""
    chance, rows, now = random.Random(SEED), Rows(), clock.now()
    with db.transaction(tenant_id) as session:
        versions = {
            version.template_id: version
            for version in session.scalars(select(WorkflowVersion).where(WorkflowVersion.tenant_id == tenant_id))
        }
        for at in _moments(chance, now):
            story = chance.choices(STORIES, [story.weight for story in STORIES])[0]
            version = versions[workflows[story.slug]]
            past = _Past(rows, version, chance.choice(people), story.inputs(chance, at), chance)
            run_id, ended = past.run(at, failing=story.failing)
            is_old = now - at > timedelta(days=3)
            if run_id and is_old and chance.random() < 0.9:
                past.run(ended + timedelta(minutes=chance.randint(4, 90)), failing={}, retry_of=run_id)
        doubtful = versions[workflows["leave_request"]]
        given = {**_leave(chance, now), "days": 12}
        _Past(rows, doubtful, people[0], given, chance).stop_in_doubt(now - timedelta(hours=2), "ask_manager")
        # A run that has ended changes no more, and its head is known once its events are there: so it ends last.
        ends = [{"id": str(row["id"]), "status": row["status"], "completed_at": row["completed_at"]} for row in rows.runs]
        open_runs = [{**row, "status": "running", "completed_at": None} for row in rows.runs]
        for table, written in ((WorkflowExecution, open_runs), (WorkflowStep, rows.steps), (WorkflowAttempt, rows.attempts), (WorkflowEvent, rows.events)):  # fmt: skip
            session.execute(insert(table), written)
        session.execute(text(ENDS), {"ends": db.to_json(ends)})


def _moments(chance: random.Random, now: datetime) -> list[datetime]:
    """Return when runs began: by day, more on working days and lately, in working hours."""
    today, moments = now.astimezone(ZONE).date(), []
    for back in range(DAYS):
        day = today - timedelta(days=back)
        usual = BUSY.get(day.weekday(), 6 if back < DAYS / 2 else 4)
        for _each in range(max(0, usual + chance.randint(-1, 2))):
            hour = chance.choices(range(7, 19), (2, 5, 8, 9, 8, 5, 3, 5, 6, 4, 2, 1))[0]
            at = datetime(day.year, day.month, day.day, hour, chance.randint(0, 59), chance.randint(0, 59), tzinfo=ZONE).astimezone(UTC)
            if at < now - timedelta(minutes=10):
                moments.append(at)
    return sorted(moments)


@dataclass(slots=True)
class _Past:
    """One run of a version, written down step by step."""

    rows: Rows
    version: WorkflowVersion
    by: UUID
    given: dict[str, Any]
    chance: random.Random

    def run(
        self, at: datetime, *, failing: dict[str, tuple[float, str, str]], retry_of: UUID | None = None
    ) -> tuple[UUID | None, datetime]:
        """Carry the run out; return its id if it failed (else None), and when it ended."""
        run_id, clock_at, error = new_id(), at + timedelta(milliseconds=self.chance.randint(5, 60)), None
        began, output = clock_at, None
        told: list[Told] = [("run.accepted", None)]
        taken: dict[str, str] = {}
        for node in self.version.nodes:
            if node["parent"] and taken.get(node["parent"]) != node["lane"]:
                self._step(run_id, node, "skipped", clock_at, clock_at)
                told.append(("step.skipped", node["key"]))
                continue
            odds, code, detail = failing.get(node["key"], (0.0, "", ""))
            ended = clock_at + timedelta(seconds=self.chance.uniform(*TOOK_S[node["kind"]]))
            if self.chance.random() < odds:
                error = {"code": code, "detail": detail, "attempt": 3}
                ended += timedelta(seconds=self.chance.uniform(20, 75))
                self._step(run_id, node, "failed", clock_at, ended, error=error, attempt=3)
                told.append(("step.failed", node["key"]))
                clock_at = ended
                break
            output = self._output(node)
            if node["kind"] == "condition":
                taken[node["key"]] = "then" if output["result"] else "else"
            self._step(run_id, node, "succeeded", clock_at, ended, output=output, port=taken.get(node["key"], "out"))
            told.append(("step.succeeded", node["key"]))
            clock_at = ended
        status = "failed" if error else "succeeded"
        failed_step = {**error, "step": told[-1][1]} if error else None
        told.append((f"run.{status}", None))
        self._tell(run_id, told, began, clock_at)
        self._run(
            run_id, status, at, began, clock_at, len(told), output=output if not error else None, error=failed_step, retry_of=retry_of
        )
        return (run_id if error else None), clock_at

    def stop_in_doubt(self, at: datetime, key: str) -> None:
        """Carry the run out up to this step, whose answer was lost: it waits for somebody's decision."""
        run_id = new_id()
        told: list[Told] = [("run.accepted", None)]
        for node in self.version.nodes:
            if node["key"] == key:
                self._step(run_id, node, "in_doubt", at, None, error={"code": "worker_lost", "detail": "", "attempt": 1})
                told.append(("step.in_doubt", key))
                break
            output = self._output(node)
            port = "then" if node["kind"] == "condition" else "out"
            self._step(run_id, node, "succeeded", at, at, output=output, port=port)
            told.append(("step.succeeded", node["key"]))
        self._tell(run_id, told, at, at)
        self._run(run_id, "running", at, at, None, len(told))

    def _run(
        self, run_id: UUID, status: str, at: datetime, began: datetime, ended: datetime | None, seq: int,
        *, output: Any = None, error: dict[str, Any] | None = None, retry_of: UUID | None = None,
    ) -> None:  # fmt: skip
        self.rows.runs.append(
            {
                "id": run_id, "tenant_id": self.version.tenant_id, "workflow_id": self.version.template_id, "version_id": self.version.id,
                "executed_by": self.by, "status": status, "input_data": self.given, "output_data": output, "created_at": at,
                "started_at": began, "completed_at": ended, "error": error, "error_message": None,
                "dedup_key": f"retry:{retry_of}" if retry_of else None, "replay_of": retry_of, "event_seq": seq,
                "deadline_at": (ended or clock.now() + timedelta(days=30)) + timedelta(days=1),
            }
        )  # fmt: skip

    def _step(
        self, run_id: UUID, node: dict[str, Any], state: str, began: datetime, ended: datetime | None,
        *, output: Any = None, error: dict[str, Any] | None = None, port: str | None = None, attempt: int = 1,
    ) -> None:  # fmt: skip
        step_id, config = new_id(), node["config"]
        has_begun = state != "skipped"
        effect = ACTIONS[node["kind"]].effect(config)
        self.rows.steps.append(
            {
                "id": step_id, "tenant_id": self.version.tenant_id, "execution_id": run_id, "node_key": node["key"], "kind": node["kind"],
                "state": state, "attempt": attempt if has_begun else 0, "timeout_s": node["timeout_s"], "available_at": began,
                "lease_epoch": attempt if has_begun else 0, "effect_class": effect, "effect_at": began if has_begun else None,
                "idem_key": idem_key(run_id, node["key"]), "port": port, "output": output, "error": error, "created_at": began,
                "started_at": began if has_begun else None, "finished_at": ended,
                "used": self._used(node["kind"], effect, attempt, ended - began) if has_begun and ended else None,
            }
        )  # fmt: skip
        if has_begun and ended:
            self.rows.attempts.append(
                {
                    "tenant_id": self.version.tenant_id, "step_id": step_id, "epoch": attempt, "number": attempt, "worker": "demo",
                    "started_at": began, "ended_at": ended, "outcome": state, "error_code": error["code"] if error else None,
                }
            )  # fmt: skip

    def _used(self, kind: str, effect: str, attempt: int, took: timedelta) -> dict[str, int] | None:
        """Return what the step would have used outside."""
        if effect in ("pure", "db"):
            return {"rows": 1} if kind == "database" else None
        calls = {"calls": attempt, "sent": attempt * self.chance.randint(380, 900), "busy_ms": round(took / timedelta(milliseconds=1))}
        return {**calls, "mails": 1} if kind == "email" else {**calls, "received": attempt * self.chance.randint(240, 2_400)}

    def _tell(self, run_id: UUID, told: list[Told], began: datetime, ended: datetime) -> None:
        for seq, (kind, key) in enumerate(told, start=1):
            at = began + (ended - began) * (seq - 1) / max(1, len(told) - 1)
            event = {"tenant_id": self.version.tenant_id, "execution_id": run_id, "seq": seq, "at": at, "kind": kind, "node_key": key}
            self.rows.events.append(event)

    def _output(self, node: dict[str, Any]) -> Any:
        """Return what the step would have answered."""
        kind, given = node["kind"], self.given
        if kind == "condition":
            return {"result": given.get("days", 0) > 5 or given.get("amount", 0) > 10_000 or "registration" in given}
        if kind == "set":
            return {"average": round(given["revenue"] / given["orders"], 2)} if "orders" in given else {"accepted": True, **given}
        if kind == "database":
            return {"rows": [], "count": 1} if node["config"]["operation"] == "find" else {"id": str(new_id())}
        if kind == "webhook":
            return {"status": 200, "body": {"registered": True}}
        if kind == "email":
            return {"message_id": f"<{new_id()}@nasij.example>", "to": ["manager@nasij.example"]}
        return {"count": 1} if kind == "notification" else None

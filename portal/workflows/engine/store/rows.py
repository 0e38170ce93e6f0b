"""What a move knows and gathers: the lease, the run, the rows to write."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from portal import events
from portal.core import bus, db, jobs
from portal.core.ids import new_id
from portal.workflows.actions.base import Waiting
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.engine.plan import Graph, Stand
from portal.workflows.signals import callbacks as callbacks_of

QUEUE = "io"
LIVE = ("ready", "leased", "waiting", "in_doubt")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to carry out one attempt of one step, until it expires."""

    tenant_id: UUID
    run_id: UUID
    step_id: UUID
    node_key: str
    kind: str
    effect: str
    idem_key: str
    epoch: int
    attempt: int
    timeout_s: int
    worker: str


@dataclass(slots=True)
class Run:
    """What a worker knows of the run that it carries forward; right as long as `event_seq` is the row's."""

    tenant_id: UUID
    id: UUID
    workflow_id: UUID
    workflow_name: str
    workflow_name_ar: str | None
    graph: Graph
    input: dict[str, Any]
    executed_by: UUID | None
    started_at: datetime
    event_seq: int
    stands: dict[str, Stand] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def context(self) -> dict[str, Any]:
        """Return the variables of `${ … }`."""
        run: dict[str, Any] = {
            "id": str(self.id),
            "started_at": self.started_at.isoformat(),
            "workflow": self.workflow_name,
        }
        callbacks = {
            key: callbacks_of.url(self.tenant_id, self.id, key) for key, node in self.graph.nodes.items() if node["kind"] == "callback"
        }
        if callbacks:
            run["callback"] = callbacks
        return {"input": self.input, "steps": self.outputs, "run": run}


@dataclass(slots=True)
class Moves:
    """The rows of one settle, gathered and then written by one statement."""

    run: Run
    worker: str
    may_carry: bool
    may_apply: bool = False
    applied: int = 0
    begun: float = field(default_factory=time.monotonic)
    events: list[dict[str, Any]] = field(default_factory=list)
    born: list[dict[str, Any]] = field(default_factory=list)
    timers: list[dict[str, Any]] = field(default_factory=list)
    waits: list[tuple[UUID, Waiting]] = field(default_factory=list)  # steps that wait for more than a moment
    carried: Lease | None = None
    failed: dict[str, Any] | None = None
    last_output: Any = None

    def tell(self, kind: str, node_key: str | None = None, **data: Any) -> None:
        self.run.event_seq += 1
        self.events.append(
            {
                "seq": self.run.event_seq,
                "kind": kind,
                "node_key": node_key,
                "data": data or None,
            }
        )


def idem_key(run_id: UUID, node_key: str, scope_path: str = "", gen: int = 0) -> str:
    """Return the key that every attempt of a step carries to the outside: the same for all retries and workers."""
    return hashlib.sha256(f"{run_id}|{node_key}|{scope_path}|{gen}".encode()).hexdigest()[:40]


def born(
    run_id: UUID,
    node: dict[str, Any],
    state: str,
    *,
    port: str | None = None,
    output: Any = None,
    error: Any = None,
    config: Any = None,
    epoch: int = 0,
    attempt: int = 0,
    took_s: float = 0.0,
) -> dict[str, Any]:
    """Return the row of a step that begins its life in this state."""
    return {
        "id": str(new_id()),
        "node_key": node["key"],
        "kind": node["kind"],
        "state": state,
        "attempt": attempt,
        "epoch": epoch,
        "took_s": round(took_s, 6),
        "leased": state == "leased",
        "timeout_s": int(node.get("timeout_s") or 30),
        "effect": ACTIONS[node["kind"]].effect(node.get("config") or {}),
        "idem_key": idem_key(run_id, node["key"]),
        "port": port,
        "input": config,
        "output": output,
        "error": error,
    }


def stand(
    run: Run,
    node: dict[str, Any],
    state: str,
    *,
    port: str | None = None,
    output: Any = None,
    error: Any = None,
) -> dict[str, Any]:
    run.stands[node["key"]] = Stand(state, port)
    if state == "succeeded":
        run.outputs[node["key"]] = output
    return {
        "state": state,
        "port": port,
        "output": output,
        "error": error,
        "delay_s": 0,
    }


def ending_of(moves: Moves) -> str | None:
    """Say how the run ends with these moves, or None while something of it lives."""
    if moves.failed is not None:
        moves.carried = None
        for row in moves.born:
            if row["state"] in LIVE:
                row.update(state="cancelled", leased=False)
        return "failed"
    return None if any(stand.state in LIVE for stand in moves.run.stands.values()) else "succeeded"


def announce_after(run: Run, moves: Moves, status: str | None, doubtful: Lease | None) -> None:
    if doubtful is not None:
        bus.announce(events.StepInDoubt(run.tenant_id, run.id, run.workflow_id, doubtful.node_key, run.executed_by))
    if status is not None:
        bus.announce(events.RunFinished(run.tenant_id, run.id, run.workflow_id, status, run.executed_by))
    seq = run.event_seq
    db.after_commit(lambda: publish(run.id, seq))


def wake() -> None:
    """Hint that work is due: tell the pumps that listen, or ask RQ for one. Losing it costs at most the dispatcher's second."""
    if not jobs.publish(f"nasij:wake:{QUEUE}"):
        jobs.send_ticket("workflows.pump", QUEUE, key=f"pump-{QUEUE}-{random.randrange(4)}")  # noqa: S311 - spreads, hides nothing


def publish(run_id: UUID, seq: int) -> None:
    """Hint to open pages that the run has changed."""
    jobs.publish(f"nasij:run:{run_id}", str(seq))

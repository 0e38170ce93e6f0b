"""What a move knows and gathers: the lease, the run with its frames, the rows to write."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db
from portal.core.ids import new_id
from portal.workflows.actions.base import Waiting
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import timeout_of
from portal.workflows.engine.blocks import Progress
from portal.workflows.engine.lanes import PRIORITY, lane_of
from portal.workflows.engine.plan import ROOT, Graph, Region, Stand, path_of
from portal.workflows.engine.store.hints import publish
from portal.workflows.redaction import Secrets
from portal.workflows.signals import callbacks as callbacks_of

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
    scope: str
    gen: int
    worker: str
    lane: str = ""  # of a step that was claimed


@dataclass(slots=True)
class Block:
    """A block that waits for its frames; `failed` and `succeeded` count frames that have ended, live ones are in the run."""

    id: UUID
    key: str
    gen: int
    kind: str
    facts: dict[str, Any]
    started: int = 0
    succeeded: int = 0
    failed: int = 0
    page: tuple[int, list[Any]] = (-1, [])  # the part of a for-each's list that is in use

    def progress(self, live: int) -> Progress:
        return Progress(self.started, live, self.succeeded, self.failed)


@dataclass(slots=True)
class Frame:
    """The steps of one lane, item or round that count, and what an expression in it can use."""

    path: str = ""
    region: Region = ROOT
    parent: str | None = None
    holder: UUID | None = None  # the step that holds it: a block, or the step that is undone
    number: int = 0
    kind: str = ""  # of the holder's node; "undo" for an undoing
    gen: int = 0
    is_closing: bool = False  # nothing begins in it any more; it waits for a leased step
    value: Any = None  # the item, or the result of the round before
    last: Any = None
    error: dict[str, Any] | None = None
    stands: dict[str, Stand] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)  # of steps that live
    jumps: dict[str, int] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    gens: dict[str, int] = field(default_factory=dict)  # of steps that do not belong to the first generation

    def gen_of(self, key: str) -> int:
        return self.gens.get(key, 0)

    def names(self) -> dict[str, Any]:
        """Return the variables that this frame gives to the expressions inside it."""
        own: dict[str, Any] = {}
        if self.kind == "foreach":
            own = {"item": self.value, "index": self.number}
        elif self.kind == "repeat":
            own = {"round": self.number + 1, "previous": self.value}
        return own | {"error": self.error} if self.error else own

    def is_live(self) -> bool:
        return any(stand.state in LIVE for stand in self.stands.values())


@dataclass(slots=True)
class Run:
    """What a worker knows of the run that it carries forward; right as long as `event_seq` is the row's, and it is not stale.

    A transaction that changed it here and was not kept leaves it stale: whoever goes on with it reads it anew first. Only frames that live are held, and those around them: a for-each over 100,000 items needs no more memory than one over ten.
    """

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
    status: str = "running"
    depth: int = 0
    root_id: UUID | None = None
    lane: str | None = None  # of all its steps, where the workflow says so
    priority: int = PRIORITY
    gate_key: str | None = None
    is_gated: bool = False
    keys_of: UUID | None = None  # the run whose keys its effects carry, where it is played again with the same ones
    frames: dict[str, Frame] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    ended: dict[str, Frame] = field(default_factory=dict)  # frames that ended, around one that lives
    is_stale: bool = False

    @property
    def root(self) -> Frame:
        return self.frames[""]

    def key_of(self, node: dict[str, Any], scope: str = "", gen: int = 0) -> str:
        """Return the key that a step's effect carries to the outside. An address that is called back answers one run only."""
        origin = None if node["kind"] == "callback" else self.keys_of
        return idem_key(origin or self.id, node["key"], scope, gen)

    def frame(self, path: str | None) -> Frame | None:
        """Return a frame that lives, or that stands around one."""
        return None if path is None else self.frames.get(path) or self.ended.get(path)

    def below(self, path: str) -> list[Frame]:
        """Return the live frames inside a frame, at any depth."""
        return [frame for name, frame in self.frames.items() if (name.startswith(f"{path}/") if path else name)]

    def of(self, block: Block) -> list[Frame]:
        """Return the live frames of a block."""
        return [frame for frame in self.frames.values() if frame.holder == block.id]

    def context(self, frame: Frame) -> dict[str, Any]:
        """Return the variables of `${ … }` in a frame: its own, and those of the frames around it."""
        run: dict[str, Any] = {"id": str(self.id), "started_at": self.started_at.isoformat(), "workflow": self.workflow_name}
        around: list[Frame] = []
        here: Frame | None = frame
        while here is not None:
            around.append(here)
            here = self.frame(here.parent)
        if self.graph.callbacks:
            run["callback"] = self._callbacks(around)
        steps = frame.outputs if len(around) == 1 else {key: value for each in reversed(around) for key, value in each.outputs.items()}
        names = {name: value for each in reversed(around) for name, value in each.names().items()}
        return {"input": self.input, "steps": steps, "run": run, **names}

    def _callbacks(self, around: list[Frame]) -> dict[str, str]:
        """Return the addresses of the steps that wait for a callback in these frames, by key."""
        where = {key: frame for frame in reversed(around) for key in self.graph.members.get(frame.region, ())}
        return {
            key: callbacks_of.url(self.tenant_id, self.id, key, idem_key(self.id, key, where[key].path, where[key].gen))
            for key in self.graph.callbacks
            if key in where
        }


@dataclass(slots=True)
class Moves:
    """The rows of one settle, gathered and then written by one statement."""

    run: Run
    connection: Connection
    worker: str
    may_carry: bool
    may_apply: bool = False
    lane: str = ""  # of the worker's claim: what it goes on with stands in the same one
    applied: int = 0
    weight: int = 0  # of the values that these moves write, in characters of JSON
    begun: float = field(default_factory=time.monotonic)
    events: list[dict[str, Any]] = field(default_factory=list)
    born: list[dict[str, Any]] = field(default_factory=list)
    timers: list[dict[str, Any]] = field(default_factory=list)
    shut: list[dict[str, Any]] = field(default_factory=list)  # steps of other rows that end
    frames: list[dict[str, Any]] = field(default_factory=list)  # frames that begin
    frame_ends: list[dict[str, Any]] = field(default_factory=list)
    lists: list[dict[str, Any]] = field(default_factory=list)  # pages of for-each lists
    begins_at: datetime | None = None  # a worker begins with the run
    own: dict[str, Any] | None = None  # the row that is settled
    guess: tuple[str, int] | None = None  # status and last event of the run, which nobody has read again: what is written checks it
    work: deque[tuple[Frame, str]] = field(default_factory=deque)
    waits: list[tuple[UUID, Waiting]] = field(default_factory=list)  # steps that wait for more than a moment
    carried: Lease | None = None
    ends: str | None = None  # the run ends: succeeded or failed
    failed: dict[str, Any] | None = None
    undoes_next: bool = False
    results: dict[UUID, dict[int, Any]] = field(default_factory=dict)  # block → frames that ended in this very move
    doubtful: str | None = None  # the step that came into doubt

    def tell(self, kind: str, node_key: str | None = None, frame: Frame | None = None, **data: Any) -> None:
        self.run.event_seq += 1
        if frame is not None and frame.path:
            data["scope"] = frame.path
        self.events.append(
            {
                "seq": self.run.event_seq,
                "kind": kind,
                "node_key": node_key,
                "data": data or None,
            }
        )

    def is_born(self, step_id: UUID) -> bool:
        return any(row["id"] == str(step_id) for row in self.born)

    def row_of(self, step_id: UUID | str) -> dict[str, Any] | None:
        """Return the row of a step that is written by these moves anyway."""
        wanted = str(step_id)
        if self.own is not None and self.own["id"] == wanted:
            return self.own
        return next((row for row in self.born if row["id"] == wanted), None)


def begin_running(moves: Moves) -> None:
    """Tell that a worker has begun with a run."""
    moves.tell("run.started")
    moves.run.status, moves.begins_at = "running", moves.run.started_at


def idem_key(run_id: UUID, node_key: str, scope_path: str = "", gen: int = 0) -> str:
    """Return the key that every attempt of a step carries to the outside: the same for all retries and workers."""
    return hashlib.sha256(f"{run_id}|{node_key}|{scope_path}|{gen}".encode()).hexdigest()[:40]


def born(
    run: Run,
    node: dict[str, Any],
    state: str,
    *,
    frame: Frame | None = None,
    port: str | None = None,
    output: Any = None,
    error: Any = None,
    config: Any = None,
    epoch: int = 0,
    attempt: int = 0,
    took_s: float = 0.0,
) -> dict[str, Any]:
    """Return the row of a step that begins its life in this state."""
    scope, gen = (frame.path, frame.gen) if frame is not None else ("", 0)
    effect = ACTIONS[node["kind"]].effect(node.get("config") or {})
    return {
        "id": str(new_id()),
        "node_key": node["key"],
        "kind": node["kind"],
        "scope": scope,
        "gen": gen,
        "state": state,
        "attempt": attempt,
        "epoch": epoch,
        "took_s": round(took_s, 6),
        "leased": state == "leased",
        "timeout_s": timeout_of(node),
        "effect": effect,
        "lane": lane_of(node["kind"], effect),
        "idem_key": run.key_of(node, scope, gen),
        "port": port,
        "input": config,
        "output": output,
        "error": error,
        "seq": None,
    }


def frame_of(run: Run, parent: Frame, block: Block, number: int, lane: str, value: Any = None) -> Frame:
    """Return a new frame of a block, held by the run."""
    path = path_of(parent.path, block.key, block.gen, number)
    frame = Frame(path, (block.key, lane), parent.path, block.id, number, block.kind, value=value)
    run.frames[path] = frame
    return frame


def announce_after(run: Run, moves: Moves, status: str | None) -> None:
    """Announce what the moves made true, and hint to open pages after the commit."""
    if moves.doubtful is not None:
        bus.announce(events.StepInDoubt(run.tenant_id, run.id, run.workflow_id, moves.doubtful, run.executed_by))
    if status is not None:
        announce_end(run, status)
    seq = run.event_seq
    if seq > len(moves.events):  # else nobody knows of the run before the commit
        db.after_commit(lambda: publish(run.id, seq))


def announce_end(run: Run, status: str) -> None:
    """Announce that a run has ended."""
    from portal.workflows.engine.store import gates

    db.commits("finish")
    bus.announce(events.RunFinished(run.tenant_id, run.id, run.workflow_id, status, run.executed_by))
    if run.gate_key is not None:
        db.after_commit(partial(gates.admit, run.tenant_id, run.workflow_id, run.gate_key))

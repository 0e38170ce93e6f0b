"""T1: accept a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db
from portal.core.ids import new_id
from portal.workflows import redaction
from portal.workflows.definition import DEFAULT_DEADLINE_S
from portal.workflows.engine import plan
from portal.workflows.engine.lanes import PRIORITY, waiting_in
from portal.workflows.engine.plan import Graph, Stand
from portal.workflows.engine.store import gates, settling
from portal.workflows.engine.store.gates import Gate
from portal.workflows.engine.store.hints import wake
from portal.workflows.engine.store.reading import published
from portal.workflows.engine.store.rows import Frame, Hand, Moves, Run, born
from portal.workflows.engine.store.sql import ACCEPTED, ACCEPTED_VALUES, write_rows
from portal.workflows.payloads import Apart
from portal.workflows.redaction import Secrets

ACCEPT = f"""
insert into workflow_executions as e ({ACCEPTED}, status, event_seq) values ({ACCEPTED_VALUES}, 'pending', 1)
on conflict (tenant_id, workflow_id, dedup_key) do nothing
returning created_at, (select array[t.name, t.name_ar] from workflow_templates t where t.tenant_id = e.tenant_id and t.id = e.workflow_id) as names
"""
NAMES = """
select clock_timestamp() as created_at, array[name, name_ar] as names from workflow_templates where tenant_id = %(tenant)s and id = %(workflow)s
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the transaction has read of a workflow: when, and its names."""

    at: datetime
    name: str
    name_ar: str | None


@dataclass(frozen=True, slots=True)
class Parent:
    """The waiting step that a run answers to, the run at the top of all, and how deep this one is."""

    step_id: UUID
    root_id: UUID
    depth: int


@dataclass(frozen=True, slots=True)
class Reused:
    """How a step of another run ended, taken over by a new one."""

    state: str
    port: str | None
    output: Any
    error: Any = None


def start(
    tenant_id: UUID,
    workflow_id: UUID,
    version_id: UUID,
    *,
    input_data: dict[str, Any],
    by: UUID | None,
    dedup_key: str | None = None,
    reused: dict[str, Reused] | None = None,
    replay_of: UUID | None = None,
    keys_of: UUID | None = None,
    parent: Parent | None = None,
    error_of: UUID | None = None,
    hand: Hand | None = None,
    secrets: Secrets | None = None,
    priority: int | None = None,
    seen: Seen | None = None,
) -> tuple[UUID, bool]:
    """Accept a run in the open transaction: its row, its first event, its entry steps. A hint leaves after the commit.

    Args:
        dedup_key: the same key gives the same run, also at once and after a restart.
        hand: who carries the run in this very transaction as far as pure and db steps lead, and goes on with it after the commit
            (`runner.start_here`); None leaves all of it to the workers.
        secrets: of the run that calls this one: its inputs may hold them.
        reused: finished steps taken over from another run, by node key.
        keys_of: the run whose idempotency keys its steps carry; None: its own.
        parent: the step that waits for this run.
        error_of: the run whose failure this one deals with.
        priority: 1 comes first, 5 last; None takes the workflow's.
        seen: of the workflow, where the transaction has read it anyway.

    Returns:
        The run's id, and False if the key had been used before.

    Raises:
        GateFull: as many runs of the workflow go on as may, and it refuses more.
    """
    connection = db.session().connection()
    db.commits("start")
    version = published(connection, tenant_id, version_id)
    run_id = new_id()
    root_id, depth = (parent.root_id, parent.depth) if parent else (None, 0)
    gate: Gate | None = None
    if wanted := version.settings.get("concurrency"):
        key = gates.key_of(workflow_id, wanted, input_data)
        gates.lock(connection, tenant_id, workflow_id, key)
        if dedup_key is not None and (before := _run_of_key(connection, tenant_id, workflow_id, dedup_key)) is not None:
            return before, False  # what has been accepted is not refused when it is asked again
        # A failure must not go without its answer because too many fail at once.
        gate = gates.enter(connection, tenant_id, workflow_id, key, "queue" if error_of else wanted.get("when_full", "queue"))
    priority = priority or version.settings.get("priority", PRIORITY)
    is_gated = gate is not None and gate.is_full
    known, apart = secrets or Secrets(), Apart(tenant_id, secrets)
    sealed = redaction.sealed_inputs(tenant_id, version.settings.get("inputs", ()), input_data)
    accepted = {
        "id": run_id, "tenant": tenant_id, "workflow": workflow_id, "version": version_id, "by": by, "input": apart.text_of(sealed),
        "dedup": dedup_key, "replay_of": replay_of, "deadline_s": version.settings.get("deadline_s", DEFAULT_DEADLINE_S),
        "parent": parent.step_id if parent else None, "root": root_id, "depth": depth, "error_of": error_of,
        "priority": priority, "gate": gate.key if gate else None, "is_gated": is_gated, "keys_of": keys_of,
    }  # fmt: skip
    # Its row is written as it will stand, after its steps: what they write goes back with it, and whoever had its key shows then.
    is_alone = version.is_own if db.is_optimistic() else version.is_pure and dedup_key is None
    is_whole = hand is not None and is_alone and not apart.entries and not is_gated
    if not is_whole or seen is None:
        row = connection.exec_driver_sql(NAMES if is_whole else ACCEPT, accepted).first()
        seen = Seen(row.created_at, *row.names) if row else None
    if seen is None:
        return _run_of_key(connection, tenant_id, workflow_id, dedup_key), False  # type: ignore[return-value]  # it is there: it was in the way
    apart.keep(connection, run_id)
    facts = (
        workflow_id,
        seen.name,
        seen.name_ar,
        version.graph,
        redaction.opened(tenant_id, sealed, known),
        by,
        seen.at,
        0,
        "pending",
        depth,
        root_id,
    )
    run = Run(tenant_id, run_id, *facts)
    run.secrets, run.lane, run.priority, run.gate_key, run.is_gated = known, version.lane, priority, accepted["gate"], is_gated
    run.keys_of = keys_of
    run.frames[""] = Frame()
    if hand and not is_gated and settling.begin_here(connection, run, hand=hand, accepted=accepted if is_whole else None):
        hand.answers = version.answers
        return run_id, True
    if is_whole:
        connection.exec_driver_sql(ACCEPT, accepted)
    bus.announce(events.RunStarted(tenant_id, run_id, workflow_id))
    moves = _first_moves(run, connection, reused or {}, replay_of)
    write_rows(connection, moves)
    if not is_gated:
        db.after_commit(partial(wake, waiting_in(moves.born, version.lane)))
    return run_id, True


def _run_of_key(connection: Connection, tenant_id: UUID, workflow_id: UUID, dedup_key: str | None) -> UUID | None:
    found: UUID | None = connection.exec_driver_sql(
        "select id from workflow_executions where tenant_id = %s and workflow_id = %s and dedup_key = %s",
        (tenant_id, workflow_id, dedup_key),
    ).scalar()
    return found


def _first_moves(run: Run, connection: Connection, reused: dict[str, Reused], replay_of: UUID | None) -> Moves:
    moves, nodes = Moves(run, connection, "", may_carry=False), run.graph.nodes
    facts: dict[str, Any] = {"replay_of": str(replay_of)} if replay_of else {}
    if run.is_gated:
        facts["gated"] = True
    moves.tell("run.accepted", **facts)
    for number, (key, old) in enumerate(reused.items()):
        row = born(run, nodes[key], old.state, port=old.port, output=old.output, error=old.error)
        moves.born.append({**row, "seq": number - len(reused)})  # before everything that this run does itself
    stands = {key: Stand(old.state, old.port) for key, old in reused.items()}
    moves.born += [born(run, nodes[key], "ready") for key in _first_steps(run.graph, stands)]
    moves.born += [born(run, nodes[key], "skipped") for key, stand in stands.items() if stand.state == "skipped" and key not in reused]
    return moves


def _first_steps(graph: Graph, stands: dict[str, Stand]) -> list[str]:
    """Return the steps to begin with; marks in `stands` what the reused steps already decided will be skipped."""
    begin = [key for key in graph.entries() if key not in stands]
    for key in list(stands):
        following = plan.after(graph, stands, key)
        begin += following.begin
        stands.update({each: Stand("ready", None) for each in following.begin})
        stands.update({each: Stand("skipped", None) for each in following.skip})
    return list(dict.fromkeys(begin))

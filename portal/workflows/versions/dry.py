"""A run that is only tried: the real engine carries it in one transaction, and all of it is rolled back.

Nothing leaves the house and nothing stays: steps that would reach somebody are written down with what they would have sent and end
with a sample; what is written to data tables is really written, read by later steps, and gone with the rollback; waits and questions
are answered at once; nothing is announced. The run is no row that any list or worker could see.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import bus, db
from portal.core.access import Actor
from portal.workflows import definition
from portal.workflows.actions.base import Done, Failed, Outcome
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import BLOCKS, Node, Settings
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.engine.store import children, ending, leasing, opening, settling, starting
from portal.workflows.engine.store.reading import forget, locked_run
from portal.workflows.engine.store.rows import Lease
from portal.workflows.literals import masked
from portal.workflows.models import WorkflowVersion

Given = TypeVar("Given")
WORKER = "trial"
MOST_MOVES = 400
MOST_ROWS = 300
BUDGET_S = 8.0
LONGEST = 8_000
# db steps that speak to somebody, or to another run: they are recorded like those that leave the house.
SPEAKING = frozenset({"notification", "send_signal"})
WRITING = frozenset({"database"})


class Samples(Protocol):
    """Where the results of steps come from that are not carried out."""

    def result(self, node: Node, scope: str) -> Outcome | None:
        """Return how a step that would reach somebody ends; None when nothing is known of it."""

    def answer(self, node: Node, scope: str, outcomes: list[str]) -> Outcome | None:
        """Return how a step that waits ends; None when nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would have happened."""

    status: str  # as of a run; `reached`: the step that was asked for; `cut`: it did not end in the time or steps that a trial has; `broken`: the database refused
    output: Any
    error: dict[str, Any] | None
    steps: list[dict[str, Any]]
    took_ms: int
    is_short: bool = False  # there were more steps than are kept

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


class _TakenBack(Exception):
    """All that was tried is rolled back."""


@dataclass(slots=True)
class _Stage:
    tenant_id: UUID
    run_id: UUID
    samples: Samples
    end: float
    moves: int = 0
    told: dict[UUID, dict[str, Any]] = field(default_factory=dict)  # step → what it would have done

    def may_go_on(self) -> bool:
        self.moves += 1
        return self.moves <= MOST_MOVES and time.monotonic() < self.end


def rehearse(
    tenant_id: UUID,
    workflow_id: UUID,
    nodes: list[Node],
    settings: Settings,
    *,
    values: Mapping[str, Any],
    samples: Samples,
    by: Actor,
    enter: Callable[[UUID], None] = lambda _tenant_id: None,
    until: str = "",
) -> Rehearsal:
    """Try a definition with inputs that were read already; nothing of it stays.

    Args:
        enter: is asked first, in the transaction that is rolled back; what it raises is raised.
        until: a step: when it has ended for the first time, it goes no further, and the status is `reached`.
    """
    began = time.monotonic()

    def work() -> Rehearsal:
        version = _version(tenant_id, workflow_id, nodes, settings)
        db.session().add(version)
        db.session().flush()
        try:
            return _carried(tenant_id, workflow_id, version.id, dict(values), samples, by, began, until)
        finally:
            forget(version.id)

    try:
        return taken_back(tenant_id, work, enter=enter)
    except DBAPIError:
        return Rehearsal("broken", None, {"code": "trial_refused"}, [], _ms(began))


def taken_back(tenant_id: UUID, work: Callable[[], Given], *, enter: Callable[[UUID], None]) -> Given:
    """Do something in a transaction that is rolled back, with nothing announced; return what it gave.

    Raises:
        DBAPIError: the database refused.
    """
    made: list[Given] = []
    with db.unit_of_work(tenant_id), bus.muted():
        try:
            with db.transaction() as session:
                enter(tenant_id)
                session.execute(text("set local lock_timeout = '2s'"))
                made.append(work())
                raise _TakenBack
        except _TakenBack:
            return made[0]


def _version(tenant_id: UUID, workflow_id: UUID, nodes: list[Node], settings: Settings) -> WorkflowVersion:
    return WorkflowVersion(
        tenant_id=tenant_id,
        template_id=workflow_id,
        number=-random.randrange(1, 2**30),  # noqa: S311 - no number of a version; two trials at once must not meet
        nodes=nodes,
        edges=definition.edges_of(nodes),
        settings={name: value for name, value in settings.items() if name != "concurrency"},  # a trial takes nobody's place
        graph_hash="trial",
    )


def _carried(
    tenant_id: UUID, workflow_id: UUID, version_id: UUID, values: dict[str, Any], samples: Samples, by: Actor, began: float, until: str
) -> Rehearsal:
    run_id, _new = starting.start(tenant_id, workflow_id, version_id, input_data=values, by=by.id)
    stage = _Stage(tenant_id, run_id, samples, began + BUDGET_S)
    is_whole, is_there = True, False
    while is_whole:
        lease = _next(stage)
        if lease is not None:
            _carry(stage, lease)
        elif not _answer(stage):
            break
        is_there = bool(until) and _has_ended(stage, until)
        is_whole = not is_there and stage.may_go_on()
    connection = db.session().connection()
    run = connection.exec_driver_sql(
        "select status, output_data, error from workflow_executions where tenant_id = %s and id = %s", (tenant_id, run_id)
    ).one()
    steps = _told(stage)
    status = run.status if run.status in RUN_ENDED else "reached" if is_there else "cut"
    return Rehearsal(status, _cut(run.output_data), run.error, steps[:MOST_ROWS], _ms(began), is_short=len(steps) > MOST_ROWS)


def _has_ended(stage: _Stage, key: str) -> bool:
    found = db.session().connection().exec_driver_sql(
        "select 1 from workflow_steps where tenant_id = %s and execution_id = %s and node_key = %s"
        " and state in ('succeeded','failed','skipped','cancelled') limit 1",
        (stage.tenant_id, stage.run_id, key),
    )  # fmt: skip
    return found.first() is not None


def _next(stage: _Stage) -> Lease | None:
    """Take a step that may begin; what waits for another try does not wait here."""
    lease = leasing.claim_tree(stage.tenant_id, stage.run_id, worker=WORKER, lease_s=600)
    if lease is not None:
        return lease
    moved = db.session().connection().exec_driver_sql(
        """
        update workflow_steps set available_at = clock_timestamp() - interval '1 second'
        where tenant_id = %s and state = 'ready' and available_at > clock_timestamp() and execution_id in (
          select id from workflow_executions where tenant_id = %s and (id = %s or root_id = %s))
        """,
        (stage.tenant_id, stage.tenant_id, stage.run_id, stage.run_id),
    )  # fmt: skip
    return leasing.claim_tree(stage.tenant_id, stage.run_id, worker=WORKER, lease_s=600) if moved.rowcount else None


def _carry(stage: _Stage, lease: Lease) -> None:
    if lease.effect == "pure" or (lease.effect == "db" and lease.kind not in SPEAKING):
        settling.apply_here(lease)
        if lease.kind in WRITING:
            stage.told[lease.step_id] = {"effect": "written"}
        return
    run = leasing.open_run(lease)
    if run is None:
        ending.give_up(lease)
        return
    call = settling.prepare(lease, run)
    if isinstance(call, Failed):
        settling.settle(lease, run, call, carry=False)
        return
    node = run.graph.nodes[lease.node_key]
    found = stage.samples.result(node, lease.scope)
    stage.told[lease.step_id] = {"effect": "not_sent", "would": _cut(masked(call.config)), "sample": "known" if found else "empty"}
    if leasing.fence(lease, masked(call.config)):
        settling.settle(lease, run, found or Done(shape_of(node)), carry=False)
    else:
        ending.give_up(lease)


def _answer(stage: _Stage) -> bool:
    """End one step that waits, as if what it waits for had come; False when none does."""
    connection = db.session().connection()
    rows = connection.exec_driver_sql(
        """
        select s.id, s.execution_id, s.node_key, s.kind, s.scope_path, s.output, k.outcomes, c.status as child,
               (select fails_with from workflow_timers t where t.tenant_id = s.tenant_id and t.step_id = s.id limit 1) as fails_with
        from workflow_steps s left join workflow_tasks k on k.tenant_id = s.tenant_id and k.step_id = s.id
        left join workflow_executions c on c.tenant_id = s.tenant_id and c.parent_step_id = s.id
        where s.tenant_id = %s and s.state = 'waiting' and s.execution_id in (
          select id from workflow_executions where tenant_id = %s and (id = %s or root_id = %s))
        order by s.created_at, s.id
        """,
        (stage.tenant_id, stage.tenant_id, stage.run_id, stage.run_id),
    ).all()
    for row in rows:
        if row.kind in BLOCKS:
            continue
        if row.kind == "subworkflow":
            if row.child in RUN_ENDED and children.hear(stage.tenant_id, row.execution_id, row.id):
                return True
            continue
        run, _row = locked_run(connection, stage.tenant_id, row.execution_id)
        if run is None:
            continue
        outcomes = [each["key"] for each in row.outcomes or ()]
        outcome = stage.samples.answer(run.graph.nodes[row.node_key], row.scope_path, outcomes) or _usual_answer(row, outcomes)
        stage.told[row.id] = {"effect": "answered"}
        settling.continue_from(connection, run, opening.waiting_step(connection, run, row.id, WORKER), outcome)
        return True
    return False


def _usual_answer(row: Any, outcomes: list[str]) -> Outcome:
    if outcomes:
        return decided(outcomes[0])
    if row.kind in ("signal", "callback"):
        return Done({"outcome": "received", "payload": None, "source": WORKER, "sent_at": None})
    return Done(row.output)


def decided(outcome: str) -> Done:
    """Return what a question ends with when this is what people say."""
    return Done({"outcome": outcome, "values": {}, "note": "", "by": "", "votes": []})


def expired(node: Node) -> Outcome:
    """Return how a step that waits for somebody ends when nobody comes."""
    asks = node["kind"] in ("approval", "task")
    if (node.get("config") or {}).get("if_late") == "fail":
        return Failed("task_expired" if asks else "signal_timeout")
    return Done({"outcome": "expired", "values": {}, "votes": []} if asks else {"outcome": "timeout", "payload": None})


def shape_of(node: Node) -> dict[str, Any]:
    """Return an empty result of a kind of step: the names that later steps can use."""
    action = ACTIONS.get(node["kind"])
    return {name: None for name, _label in action.outputs} if action else {}


def _told(stage: _Stage) -> list[dict[str, Any]]:
    rows = db.session().connection().exec_driver_sql(
        """
        select s.id, s.execution_id, s.node_key, s.kind, s.scope_path, s.gen, s.state, s.port, s.input, s.output, s.error
        from workflow_steps s join workflow_executions e on e.tenant_id = s.tenant_id and e.id = s.execution_id
        where s.tenant_id = %s and (e.id = %s or e.root_id = %s)
        order by s.ended_seq nulls last, s.created_at, s.id limit %s
        """,
        (stage.tenant_id, stage.run_id, stage.run_id, MOST_ROWS + 1),
    )  # fmt: skip
    return [
        {
            "key": row.node_key,
            "kind": row.kind,
            "scope": row.scope_path,
            "gen": row.gen,
            "state": row.state,
            "port": row.port,
            "input": _cut(masked(row.input)),
            "output": _cut(row.output),
            "error": row.error,
            "is_inner": row.execution_id != stage.run_id,
            **stage.told.get(row.id, {}),
        }
        for row in rows
    ]


def _cut(value: Any) -> Any:
    written = db.to_json(value)
    return value if len(written) <= LONGEST else f"{written[:LONGEST]}…"


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)

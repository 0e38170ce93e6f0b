"""T5 to T8: end an attempt, begin what follows."""

from __future__ import annotations

import logging
import random
import time
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.ids import new_id
from portal.workflows.actions.base import Call, Done, Failed, Outcome, Waiting
from portal.workflows.actions.registry import ACTIONS, FIELDS
from portal.workflows.definition import as_template, config_of
from portal.workflows.engine import plan, retry
from portal.workflows.engine.plan import Stand
from portal.workflows.engine.store.ending import end_cancelled
from portal.workflows.engine.store.leasing import read_run
from portal.workflows.engine.store.rows import (
    Lease,
    Moves,
    Run,
    announce_after,
    born,
    ending_of,
    idem_key,
    stand,
    wake,
)
from portal.workflows.engine.store.sql import read_steps, write_settle
from portal.workflows.expressions import ExpressionError, compile_template

log = logging.getLogger(__name__)

MAX_INLINE = 200
# How many db steps may follow in the transaction that ends the one before, and for how long: locks must stay short.
MAX_APPLIED = 10
MAX_APPLYING_S = 0.5
MAX_VALUE_BYTES = 256 * 1024


class _Refused(Exception):
    """A db action refused after the transaction began; what it wrote goes with the rollback."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.code)
        self.failed = failed


class _NotHere(Exception):
    """A db step that was tried in the transaction of the step before it did not work: each gets one of its own."""


def prepare(lease: Lease, run: Run) -> Call | Failed:
    """Compute a step's configuration from the run's values."""
    return _call(run, run.graph.nodes[lease.node_key], lease.attempt)


def settle(lease: Lease, run: Run, outcome: Outcome, *, carry: bool) -> Lease | None:
    """End the attempt: keep its outcome, begin what follows, finish the run if nothing is left. One transaction.

    Args:
        carry: lease the first step that follows to the same worker, in the same transaction; db steps are done in it.

    Returns:
        The lease of the step to go on with, or None. A lost lease changes nothing and raises nothing.
    """
    return _settled(lease, run, outcome, carry=carry)[1]


def apply(lease: Lease, run: Run | None, *, carry: bool) -> tuple[Run | None, Lease | None]:
    """Do a pure or db step in the transaction that settles it, and so exactly once.

    Args:
        run: what the worker knows of it; None has it read here, in the same transaction.
        carry: as for `settle`.

    Returns:
        The run, None if it has ended or is ending; and the lease as `settle` returns it.
    """
    return _settled(lease, run, None, carry=carry)


def _settled(lease: Lease, run: Run | None, outcome: Outcome | None, *, carry: bool) -> tuple[Run | None, Lease | None]:
    may_apply = carry
    for _attempt in range(3):
        try:
            return _settle(lease, run, outcome, carry=carry, may_apply=may_apply)
        except _NotHere:
            may_apply = False
        except _Refused as refused:
            outcome = refused.failed
    raise AssertionError("unreachable: neither can happen twice")


def _settle(
    lease: Lease,
    run: Run | None,
    outcome: Outcome | None,
    *,
    carry: bool,
    may_apply: bool,
) -> tuple[Run | None, Lease | None]:
    with db.transaction(lease.tenant_id) as session:
        connection = session.connection()
        if run is None:
            run = read_run(connection, lease)
        if run is None:
            return None, None
        row = connection.exec_driver_sql(
            """
            select e.status, e.cancel_at is not null as cancelled, e.event_seq, e.error
            from workflow_executions e join workflow_steps s on s.tenant_id = e.tenant_id and s.execution_id = e.id
            where e.tenant_id = %s and e.id = %s and s.id = %s and s.state = 'leased' and s.lease_epoch = %s
            for update of e, s
            """,
            (lease.tenant_id, lease.run_id, lease.step_id, lease.epoch),
        ).first()
        if row is None:
            return run, None
        if row.event_seq != run.event_seq:
            run.event_seq = row.event_seq
            read_steps(connection, run)
        if row.cancelled:
            end_cancelled(connection, run, lease, outcome if isinstance(outcome, Done) else None, row.error)
            return run, None
        config = None
        if outcome is None:
            call = prepare(lease, run)
            outcome, config = (call, None) if isinstance(call, Failed) else (_do(call, lease.kind), call.config)
        moves = Moves(run, lease.worker, may_carry=carry, may_apply=may_apply)
        step = _judge(lease, run, outcome, moves)
        if step["state"] == "succeeded":
            _follow(moves, lease.node_key)
        status = ending_of(moves)
        write_settle(connection, lease, step, moves, status, config)
        announce_after(run, moves, status, lease if step["state"] == "in_doubt" else None)
        return run, moves.carried


def _do(call: Call, kind: str) -> Outcome:
    try:
        outcome = ACTIONS[kind].perform(call)
    except DBAPIError:
        raise  # the transaction is lost either way; the move is repeated or the lease expires
    except Exception:
        log.exception("an action broke")
        raise _Refused(Failed("action_broke", again=True)) from None
    if isinstance(outcome, Failed):
        raise _Refused(outcome)
    return outcome


def _judge(lease: Lease, run: Run, outcome: Outcome | Any, moves: Moves) -> dict[str, Any]:
    """Turn an outcome into the step's new state, and tell the run's events."""
    node = run.graph.nodes[lease.node_key]
    if isinstance(outcome, Done):
        too_large = len(db.to_json(outcome.output)) > MAX_VALUE_BYTES
        if too_large:
            outcome = Failed("output_too_large", sent=False)
        else:
            moves.tell("step.succeeded", lease.node_key)
            moves.last_output = outcome.output
            return stand(run, node, "succeeded", port=outcome.port, output=outcome.output)
    if isinstance(outcome, Waiting):
        moves.tell("step.waiting", lease.node_key)
        moves.timers.append(_timer(lease.step_id, outcome, lease.epoch))
        return stand(run, node, "waiting", output=outcome.output)
    error = {"code": outcome.code, "detail": outcome.detail, "attempt": lease.attempt}
    if lease.effect == "unsafe" and outcome.sent is not False:
        moves.tell("step.in_doubt", lease.node_key, **error)
        return stand(run, node, "in_doubt", error=error)
    limit = int((node.get("retry") or {}).get("attempts", 3))
    chance = random.random()  # noqa: S311 - jitter
    delay_s = (
        retry.next_delay_s(
            lease.attempt,
            limit=limit,
            chance=chance,
            retry_after_s=outcome.retry_after_s,
        )
        if outcome.again
        else None
    )
    if delay_s is not None:
        moves.tell("step.retried", lease.node_key, **error, delay_s=round(delay_s, 3))
        return {**stand(run, node, "ready", error=error), "delay_s": delay_s}
    moves.tell("step.failed", lease.node_key, **error)
    moves.failed = {**error, "step": lease.node_key}
    return stand(run, node, "failed", error=error)


def _follow(moves: Moves, ended: str) -> None:
    """Begin what follows; pure and db steps are done here and now, in this transaction."""
    run, waiting = moves.run, [ended]
    while waiting:
        following = plan.after(run.graph, run.stands, waiting.pop(0))
        for key in following.skip:
            run.stands[key] = Stand("skipped", None)
            moves.born.append(born(run.id, run.graph.nodes[key], "skipped"))
            moves.tell("step.skipped", key)
        for key in following.begin:
            if moves.failed is None and _begin(moves, run.graph.nodes[key]):
                waiting.append(key)


def _begin(moves: Moves, node: dict[str, Any]) -> bool:
    """Bring a step to life; True if it could be done here and has already succeeded."""
    run, key = moves.run, node["key"]
    effect = ACTIONS[node["kind"]].effect(node.get("config") or {})
    if (effect == "pure" and len(moves.born) < MAX_INLINE) or (effect == "db" and _may_apply(moves)):
        return _compute(moves, node, effect)
    if moves.may_carry and moves.carried is None:
        row = born(run.id, node, "leased", epoch=1, attempt=1)
        moves.carried = Lease(
            run.tenant_id,
            run.id,
            UUID(row["id"]),
            key,
            node["kind"],
            effect,
            row["idem_key"],
            1,
            1,
            row["timeout_s"],
            moves.worker,
        )
    else:
        row = born(run.id, node, "ready")
        db.after_commit(wake)
    run.stands[key] = Stand(row["state"], None)
    moves.born.append(row)
    return False


def _may_apply(moves: Moves) -> bool:
    if not moves.may_apply or moves.applied >= MAX_APPLIED or time.monotonic() - moves.begun > MAX_APPLYING_S:
        return False
    moves.applied += 1
    return True


def _compute(moves: Moves, node: dict[str, Any], effect: str) -> bool:
    run, key = moves.run, node["key"]
    began = time.perf_counter()
    call = _call(run, node, attempt=1)
    outcome = call if isinstance(call, Failed) else _perform_here(call, node, effect)
    took_s = time.perf_counter() - began
    config = None if isinstance(call, Failed) else call.config
    if isinstance(outcome, Done) and len(db.to_json(outcome.output)) > MAX_VALUE_BYTES:
        outcome = Failed("output_too_large")
    if isinstance(outcome, Done):
        stand(run, node, "succeeded", port=outcome.port, output=outcome.output)
        moves.born.append(
            born(
                run.id,
                node,
                "succeeded",
                port=outcome.port,
                output=outcome.output,
                config=config,
                attempt=1,
                took_s=took_s,
            )
        )
        moves.tell("step.succeeded", key)
        moves.last_output = outcome.output
        return True
    if isinstance(outcome, Waiting):
        row = born(run.id, node, "waiting", output=outcome.output, config=config, attempt=1)
        moves.timers.append(_timer(row["id"], outcome, 0))
        moves.tell("step.waiting", key)
    else:
        error = {"code": outcome.code, "detail": outcome.detail, "attempt": 1}
        row = born(run.id, node, "failed", error=error, config=config, attempt=1)
        moves.tell("step.failed", key, **error)
        moves.failed = {**error, "step": key}
    run.stands[key] = Stand(row["state"], None)
    moves.born.append(row)
    return False


def _perform_here(call: Call, node: dict[str, Any], effect: str) -> Outcome:
    action = ACTIONS[node["kind"]]
    if effect == "pure":
        return action.perform(call)
    try:
        outcome = action.perform(call)
    except Exception as broken:
        # Whatever it was, the step meets it again in a transaction of its own, where it is judged, kept and retried.
        raise _NotHere from broken
    if isinstance(outcome, Failed):
        raise _NotHere
    return outcome


def _call(run: Run, node: dict[str, Any], attempt: int) -> Call | Failed:
    fields = FIELDS[node["kind"]]
    config, context = config_of(node, fields), run.context()
    types = {each.name: each.type for each in fields}
    for name, value in config.items():
        try:
            config[name] = _value(types[name], value, context)
        except ExpressionError as wrong:
            return Failed("expression", detail=f"{name}: {wrong.message}")
    return Call(
        run.tenant_id,
        run.id,
        run.workflow_name,
        run.workflow_name_ar,
        node["key"],
        config,
        idem_key(run.id, node["key"]),
        attempt,
        run.executed_by,
        int(node.get("timeout_s") or 30),
        context,
    )


def _value(kind: str, value: Any, context: dict[str, Any]) -> Any:
    if kind == "expression":
        if value in ("", None):
            return None  # an optional one that is not given
        return compile_template(as_template(value)).evaluate(context)
    if kind == "pairs":
        return [{"name": pair["name"], "value": _value("text", pair["value"], context)} for pair in value or ()]
    if kind in ("text", "long_text", "number", "duration", "datetime") and isinstance(value, str) and "$" in value:
        return compile_template(value).evaluate(context)
    return value


def _timer(step_id: UUID | str, waiting: Waiting, epoch: int) -> dict[str, Any]:
    until = waiting.until.isoformat() if waiting.until else None
    return {
        "id": str(new_id()),
        "step_id": str(step_id),
        "due_at": until,
        "after_s": waiting.after_s,
        "epoch": epoch,
    }


def continue_from(connection: Connection, run: Run, lease: Lease, outcome: Done | Failed) -> None:
    """Settle a step that nobody leases (a timer fired, a person decided), and begin what follows."""
    moves = Moves(run, lease.worker, may_carry=False)
    step = _judge(lease, run, outcome, moves)
    if step["state"] == "succeeded":
        _follow(moves, lease.node_key)
    status = ending_of(moves)
    write_settle(connection, lease, step, moves, status, None)
    announce_after(run, moves, status, None)

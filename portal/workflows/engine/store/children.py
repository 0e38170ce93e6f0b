"""Sub-workflows: a run that starts another one and waits for its end. Parent and child never lock each other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.core import db
from portal.core.errors import Invalid, NotFound
from portal.workflows import inputs, payloads, queries, redaction
from portal.workflows.actions.base import Calls, Done, Failed, Waiting
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.engine.store.rows import Lease, Moves
from portal.workflows.errors import GateFull
from portal.workflows.redaction import Secrets

MAX_DEPTH = 10


def begin(moves: Moves, step_id: UUID, calls: Calls) -> Waiting | Failed:
    """Accept the child in the transaction that makes its parent's step wait."""
    from portal.workflows.engine.store import starting
    from portal.workflows.engine.store.reading import published

    run = moves.run
    if run.depth + 1 > MAX_DEPTH:
        return Failed("child_too_deep")
    try:
        live = queries.live_version(run.tenant_id, calls.workflow_id)
        if live is None:
            return Failed("child_not_found")
        declared = published(moves.connection, run.tenant_id, live.id).settings.get("inputs", [])
        values = inputs.read(declared, calls.given)
    except NotFound:
        return Failed("child_not_found")
    except Invalid as wrong:
        return Failed("child_input", detail="; ".join(f"{key}: {text}" for key, text in wrong.problems.items()))
    try:
        child_id, _new = starting.start(
            run.tenant_id, calls.workflow_id, live.id, input_data=values, by=run.executed_by,
            parent=starting.Parent(step_id, run.root_id or run.id, run.depth + 1), secrets=run.secrets, keys_of=_keys_of(moves, step_id),
        )  # fmt: skip
    except GateFull:
        return Failed("child_gate_full", again=True, sent=False)
    return Waiting(output={"run_id": str(child_id)})


def _keys_of(moves: Moves, step_id: UUID) -> UUID | None:
    """Return the run whose keys a called run carries: in a replay with the same keys, that of the run which this step called back then."""
    run = moves.run
    if run.keys_of is None:
        return None
    born = next((row for row in moves.born if row["id"] == str(step_id)), None)
    place = (born["node_key"], born["scope"], born["gen"]) if born else moves.connection.exec_driver_sql(
        "select node_key, scope_path, gen from workflow_steps where tenant_id = %s and id = %s", (run.tenant_id, step_id)
    ).one()  # fmt: skip
    found: UUID | None = moves.connection.exec_driver_sql(
        """
        select coalesce(e.keys_of, e.id) from workflow_steps s
        join workflow_executions e on e.tenant_id = s.tenant_id and e.parent_step_id = s.id
        where s.tenant_id = %s and s.execution_id = %s and s.node_key = %s and s.scope_path = %s and s.gen = %s limit 1
        """,
        (run.tenant_id, run.keys_of, *place),
    ).scalar()
    return found


def hear(tenant_id: UUID, parent_id: UUID, step_id: UUID) -> bool:
    """Tell a waiting step that the run it started has ended; False when it does not wait any more. Safe to repeat."""
    from portal.workflows.engine.store.reading import locked_run
    from portal.workflows.engine.store.settling import continue_from

    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("hear")
        run, row = locked_run(connection, tenant_id, parent_id)
        step = connection.exec_driver_sql(
            """
            select s.tenant_id, s.id, s.node_key, s.kind, s.effect_class, s.idem_key, s.lease_epoch, s.attempt, s.timeout_s, s.scope_path, s.gen,
                   e.id as child, e.status, e.error, e.output_data
            from workflow_steps s join workflow_executions e on e.tenant_id = s.tenant_id and e.parent_step_id = s.id
            where s.tenant_id = %s and s.id = %s and s.state = 'waiting' for update of s
            """,
            (tenant_id, step_id),
        ).first()
        if run is None or step is None or step.status not in RUN_ENDED or row.status == "paused":
            return False
        lease = Lease(
            tenant_id, parent_id, step.id, step.node_key, step.kind, step.effect_class, step.idem_key, step.lease_epoch, step.attempt,
            step.timeout_s, step.scope_path, step.gen, "engine",
        )  # fmt: skip
        continue_from(connection, run, lease, _outcome(step, run.secrets))
    return True


def _outcome(step: Any, known: Secrets) -> Done | Failed:
    if step.status == "succeeded":
        return Done(
            {
                "run_id": str(step.child),
                "output": redaction.opened(step.tenant_id, payloads.read_one(step.tenant_id, step.output_data), known),
            }
        )
    error = step.error or {}
    return Failed("child_failed", detail=f"{step.status}: {error.get('code', '')} {error.get('detail') or ''}".strip(" :"))

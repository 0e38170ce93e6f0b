"""Runs: where they stand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, stream_with_context

from portal.api import bodies
from portal.core.access import Permission, access, requires
from portal.workflows import service as workflows
from portal.workflows.history import service as workflow_history

bp = Blueprint("api_runs", __name__, url_prefix="/api/v1/runs")


@bp.get("/<uuid:run_id>")
@requires(Permission.RUN_READ)
def detail(run_id: UUID) -> Response:
    run, version, steps = workflows.get_run(access().tenant_id, run_id)
    return bodies.answer(
        {
            "id": str(run.id),
            "workflow_id": str(run.workflow_id),
            "version": version.number,
            "status": run.status,
            "has_ended": workflows.has_ended(run.status),
            "started_by": str(run.executed_by) if run.executed_by else None,
            "input": workflows.whole_value(run.tenant_id, run.input_data),
            "output": workflows.whole_value(run.tenant_id, run.output_data),
            "error": run.error,
            "created_at": run.created_at,
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "steps": [_step(step) for step in steps],
        }
    )


@bp.get("/<uuid:run_id>/history")
@requires(Permission.RUN_READ)
def history(run_id: UUID) -> Response:
    """The events with their hashes, as a file that `portal verify-history` checks without a database."""
    lines = workflow_history.export(workflow_history.head_of(access().tenant_id, run_id))
    return Response(stream_with_context(lines), mimetype="application/json", headers={"Cache-Control": "private, no-store"})


def _step(step: Any) -> dict[str, Any]:
    return {
        "key": step.node_key,
        "kind": step.kind,
        "state": step.state,
        "attempt": step.attempt,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
    }

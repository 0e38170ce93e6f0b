"""Trying one step, or the way up to it, from the inspector of the designer."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from portal.core.access import Permission, access, requires
from portal.workflows import explain, queries
from portal.workflows.designer import answers, edits
from portal.workflows.designer.lanes import lane_name
from portal.workflows.versions import stepping
from portal.workflows.versions.reserve import TrialsBusy

bp = Blueprint("step_trials", __name__)


@bp.post("/workflows/<uuid:workflow_id>/design/steps/<key>/try")
@requires(Permission.WORKFLOW_EDIT)
def try_it(workflow_id: UUID, key: str) -> Response:
    here = access()
    nodes = queries.get_workflow(here.tenant_id, workflow_id).nodes
    node = edits.find(nodes, key)
    verb = stepping.try_path if request.form.get("how") == stepping.PATH else stepping.try_step
    try:
        tried = verb(here.tenant_id, workflow_id, key, may_read=here.can(Permission.RUN_READ), by=here.actor)
    except TrialsBusy as busy:
        return answers.show(workflow_id, step=key, status=409, busy=busy.message)
    said = {
        "result": tried,
        "why": explain.explain_error(tried.error),
        "lane": lane_name(node, tried.port) if tried.port and tried.port != "out" else "",
    }
    return answers.show(workflow_id, step=key, tried=said)

"""What an expression gives with samples, and the samples that people pin to steps."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import Response, request

from portal.core.access import Permission, access, requires
from portal.core.errors import Invalid, NotFound
from portal.core.render import render
from portal.i18n.words import gettext as _
from portal.workflows import queries
from portal.workflows.actions.registry import FIELDS
from portal.workflows.designer import answers, bidi, edits
from portal.workflows.designer.answers import bp, edited, editing
from portal.workflows.expressions import MAX_TEMPLATE
from portal.workflows.inspector import pins, preview, sources
from portal.workflows.models import WorkflowTemplate

ID = re.compile(r"[\w-]{1,160}\Z", re.ASCII)


@bp.post("/steps/<key>/preview")
@requires(Permission.WORKFLOW_EDIT)
def preview_of(workflow_id: UUID, key: str) -> Response:
    here = access()
    workflow = queries.get_workflow(here.tenant_id, workflow_id)
    node = edits.find(workflow.nodes, key)
    name, id_ = request.form.get("preview_field", "").removeprefix("c-").removesuffix("-value"), request.form.get("preview_id", "")
    if not ID.match(id_) or name not in [each.name for each in FIELDS.get(node["kind"], ())]:
        raise NotFound
    samples = sources.samples_of(workflow, key, may_read=here.can(Permission.RUN_READ))
    desk = preview.Desk(node, workflow.nodes, workflow.settings, samples)
    text = bidi.bare(request.form.get("preview_text", "")).replace("\r\n", "\n")
    made = desk.preview(name, text[: MAX_TEMPLATE + 1])
    return render("workflows/designer/preview.html", id=id_, made=made)


@bp.post("/steps/<key>/sample")
@editing
def pin(workflow_id: UUID, key: str) -> Response:
    here, do, text = access(), request.form.get("do", ""), request.form.get("sample", "").replace("\r\n", "\n")
    workflow = queries.get_workflow(here.tenant_id, workflow_id)
    node = None if key == pins.INPUTS else edits.find(workflow.nodes, key)
    if do == "unpin":
        pins.unpin(here.tenant_id, workflow_id, key)
        return edited(workflow_id, key, _("The sample was removed."), push=False)
    outlives = "outlives" in request.form
    run_id: UUID | None
    try:
        if do == "last":
            value, run_id = _last(workflow, node)
        else:
            # What somebody changed was taken from the run all the same.
            run_id = pins.run_of(workflow, key) or _run_of_form()
            value = pins.read(text)
            if node is None and not isinstance(value, dict):
                raise Invalid({"sample": _("The sample of the inputs is a group of values in { }.")})
        pins.pin(here.tenant_id, workflow_id, key, value, by=here.actor, run_id=run_id, outlives=outlives)
    except Invalid as wrong:
        return answers.show(
            workflow_id, step=key, status=422, sample={"text": text, "error": wrong.problems["sample"], "outlives": outlives}
        )
    return edited(workflow_id, key, _("Pinned as a sample."), push=False)


def _last(workflow: WorkflowTemplate, node: dict[str, Any] | None) -> sources.Last:
    found = None
    if access().can(Permission.RUN_READ):
        found = sources.last_inputs(workflow) if node is None else sources.last_result(workflow, node)
    if found is None:
        raise Invalid({"sample": _("No run has a result of this step yet.")})
    return found


def _run_of_form() -> UUID | None:
    """Return the run whose values stood in the form before somebody wrote into it."""
    try:
        return UUID(request.form.get("run", ""))
    except ValueError:
        return None

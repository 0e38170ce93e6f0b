"""The page on which runs that have begun go on with the live version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.errors import Invalid
from portal.core.render import render, see_other
from portal.i18n.words import gettext as _
from portal.lists import service as lists
from portal.workflows import queries as workflows
from portal.workflows.differences import words
from portal.workflows.versions import moving, queries

bp = Blueprint("moves", __name__, url_prefix="/workflows/<uuid:workflow_id>/versions/move")


@bp.get("")
@requires(Permission.RUN_OPERATE)
def show(workflow_id: UUID) -> Response:
    return _show(workflow_id)


@bp.post("")
@requires(Permission.RUN_OPERATE)
def move(workflow_id: UUID) -> Response:
    here = access()
    workflows.get_workflow(here.tenant_id, workflow_id)
    able = {str(line.run.id) for line in moving.preview(here.tenant_id, workflow_id)}
    chosen = [UUID(each) for each in request.form.getlist("ids") if each in able]
    if not chosen:
        return _show(workflow_id, status=422, problem=_("Nothing was chosen. Tick at least one run."))
    kind = lists.get("runs")
    try:
        bulk_id = lists.ask(here, kind, kind.verb("move"), ids=chosen[: moving.MOST], state=lists.read(kind, {}))
    except Invalid:
        return _show(
            workflow_id, status=422, problem=_("Five of your actions on many rows are still at work. Wait until one of them is over.")
        )
    return see_other(url_for("lists.bulk", bulk_id=bulk_id))


def _show(workflow_id: UUID, *, status: int = 200, problem: Any = "") -> Response:
    here = access()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    live = workflows.get_version(here.tenant_id, workflow.published_version_id) if workflow.published_version_id else None
    lines = moving.preview(here.tenant_id, workflow_id)
    names = words.names_of([*(live.nodes if live else ()), *workflow.nodes])
    # A step that is gone has its name in the version of the run only.
    for number in {line.run.number for line in lines if (bar := line.fit.obstacle) and bar.step and bar.step not in names}:
        names = words.names_of(queries.numbered(here.tenant_id, workflow_id, number).nodes) | names
    return render(
        "versions/move.html", status=status, workflow=workflow, live=live, lines=lines[: moving.MOST], is_more=len(lines) > moving.MOST,
        names=names, reasons=moving.REASONS, problem=problem,
    )  # fmt: skip

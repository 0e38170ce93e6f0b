"""The map: the whole draft as one picture, to look at, to go on from, and to take along."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for
from markupsafe import Markup

from portal.core.access import Permission, access, requires
from portal.core.render import render
from portal.i18n.locale import current, plain_name
from portal.workflows import queries, vetting
from portal.workflows.designer import drawing
from portal.workflows.designer.answers import bp
from portal.workflows.designer.flow import draft_tree
from portal.workflows.designer.layout import Picture, lay_out, mirrored
from portal.workflows.models import WorkflowTemplate


@bp.get("/map")
@requires(Permission.WORKFLOW_EDIT)
def show_map(workflow_id: UUID) -> Response:
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    link = url_for("designer.show", workflow_id=workflow_id)
    return render(
        "workflows/designer/map.html",
        workflow=workflow,
        picture=_drawn(workflow, _picture(workflow), link=link),
        is_actual=request.args.get("size") == "actual",
    )


@bp.get("/map.svg")
@requires(Permission.WORKFLOW_EDIT)
def map_svg(workflow_id: UUID) -> Response:
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    return _file(workflow, "svg", "image/svg+xml", _drawn(workflow, _picture(workflow)).encode())


@bp.get("/map.png")
@requires(Permission.WORKFLOW_EDIT)
def map_png(workflow_id: UUID) -> Response:
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    picture = _picture(workflow)
    return _file(workflow, "png", "image/png", drawing.rasterised(_drawn(workflow, picture), picture))


def _picture(workflow: WorkflowTemplate) -> Picture:
    picture = lay_out(draft_tree(workflow.nodes, vetting.check_draft(workflow)))
    return mirrored(picture) if current().dir == "rtl" else picture


def _drawn(workflow: WorkflowTemplate, picture: Picture, *, link: str = "") -> Markup:
    return drawing.draw(picture, title=plain_name(workflow), is_rtl=current().dir == "rtl", link=link)


def _file(workflow: WorkflowTemplate, ending: str, media_type: str, content: bytes) -> Response:
    answer = Response(content, mimetype=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=f"workflow-{workflow.id}.{ending}")
    return answer

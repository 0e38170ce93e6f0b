"""How the designer answers: the whole designer after each edit, which htmx morphs into place, or a redirect for a plain form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access
from portal.core.render import changed, is_fragment_request, render, see_other, toast
from portal.identity import service as identity
from portal.workflows import queries
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import Node
from portal.workflows.designer import drafts, edits, kept, page, zoom
from portal.workflows.designer.drafts import DraftChanged
from portal.workflows.designer.edits import Place

bp = Blueprint("designer", __name__, url_prefix="/workflows/<uuid:workflow_id>/design")


def show(workflow_id: UUID, *, step: str = "", status: int = 200, form: Any = None, **said: Any) -> Response:
    """Render the designer.

    Args:
        said: what this answer adds: announce, notice, undoable, published, refused, conflict, summary, focus.
    """
    here = access()
    shown = page.page_of(here.tenant_id, workflow_id, step=step, form=form)
    size = zoom.of(shown["cards"])
    answer = render(
        "workflows/designer/show.html",
        fragment="designer",
        status=status,
        kinds=list(ACTIONS.values()),
        can_publish=here.can(Permission.WORKFLOW_PUBLISH),
        can_run=here.can(Permission.RUN_START),
        is_choosing=request.args.get("select") == "1" or bool(said.get("chosen")),
        copied=kept.count(here.tenant_id),
        zoom=size,
        **shown,
        said=said,
    )
    return zoom.keep(answer, size)


def edited(workflow_id: UUID, step: str, said: str, *, push: bool = True, **extra: Any) -> Response:
    """The designer after an edit: as a fragment with its sentence, or through a redirect for a plain form."""
    url = url_for("designer.show", workflow_id=workflow_id, step=step or None)
    if not is_fragment_request():
        toast(said)
        return see_other(f"{url}#inspector" if step else url)
    answer = changed(url, lambda: show(workflow_id, step=step, announce=said, **extra))
    if push:
        answer.headers["HX-Push-Url"] = url
    return answer


def conflict(workflow_id: UUID, refused: DraftChanged, *, step: str = "", form: Any = None) -> Response:
    """Show the draft as it is now, with what was typed still in the form, and who was faster."""
    name = identity.names_of([refused.by]).get(refused.by) if refused.by else None
    said = {"by": name, "at": refused.at, "keeps": form is not None}
    return show(workflow_id, step=step, status=409, form=form, conflict=said)


def node_of(workflow_id: UUID, key: str) -> Node:
    """Return a step of the draft; one that somebody deleted meanwhile is a change of the draft, not a wrong address."""
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    if not any(node["key"] == key for node in workflow.nodes):
        drafts.check_revision(workflow, revision())
    return edits.find(workflow.nodes, key)


def asked_place(given: Any) -> Place:
    return Place(given.get("parent") or None, given.get("lane") or None, given.get("after") or None)


def revision() -> int:
    """Return the revision that the page showed; a form without one is treated as out of date."""
    text = request.form.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1

"""How the designer answers: the whole designer after each edit, which htmx morphs into place, or a redirect for a plain form."""

from __future__ import annotations

from functools import wraps
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.errors import Forbidden
from portal.core.render import changed, is_fragment_request, render, see_other, toast
from portal.identity import service as identity
from portal.workflows import queries
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import Node
from portal.workflows.designer import conflicts, drafts, edits, kept, page, zoom
from portal.workflows.designer.drafts import DraftChanged
from portal.workflows.designer.edits import Place
from portal.workflows.designer.fields import StartForm, StepForm

bp = Blueprint("designer", __name__, url_prefix="/workflows/<uuid:workflow_id>/design")
# Edits that can be made again as they were sent; undo, redo and publish mean another thing after somebody else's edit.
REPEATABLE = frozenset({"designer.add", "designer.move", "designer.delete", "designer.change_chosen", "designer.paste"})


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


def conflict(workflow_id: UUID, refused: DraftChanged, *, step: str = "", form: StepForm | StartForm | None = None) -> Response:
    """Show the draft as it is now, with what was typed on top of it, what the other one changed, and who that was."""
    tenant_id = access().tenant_id
    both = conflicts.both(tenant_id, workflow_id, revision=revision(), step=step, form=form)
    said = {
        "by": identity.names_of([refused.by]).get(refused.by) if refused.by else None,
        "at": refused.at,
        "keeps": both.form is not None,
        "both": both,
        "again": _again(workflow_id) if form is None else None,
        "address": request.path,
    }
    return show(workflow_id, step=step, status=409, form=both.form, conflict=said)


def _again(workflow_id: UUID) -> list[tuple[str, str]] | None:
    """Return the fields of the edit that was refused, to make it all the same; None where it is not possible any more."""
    given = [(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "revision")]
    keys = [key for name, value in given if name == "key" for key in value.split(",")] + [str((request.view_args or {}).get("key") or "")]
    place = None
    if "place" in request.form:
        place = page.read_place(request.form["place"])
    elif request.endpoint in ("designer.add", "designer.paste"):
        place = asked_place(request.form)
    if request.endpoint not in REPEATABLE:
        return None
    return given if conflicts.is_still_possible(access().tenant_id, workflow_id, filter(None, keys), place) else None


def editing(view: Any) -> Any:
    """Let only people who may edit workflows into the view; who may not any more gets back what they typed."""
    guarded = requires(Permission.WORKFLOW_EDIT)(view)

    @wraps(guarded)
    def answered(*args: Any, **kwargs: Any) -> Response:
        try:
            answer: Response = guarded(*args, **kwargs)
            return answer
        except Forbidden:
            if access().can(Permission.WORKFLOW_EDIT):
                raise
            return _lost()

    return answered


def _lost() -> Response:
    shown = [(name, value) for name, value in request.form.items(multi=True) if _is_typed(name) and value.strip()]
    return render("workflows/designer/lost.html", fragment="designer", status=403, typed=shown)


def _is_typed(name: str) -> bool:
    return name.startswith(("c-", "i-")) or name in ("name", "name_ar", "note", "text")


def node_of(workflow_id: UUID, key: str) -> Node:
    """Return a step of the draft; one that somebody deleted meanwhile is a change of the draft, not a wrong address."""
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    if not any(node["key"] == key for node in workflow.nodes):
        drafts.check_revision(workflow, revision())
    return edits.find(workflow.nodes, key)


def node_shown(workflow_id: UUID, key: str) -> Node:
    """Return a step as the page showed it, by the revision in its form; as it is now when that is not kept."""
    then = drafts.as_it_was(access().tenant_id, workflow_id, revision())
    shown = next((node for node in then[0] if node["key"] == key), None) if then else None
    return shown or node_of(workflow_id, key)


def asked_place(given: Any) -> Place:
    return Place(given.get("parent") or None, given.get("lane") or None, given.get("after") or None)


def revision() -> int:
    """Return the revision that the page showed; a form without one is treated as out of date."""
    text = request.form.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1

"""Several steps at once: moved, duplicated, copied, deleted; and put in again, here or in another workflow."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for

from portal.core.access import Permission, access
from portal.core.errors import Invalid, NotFound
from portal.core.render import is_fragment_request, render, see_other, toast
from portal.i18n.formats import number as formatted
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext
from portal.workflows import queries
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import MAX_NODES, Node
from portal.workflows.designer import answers, clips, drafts, edits, kept, page, several
from portal.workflows.designer.answers import asked_place, bp, conflict, edited, editing, revision
from portal.workflows.designer.clips import ClipRefused
from portal.workflows.designer.drafts import DraftChanged

UP_DOWN = {"up": -1, "down": 1}


@bp.post("/chosen")
@editing
def change_chosen(workflow_id: UUID) -> Response:
    keys = list(dict.fromkeys(key for value in request.form.getlist("key") for key in value.split(",") if key))[:MAX_NODES]
    do = request.form.get("do", "")
    if not keys:
        return _said_wrong(workflow_id, _("Choose at least one step."), is_choosing=True)
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    if not set(keys) <= {node["key"] for node in workflow.nodes}:
        try:
            drafts.check_revision(workflow, revision())
        except DraftChanged as refused:
            return conflict(workflow_id, refused)
        raise NotFound
    if do == "copy":
        return _copy(workflow_id, workflow.nodes, workflow.draft_revision, keys)
    if do == "to" and "place" not in request.form:
        return _ask_place(workflow_id, keys)
    try:
        return _obey(workflow_id, do, keys)
    except DraftChanged as refused:
        return conflict(workflow_id, refused)
    except Invalid as refused:
        return _said_wrong(workflow_id, str(refused))


def _obey(workflow_id: UUID, do: str, keys: list[str]) -> Response:
    here = access()
    stay = request.form.get("stay", "")
    if do == "delete":
        beside = several.beside(queries.get_workflow(here.tenant_id, workflow_id).nodes, keys) or "start"
        drafts.delete_steps(here.tenant_id, workflow_id, keys, revision=revision(), by=here.actor)
        said = ngettext("%(num)d step was deleted.", "%(num)d steps were deleted.", len(keys))
        return edited(workflow_id, "", said, undoable=True, focus=beside)
    if do == "duplicate":
        made = drafts.duplicate_steps(here.tenant_id, workflow_id, keys, revision=revision(), by=here.actor)
        said = ngettext("%(num)d step was duplicated.", "%(num)d steps were duplicated.", len(made))
        return edited(workflow_id, stay, said, push=False, undoable=True, focus=made[0], chosen=made if len(made) > 1 else [])
    if do not in ("to", *UP_DOWN):
        raise NotFound
    where = UP_DOWN.get(do) or page.read_place(request.form.get("place", ""))
    drafts.move_steps(here.tenant_id, workflow_id, keys, where, revision=revision(), by=here.actor)
    return edited(workflow_id, stay, _moved(workflow_id, keys), push=False, focus=keys[0], chosen=keys if len(keys) > 1 else [])


def _moved(workflow_id: UUID, keys: list[str]) -> str:
    nodes = queries.get_workflow(access().tenant_id, workflow_id).nodes
    first = several.tops(nodes, keys)[0]["key"]
    position = next(number for number, node in enumerate(nodes, 1) if node["key"] == first)
    return ngettext(
        "%(num)d step moved. %(place)s, position %(position)s of %(total)s.",
        "%(num)d steps moved. %(place)s, position %(position)s of %(total)s.",
        len(keys),
        place=page.place_sentence(nodes, edits.place_of(nodes, first)),
        position=formatted(position),
        total=formatted(len(nodes)),
    )


def _copy(workflow_id: UUID, nodes: list[Node], at: int, keys: list[str]) -> Response:
    on_top = [node["key"] for node in several.tops(nodes, keys)]
    kept.keep(access().tenant_id, workflow_id, at, on_top)
    said = ngettext(
        "%(num)d step copied. Press + where it belongs, also in another workflow, and choose “Paste here”.",
        "%(num)d steps copied. Press + where they belong, also in another workflow, and choose “Paste here”.",
        len(on_top),
    )
    if not is_fragment_request():
        toast(said)
        return see_other(url_for("designer.show", workflow_id=workflow_id))
    return answers.show(
        workflow_id,
        step=request.form.get("stay", ""),
        announce=said,
        clip=clips.write(several.part_of(nodes, on_top)),
        focus=on_top[0],
        chosen=keys if len(keys) > 1 else [],
    )


def _ask_place(workflow_id: UUID, keys: list[str]) -> Response:
    """Without a script: ask on a page of its own where the chosen steps go."""
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    moving = several.tops(workflow.nodes, keys)
    free = edits.places_in(several.without(workflow.nodes, moving))
    return render(
        "workflows/designer/place.html",
        workflow=workflow,
        moving=moving,
        keys=keys,
        free_places=[(page.place_value(place), page.place_sentence(workflow.nodes, place)) for place in free],
    )


@bp.post("/paste")
@editing
def paste(workflow_id: UUID) -> Response:
    here = access()
    place = page.read_place(request.form["place"]) if "place" in request.form else asked_place(request.form)
    text = request.form.get("text", "")
    try:
        part = clips.read(text) if text.strip() else kept.part(here.tenant_id)
        if part is None:
            raise ClipRefused(_("Nothing is kept to be pasted, or it is not kept any more. Copy the steps again."))
        made = drafts.paste_steps(here.tenant_id, workflow_id, _usable(part), place, revision=revision(), by=here.actor)
    except DraftChanged as refused:
        return conflict(workflow_id, refused)
    except (ClipRefused, Invalid) as refused:
        return _said_wrong(workflow_id, str(refused))
    said = ngettext("%(num)d step was put in.", "%(num)d steps were put in.", len(made))
    return edited(workflow_id, "", said, push=False, undoable=True, focus=made[0], chosen=made if len(made) > 1 else [])


def _usable(part: list[Node]) -> list[Node]:
    """Leave out connections for who may not use any: the check then asks for one, as it does of a new step."""
    if access().can(Permission.CONNECTION_USE):
        return part
    return [
        {**node, "config": {name: value for name, value in (node.get("config") or {}).items() if name not in _connecting(node)}}
        for node in part
    ]


def _connecting(node: Node) -> set[str]:
    action = ACTIONS.get(node["kind"])
    return {field.name for field in action.fields if field.type == "connection"} if action else set()


def _said_wrong(workflow_id: UUID, words: str, *, is_choosing: bool = False) -> Response:
    """Say in the design why nothing was done."""
    return answers.show(workflow_id, step=request.form.get("stay", ""), status=422, wrong=words, chosen=["-"] if is_choosing else [])

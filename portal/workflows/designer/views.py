"""The designer's pages: every edit is a form, every answer the whole designer, which htmx morphs into place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, request, url_for
from flask_babel import force_locale

from portal.core.access import Permission, access, requires
from portal.core.errors import Forbidden, NotFound
from portal.core.render import is_fragment_request, render, see_other
from portal.i18n.formats import number as formatted
from portal.i18n.locale import plain_name
from portal.i18n.words import gettext as _
from portal.workflows import inputs, queries, service, uses
from portal.workflows.actions.registry import ACTIONS, begins
from portal.workflows.definition import DEFAULT_ATTEMPTS, DEFAULT_TIMEOUT_S, Problem
from portal.workflows.designer import answers, drafts, edits, fields, kept, page
from portal.workflows.designer.answers import asked_place, bp, conflict, edited, editing, node_of, revision
from portal.workflows.designer.drafts import DraftChanged
from portal.workflows.designer.edits import Place
from portal.workflows.errors import DraftInvalid


@bp.get("")
@requires(Permission.WORKFLOW_EDIT)
def show(workflow_id: UUID) -> Response:
    return answers.show(workflow_id, step=request.args.get("step", ""))


@bp.get("/add")
@requires(Permission.WORKFLOW_EDIT)
def pick(workflow_id: UUID) -> Response:
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    place = asked_place(request.args)
    if place not in edits.places(workflow.nodes):
        raise NotFound
    return render(
        "workflows/designer/pick.html",
        workflow=workflow,
        place=place,
        sentence=page.place_sentence(workflow.nodes, place),
        copied=kept.count(access().tenant_id),
        kinds=list(ACTIONS.values()),
    )


@bp.post("/add")
@editing
def add(workflow_id: UUID) -> Response:
    here = access()
    action = ACTIONS.get(request.form.get("kind", ""))
    if action is None:
        raise NotFound
    names = {}
    for name, tag in (("name", "en"), ("name_ar", "ar")):
        with force_locale(tag):
            names[name] = str(action.label)
    node = {"kind": action.kind, **names, "config": begins(action), "retry": {"attempts": DEFAULT_ATTEMPTS}, "timeout_s": DEFAULT_TIMEOUT_S}
    place = asked_place(request.form)
    try:
        key = drafts.add_step(here.tenant_id, workflow_id, node, place, revision=revision(), by=here.actor)
    except DraftChanged as refused:
        return conflict(workflow_id, refused)
    return edited(workflow_id, key, _added(workflow_id, key, place), focus=key)


@bp.post("/steps/<key>")
@editing
def save(workflow_id: UUID, key: str) -> Response:
    here = access()
    form = None
    try:
        node = answers.node_shown(workflow_id, key)
        form = fields.read_step(node, ACTIONS.get(node["kind"]), request.form)
        if form.errors:
            return answers.show(workflow_id, step=key, status=422, form=form, summary=not _is_autosave())
        chosen = (form.changes["config"] or {}).get("connection") or ""
        if chosen and chosen != (node.get("config") or {}).get("connection") and not here.can(Permission.CONNECTION_USE):
            raise Forbidden
        drafts.change_step(here.tenant_id, workflow_id, key, form.changes, revision=revision(), by=here.actor, dropped_case=_dropped_case())
    except DraftChanged as refused:
        return conflict(workflow_id, refused, step=key, form=form)
    return edited(workflow_id, key, _("Saved."), push=False)


@bp.post("/start")
@editing
def save_start(workflow_id: UUID) -> Response:
    here = access()
    workflow = queries.get_workflow(here.tenant_id, workflow_id)
    form = fields.read_start(workflow.settings, request.form)
    if form.errors:
        return answers.show(workflow_id, step="start", status=422, form=form, summary=not _is_autosave())
    try:
        drafts.change_start(here.tenant_id, workflow_id, form.settings, revision=revision(), by=here.actor)
    except DraftChanged as refused:
        return conflict(workflow_id, refused, step="start", form=form)
    wish = request.form.get("do", "")
    opened = _opened(wish, len(form.settings["inputs"]))
    return edited(workflow_id, "start", _("Saved."), push=False, opened=opened, fresh=opened if wish == "add" else None)


def _opened(wish: str, count: int) -> int | None:
    """Return which input stays unfolded after a button of the start card: the added or the moved one."""
    what, _colon, number = wish.partition(":")
    if what == "add":
        return count - 1
    return int(number) + {"up": -1, "down": 1}[what] if what in ("up", "down") and number.isdecimal() else None


@bp.post("/steps/<key>/move")
@editing
def move(workflow_id: UUID, key: str) -> Response:
    here = access()
    direction = request.form.get("direction", "")
    where: Place | int = {"up": -1, "down": 1}.get(direction) or page.read_place(request.form.get("place", ""))
    try:
        node_of(workflow_id, key)
        drafts.move_step(here.tenant_id, workflow_id, key, where, revision=revision(), by=here.actor)
    except DraftChanged as refused:
        return conflict(workflow_id, refused, step=key)
    nodes = queries.get_workflow(here.tenant_id, workflow_id).nodes
    position = next(number for number, node in enumerate(nodes, 1) if node["key"] == key)
    said = _(
        "“%(step)s” moved. %(place)s, position %(number)s of %(total)s.",
        step=plain_name(edits.find(nodes, key)),
        place=page.place_sentence(nodes, edits.place_of(nodes, key)),
        number=formatted(position),
        total=formatted(len(nodes)),
    )
    return edited(workflow_id, request.form.get("stay", key), said, push="stay" not in request.form)


@bp.post("/steps/<key>/delete")
@editing
def delete(workflow_id: UUID, key: str) -> Response:
    here = access()
    try:
        said = _("“%(step)s” was deleted.", step=plain_name(node_of(workflow_id, key)))
        beside = edits.beside(queries.get_workflow(here.tenant_id, workflow_id).nodes, key) or "start"
        drafts.delete_step(here.tenant_id, workflow_id, key, revision=revision(), by=here.actor)
    except DraftChanged as refused:
        return conflict(workflow_id, refused, step=key)
    return edited(workflow_id, "", said, undoable=True, focus=beside)


@bp.post("/undo")
@editing
def undo(workflow_id: UUID) -> Response:
    return _travel(workflow_id, drafts.undo, lambda what: _("Undone: %(what)s.", what=what), _("There is nothing to undo."))


@bp.post("/redo")
@editing
def redo(workflow_id: UUID) -> Response:
    return _travel(workflow_id, drafts.redo, lambda what: _("Done again: %(what)s.", what=what), _("There is nothing to redo."))


def _travel(workflow_id: UUID, verb: Any, done: Callable[[Any], str], nothing: str) -> Response:
    here = access()
    step = request.form.get("stay", "")
    try:
        label = verb(here.tenant_id, workflow_id, revision=revision(), by=here.actor)
    except DraftChanged as refused:
        return conflict(workflow_id, refused, step=step)
    return edited(workflow_id, step, done(page.WHAT.get(label, label)) if label else nothing, push=False)


@bp.post("/publish")
@requires(Permission.WORKFLOW_PUBLISH)
def publish(workflow_id: UUID) -> Response:
    here = access()
    step = request.form.get("stay", "")
    nodes = queries.get_workflow(here.tenant_id, workflow_id).nodes
    if uses.connections_of(nodes) and not here.can(Permission.CONNECTION_USE):
        using = [node["key"] for node in nodes if uses.connections_of([node])]
        return answers.show(workflow_id, step=step, status=422, refused=[Problem(key, "connection", inputs.MAY_NOT_USE) for key in using])
    if service.needs_approval(here.tenant_id):
        return _to_request(workflow_id)
    try:
        number = drafts.publish(here.tenant_id, workflow_id, revision=revision(), by=here.actor)
    except DraftInvalid as refused:
        return answers.show(workflow_id, step=step, status=422, refused=refused.problems)
    except DraftChanged as refused:
        return conflict(workflow_id, refused, step=step)
    return edited(workflow_id, step, _("Version %(number)s is live.", number=formatted(number)), push=False, published=number)


def _to_request(workflow_id: UUID) -> Response:
    """Lead on to the page where others are asked to agree."""
    url = url_for("approvals.ask", workflow_id=workflow_id)
    return Response(status=200, headers={"HX-Redirect": url}) if is_fragment_request() else see_other(url)


def _added(workflow_id: UUID, key: str, place: Place) -> str:
    nodes = queries.get_workflow(access().tenant_id, workflow_id).nodes
    position = next(number for number, node in enumerate(nodes, 1) if node["key"] == key)
    if place.after is None:
        return _("Step added, position %(number)s of %(total)s.", number=formatted(position), total=formatted(len(nodes)))
    return _(
        "Step added after “%(step)s”, position %(number)s of %(total)s.",
        step=plain_name(edits.find(nodes, place.after)),
        number=formatted(position),
        total=formatted(len(nodes)),
    )


def _dropped_case() -> int | None:
    which, _colon, number = request.form.get("drop", "").partition(":")
    return int(number) + 1 if which == "cases" and number.isdecimal() else None


def _is_autosave() -> bool:
    return "autosave" in request.form

"""Saved views, columns and bulk actions of any list."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import clock
from portal.core.access import access, signed_in
from portal.core.checks import checkable
from portal.core.errors import Forbidden, Invalid
from portal.core.ids import new_id
from portal.core.render import changed, is_fragment_request, render, see_other, toast
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.lists import bulk, kinds, queries, service
from portal.lists.errors import TooLate, TooManyViews
from portal.lists.kinds import ListKind, Verb
from portal.lists.reading import ListState, moved, read, read_stored
from portal.lists.showing import Shown

bp = Blueprint("lists", __name__)

REASONS: dict[str, Any] = {
    "gone": _l("It is not there any more."),
    "broke": _l("It could not be changed. Try this one alone; if it fails again, tell us."),
}
REFUSALS: dict[str, Any] = {
    "none": _l("Nothing was chosen. Tick at least one row, or choose all that match."),
    "many": _l("Choose at most 200 rows one by one, or all that match."),
    "busy": _l("Five of your actions on many rows are still at work. Wait until one of them is over."),
}


def _kind(name: str) -> ListKind:
    """Return the list that a form names, if this person may read it."""
    kind = kinds.get(name)
    if not access().can(kind.permission):
        raise Forbidden
    return kind


def _sent_state(kind: ListKind) -> ListState:
    """Read the state that a page put into its form as one text."""
    return read(kind, parse_qs(request.form.get("query", ""), keep_blank_values=True, max_num_fields=200))


def _back(kind: ListKind, state: ListState | None = None, **more: str) -> str:
    """Return the address of a list in a state."""
    shown = Shown(kind, url_for(kind.endpoint), state or read(kind, {}))
    return shown.href(shown.state, **more)


@bp.get("/views/new")
@signed_in
def new_view() -> Response:
    kind = _kind(request.args.get("list", ""))
    return _view_form(kind, state=read(kind, request.args.to_dict(flat=False)))


@bp.post("/views")
@signed_in
@checkable
def save_view() -> Response:
    here, kind = access(), _kind(request.form.get("list", ""))
    state, name = _sent_state(kind), request.form.get("name", "")
    is_shared = "is_shared" in request.form
    try:
        view_id = service.save_view(here, kind, name=name, state=state, is_shared=is_shared)
    except Invalid as wrong:
        return _view_form(kind, state=state, name=name, is_shared=is_shared, problems=wrong.problems)
    except TooManyViews as full:
        toast(full.message, "warning")
        return see_other(_back(kind, state))
    toast(_("The view is saved."))
    return see_other(url_for(kind.endpoint, view=view_id))


@bp.get("/views/<uuid:view_id>")
@signed_in
def edit_view(view_id: UUID) -> Response:
    here = access()
    view = queries.my_view(here.tenant_id, here.person_id, view_id)
    kind = _kind(view.list_name)
    return _view_form(kind, state=read_stored(kind, view.query), view_id=view_id, name=view.name, is_shared=view.is_shared)


@bp.post("/views/<uuid:view_id>")
@signed_in
@checkable
def rename_view(view_id: UUID) -> Response:
    here = access()
    view = queries.my_view(here.tenant_id, here.person_id, view_id)
    kind, name, is_shared = _kind(view.list_name), request.form.get("name", ""), "is_shared" in request.form
    try:
        service.rename_view(here, view_id, name=name, is_shared=is_shared)
    except Invalid as wrong:
        state = read_stored(kind, view.query)
        return _view_form(kind, state=state, view_id=view_id, name=name, is_shared=is_shared, problems=wrong.problems)
    toast(_("Saved."))
    return see_other(url_for(kind.endpoint, view=view_id))


def _view_form(
    kind: ListKind, *, state: ListState, view_id: UUID | None = None, name: str = "", is_shared: bool = False,
    problems: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    here = access()
    shown = Shown(kind, url_for(kind.endpoint), state, can_share=service.may_share(here))
    return render(
        "lists/view_form.html",
        status=422 if problems else 200,
        shown=shown,
        view_id=view_id,
        name="".join(each for each in name if each.isprintable()),
        is_shared=is_shared,
        problems=problems or {},
    )


@bp.post("/views/<uuid:view_id>/update")
@signed_in
def update_view(view_id: UUID) -> Response:
    here = access()
    kind = _kind(queries.my_view(here.tenant_id, here.person_id, view_id).list_name)
    service.update_view(here, view_id, state=_sent_state(kind))
    toast(_("The view shows this from now on."))
    return see_other(url_for(kind.endpoint, view=view_id))


@bp.post("/views/<uuid:view_id>/first")
@signed_in
def open_first(view_id: UUID) -> Response:
    here = access()
    kind = _kind(queries.open_view(here.tenant_id, here.person_id, view_id).list_name)
    is_first = request.form.get("first") == "1"
    service.open_first(here, view_id, is_first=is_first)
    toast(_("The list opens with this view from now on.") if is_first else _("The list opens with all rows from now on."))
    return see_other(url_for(kind.endpoint, view=view_id))


@bp.post("/views/<uuid:view_id>/delete")
@signed_in
def delete_view(view_id: UUID) -> Response:
    here = access()
    kind = _kind(queries.my_view(here.tenant_id, here.person_id, view_id).list_name)
    service.delete_view(here, view_id)
    return see_other(url_for(kind.endpoint, view="all", deleted=view_id))


@bp.post("/views/<uuid:view_id>/restore")
@signed_in
def restore_view(view_id: UUID) -> Response:
    here = access()
    kind = _kind(queries.my_view(here.tenant_id, here.person_id, view_id, deleted=True).list_name)
    service.restore_view(here, view_id)
    toast(_("The view is back."))
    return see_other(url_for(kind.endpoint, view=view_id))


@bp.post("/columns")
@signed_in
def choose_columns() -> Response:
    """Remember columns for the person; with a view open they become part of what is shown, so that the view can keep them."""
    here, kind = access(), _kind(request.form.get("list", ""))
    given = request.form.to_dict(flat=False)
    columns = _moved(tuple(given.get("cols", [])))
    state = read(kind, {**parse_qs(request.form.get("query", ""), keep_blank_values=True), "cols": ["", *columns]})
    if view := request.form.get("view", ""):
        return see_other(_back(kind, state, view=view))
    service.choose_columns(here, kind, None if "usual" in given else state.columns)
    return see_other(_back(kind, ListState(state.filters, state.sort)))


def _moved(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns as the pressed button, if it was one that moves a column, puts them in order."""
    return moved(moved(columns, request.form.get("up", ""), by=-1), request.form.get("down", ""), by=1)


@bp.post("/bulk")
@signed_in
def ask_bulk() -> Response:
    here, kind = access(), _kind(request.form.get("list", ""))
    verb, state = kind.verb(request.form.get("verb", "")), _sent_state(kind)
    try:
        ids = None if request.form.get("all") else [UUID(each) for each in request.form.getlist("ids")]
        if verb.rehearse is not None and not request.form.get("sure"):
            return _rehearsal(kind, verb, ids, state)
        bulk_id = bulk.ask(here, kind, verb, ids=ids, state=state)
    except Invalid as wrong:
        toast(str(REFUSALS[wrong.problems["ids"]]), "warning")
        return see_other(_back(kind, state))
    except ValueError:
        toast(str(REFUSALS["none"]), "warning")
        return see_other(_back(kind, state))
    return see_other(url_for("lists.bulk", bulk_id=bulk_id))


def _rehearsal(kind: ListKind, verb: Verb, ids: list[UUID] | None, state: ListState) -> Response:
    """Show what a verb would do; only the form on that page asks for it."""
    found = bulk.rehearse(access(), kind, verb, ids=ids, state=state)
    said = {**REASONS, **verb.reasons}
    return render(
        "lists/rehearsal.html",
        kind=kind,
        verb=verb,
        rehearsal=found,
        refused=[(said.get(code, REASONS["broke"]), number) for code, number in found.refused.items()],
        ids=ids,
        query=request.form.get("query", ""),
        back=_back(kind, state),
    )


@bp.get("/bulk/<uuid:bulk_id>", endpoint="bulk")
@signed_in
def show_bulk(bulk_id: UUID) -> Response:
    return _bulk(bulk_id)


def _bulk(bulk_id: UUID) -> Response:
    here = access()
    action = queries.get_bulk(here.tenant_id, here.person_id, bulk_id)
    kind = kinds.get(action.list_name)
    verb = kind.verb(action.verb)
    ids = [UUID(each["id"]) for each in action.reasons]
    names = kind.names(here.tenant_id, ids) if kind.names and ids else {}
    said = {**REASONS, **verb.reasons}
    return render(
        "lists/bulk.html",
        fragment="progress",
        action=action,
        kind=kind,
        title=verb.title(action.total),
        icon=verb.icon,
        left_s=max(0, round((action.starts_at - clock.now()).total_seconds())),
        can_undo=bulk.can_undo(action, verb),
        tick=new_id().hex if is_fragment_request() or not action.is_over else "",
        back=_back(kind, read_stored(kind, action.query)),
        reasons=[
            (names.get(UUID(each["id"])), url_for(kind.row_endpoint, **{kind.row_argument: each["id"]}), said.get(each["code"], REASONS["broke"]))
            for each in action.reasons
        ],
    )  # fmt: skip


@bp.post("/bulk/<uuid:bulk_id>/undo")
@signed_in
def undo_bulk(bulk_id: UUID) -> Response:
    try:
        back_id = bulk.undo(access(), bulk_id)
    except TooLate:
        toast(_("It is too late to undo this."), "warning")
        back_id = None
    if back_id is not None:
        return see_other(url_for("lists.bulk", bulk_id=back_id))
    return changed(url_for("lists.bulk", bulk_id=bulk_id), lambda: _bulk(bulk_id))


@bp.post("/bulk/<uuid:bulk_id>/stop")
@signed_in
def stop_bulk(bulk_id: UUID) -> Response:
    try:
        bulk.stop(access(), bulk_id)
    except TooLate:
        toast(_("It was over before it could be stopped."), "info")
    return changed(url_for("lists.bulk", bulk_id=bulk_id), lambda: _bulk(bulk_id))

"""Pages of requests to publish: asking with the difference attached, and deciding."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from wtforms import StringField
from wtforms.validators import Length

from portal.core.access import Permission, access, requires
from portal.core.errors import Forbidden
from portal.core.forms import Form
from portal.core.render import render, see_other, toast
from portal.i18n import names
from portal.i18n.formats import number as formatted
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.workflows import queries as workflows
from portal.workflows import uses
from portal.workflows.designer.drafts import DraftChanged
from portal.workflows.differences import diff
from portal.workflows.errors import DraftInvalid, WrongState
from portal.workflows.versions import publishing, sides
from portal.workflows.versions.publishing import AskedAlready, Called, NothingNew
from portal.workflows.versions.views import shown

bp = Blueprint("approvals", __name__)


class NoteForm(Form):
    note = StringField(_l("Note"), [Length(max=1000, message=_l("Use at most 1000 characters.")), names.sound], filters=[names.tidy_lines])


class AskForm(NoteForm):
    name = StringField(_l("Name"), [Length(max=120, message=_l("Use at most 120 characters.")), names.sound], filters=[names.tidy])
    name_ar = StringField(
        _l("Name in Arabic"), [Length(max=120, message=_l("Use at most 120 characters.")), names.sound], filters=[names.tidy]
    )

    def called(self) -> Called:
        return Called(self.name.data or None, self.name_ar.data or None, self.note.data or None)


@bp.get("/workflows/<uuid:workflow_id>/publish-request")
@requires(Permission.WORKFLOW_EDIT)
def ask(workflow_id: UUID) -> Response:
    return _ask(workflow_id, AskForm(formdata=None))


@bp.post("/workflows/<uuid:workflow_id>/publish-request")
@requires(Permission.WORKFLOW_EDIT)
def save(workflow_id: UUID) -> Response:
    here, form = access(), AskForm()
    number = _number()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    wanted = sides.side(here.tenant_id, workflow, sides.DRAFT if number is None else str(number))
    if not form.validate():
        return _ask(workflow_id, form, status=422)
    if uses.connections_of(wanted.nodes) and not here.can(Permission.CONNECTION_USE):
        return _ask(workflow_id, form, status=422, refused=_("A step uses a connection, and your role may use none."))
    given = request.form.get("revision", "")
    revision = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else -1
    try:
        made = publishing.ask(here.tenant_id, workflow_id, number=number, revision=revision, called=form.called(), by=here.actor)
    except DraftChanged:
        return _ask(
            workflow_id, form, status=409, refused=_("Somebody changed the draft meanwhile. Look at what differs now, then ask again.")
        )
    except DraftInvalid as wrong:
        return _ask(workflow_id, form, status=422, refused=wrong.problems[0].message)
    except NothingNew:
        return _ask(workflow_id, form, status=422, refused=_("This is live already, so there is nothing to agree to."))
    except AskedAlready:
        open_one = publishing.open_request(here.tenant_id, workflow_id)
        toast(_("Somebody has asked already; this is the request."), "info")
        return see_other(
            url_for("approvals.show", request_id=open_one.id) if open_one else url_for("approvals.ask", workflow_id=workflow_id)
        )
    if publishing.checkers(here.tenant_id, publishing.get(here.tenant_id, made)):
        toast(_("Asked. Those who may agree were told."))
    else:
        toast(_("Asked, but nobody is there who may agree."), "warning")
    return see_other(url_for("approvals.show", request_id=made))


@bp.get("/publish-requests/<uuid:request_id>")
@requires(Permission.WORKFLOW_READ)
def show(request_id: UUID) -> Response:
    return _show(request_id, NoteForm(formdata=None))


@bp.post("/publish-requests/<uuid:request_id>/approve")
@requires(Permission.WORKFLOW_PUBLISH)
def approve(request_id: UUID) -> Response:
    here, form = access(), NoteForm()
    publishing.get(here.tenant_id, request_id)
    if not form.validate():
        return _show(request_id, form, status=422)
    try:
        number = publishing.approve(here, request_id, note=form.note.data)
    except Forbidden as refused:
        return _show(request_id, form, status=403, refused=refused.message)
    except WrongState:
        return _show(request_id, form, status=409, refused=_("The request is not open any more."))
    except DraftInvalid as wrong:
        return _show(request_id, form, status=422, refused=wrong.problems[0].message)
    toast(_("Version %(number)s is live.", number=formatted(number)))
    return see_other(url_for("approvals.show", request_id=request_id))


@bp.post("/publish-requests/<uuid:request_id>/reject")
@requires(Permission.WORKFLOW_PUBLISH)
def reject(request_id: UUID) -> Response:
    here, form = access(), NoteForm()
    publishing.get(here.tenant_id, request_id)
    if not form.validate():
        return _show(request_id, form, status=422)
    if not form.note.data:
        return _show(request_id, form, status=422, problems={"note": _("Say what should be different.")})
    try:
        publishing.reject(here, request_id, note=form.note.data)
    except Forbidden as refused:
        return _show(request_id, form, status=403, refused=refused.message)
    except WrongState:
        return _show(request_id, form, status=409, refused=_("The request is not open any more."))
    toast(_("Rejected. Who asked was told."))
    return see_other(url_for("approvals.show", request_id=request_id))


@bp.post("/publish-requests/<uuid:request_id>/withdraw")
@requires(Permission.WORKFLOW_EDIT)
def withdraw(request_id: UUID) -> Response:
    try:
        publishing.withdraw(access(), request_id)
    except WrongState:
        toast(_("The request is not open any more."), "info")
    else:
        toast(_("The request was taken back."))
    return see_other(url_for("approvals.show", request_id=request_id))


def _ask(workflow_id: UUID, form: AskForm, *, status: int = 200, refused: Any = "") -> Response:
    here, number = access(), _number()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    new = sides.side(here.tenant_id, workflow, sides.DRAFT if number is None else str(number))
    live = workflows.get_version(here.tenant_id, workflow.published_version_id) if workflow.published_version_id else None
    old = sides.of_version(live).definition if live else ([], {})
    return render(
        "versions/ask.html", status=status, workflow=workflow, number=number, live=live, form=form, refused=refused,
        open_request=publishing.open_request(here.tenant_id, workflow_id), **shown(diff.compare(old, new.definition)),
    )  # fmt: skip


def _show(request_id: UUID, form: NoteForm, *, status: int = 200, refused: Any = "", problems: dict[str, Any] | None = None) -> Response:
    here = access()
    found = publishing.get(here.tenant_id, request_id)
    base = workflows.get_version(here.tenant_id, found.base_version_id) if found.base_version_id else None
    old = sides.of_version(base).definition if base else ([], {})
    of = workflows.get_version(here.tenant_id, found.version_id) if found.version_id else None
    made = workflows.get_version(here.tenant_id, found.made_version_id) if found.made_version_id else None
    return render(
        "versions/request.html", status=status, workflow=workflows.get_workflow(here.tenant_id, found.workflow_id), asked=found, base=base,
        of=of, made=made, form=form, refused=refused, problems=problems or form.problems(), may=publishing.standing(here, found),
        is_stuck=found.state == "open" and not publishing.checkers(here.tenant_id, found),
        names=identity.names_of(each for each in (found.asked_by, found.decided_by) if each),
        **shown(diff.compare(old, (found.nodes, found.settings))),
    )  # fmt: skip


def _number() -> int | None:
    text = request.values.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

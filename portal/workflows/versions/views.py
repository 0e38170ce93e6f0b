"""Pages of versions: the list, two of them compared, what one is called, bringing one back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from wtforms import StringField
from wtforms.validators import Length

from portal.core.access import Access, Permission, access, requires
from portal.core.errors import NotFound
from portal.core.forms import Form
from portal.core.render import render, see_other, toast
from portal.i18n import names
from portal.i18n.formats import number as formatted
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.workflows import queries as workflows
from portal.workflows import service as workflow_service
from portal.workflows import uses
from portal.workflows.designer.drafts import DraftChanged
from portal.workflows.designer.flow import run_tree
from portal.workflows.differences import diff, words
from portal.workflows.errors import DraftInvalid, NeedsApproval
from portal.workflows.models import WorkflowTemplate
from portal.workflows.versions import publishing, queries, service, sides
from portal.workflows.versions.sides import DRAFT, Side

bp = Blueprint("versions", __name__, url_prefix="/workflows/<uuid:workflow_id>/versions")
PAGE = 50


class LabelForm(Form):
    name = StringField(_l("Name"), [Length(max=120, message=_l("Use at most 120 characters.")), names.sound], filters=[names.tidy])
    name_ar = StringField(
        _l("Name in Arabic"), [Length(max=120, message=_l("Use at most 120 characters.")), names.sound], filters=[names.tidy]
    )
    note = StringField(
        _l("What to know of it"), [Length(max=1000, message=_l("Use at most 1000 characters.")), names.sound], filters=[names.tidy_lines]
    )


@bp.get("")
@requires(Permission.WORKFLOW_READ)
def listing(workflow_id: UUID) -> Response:
    here = access()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    live = workflows.get_version(here.tenant_id, workflow.published_version_id) if workflow.published_version_id else None
    before = request.args.get("before", "")
    found = list(queries.list_versions(here.tenant_id, workflow_id, before=int(before) if _is_number(before) else None, limit=PAGE))
    rows, has_more = found[:PAGE], len(found) > PAGE
    return render(
        "versions/list.html",
        open_request=publishing.open_request(here.tenant_id, workflow_id),
        workflow=workflow,
        live=live,
        draft_changed=workflow_service.is_draft_changed(workflow, live),
        versions=rows,
        more=rows[-1].number if has_more else None,
        is_first=not before,
        runs=queries.live_runs(here.tenant_id, workflow_id),
        names=identity.names_of(row.author_id for row in rows if row.author_id),
        can_edit=here.can(Permission.WORKFLOW_EDIT),
        can_move=here.can(Permission.RUN_OPERATE),
        can_publish=here.can(Permission.WORKFLOW_PUBLISH),
        needs_approval=workflow_service.needs_approval(here.tenant_id),
    )


@bp.get("/compare")
@requires(Permission.WORKFLOW_READ)
def compare(workflow_id: UUID) -> Response:
    here = access()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    old, new = _sides(here, workflow)
    rows = queries.list_versions(here.tenant_id, workflow_id, limit=500)
    found = diff.compare(old.definition, new.definition)
    return render(
        "versions/compare.html",
        workflow=workflow,
        old=old,
        new=new,
        choices=[(DRAFT, _("Draft")), *((str(row.number), _named(row)) for row in rows)],
        **shown(found),
    )


def shown(found: diff.Difference) -> dict[str, Any]:
    """Return what `versions/_difference.html` needs."""
    return {
        "difference": found,
        "steps": words.steps_of(found),
        "counts": words.counts_of(found),
        "setting_lines": words.settings_of(found),
        "inputs_changed": [(each.new, words.lines_of(each)) for each in found.inputs_changed],
    }


@bp.get("/<int:number>")
@requires(Permission.WORKFLOW_READ)
def show(workflow_id: UUID, number: int) -> Response:
    """Show a version as it was published, to be read only."""
    here = access()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    version = queries.numbered(here.tenant_id, workflow_id, number)
    return render(
        "versions/show.html",
        workflow=workflow,
        version=version,
        row=queries.get_row(here.tenant_id, workflow_id, number),
        is_live=workflow.published_version_id == version.id,
        author=identity.names_of([version.author_id]).get(version.author_id) if version.author_id else None,
        cards=run_tree(version.nodes, {}),
    )


@bp.get("/<int:number>/name")
@requires(Permission.WORKFLOW_EDIT)
def label(workflow_id: UUID, number: int) -> Response:
    here = access()
    version = queries.get_row(here.tenant_id, workflow_id, number)
    form = LabelForm(data={"name": version.label, "name_ar": version.label_ar, "note": version.note}, formdata=None)
    return _label(workflow_id, number, form)


@bp.post("/<int:number>/name")
@requires(Permission.WORKFLOW_EDIT)
def save_label(workflow_id: UUID, number: int) -> Response:
    here, form = access(), LabelForm()
    queries.get_row(here.tenant_id, workflow_id, number)
    if not form.validate():
        return _label(workflow_id, number, form, status=422)
    given = {"name": form.name.data, "name_ar": form.name_ar.data, "note": form.note.data}
    service.label_version(here.tenant_id, workflow_id, number, **given, by=here.actor)
    toast(_("Saved."))
    return see_other(url_for("versions.listing", workflow_id=workflow_id))


@bp.post("/<int:number>/restore")
@requires(Permission.WORKFLOW_EDIT)
def restore(workflow_id: UUID, number: int) -> Response:
    """Put a version in the place of the draft."""
    here = access()
    given = request.form.get("revision", "")
    try:
        service.restore_to_draft(here.tenant_id, workflow_id, number, revision=int(given) if _is_number(given) else -1, by=here.actor)
    except DraftChanged:
        toast(_("Somebody changed the draft meanwhile. Look at it, then bring the version back if it is still wanted."), "warning")
        return see_other(url_for("versions.listing", workflow_id=workflow_id))
    toast(_("The draft is version %(number)s again. Undo brings your draft back.", number=formatted(number)))
    return see_other(url_for("designer.show", workflow_id=workflow_id))


@bp.post("/<int:number>/publish")
@requires(Permission.WORKFLOW_PUBLISH)
def publish(workflow_id: UUID, number: int) -> Response:
    """Publish a version again, as a new one."""
    here = access()
    old = queries.numbered(here.tenant_id, workflow_id, number)
    back = see_other(url_for("versions.listing", workflow_id=workflow_id))
    if uses.connections_of(old.nodes) and not here.can(Permission.CONNECTION_USE):
        toast(_("The version uses a connection, and your role may use none."), "warning")
        return back
    try:
        made = service.roll_back(here.tenant_id, workflow_id, number, by=here.actor)
    except DraftInvalid as refused:
        toast(
            _("Version %(number)s cannot run any more: %(problem)s", number=formatted(number), problem=refused.problems[0].message), "error"
        )
        return back
    except NeedsApproval:
        return see_other(url_for("approvals.ask", workflow_id=workflow_id, version=number))
    toast(_("Version %(number)s is live.", number=formatted(made)))
    return back


def _label(workflow_id: UUID, number: int, form: LabelForm, *, status: int = 200) -> Response:
    workflow = workflows.get_workflow(access().tenant_id, workflow_id)
    return render("versions/name.html", status=status, workflow=workflow, number=number, form=form)


def _sides(here: Access, workflow: WorkflowTemplate) -> tuple[Side, Side]:
    """Return what an address asks to compare; without a word the live version with the draft."""
    wanted = request.args.get("from", ""), request.args.get("to", "")
    if not wanted[0]:
        if workflow.published_version_id is None:
            raise NotFound
        live = workflows.get_version(here.tenant_id, workflow.published_version_id)
        return sides.of_version(live), sides.side(here.tenant_id, workflow, wanted[1] or DRAFT)
    old, new = (sides.side(here.tenant_id, workflow, each or DRAFT) for each in wanted)
    return old, new


def _named(row: Any) -> str:
    return _("Version %(number)s", number=formatted(row.number))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10

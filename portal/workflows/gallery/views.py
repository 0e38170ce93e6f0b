"""Pages of the gallery: the shelf, the look before the use, saving a workflow as a template."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import ids
from portal.core.access import Permission, access, requires
from portal.core.checks import checkable
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.workflows import queries as workflows
from portal.workflows.designer import flow
from portal.workflows.forms import ActionForm
from portal.workflows.gallery import queries, service, shelf
from portal.workflows.gallery.forms import ICONS, SampleForm
from portal.workflows.gallery.models import WorkflowSample
from portal.workflows.samples import catalogue
from portal.workflows.samples.catalogue import CATEGORIES

bp = Blueprint("gallery", __name__)
SHOWN = ("name", "name_ar", "description", "description_ar", "category", "icon")


@bp.get("/templates")
@requires(Permission.WORKFLOW_EDIT)
def listing() -> Response:
    words, wanted = request.args.get("q", "").strip()[:100], request.args.get("category", "")
    sections = shelf.found(queries.listing(access().tenant_id), words)
    known = {each.key for each in sections}
    return render(
        "gallery/list.html",
        words=words,
        wanted=wanted if wanted in known else "",
        sections=sections,
        shown=[each for each in sections if each.samples and (wanted not in known or wanted == each.key)],
        total=sum(len(each.samples) for each in sections),
        kinds_of=shelf.kinds_of,
    )


@bp.get("/templates/show")
@requires(Permission.WORKFLOW_EDIT)
def show() -> Response:
    sample = catalogue.get(request.args.get("template", ""))
    nodes, settings = sample.draft()
    action = {"action": url_for("gallery.use"), "fields": {"template": sample.slug}, "own": None}
    return _preview(sample, nodes, shelf.needs_of(access().tenant_id, nodes, settings, sample), **action)


@bp.post("/templates/use")
@requires(Permission.WORKFLOW_EDIT)
def use() -> Response:
    here, form = access(), ActionForm()
    slug = request.form.get("template", "")
    catalogue.get(slug)
    if not form.validate():
        return see_other(url_for("gallery.show", template=slug))
    workflow_id = service.use(here.tenant_id, slug, key=_key(), timezone=here.timezone, by=here.actor)
    return see_other(url_for("designer.show", workflow_id=workflow_id))


@bp.get("/templates/<uuid:sample_id>")
@requires(Permission.WORKFLOW_EDIT)
def show_own(sample_id: UUID) -> Response:
    here = access()
    sample = queries.get(here.tenant_id, sample_id)
    action = {"action": url_for("gallery.use_own", sample_id=sample_id), "fields": {}, "own": sample_id}
    return _preview(sample, sample.nodes, shelf.needs_of(here.tenant_id, sample.nodes, sample.settings), **action)


@bp.post("/templates/<uuid:sample_id>")
@requires(Permission.WORKFLOW_EDIT)
def use_own(sample_id: UUID) -> Response:
    here, form = access(), ActionForm()
    queries.get(here.tenant_id, sample_id)
    if not form.validate():
        return see_other(url_for("gallery.show_own", sample_id=sample_id))
    return see_other(url_for("designer.show", workflow_id=service.use_own(here.tenant_id, sample_id, key=_key(), by=here.actor)))


@bp.get("/workflows/<uuid:workflow_id>/template")
@requires(Permission.WORKFLOW_EDIT)
def save_as(workflow_id: UUID) -> Response:
    workflow = workflows.get_workflow(access().tenant_id, workflow_id)
    given = {name: getattr(workflow, name) for name in SHOWN if name != "icon"}
    known = given["category"] in CATEGORIES
    return _save_page(
        workflow, SampleForm(data={**given, "category": given["category"] if known else "general", "icon": "workflow"}, formdata=None)
    )


@bp.post("/workflows/<uuid:workflow_id>/template")
@requires(Permission.WORKFLOW_EDIT)
@checkable
def save(workflow_id: UUID) -> Response:
    here = access()
    workflow, form = workflows.get_workflow(here.tenant_id, workflow_id), SampleForm()
    if not form.validate():
        return _save_page(workflow, form, status=422)
    sample_id = service.save(here.tenant_id, workflow_id, _given(form), by=here.actor)
    toast(_("Saved as a template of your organisation."))
    return see_other(url_for("gallery.show_own", sample_id=sample_id))


@bp.get("/templates/<uuid:sample_id>/edit")
@requires(Permission.WORKFLOW_EDIT)
def edit(sample_id: UUID) -> Response:
    sample = queries.get(access().tenant_id, sample_id)
    return _edit_page(sample, SampleForm(data={name: getattr(sample, name) for name in SHOWN}, formdata=None))


@bp.post("/templates/<uuid:sample_id>/edit")
@requires(Permission.WORKFLOW_EDIT)
@checkable
def change(sample_id: UUID) -> Response:
    here = access()
    sample, form = queries.get(here.tenant_id, sample_id), SampleForm()
    if not form.validate():
        return _edit_page(sample, form, status=422)
    service.change(here.tenant_id, sample_id, _given(form), by=here.actor)
    toast(_("Saved."))
    return see_other(url_for("gallery.show_own", sample_id=sample_id))


@bp.get("/templates/<uuid:sample_id>/delete")
@requires(Permission.WORKFLOW_EDIT)
def ask_delete(sample_id: UUID) -> Response:
    return render("gallery/delete.html", sample=queries.get(access().tenant_id, sample_id))


@bp.post("/templates/<uuid:sample_id>/delete")
@requires(Permission.WORKFLOW_EDIT)
def delete(sample_id: UUID) -> Response:
    here, form = access(), ActionForm()
    queries.get(here.tenant_id, sample_id)
    if not form.validate():
        return see_other(url_for("gallery.ask_delete", sample_id=sample_id))
    service.delete(here.tenant_id, sample_id, by=here.actor)
    toast(_("The template is deleted. Workflows that were begun with it stay."))
    return see_other(url_for("gallery.listing"))


def _preview(sample: Any, nodes: list[Any], needs: shelf.Needs, **action: Any) -> Response:
    category = CATEGORIES.get(sample.category, CATEGORIES["general"])[0]
    return render(
        "gallery/show.html",
        sample=sample,
        category=category,
        needs=needs,
        flow=flow.draft_tree(shelf.drawn(nodes), []),
        request_key=str(ids.new_id()),
        **action,
    )


def _save_page(workflow: Any, form: SampleForm, *, status: int = 200) -> Response:
    return render("gallery/form.html", status=status, workflow=workflow, sample=None, form=form, categories=CATEGORIES, icons=ICONS)


def _edit_page(sample: WorkflowSample, form: SampleForm, *, status: int = 200) -> Response:
    return render("gallery/form.html", status=status, workflow=None, sample=sample, form=form, categories=CATEGORIES, icons=ICONS)


def _given(form: SampleForm) -> dict[str, Any]:
    return {name: form[name].data or None for name in SHOWN}


def _key() -> str:
    """The key of the form; one without it makes a workflow each time."""
    return request.form.get("request_key", "")[:100] or str(ids.new_id())

"""Pages of workflows, and the start of a run; the pages of runs are in `runs`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for

from portal.core import ids, paging
from portal.core.access import Permission, access, requires
from portal.core.checks import checkable
from portal.core.errors import Invalid
from portal.core.render import is_fragment_request, render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.lists import service as lists
from portal.workflows import explain, list_queries, queries, service
from portal.workflows.errors import GateFull, NotPublished
from portal.workflows.exchange import service as exchange
from portal.workflows.forms import DescribeForm, NewWorkflowForm
from portal.workflows.gallery import queries as own_samples
from portal.workflows.gallery import shelf
from portal.workflows.list_queries import RunFilter
from portal.workflows.lists import WORKFLOWS, workflow_filter
from portal.workflows.samples import catalogue
from portal.workflows.triggers import service as triggers
from portal.workflows.triggers.service import TurnedOff

bp = Blueprint("workflows", __name__)


@bp.get("/")
@requires(Permission.WORKFLOW_READ)
def home() -> Response:
    return see_other(url_for("home.show"))


@bp.get("/workflows")
@requires(Permission.WORKFLOW_READ)
def listing() -> Response:
    here = access()
    shown = lists.open_list(WORKFLOWS, request.args.to_dict(flat=False), here, url=url_for("workflows.listing"))
    key = list_queries.workflow_sorts()[shown.state.sort_name]
    place, wanted = paging.read_place(shown.cursor, key.kind), workflow_filter(shown.state.filters)
    found = list_queries.list_workflows(here.tenant_id, wanted=wanted, sort=shown.state.sort, place=place)
    listing = paging.counted(found, lambda limit: list_queries.count_workflows(here.tenant_id, wanted=wanted, limit=limit))
    return render(
        "workflows/list.html",
        shown=shown,
        listing=listing,
        rows=[explain.workflow_row(row) for row in listing.items],
        range=lists.range_of(listing),
        verbs=lists.verbs_for(WORKFLOWS, here),
        deleted=lists.deleted_view(here, request.args.get("deleted")),
        can_edit=here.can(Permission.WORKFLOW_EDIT),
    )


@bp.get("/workflows/new")
@requires(Permission.WORKFLOW_EDIT)
def new() -> Response:
    sample = catalogue.get(request.args.get("sample", catalogue.BLANK.slug))
    begun = {} if sample is catalogue.BLANK else {"name": sample.name, "name_ar": sample.name_ar}
    return _new(NewWorkflowForm(data={"sample": sample.slug, **begun}, formdata=None), sample)


@bp.post("/workflows")
@bp.post("/workflows/new")
@requires(Permission.WORKFLOW_EDIT)
def create() -> Response:
    here = access()
    form = NewWorkflowForm()
    known = {catalogue.BLANK.slug: catalogue.BLANK, **catalogue.SAMPLES}
    if not form.validate() or form.sample.data not in known:
        return _new(form, known.get(form.sample.data or "", catalogue.BLANK), status=422)
    workflow_id = service.create_workflow(
        here.tenant_id, name=form.name.data or "", name_ar=form.name_ar.data, sample=form.sample.data, by=here.actor
    )
    return see_other(url_for("designer.show", workflow_id=workflow_id))


def _new(form: NewWorkflowForm, sample: Any, *, status: int = 200) -> Response:
    doors = [each for each in shelf.found(own_samples.listing(access().tenant_id), "") if each.samples]
    return render("workflows/new.html", status=status, form=form, sample=sample, sections=doors)


@bp.get("/workflows/<uuid:workflow_id>/describe")
@requires(Permission.WORKFLOW_EDIT)
def describe(workflow_id: UUID) -> Response:
    workflow = queries.get_workflow(access().tenant_id, workflow_id)
    return render("workflows/describe.html", workflow=workflow, form=DescribeForm(obj=workflow))


@bp.post("/workflows/<uuid:workflow_id>/describe")
@requires(Permission.WORKFLOW_EDIT)
def save_description(workflow_id: UUID) -> Response:
    here, form = access(), DescribeForm()
    if not form.validate():
        workflow = queries.get_workflow(here.tenant_id, workflow_id)
        return render("workflows/describe.html", status=422, workflow=workflow, form=form)
    given = {field.name: field.data for field in form if field.name != "csrf_token"}
    service.describe_workflow(here.tenant_id, workflow_id, **given, by=here.actor)
    toast(_("Saved."))
    return see_other(url_for("workflows.detail", workflow_id=workflow_id))


@bp.get("/workflows/<uuid:workflow_id>")
@requires(Permission.WORKFLOW_READ)
def detail(workflow_id: UUID) -> Response:
    here = access()
    workflow = queries.get_workflow(here.tenant_id, workflow_id)
    live = queries.get_version(here.tenant_id, workflow.published_version_id) if workflow.published_version_id else None
    runs = list_queries.list_runs(here.tenant_id, wanted=RunFilter(workflow_id=workflow_id), limit=10)
    return render(
        "workflows/detail.html",
        workflow=workflow,
        live=live,
        draft_changed=service.is_draft_changed(workflow, live),
        versions=queries.list_versions(here.tenant_id, workflow_id),
        runs=[explain.run_row(row, names_in(runs.items)) for row in runs.items],
        can_edit=here.can(Permission.WORKFLOW_EDIT),
        can_run=here.can(Permission.RUN_START),
        was_imported=exchange.report_of(here.tenant_id, workflow_id) is not None,
    )


@bp.get("/workflows/<uuid:workflow_id>/run")
@requires(Permission.RUN_START)
def run_form(workflow_id: UUID) -> Response:
    return _run_form(workflow_id)


@bp.post("/workflows/<uuid:workflow_id>/run")
@requires(Permission.RUN_START)
@checkable
def start(workflow_id: UUID) -> Response:
    here = access()
    given = request.get_json() if request.is_json else request.form.to_dict()
    key = str(request.headers.get("Idempotency-Key") or given.get("request_key") or "")[:200] or None
    try:
        sent = {name: value for name, value in given.items() if name not in ("csrf_token", "request_key")}
        run_id, _is_new = triggers.start_by_person(here.tenant_id, workflow_id, "manual", given=sent, by=here.actor, key=key)
    except Invalid as wrong:
        if request.is_json:
            raise
        return _run_form(workflow_id, status=422, given=given, problems=wrong.problems)
    except GateFull as full:
        if request.is_json:
            raise
        return _run_form(workflow_id, status=422, given=given, refused=full.message)
    except NotPublished:
        toast(_("Publish the workflow first, then it can run."), "warning")
        return see_other(url_for("workflows.detail", workflow_id=workflow_id))
    except TurnedOff as off:
        toast(off.message, "warning")
        return see_other(url_for("workflows.detail", workflow_id=workflow_id))
    return accepted(run_id)


def accepted(run_id: UUID) -> Response:
    """202 for programs and htmx, with where to look; a plain form goes to the live page."""
    url = url_for("workflows.run", run_id=run_id)
    if request.is_json:
        answer = jsonify(id=str(run_id), url=url)
        answer.status_code, answer.headers["Location"] = 202, url
        return answer
    if is_fragment_request():
        return Response(status=202, headers={"HX-Redirect": url})
    return see_other(url)


def _run_form(
    workflow_id: UUID, *, status: int = 200, given: dict[str, Any] | None = None, problems: dict[str, str] | None = None, refused: str = ""
) -> Response:
    here = access()
    workflow = queries.get_workflow(here.tenant_id, workflow_id)
    live = queries.get_version(here.tenant_id, workflow.published_version_id) if workflow.published_version_id else None
    return render(
        "workflows/run_form.html",
        status=status,
        workflow=workflow,
        live=live,
        inputs=live.settings.get("inputs", []) if live else [],
        given=given or {},
        problems=problems or {},
        refused=refused,
        request_key=(given or {}).get("request_key") or str(ids.new_id()),
        can_edit=here.can(Permission.WORKFLOW_EDIT),
    )


def names_in(rows: list[Any]) -> dict[UUID, str]:
    return identity.names_of(row.executed_by for row in rows if row.executed_by)

"""Pages of the ways in which a workflow starts."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for

from portal.audit import service as audit
from portal.core import clock, db, paging
from portal.core.access import Permission, access, confirmed, requires
from portal.core.digits import ascii_digits
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import clean
from portal.core.render import render, see_other, toast
from portal.i18n import formats, schedules
from portal.i18n import names as sound
from portal.i18n import zones as place_names
from portal.i18n.locale import current
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext
from portal.workflows import queries as workflows
from portal.workflows.triggers import base, overview, queries, service, times, wording
from portal.workflows.triggers.base import Kind, Place
from portal.workflows.triggers.event import PUBLIC, fields_of
from portal.workflows.triggers.models import BUILT_IN, WorkflowTrigger
from portal.workflows.triggers.registry import OFFERED, find, name_of, of
from portal.workflows.triggers.schedule import Cron, plan_of, zones

bp = Blueprint("starts", __name__, url_prefix="/workflows/<uuid:workflow_id>/starts")
NEXT = 10
LONGEST_NAME = 120


@bp.get("")
@requires(Permission.WORKFLOW_READ)
def listing(workflow_id: UUID) -> Response:
    here = access()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    always, rows = overview.ways_of(here.tenant_id, workflow_id)
    return render(
        "starts/list.html",
        workflow=workflow,
        always=always,
        rows=rows,
        can_change=here.can(Permission.WORKFLOW_PUBLISH),
    )


@bp.get("/new")
@requires(Permission.WORKFLOW_PUBLISH)
def pick(workflow_id: UUID) -> Response:
    workflow = workflows.get_workflow(access().tenant_id, workflow_id)
    return render("starts/pick.html", workflow=workflow, kinds=[(name_of(kind), kind) for kind in OFFERED])


@bp.get("/new/<kind_name>")
@requires(Permission.WORKFLOW_PUBLISH)
def new(workflow_id: UUID, kind_name: str) -> Response:
    kind = _kind(kind_name)
    config = {**base.defaults(kind), **({"zone": access().timezone} if any(each.name == "zone" for each in kind.fields) else {})}
    return _form(workflow_id, kind, config)


@bp.post("/new/<kind_name>")
@requires(Permission.WORKFLOW_PUBLISH)
def add(workflow_id: UUID, kind_name: str) -> Response:
    here, kind = access(), _kind(kind_name)
    place = _place(workflow_id)
    config = base.read(kind, request.form, place=place)
    name, name_ar, wrong = _names()
    try:
        if wrong:
            raise Invalid({**wrong, **{field: str(text) for field, text in base.check(kind, config, place).items()}})
        trigger_id = service.add_trigger(
            here.tenant_id, workflow_id, kind, name=name, name_ar=name_ar, config=config, place=place, by=here.actor
        )
    except Invalid as refused:
        return _form(workflow_id, kind, config, problems=refused.problems, status=422)
    except Conflict as refused:
        toast(refused.message, "warning")
        return see_other(url_for("starts.listing", workflow_id=workflow_id))
    toast(_("Saved."))
    return see_other(url_for("starts.detail", workflow_id=workflow_id, trigger_id=trigger_id))


def _form(workflow_id: UUID, kind: Kind, config: dict[str, Any], *, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    return render(
        "starts/new.html",
        status=status,
        workflow=workflows.get_workflow(access().tenant_id, workflow_id),
        kind=kind,
        kind_name=name_of(kind),
        **_form_parts(workflow_id, kind, config),
        names={"name": request.form.get("name", ""), "name_ar": request.form.get("name_ar", "")},
        problems=problems or {},
    )


@bp.get("/said")
@requires(Permission.WORKFLOW_PUBLISH)
def said(workflow_id: UUID) -> Response:
    """What a cron expression means while somebody types it."""
    asked = {name: clean(request.args.get(name, ""))[:100] for name in ("cron", "zone")}
    workflow = workflows.get_workflow(access().tenant_id, workflow_id)
    return render("starts/said.html", fragment="said", workflow=workflow, **_said({**asked, "cron": ascii_digits(asked["cron"])}))


def _said(config: dict[str, Any]) -> dict[str, Any]:
    """Return what the expression of these settings means and when it comes next, or what is wrong with it."""
    zone = str(config["zone"]) if config.get("zone") in zones() else access().timezone
    problem = Cron().own_problems(config).get("cron", "")
    explained = None if problem else schedules.explained(config["cron"], after=clock.now(), zone=ZoneInfo(zone))
    return {"explained": explained, "said_zone": place_names.name_of(zone, current().tag), "wrong_cron": problem}


def _form_parts(workflow_id: UUID, kind: Kind, config: dict[str, Any]) -> dict[str, Any]:
    parts = _said(config) if any(each.type == "cron" for each in kind.fields) else {}
    return parts | {
        "fields": kind.fields,
        "config": config,
        "inputs": _place(workflow_id).inputs if kind.maps_inputs else [],
        "zones": sorted(zones()) if any(each.type == "zone" for each in kind.fields) else [],
        "said_by": wording.readable(kind, config, {name: fields_of(name) for name in PUBLIC}),
    }


@bp.get("/<uuid:trigger_id>")
@requires(Permission.WORKFLOW_READ)
def detail(workflow_id: UUID, trigger_id: UUID) -> Response:
    return _detail(workflow_id, trigger_id)


def _detail(
    workflow_id: UUID, trigger_id: UUID, *, config: dict[str, Any] | None = None, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    here = access()
    trigger = _trigger(workflow_id, trigger_id)
    kind = of(trigger.kind, trigger.config.get("mode", ""))
    can_change = here.can(Permission.WORKFLOW_PUBLISH)
    place = paging.read_place(request.args.get("after"), queries.NEWEST.kind)
    typed = request.form if problems else {}
    return render(
        "starts/detail.html",
        status=status,
        workflow=workflows.get_workflow(here.tenant_id, workflow_id),
        trigger=trigger,
        kind=kind,
        title=wording.title_of(trigger),
        words=kind.words(trigger.config),
        address=_address(trigger) if can_change else "",
        secrets=wording.secrets(trigger),
        overlaps=_overlaps(),
        upcoming=_upcoming(trigger),
        **_zones(trigger),
        receipts=queries.list_receipts(here.tenant_id, trigger_id, place=place),
        reason=wording.reason,
        said_again=_,  # what a program was told is kept as it was told, in English
        outcomes=wording.OUTCOMES,
        can_change=can_change,
        is_built_in=trigger.kind in BUILT_IN,
        **_form_parts(workflow_id, kind, config or trigger.config),
        names={"name": typed.get("name", trigger.name), "name_ar": typed.get("name_ar", trigger.name_ar or "")},
        problems=problems or {},
    )


@bp.post("/<uuid:trigger_id>")
@requires(Permission.WORKFLOW_PUBLISH)
def change(workflow_id: UUID, trigger_id: UUID) -> Response:
    here = access()
    trigger = _trigger(workflow_id, trigger_id)
    kind, place = of(trigger.kind, trigger.config.get("mode", "")), _place(workflow_id)
    config = base.read(kind, request.form, place=place)
    name, name_ar, wrong = _names()
    try:
        if wrong:
            raise Invalid({**wrong, **{field: str(text) for field, text in base.check(kind, config, place).items()}})
        service.change_trigger(here.tenant_id, trigger_id, name=name, name_ar=name_ar, config=config, place=place, by=here.actor)
    except Invalid as refused:
        return _detail(workflow_id, trigger_id, config=config, problems=refused.problems, status=422)
    toast(_("Saved."))
    return _back(workflow_id, trigger_id)


@bp.post("/<uuid:trigger_id>/switch")
@requires(Permission.WORKFLOW_PUBLISH)
def switch(workflow_id: UUID, trigger_id: UUID) -> Response:
    here = access()
    service.switch_trigger(here.tenant_id, workflow_id, trigger_id, is_enabled=request.form.get("on") == "1", by=here.actor)
    return see_other(url_for("starts.listing", workflow_id=workflow_id))


@bp.post("/<any(manual,api):kind>/switch")
@requires(Permission.WORKFLOW_PUBLISH)
def switch_built_in(workflow_id: UUID, kind: str) -> Response:
    here = access()
    trigger_id = service.ensure_built_in(here.tenant_id, workflow_id, kind)
    service.switch_trigger(here.tenant_id, workflow_id, trigger_id, is_enabled=request.form.get("on") == "1", by=here.actor)
    return see_other(url_for("starts.listing", workflow_id=workflow_id))


@bp.get("/<uuid:trigger_id>/delete")
@requires(Permission.WORKFLOW_PUBLISH)
def ask_delete(workflow_id: UUID, trigger_id: UUID) -> Response:
    trigger = _changeable(workflow_id, trigger_id)
    workflow = workflows.get_workflow(access().tenant_id, workflow_id)
    return render("starts/delete.html", workflow=workflow, trigger=trigger, title=wording.title_of(trigger))


@bp.post("/<uuid:trigger_id>/delete")
@requires(Permission.WORKFLOW_PUBLISH)
def delete(workflow_id: UUID, trigger_id: UUID) -> Response:
    here = access()
    _changeable(workflow_id, trigger_id)
    service.delete_trigger(here.tenant_id, trigger_id, by=here.actor)
    toast(_("Deleted."))
    return see_other(url_for("starts.listing", workflow_id=workflow_id))


@bp.post("/<uuid:trigger_id>/move")
@requires(Permission.WORKFLOW_PUBLISH)
def move(workflow_id: UUID, trigger_id: UUID) -> Response:
    here = access()
    _changeable(workflow_id, trigger_id)
    service.move_address(here.tenant_id, trigger_id, by=here.actor)
    toast(_("The old address leads nowhere now. Give the new one to who calls."))
    return _back(workflow_id, trigger_id)


@bp.post("/<uuid:trigger_id>/rotate")
@requires(Permission.WORKFLOW_PUBLISH)
@confirmed
def rotate(workflow_id: UUID, trigger_id: UUID) -> Response:
    here = access()
    _changeable(workflow_id, trigger_id)
    given = request.form.get("overlap", "")
    hours = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else -1
    try:
        secret = service.rotate_secret(here.tenant_id, trigger_id, overlap_h=hours, by=here.actor)
    except Invalid as refused:
        return _detail(workflow_id, trigger_id, problems=refused.problems, status=422)
    return _secret(workflow_id, trigger_id, secret)


@bp.post("/<uuid:trigger_id>/secret")
@requires(Permission.WORKFLOW_PUBLISH)
@confirmed
def show_secret(workflow_id: UUID, trigger_id: UUID) -> Response:
    here = access()
    trigger = _changeable(workflow_id, trigger_id)
    known = service.secrets_of(here.tenant_id, trigger_id, trigger.secrets)
    if not known:
        raise NotFound
    with db.transaction():
        audit.record(here.tenant_id, here.actor, "trigger.secret_shown", trigger_id, workflow=workflow_id)
    return _secret(workflow_id, trigger_id, known[0])


def _secret(workflow_id: UUID, trigger_id: UUID, secret: str) -> Response:
    trigger = _trigger(workflow_id, trigger_id)
    answer = render(
        "starts/secret.html",
        workflow=workflows.get_workflow(access().tenant_id, workflow_id),
        trigger=trigger,
        title=wording.title_of(trigger),
        secret=secret,
        address=_address(trigger),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _trigger(workflow_id: UUID, trigger_id: UUID) -> WorkflowTrigger:
    trigger = queries.get_trigger(access().tenant_id, trigger_id)
    if trigger.workflow_id != workflow_id:
        raise NotFound
    return trigger


def _changeable(workflow_id: UUID, trigger_id: UUID) -> WorkflowTrigger:
    trigger = _trigger(workflow_id, trigger_id)
    if trigger.kind in BUILT_IN:
        raise NotFound
    return trigger


def _kind(name: str) -> Kind:
    kind = find(name)
    if kind is None:
        raise NotFound
    return kind


def _place(workflow_id: UUID) -> Place:
    return service.place_of(access().tenant_id, workflow_id, timezone=access().timezone)


def _names() -> tuple[str, str | None, dict[str, str]]:
    """Return the posted names, and what is wrong with them."""
    given = {field: sound.tidy(clean(request.form.get(field, ""))) or "" for field in ("name", "name_ar")}
    wrong = {field: message for field, text in given.items() if (message := sound.problem(text))}
    wrong |= {field: _("Use at most %(num)d characters.", num=LONGEST_NAME) for field, text in given.items() if len(text) > LONGEST_NAME}
    return given["name"], given["name_ar"] or None, wrong


def _address(trigger: WorkflowTrigger) -> str:
    token = service.token_of(trigger)
    if not token:
        return ""
    endpoint = "starts_outside.hook" if trigger.kind == "webhook" else "starts_outside.show_form"
    return url_for(endpoint, token=token, _external=True)


def _upcoming(trigger: WorkflowTrigger) -> list[Any]:
    if trigger.kind != "schedule":
        return []
    plan = plan_of(trigger.config)
    return [each.astimezone(plan.zone) for each in times.upcoming(plan, clock.now(), NEXT)]


def _zones(trigger: WorkflowTrigger) -> dict[str, Any]:
    """Return in which zone the reader sees the next times, and by which zone the schedule goes."""
    if trigger.kind != "schedule":
        return {}
    reader, tag = formats.manner(current()).zone, current().tag
    found = [reader.key, str(trigger.config["zone"])]
    return {"reader_zone": reader, "is_elsewhere": found[0] != found[1], "zone_names": [place_names.name_of(each, tag) for each in found]}


def _overlaps() -> list[tuple[str, str]]:
    hours = [(str(h), ngettext("works %(num)d hour more", "works %(num)d hours more", h)) for h in service.OVERLAPS_H[1:]]
    return [("0", _("ends at once")), *hours]


def _back(workflow_id: UUID, trigger_id: UUID) -> Response:
    return see_other(url_for("starts.detail", workflow_id=workflow_id, trigger_id=trigger_id))

"""The pages of keeping: how long runs are kept, legal holds, and what is left of runs that were deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.digits import read_number
from portal.core.errors import Invalid, NotFound
from portal.core.forms import clean
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.workflows import queries
from portal.workflows.history import retention
from portal.workflows.history.models import LegalHold
from portal.workflows.history.retention import Rule

bp = Blueprint("retention", __name__)

NAMES = ("succeeded_days", "failed_days")


@bp.get("/settings/retention")
@requires(Permission.RUN_READ)
def show() -> Response:
    return _page(None)


@bp.post("/settings/retention")
@requires(Permission.RETENTION_EDIT)
def save() -> Response:
    return _save(None)


@bp.get("/workflows/<uuid:workflow_id>/retention")
@requires(Permission.RUN_READ)
def of_workflow(workflow_id: UUID) -> Response:
    return _page(workflow_id)


@bp.post("/workflows/<uuid:workflow_id>/retention")
@requires(Permission.RETENTION_EDIT)
def save_of_workflow(workflow_id: UUID) -> Response:
    queries.get_workflow(access().tenant_id, workflow_id)
    return _save(workflow_id)


@bp.get("/runs/<uuid:run_id>/hold")
@requires(Permission.HOLD_MANAGE)
def of_run(run_id: UUID) -> Response:
    return _run_page(run_id)


@bp.post("/settings/holds")
@requires(Permission.HOLD_MANAGE)
def hold() -> Response:
    """Hold what the form names: a run, a workflow, or everything."""
    here = access()
    workflow_id, run_id = _id("workflow"), _id("run")
    try:
        retention.hold(here.tenant_id, reason=clean(request.form.get("reason", "")), by=here.actor, workflow_id=workflow_id, run_id=run_id)
    except Invalid as wrong:
        return _again(workflow_id, run_id, wrong.problems)
    toast(_("The hold is in place. Nothing that it names is deleted until it is lifted."))
    return see_other(_place(workflow_id, run_id))


@bp.post("/settings/holds/<uuid:hold_id>/lift")
@requires(Permission.HOLD_MANAGE)
def lift(hold_id: UUID) -> Response:
    here = access()
    found = retention.get_hold(here.tenant_id, hold_id)
    try:
        retention.lift(here.tenant_id, hold_id, reason=clean(request.form.get("reason", "")), by=here.actor)
    except Invalid as wrong:
        return _again(found.workflow_id, found.run_id, {f"lift-{hold_id}": next(iter(wrong.problems.values()))})
    toast(_("The hold is lifted."))
    return see_other(_place(found.workflow_id, found.run_id))


def _save(workflow_id: UUID | None) -> Response:
    here = access()
    typed = {name: clean(request.form.get(name, "")) for name in NAMES}
    follows = workflow_id is not None and request.form.get("follows") == "1"
    try:
        rule = None if follows else _rule(typed)
        if workflow_id is None and rule == Rule():
            rule = None
        retention.set_rule(here.tenant_id, workflow_id, rule, by=here.actor)
    except Invalid as wrong:
        return _page(workflow_id, typed=typed, problems=wrong.problems, status=422)
    toast(_("Saved."))
    return see_other(_place(workflow_id, None))


def _rule(typed: dict[str, str]) -> Rule:
    figures: dict[str, int | None] = {}
    for name, text in typed.items():
        number = read_number(text) if text else None
        # What is no whole number is refused with the same sentence as one that is out of bounds.
        figures[name] = None if not text else int(number) if number is not None and number == int(number) and abs(number) < 10**6 else 0
    return Rule(**figures)


def _page(
    workflow_id: UUID | None, *, typed: dict[str, str] | None = None, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    here = access()
    workflow = queries.get_workflow(here.tenant_id, workflow_id) if workflow_id else None
    own, usual = retention.rule_of(here.tenant_id, workflow_id), retention.rule_of(here.tenant_id, None)
    shown = own or (Rule() if workflow_id is None else usual or Rule())
    holds = retention.holds_on(here.tenant_id, workflow_id=workflow_id) if workflow_id else retention.holds(here.tenant_id, is_open=True)
    lifted = [] if workflow_id else retention.holds(here.tenant_id, is_open=False)
    return render(
        "retention/workflow.html" if workflow else "retention/show.html", status=status, workflow=workflow, own=own, usual=usual or Rule(),
        typed=typed or {name: getattr(shown, name) for name in NAMES}, problems=problems or {}, holds=_told(holds), lifted=_told(lifted),
        rules=[] if workflow_id else retention.own_rules(here.tenant_id),
        tombstones=[] if workflow_id else retention.tombstones(here.tenant_id),
        can_edit=here.can(Permission.RETENTION_EDIT), can_hold=here.can(Permission.HOLD_MANAGE),
    )  # fmt: skip


def _run_page(run_id: UUID, *, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    here = access()
    run = queries.get_run(here.tenant_id, run_id)
    return render(
        "retention/run.html", status=status, run=run, workflow=queries.get_workflow(here.tenant_id, run.workflow_id),
        holds=_told(retention.holds_on(here.tenant_id, workflow_id=run.workflow_id, run_id=run_id)), problems=problems or {}, can_hold=True,
    )  # fmt: skip


def _told(holds: list[LegalHold]) -> list[dict[str, Any]]:
    """Return holds as their rows show them: what is held, by whom, why."""
    tenant_id = access().tenant_id
    people = identity.names_of({who for each in holds for who in (each.placed_by, each.lifted_by) if who})
    runs = retention.run_names(tenant_id, [each.run_id for each in holds if each.run_id])
    workflows = {row.id: row for row in queries.workflow_names_of(tenant_id, [each.workflow_id for each in holds if each.workflow_id])}
    return [
        {
            "hold": each, "named": (runs.get(each.run_id) if each.run_id else None) or (workflows.get(each.workflow_id) if each.workflow_id else None),
            "placed_by": people.get(each.placed_by) if each.placed_by else None, "lifted_by": people.get(each.lifted_by) if each.lifted_by else None,
        }
        for each in holds
    ]  # fmt: skip


def _again(workflow_id: UUID | None, run_id: UUID | None, problems: dict[str, str]) -> Response:
    if run_id is not None:
        return _run_page(run_id, problems=problems, status=422)
    return _page(workflow_id, problems=problems, status=422)


def _place(workflow_id: UUID | None, run_id: UUID | None) -> str:
    if run_id is not None:
        return url_for("retention.of_run", run_id=run_id)
    return url_for("retention.of_workflow", workflow_id=workflow_id) if workflow_id else url_for("retention.show")


def _id(name: str) -> UUID | None:
    given = request.form.get(name, "")
    try:
        return UUID(given) if given else None
    except ValueError:
        raise NotFound from None

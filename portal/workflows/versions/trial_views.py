"""Pages of dry runs and simulations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.errors import Invalid
from portal.core.render import render, see_other, toast
from portal.i18n.formats import number as formatted
from portal.i18n.locale import plain_name
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.workflows import explain
from portal.workflows import queries as workflows
from portal.workflows.differences import words
from portal.workflows.errors import DraftInvalid
from portal.workflows.versions import queries, sides, trials
from portal.workflows.versions.reserve import TrialsBusy
from portal.workflows.versions.sides import DRAFT

bp = Blueprint("trials", __name__)
COUNTS = (5, 10, 25, 50)


@bp.get("/workflows/<uuid:workflow_id>/try")
@requires(Permission.WORKFLOW_EDIT)
def begin(workflow_id: UUID) -> Response:
    return _form(workflow_id)


@bp.post("/workflows/<uuid:workflow_id>/try")
@requires(Permission.WORKFLOW_EDIT)
def dry_run(workflow_id: UUID) -> Response:
    here, given = access(), request.form.to_dict()
    answers = {name.removeprefix("answer-"): value for name, value in given.items() if name.startswith("answer-") and value}
    values = {name.removeprefix("in-"): value for name, value in given.items() if name.startswith("in-")}
    try:
        trial_id = trials.dry_run(
            here.tenant_id, workflow_id, _which(), given=values, answers=answers, may_read=here.can(Permission.RUN_READ), by=here.actor
        )
    except Invalid as wrong:
        return _form(workflow_id, status=422, given=given, problems={f"in-{key}": text for key, text in wrong.problems.items()})
    except DraftInvalid as refused:
        return _form(workflow_id, status=422, given=given, refused=refused.problems)
    except TrialsBusy as busy:
        return _form(workflow_id, status=409, given=given, busy=busy.message)
    return see_other(url_for("trials.show", trial_id=trial_id))


@bp.post("/workflows/<uuid:workflow_id>/simulations")
@requires(Permission.WORKFLOW_EDIT)
def simulate(workflow_id: UUID) -> Response:
    here, count = access(), request.form.get("count", "")
    if not here.can(Permission.RUN_READ):
        return _form(workflow_id, status=403, problems={"count": _("Your role sees no runs, so it cannot replay any.")})
    if count not in {str(each) for each in COUNTS}:
        return _form(workflow_id, status=422, given={"count": count}, problems={"count": _("Choose how many.")})
    try:
        trial_id = trials.simulate(here.tenant_id, workflow_id, _which(), count=int(count), by=here.actor)
    except Invalid:
        return _form(workflow_id, status=422, problems={"count": _("No run has ended yet, so there is nothing to replay.")})
    except DraftInvalid as refused:
        return _form(workflow_id, status=422, refused=refused.problems)
    return see_other(url_for("trials.show", trial_id=trial_id))


@bp.get("/trials/<uuid:trial_id>")
@requires(Permission.WORKFLOW_EDIT)
def show(trial_id: UUID) -> Response:
    here = access()
    trial = trials.get(here.tenant_id, trial_id)
    version = workflows.get_version(here.tenant_id, trial.version_id) if trial.version_id else None
    names = words.names_of(trial.nodes)
    tick = request.args.get("tick", "")
    return render(
        "versions/trial.html",
        fragment="trial",
        trial=trial,
        workflow=workflows.get_workflow(here.tenant_id, trial.workflow_id),
        version=version,
        names=names,
        asker=identity.names_of([trial.asked_by]).get(trial.asked_by),
        reasons={step["key"]: explain.explain_error(step["error"]) for step in _steps(trial.results) if step.get("error")},
        why=explain.explain_error(trial.results[0]["error"]) if trial.kind == "dry" and trial.results[0].get("error") else None,
        label_of=words.label_of,
        at_of=datetime.fromisoformat,
        tick=int(tick) + 1 if tick.isascii() and tick.isdecimal() and len(tick) < 6 else 1,
        can_read=here.can(Permission.RUN_READ),
    )


@bp.post("/trials/<uuid:trial_id>/stop")
@requires(Permission.WORKFLOW_EDIT)
def stop(trial_id: UUID) -> Response:
    here = access()
    trials.stop(here.tenant_id, trial_id, by=here.actor)
    toast(_("Stopped. What was found until then stays."))
    return see_other(url_for("trials.show", trial_id=trial_id))


def _steps(results: list[Any]) -> list[Mapping[str, Any]]:
    return [step for result in results for step in result.get("steps", ())]


def _which() -> str:
    return request.values.get("which", "") or DRAFT


def _form(
    workflow_id: UUID,
    *,
    status: int = 200,
    given: Mapping[str, Any] | None = None,
    problems: dict[str, Any] | None = None,
    refused: list[Any] | None = None,
    busy: str = "",
) -> Response:
    here = access()
    workflow = workflows.get_workflow(here.tenant_id, workflow_id)
    side = sides.side(here.tenant_id, workflow, _which())
    rows = queries.list_versions(here.tenant_id, workflow_id, limit=100)
    return render(
        "versions/try.html",
        status=status,
        workflow=workflow,
        which=side.key,
        choices=[(DRAFT, _("Draft")), *((str(row.number), _("Version %(number)s", number=formatted(row.number))) for row in rows)],
        inputs=side.settings.get("inputs", []),
        questions=[(node, [(key, plain_name(names)) for key, names in outcomes]) for node, outcomes in trials.questions(side.nodes)],
        given=given or {},
        problems=problems or {},
        refused=refused or [],
        busy=busy,
        names=words.names_of(side.nodes),
        counts=[(str(each), formatted(each)) for each in COUNTS],
        before=trials.list_trials(here.tenant_id, workflow_id),
        expired=trials.EXPIRED,
    )

"""What is done to a run on its page: as a whole, or to the step that is open in the inspector."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Response, request, url_for

from portal.core.access import Access, Permission, access, requires
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.forms import clean
from portal.core.render import is_fragment_request, see_other, toast
from portal.i18n.words import gettext as _
from portal.workflows import queries, service
from portal.workflows.errors import WrongState
from portal.workflows.runs import service as steps
from portal.workflows.runs.page import STEP, may_operate, show_run
from portal.workflows.signals import service as signals
from portal.workflows.tasks import queries as tasks
from portal.workflows.tasks import service as task_verbs
from portal.workflows.tasks.wording import refusal_of
from portal.workflows.views import accepted, bp


@bp.post("/runs/<uuid:run_id>/cancel")
@requires(Permission.RUN_START)
def cancel(run_id: UUID) -> Response:
    done = partial(service.cancel_run, undo=request.form.get("undo") == "1")
    return _operated(run_id, done, _("The run is asked to end."), _("The run had ended before it could be cancelled."))


@bp.post("/runs/<uuid:run_id>/pause")
@requires(Permission.RUN_START)
def pause(run_id: UUID) -> Response:
    return _operated(run_id, service.pause_run, _("The run is paused."), _("The run cannot be paused any more."))


@bp.post("/runs/<uuid:run_id>/resume")
@requires(Permission.RUN_START)
def resume(run_id: UUID) -> Response:
    return _operated(run_id, service.resume_run, _("The run goes on."), _("The run is not paused."))


@bp.post("/runs/<uuid:run_id>/retry")
@requires(Permission.RUN_START)
def retry(run_id: UUID) -> Response:
    here = access()
    _may_operate(here, run_id)
    try:
        new_run = service.retry_run(here.tenant_id, run_id, by=here.actor)
    except WrongState:
        return _shown(run_id, _("Only a run that failed or was ended can be retried."), tone="info")
    return accepted(new_run)


@bp.post("/runs/<uuid:run_id>/steps/<node_key>/decide")
@requires(Permission.RUN_START)
def decide(run_id: UUID, node_key: str) -> Response:
    done = partial(service.decide_step, node_key=node_key, decision=request.form.get("decision", ""), scope=request.form.get("scope"))
    return _operated(run_id, done, _("Your decision stands."), _("Somebody has already decided."))


@bp.post("/runs/<uuid:run_id>/steps/<uuid:step_id>/hurry")
@requires(Permission.RUN_START)
def hurry(run_id: UUID, step_id: UUID) -> Response:
    """Let the next attempt begin now."""
    return _operated(
        run_id, partial(steps.hurry_step, step_id=step_id), _("The next attempt begins now."), _("The step waits for no other attempt.")
    )


@bp.post("/runs/<uuid:run_id>/steps/<uuid:step_id>/skip")
@requires(Permission.RUN_START)
def skip(run_id: UUID, step_id: UUID) -> Response:
    """End a wait before its time."""
    return _operated(
        run_id, partial(steps.skip_step, step_id=step_id), _("The run goes on behind this step."), _("The step does not wait any more.")
    )


@bp.post("/runs/<uuid:run_id>/steps/<node_key>/signal")
@requires(Permission.SIGNAL_SEND)
def send_signal(run_id: UUID, node_key: str) -> Response:
    here, text = access(), clean(request.form.get("payload", ""))
    queries.get_run(here.tenant_id, run_id)
    try:
        payload = json.loads(text) if text else None
    except (ValueError, RecursionError):
        wrong = _('This is not JSON. Write texts in quotes, e.g. {"amount": 12}; or leave it empty.')
        return show_run(run_id, status=422, typed={"payload": text}, problems={"payload": wrong})
    try:
        signals.send_to_step(here.tenant_id, run_id, node_key, payload, by=here.actor)
    except WrongState:
        return _shown(run_id, _("The step waits for no signal any more."), tone="info")
    except Invalid as refused:
        return show_run(run_id, status=422, typed={"payload": text}, problems={"payload": next(iter(refused.problems.values()))})
    return _shown(run_id, _("The signal is sent."))


@bp.post("/runs/<uuid:run_id>/tasks/<uuid:task_id>/decide")
@requires(Permission.TASK_DECIDE)
def answer(run_id: UUID, task_id: UUID) -> Response:
    """Decide the task of a step without leaving the run."""
    here, typed = access(), request.form.to_dict()
    if tasks.get(here.tenant_id, task_id).execution_id != run_id:
        raise NotFound
    task_verbs.open_task(here, task_id)
    try:
        decided = task_verbs.decide(here, task_id, outcome=typed.get("outcome", ""), given=typed, note=typed.get("note", ""))
    except Invalid as refused:
        return show_run(run_id, status=422, typed=typed, problems=refused.problems)
    except Conflict as refused:
        return show_run(run_id, typed=typed, said=refusal_of(refused), tone="info")
    return _shown(
        run_id, _("Your decision stands, and the run goes on.") if decided else _("Your decision stands. Others must decide too.")
    )


def _operated(run_id: UUID, done: Callable[..., object], said: str, too_late: str) -> Response:
    """Do something to a run that its reader may handle, and show it; what came too late is said."""
    here = access()
    _may_operate(here, run_id)
    try:
        done(here.tenant_id, run_id, by=here.actor)
    except WrongState:
        return _shown(run_id, too_late, tone="info")
    return _shown(run_id, said)


def _shown(run_id: UUID, said: str, *, tone: str = "success") -> Response:
    """Show the run again with the inspector as it was, and say what became of it."""
    if is_fragment_request():
        return show_run(run_id, said=said, tone=tone)
    toast(said, tone)
    step, scope = request.form.get(STEP) or None, request.form.get("scope") or None
    return see_other(url_for("workflows.run", run_id=run_id, step=step, scope=scope, _anchor="inspector" if step else None))


def _may_operate(here: Access, run_id: UUID) -> None:
    """Operators handle every run, members their own; for all others it does not exist."""
    if not may_operate(here, queries.get_run(here.tenant_id, run_id)):
        raise NotFound

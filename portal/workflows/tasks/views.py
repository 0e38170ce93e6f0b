"""The pages of tasks: the inbox, and one task with its form and its history. A link only leads here; deciding is always a form sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import paging
from portal.core.access import Access, Permission, access, requires
from portal.core.errors import Conflict, Invalid
from portal.core.ids import as_uuid
from portal.core.render import render, see_other, toast
from portal.i18n.formats import isolate
from portal.i18n.locale import current
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.workflows import explain, people
from portal.workflows.engine.store import answering
from portal.workflows.errors import AlreadyVoted, TaskClosed, TaskTaken
from portal.workflows.tasks import queries, service
from portal.workflows.tasks.models import WorkflowTask

bp = Blueprint("tasks", __name__)

TABS = (("mine", _l("For you")), ("team", _l("Open to you and others")), ("decided", _l("Decided by you")), ("all", _l("All tasks")))
SORTS = (("due", _l("Due first")), ("-opened", _l("Newest first")))


@bp.get("/tasks")
@requires(Permission.TASK_READ)
def listing() -> Response:
    here = access()
    tabs = [tab for tab in TABS if tab[0] != "all" or here.can(Permission.TASK_MANAGE)]
    which, sort = request.args.get("show", "mine"), request.args.get("sort", "due")
    which = which if which in dict(tabs) else "mine"
    sort = sort if sort in dict(SORTS) else "due"
    place = paging.read_place(request.args.get("after"), "time")
    rows = queries.list_tasks(here.tenant_id, here.person_id, which, sort=sort, place=place)
    total = queries.count_tasks(here.tenant_id, here.person_id, which)
    names = identity.names_of({row.claimed_by for row in rows.items if row.claimed_by})
    return render(
        "tasks/list.html", tasks=rows.items, listing=rows, total=total, names=names, sorts=SORTS, shown=which, sort=sort,
        title_of=title_of, outcome_of=outcome_of, tab_links=[(words, url_for("tasks.listing", show=key, sort=sort), key == which) for key, words in tabs],
    )  # fmt: skip


@bp.get("/tasks/<uuid:task_id>")
@requires(Permission.TASK_READ)
def show(task_id: UUID) -> Response:
    return _task(access(), task_id)


@bp.post("/tasks/<uuid:task_id>/decide")
@requires(Permission.TASK_DECIDE)
def decide(task_id: UUID) -> Response:
    here, note = access(), request.form.get("note", "")
    service.open_task(here, task_id)
    try:
        decided = service.decide(here, task_id, outcome=request.form.get("outcome", ""), given=request.form.to_dict(), note=note)
    except Invalid as refused:
        return _task(here, task_id, typed=request.form.to_dict(), problems=refused.problems, status=422)
    except (TaskClosed, TaskTaken, AlreadyVoted) as refused:
        return _task(here, task_id, typed=request.form.to_dict(), problems={"": _told(refused)}, status=409)
    toast(_("Your decision stands, and the run goes on.") if decided else _("Your decision stands. Others must decide too."))
    return see_other(url_for("tasks.show", task_id=task_id))


@bp.post("/tasks/<uuid:task_id>/claim")
@requires(Permission.TASK_DECIDE)
def claim(task_id: UUID) -> Response:
    return _done(task_id, lambda here: service.claim(here, task_id), _("The task is yours."))


@bp.post("/tasks/<uuid:task_id>/return")
@requires(Permission.TASK_DECIDE)
def give_back(task_id: UUID) -> Response:
    return _done(task_id, lambda here: service.give_back(here, task_id), _("The task is free for others again."))


@bp.post("/tasks/<uuid:task_id>/delegate")
@requires(Permission.TASK_DECIDE)
def delegate(task_id: UUID) -> Response:
    to = as_uuid(request.form.get("person"))
    return _done(task_id, lambda here: service.delegate(here, task_id, to, note=request.form.get("note", "")), _("The task is handed on."))


@bp.post("/tasks/<uuid:task_id>/comments")
@requires(Permission.TASK_DECIDE)
def comment(task_id: UUID) -> Response:
    return _done(task_id, lambda here: service.comment(here, task_id, request.form.get("comment", "")), _("Your comment is there."))


def _done(task_id: UUID, verb: Any, said: str) -> Response:
    here = access()
    service.open_task(here, task_id)
    try:
        verb(here)
    except Invalid as refused:
        return _task(here, task_id, typed=request.form.to_dict(), problems=refused.problems, status=422)
    except Conflict as refused:
        return _task(here, task_id, typed=request.form.to_dict(), problems={"": refused.message or _told(refused)}, status=409)
    toast(said)
    return see_other(url_for("tasks.show", task_id=task_id))


def _told(refused: Conflict) -> str:
    if isinstance(refused, TaskTaken):
        return _("%(person)s has taken this task.", person=identity.names_of([refused.by]).get(refused.by) or _("Somebody"))
    if isinstance(refused, AlreadyVoted):
        return _("You have decided otherwise before, and a decision is never changed.")
    state = refused.state if isinstance(refused, TaskClosed) else ""
    return {
        "decided": _("Somebody else was faster: the decision has fallen. Nothing of yours was counted."),
        "expired": _("The time of this task is up."),
        "cancelled": _("The run has ended, so there is nothing to decide any more."),
    }.get(state, _("Nothing was changed."))


def title_of(task: Any) -> str:
    """Return the headline of a task in the reader's language, else in the other."""
    return str((task.title_ar if current().tag == "ar" else task.title) or task.title)


def outcome_of(task: Any, key: str | None) -> str:
    """Return the words of an outcome in the reader's language."""
    found: dict[str, Any] = next((each for each in task.outcomes if each["key"] == key), {})
    return str(
        (found.get("label_ar") if current().tag == "ar" else found.get("label")) or found.get("label") or found.get("label_ar") or key or ""
    )


def _task(
    here: Access, task_id: UUID, *, typed: dict[str, str] | None = None, problems: dict[str, Any] | None = None, status: int = 200
) -> Response:
    task = service.open_task(here, task_id)
    votes, notes = queries.votes_of(here.tenant_id, task_id), queries.notes_of(here.tenant_id, task_id)
    run = queries.run_of(here.tenant_id, task.execution_id)
    able = answering.eligible(here.tenant_id, task) if task.state == "open" else set()
    has_voted = any(vote.person_id == here.person_id for vote in votes)
    involved = {
        run.executed_by,
        task.claimed_by,
        *(vote.person_id for vote in votes),
        *(each for note in notes for each in (note.person_id, note.other_id)),
    }
    return render(
        "tasks/show.html", status=status, task=task, run=run, run_inputs=explain.shown_value(here.tenant_id, run.input_data), typed=typed or {}, problems=problems or {}, title=title_of(task), outcome_of=outcome_of,
        history=_history(votes, notes), names=identity.names_of({each for each in involved if each}), candidates=_candidates(here, task),
        may_decide=here.can(Permission.TASK_DECIDE) and here.person_id in able and not has_voted and task.claimed_by in (None, here.person_id),
        is_able=here.person_id in able and not has_voted, has_voted=has_voted, is_mine=task.claimed_by == here.person_id,
        manages=here.can(Permission.TASK_MANAGE), able=len(able), given=len(votes), can_see_run=here.can(Permission.RUN_READ),
        members=[(str(each), isolate(name)) for each, name in (identity.names_of_members(here.tenant_id) or {}).items() if each != here.person_id],
    )  # fmt: skip


def _history(votes: list[Any], notes: list[Any]) -> list[tuple[str, Any]]:
    return sorted([("vote", each) for each in votes] + [(each.kind, each) for each in notes], key=lambda pair: pair[1].created_at)


def _candidates(here: Access, task: WorkflowTask) -> list[str]:
    words = dict(people.choices(here.tenant_id))
    rows = queries.candidates_of(here.tenant_id, task.id)
    found = {row.who: as_uuid(row.who.removeprefix("person:")) for row in rows if row.who not in words}
    names = identity.names_of([each for each in found.values() if each])
    gone = _("Somebody who is no member any more")
    return [str(words.get(row.who) or names.get(found[row.who] or row.task_id) or gone) for row in rows]

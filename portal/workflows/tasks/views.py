"""The pages of tasks: the inbox, and one task with its form and its history. A link only leads here; deciding is always a form sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import clock, paging
from portal.core.access import Access, Permission, access, requires
from portal.core.errors import Conflict, Invalid
from portal.core.ids import as_uuid
from portal.core.render import render, see_other, toast
from portal.i18n.formats import isolate
from portal.i18n.locale import bilingual
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.lists import service as lists
from portal.workflows import explain, people
from portal.workflows.engine.store import answering
from portal.workflows.errors import AlreadyVoted, TaskClosed, TaskTaken
from portal.workflows.tasks import queries, service
from portal.workflows.tasks.lists import DUES, SHOWS, TASKS, task_filter
from portal.workflows.tasks.wording import STATES, outcome_of, refusal_of, title_of, tone_of

bp = Blueprint("tasks", __name__)


@bp.get("/tasks")
@requires(Permission.TASK_READ)
def listing() -> Response:
    here = access()
    shown = lists.open_list(TASKS, request.args.to_dict(flat=False), here, url=url_for("tasks.listing"))
    manages = here.can(Permission.TASK_MANAGE)
    wanted = task_filter(here.tenant_id, here.person_id, shown.state.filters, sees_all=manages)
    place = paging.read_place(shown.cursor, queries.sorts()[shown.state.sort_name].kind)
    found = queries.list_tasks(here.tenant_id, wanted, sort=shown.state.sort, place=place)
    rows = paging.counted(found, lambda limit: queries.count_tasks(here.tenant_id, wanted, limit=limit))
    workflows = queries.workflows_of(here.tenant_id)
    return render(
        "tasks/list.html", shown=shown, listing=rows, which=wanted.which, now=clock.now(), range=lists.range_of(rows),
        verbs=lists.verbs_for(TASKS, here), deleted=lists.deleted_view(here, request.args.get("deleted")), workflows=workflows,
        names=identity.names_of({row.claimed_by for row in rows.items if row.claimed_by}), title_of=title_of, outcome_of=outcome_of,
        words={"show": SHOWS, "due": DUES, "state": STATES, "workflow": {str(row.id): bilingual(row) for row in workflows}},
        tab_links=[
            (words, shown.href(replace(shown.state, filters={**_others(shown), **({} if key == "mine" else {"show": (key,)})})), key == wanted.which)
            for key, words in SHOWS.items()
            if key != "all" or manages
        ],
    )  # fmt: skip


def _others(shown: lists.Shown) -> dict[str, tuple[str, ...]]:
    return {name: values for name, values in shown.state.filters.items() if name not in ("show", "state")}


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
        return _task(here, task_id, typed=request.form.to_dict(), problems={"": refusal_of(refused)}, status=409)
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


@bp.post("/tasks/<uuid:task_id>/candidates/remove")
@requires(Permission.TASK_MANAGE)
def remove_candidate(task_id: UUID) -> Response:
    who = request.form.get("who", "")[:80]
    return _done(task_id, lambda here: service.remove_candidate(here, task_id, who), _("They may not decide this task any more."))


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
        return _task(here, task_id, typed=request.form.to_dict(), problems={"": refused.message or refusal_of(refused)}, status=409)
    toast(said)
    return see_other(url_for("tasks.show", task_id=task_id))


def _task(
    here: Access, task_id: UUID, *, typed: dict[str, str] | None = None, problems: dict[str, Any] | None = None, status: int = 200
) -> Response:
    task = service.open_task(here, task_id)
    votes, notes = queries.votes_of(here.tenant_id, task_id), queries.notes_of(here.tenant_id, task_id)
    run = queries.run_of(here.tenant_id, task.execution_id)
    able = answering.eligible(here.tenant_id, task) if task.state == "open" else set()
    has_voted = any(vote.person_id == here.person_id and vote.gen == task.gen for vote in votes)
    rows = queries.candidates_of(here.tenant_id, task_id)
    called = _called(here, {row.who for row in rows} | {note.text for note in notes if note.kind == "removed"})
    involved = {
        run.executed_by,
        task.claimed_by,
        *(row.instead_of for row in rows),
        *(vote.person_id for vote in votes),
        *(each for note in notes for each in (note.person_id, note.other_id)),
    }
    return render(
        "tasks/show.html", status=status, task=task, run=run, run_inputs=explain.shown_value(here.tenant_id, run.input_data), typed=typed or {}, problems=problems or {}, title=title_of(task), outcome_of=outcome_of, tone_of=tone_of,
        history=_history(votes, notes), names=identity.names_of({each for each in involved if each}), called=called,
        candidates=rows, is_doubt=task.kind == answering.DOUBT, step=queries.step_of(here.tenant_id, task.step_id),
        is_late=task.due_at is not None and task.due_at < clock.now(),
        may_decide=here.can(Permission.TASK_DECIDE) and here.person_id in able and not has_voted and task.claimed_by in (None, here.person_id),
        is_able=here.person_id in able and not has_voted, has_voted=has_voted, is_mine=task.claimed_by == here.person_id,
        manages=here.can(Permission.TASK_MANAGE), able=len(able), given=len(votes), can_see_run=here.can(Permission.RUN_READ),
        members=[(str(each), isolate(name)) for each, name in (identity.names_of_members(here.tenant_id) or {}).items() if each != here.person_id],
    )  # fmt: skip


def _history(votes: list[Any], notes: list[Any]) -> list[tuple[str, Any]]:
    return sorted([("vote", each) for each in votes] + [(each.kind, each) for each in notes], key=lambda pair: pair[1].created_at)


def _called(here: Access, designations: set[str]) -> dict[str, str]:
    """Return the words of people, roles and groups by their designations, also of those that are gone."""
    words = dict(people.choices(here.tenant_id))
    found = {who: as_uuid(who.removeprefix("person:")) for who in designations if who not in words}
    names = identity.names_of([each for each in found.values() if each])
    gone = _("Somebody who is no member any more")
    return {who: str(words.get(who) or names.get(found[who] or here.tenant_id) or gone) for who in designations}

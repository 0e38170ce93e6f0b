"""The page on which a run is played again from one of its steps."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import ids
from portal.core.access import Access, Permission, access, requires
from portal.core.errors import Invalid, NotFound
from portal.core.render import render, see_other, toast
from portal.i18n.formats import listed_plain
from portal.i18n.formats import number as formatted
from portal.i18n.locale import bilingual, plain_name
from portal.i18n.words import gettext as _
from portal.workflows import queries as workflows
from portal.workflows import service as verbs
from portal.workflows.differences import words
from portal.workflows.engine import plan
from portal.workflows.errors import WrongState
from portal.workflows.models import WorkflowExecution, WorkflowVersion
from portal.workflows.versions import queries, replaying

bp = Blueprint("replays", __name__, url_prefix="/runs/<uuid:run_id>/replay")


@bp.get("")
@requires(Permission.RUN_START)
def show(run_id: UUID) -> Response:
    return _show(run_id, request.args)


@bp.post("")
@requires(Permission.RUN_START)
def start(run_id: UUID) -> Response:
    here = access()
    run = _mine(here, run_id)
    number = _number(request.form)
    try:
        new_id = replaying.replay(
            here.tenant_id,
            run_id,
            number=number,
            at=request.form.get("at") or None,
            key=request.form.get("request_key", "")[:60],
            has_same_keys=request.form.get("keys") == "same",
            by=here.actor,
        )
    except WrongState:
        toast(_("The run has not ended yet."), "warning")
        return see_other(url_for("workflows.run", run_id=run.id))
    except Invalid as wrong:
        problems = (
            {"at": _("Nothing would be left to do behind this step.")}
            if wrong.problems == {"at": "nothing"}
            else {
                "which": _("The run's inputs do not fit this version: %(keys)s", keys=_labels(_version(here, run, number), wrong.problems))
            }
        )
        return _show(run_id, request.form, status=422, problems=problems)
    except NotFound:
        return _show(run_id, request.form, status=422, problems={"at": _("Choose a step of this version.")})
    return see_other(url_for("workflows.run", run_id=new_id))


def _mine(here: Access, run_id: UUID) -> WorkflowExecution:
    run = workflows.get_run(here.tenant_id, run_id)
    if not here.can(Permission.RUN_OPERATE) and run.executed_by != here.person_id:
        raise NotFound
    return run


def _show(run_id: UUID, given: Mapping[str, str], *, status: int = 200, problems: dict[str, Any] | None = None) -> Response:
    here = access()
    run = _mine(here, run_id)
    own = workflows.get_version(here.tenant_id, run.version_id)
    number = _number(given)
    version = _version(here, run, number)
    graph = plan.Graph.of(version.nodes, version.edges)
    steps = [node for node in version.nodes if graph.region[node["key"]] == plan.ROOT]
    at = given.get("at") or ""
    known = at in {node["key"] for node in steps}
    found = replaying.planned(here.tenant_id, run_id, version.id, at=at) if known else None
    rows = queries.list_versions(here.tenant_id, run.workflow_id, limit=100)
    return render(
        "versions/replay.html",
        status=status,
        run=run,
        workflow=workflows.get_workflow(here.tenant_id, run.workflow_id),
        ended=verbs.has_ended(run.status),
        version=version,
        choices=[
            (
                str(row.number),
                _("Version %(number)s, as it ran", number=formatted(row.number))
                if row.id == own.id
                else _("Version %(number)s", number=formatted(row.number)),
            )
            for row in rows
        ],
        steps=[(node["key"], plain_name(node) or str(words.label_of(node["kind"]))) for node in steps],
        at=at,
        found=found,
        names=words.names_of(version.nodes),
        problems=problems or {},
        same_keys=given.get("keys") == "same",
        request_key=given.get("request_key") or str(ids.new_id()),
    )


def _version(here: Access, run: WorkflowExecution, number: int | None) -> WorkflowVersion:
    """Return the version of a number; without one that of the run."""
    if number is None:
        return workflows.get_version(here.tenant_id, run.version_id)
    return queries.numbered(here.tenant_id, run.workflow_id, number)


def _labels(version: WorkflowVersion, keys: Container[str]) -> str:
    return listed_plain(bilingual(each, "label") or each["key"] for each in version.settings.get("inputs", []) if each["key"] in keys)


def _number(given: Mapping[str, str]) -> int | None:
    text = given.get("which", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

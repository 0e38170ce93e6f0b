"""Pages of files: bring workflows in, read what became of them, take one out, and the schema of our format."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from wtforms import StringField

from portal.core.access import Permission, access, requires
from portal.core.errors import NotFound
from portal.core.forms import Form
from portal.core.render import render, see_other
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import queries, vetting
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.exchange import own, service, wording
from portal.workflows.exchange.errors import FileRefused
from portal.workflows.exchange.reporting import LEVELS, Line, Report

bp = Blueprint("exchange", __name__, url_prefix="/workflows")


class ImportForm(Form):
    pasted = StringField(_l("Or paste the file here"))


@bp.get("/import")
@requires(Permission.WORKFLOW_EDIT)
def begin() -> Response:
    return _form(ImportForm(formdata=None))


@bp.post("/import")
@requires(Permission.WORKFLOW_EDIT)
def take() -> Response:
    here, form = access(), ImportForm()
    form.validate()
    sent = request.files.get("file")
    content = sent.read() if sent and sent.filename else b""
    if not content and not form.pasted.data:
        return _form(form, {"file": _("Choose a file, or paste what is in it.")})
    where = "file" if content else "pasted"
    try:
        found = service.bring_in(
            here.tenant_id, content or form.pasted.data or "", may_use_connections=here.can(Permission.CONNECTION_USE), by=here.actor
        )
    except FileRefused as refused:
        return _form(form, {where: refused.problems[0]}, refused.problems[1:])
    if len(found) == 1:
        return see_other(url_for("exchange.report", workflow_id=found[0].id))
    return see_other(url_for("exchange.done", w=[str(each.id) for each in found]))


@bp.get("/import/done")
@requires(Permission.WORKFLOW_EDIT)
def done() -> Response:
    ids = [UUID(each) for each in request.args.getlist("w") if re.fullmatch(r"[0-9a-f-]{36}", each)]
    rows = service.names_of(access().tenant_id, ids)
    if not rows:
        raise NotFound
    return render("exchange/done.html", rows=[(workflow, report.counts()) for workflow, report in rows], levels=wording.LEVELS)


@bp.get("/<uuid:workflow_id>/import")
@requires(Permission.WORKFLOW_READ)
def report(workflow_id: UUID) -> Response:
    here = access()
    workflow = queries.get_workflow(here.tenant_id, workflow_id)
    found = service.report_of(here.tenant_id, workflow_id)
    if found is None:
        raise NotFound
    problems: dict[str | None, list[Any]] = {}
    for problem in vetting.check_draft(workflow):
        problems.setdefault(problem.step, []).append(problem.message)
    return render(
        "exchange/report.html",
        workflow=workflow,
        report=found,
        counts=found.counts(),
        groups=_groups(found, {node["key"] for node in workflow.nodes}, problems),
        general=[wording.say(word) for word in found.general if not word[0].startswith("check")],
        steps={} if found.source == "n8n" else {node["key"]: node for node in workflow.nodes},
        kinds={kind: action.label for kind, action in ACTIONS.items()},
        loose=[text for key, texts in problems.items() if key not in {line.step for line in found.lines} for text in texts],
        levels=wording.LEVELS,
        can_edit=here.can(Permission.WORKFLOW_EDIT),
    )


@bp.get("/<uuid:workflow_id>/export")
@requires(Permission.WORKFLOW_EDIT)
def export(workflow_id: UUID) -> Response:
    here = access()
    name, content = service.send_out(here.tenant_id, workflow_id, version=asked_version(), by=here.actor)
    return as_file(name, content)


@bp.get("/format.json")
@requires(Permission.WORKFLOW_READ)
def schema() -> Response:
    answer = Response(own.SCHEMA.read_bytes(), mimetype="application/schema+json")
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer


def asked_version() -> int | None:
    """Return which version an address asks for; None for the draft.

    Raises:
        NotFound: it names none.
    """
    asked = request.args.get("version", "")
    if not asked:
        return None
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
        raise NotFound
    return int(asked)


def as_file(name: str, content: bytes) -> Response:
    """Answer with a file of JSON that the browser keeps."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]+", "", name).strip(" .-") or "workflow"
    plain = plain if plain.endswith(".json") and len(plain) > 5 else "workflow.json"
    answer = Response(content, mimetype="application/json")
    answer.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def allow_files() -> None:
    """Let the one route that takes files of workflows read more than others; before anything reads the form."""
    if request.endpoint == "exchange.take":
        request.max_content_length = request.max_form_memory_size = service.LARGEST_REQUEST


def _form(form: ImportForm, problems: dict[str, Any] | None = None, more: list[Any] | None = None) -> Response:
    return render("exchange/import.html", status=422 if problems else 200, form=form, problems=problems or {}, more=more or [])


def _groups(found: Report, keys: set[str], problems: dict[str | None, list[Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the lines by level, the ones to be looked at first; a step that was deleted meanwhile has no link."""

    told: set[str | None] = set()

    def shown(line: Line) -> dict[str, Any]:
        # Once for each step: not again at the helpers and notes that stand in it.
        is_first = line.step not in told and not {"helper", "sticky"} & {code for code, _about in line.words}
        told.update([line.step] if is_first else [])
        return {
            "name": line.name,
            "type": line.type,
            "step": line.step if line.step in keys else None,
            "words": [wording.say(word) for word in line.words if word[0] != "check"],
            "problems": problems.get(line.step, []) if is_first and line.step in keys else [],
        }

    return [(level, [shown(line) for line in found.lines if line.level == level]) for level in reversed(LEVELS)]

"""The verbs of files: bring a workflow in, send one out; each is one transaction, audited, announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.ids import new_id
from portal.i18n.words import lazy_gettext as _l
from portal.tenants import service as tenants
from portal.workflows import definition, queries, stripping, vetting
from portal.workflows.exchange import own, reading, reporting, wording
from portal.workflows.exchange.errors import FileRefused
from portal.workflows.exchange.n8n import graph, importing
from portal.workflows.exchange.n8n.importing import Imported
from portal.workflows.exchange.references import Book
from portal.workflows.exchange.reporting import REVIEW, Line, Report
from portal.workflows.models import WorkflowRevision, WorkflowTemplate
from portal.workflows.triggers import base, registry
from portal.workflows.triggers import service as triggers
from portal.workflows.triggers.base import Place
from portal.workflows.versions import service as versions

# More than a file may have, so that one that is too large is answered in words and not by a bare refusal.
LARGEST_REQUEST = 3 * reading.LARGEST


@dataclass(frozen=True, slots=True)
class Arrived:
    """A workflow that came in by a file."""

    id: UUID
    report: Report


def bring_in(tenant_id: UUID, content: bytes | str, *, may_use_connections: bool, by: Actor) -> list[Arrived]:
    """Make a draft of each workflow in a file, switched off and with no way of starting on.

    Args:
        may_use_connections: whether the importer may; otherwise all of them are left open.

    Raises:
        FileRefused: `.problems` say what is wrong; nothing was taken.
    """
    made = read(content)
    with db.transaction():
        return [_kept(tenant_id, each, may_use_connections=may_use_connections, by=by) for each in made]


def read(content: bytes | str) -> list[Imported]:
    """Return what the workflows in a file become, without keeping anything.

    Raises:
        FileRefused: `.problems` say what is wrong.
    """
    document = reading.read(content)
    if own.is_ours(document):
        own.check(document)
        return [_ours(document)]
    found = graph.workflows_of(document)
    if not found:
        raise FileRefused(_l("The file holds no workflow: neither one of Nasij nor one of n8n."))
    if len(found) > graph.MOST_WORKFLOWS:
        raise FileRefused(_l("The file holds more than %(num)d workflows. Import it in parts.", num=graph.MOST_WORKFLOWS))
    if any(len(each["nodes"]) > graph.MOST_NODES for each in found):
        raise FileRefused(_l("A workflow in the file has more than %(num)d nodes; at most that many can be read.", num=graph.MOST_NODES))
    if any(graph.wire_count(each) > graph.MOST_WIRES for each in found):
        raise FileRefused(_l("A workflow in the file has more than %(num)d wires; at most that many can be read.", num=graph.MOST_WIRES))
    return [importing.build(each) for each in found]


def send_out(tenant_id: UUID, workflow_id: UUID, *, version: int | None, by: Actor) -> tuple[str, bytes]:
    """Return the name and the content of the file of the draft, or of a version.

    Raises:
        NotFound: no such workflow in this tenant, or no such version of it.
    """
    with db.transaction():
        workflow = queries.get_workflow(tenant_id, workflow_id)
        held: Any = workflow if version is None else versions.get_version(tenant_id, workflow_id, version)[1]
        nodes, settings = Book(tenant_id).out([stripping.without_secrets(node) for node in held.nodes], held.settings)
        content = own.write({name: getattr(workflow, name) for name in own.HEAD}, nodes, settings)
        audit.record(tenant_id, by, "workflow.exported", workflow_id, version=version or 0)
        bus.announce(events.WorkflowExported(tenant_id, workflow_id, version))
    return f"{workflow.name[:80]}{f' v{version}' if version else ''}.json", content


def report_of(tenant_id: UUID, workflow_id: UUID) -> Report | None:
    """Return what was reported when a workflow came in; None for one that was made here.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    return _report_of(queries.get_workflow(tenant_id, workflow_id))


def _report_of(workflow: WorkflowTemplate) -> Report | None:
    # The entry was written with the workflow; looking only around that moment lets the index of the audit book find it.
    row = db.session().scalar(
        text(
            "select details -> 'report' from audit_entries where tenant_id = :tenant and action = 'workflow.imported' and target_id = :workflow"
            " and at between cast(:made as timestamptz) - interval '1 minute' and cast(:made as timestamptz) + interval '5 minutes' limit 1"
        ),
        {"tenant": workflow.tenant_id, "workflow": workflow.id, "made": workflow.created_at},
    )
    return reporting.read(row) if row else None


def told(report: Report) -> dict[str, Any]:
    """Return a report for programs: its codes, and what they say in the reader's language."""

    def said(words: list[Any]) -> list[dict[str, str]]:
        return [{"code": code, "about": about, "text": wording.say((code, about))} for code, about in words]

    lines = [{**line, "words": said(line["words"])} for line in report.kept()["lines"]]
    return {"source": report.source, "counts": report.counts(), "general": said(report.general), "lines": lines}


def names_of(tenant_id: UUID, ids: Sequence[UUID]) -> list[tuple[WorkflowTemplate, Report]]:
    """Return those of some workflows that came in by files, with their reports; what is not of this tenant is left out."""
    found = []
    for workflow_id in ids[: graph.MOST_WORKFLOWS]:
        try:
            workflow = queries.get_workflow(tenant_id, workflow_id)
        except NotFound:
            continue
        if (report := _report_of(workflow)) is not None:
            found.append((workflow, report))
    return found


def _ours(document: dict[str, Any]) -> Imported:
    head = {name: document.get(name) for name in own.HEAD}
    lines = [Line(step.get("name") or step["key"], step["kind"], step=step["key"]) for step in document["steps"]]
    return Imported(
        name=head["name"] or "",
        description=head["description"] or "",
        steps=document["steps"],
        settings=document["settings"],
        report=Report("nasij", lines),
        name_ar=head["name_ar"] or "",
        description_ar=head["description_ar"] or "",
        category=head["category"] or "general",
    )


def _kept(tenant_id: UUID, made: Imported, *, may_use_connections: bool, by: Actor) -> Arrived:
    session, workflow_id = db.session(), new_id()
    book = Book(tenant_id, may_use_connections=may_use_connections)
    nodes, settings, left = book.back(made.steps, made.settings, workflow_id=workflow_id)
    workflow = WorkflowTemplate(
        id=workflow_id,
        tenant_id=tenant_id,
        name=made.name,
        name_ar=made.name_ar or None,
        description=made.description or None,
        description_ar=made.description_ar or None,
        category=made.category,
        nodes=nodes,
        edges=definition.edges_of(nodes),
        settings=settings,
        is_active=False,
        created_by=by.id,
    )
    session.add(workflow)
    session.flush()
    session.add(
        WorkflowRevision(
            tenant_id=tenant_id, template_id=workflow_id, number=0, nodes=nodes, settings=settings, label="imported", author_id=by.id
        )
    )
    report = made.report
    _add_starts(tenant_id, workflow, made, by=by)
    lines: dict[str | None, Line] = {line.step: line for line in reversed(report.lines) if line.step}
    for step, kind, name in left:
        if line := lines.get(step):
            line.say(REVIEW, f"no_{kind}", name)
        else:
            report.say(f"no_{kind}", name)
    for node in nodes:
        if stripping.holds(node["config"]) and (line := lines.get(node["key"])):
            line.say(REVIEW, "secret")
    _note_problems(workflow, report, lines)
    audit.record(tenant_id, by, "workflow.imported", workflow_id, source=report.source, counts=report.counts(), report=report.kept())
    bus.announce(events.WorkflowImported(tenant_id, workflow_id, report.source))
    return Arrived(workflow_id, report)


def _add_starts(tenant_id: UUID, workflow: WorkflowTemplate, made: Imported, *, by: Actor) -> None:
    zone = tenants.get(tenant_id).timezone
    lines = {line.name: line for line in made.report.lines}
    for start in made.starts:
        kind = registry.find(start.kind)
        assert kind is not None
        config = {**base.defaults(kind), **({"mode": kind.variant} if kind.variant else {}), **start.config}
        if "zone" in config and not config["zone"]:
            config["zone"] = zone
        if kind.maps_inputs:
            config.setdefault("inputs", {})
        place = Place(workflow.settings.get("inputs", []), zone)
        try:
            triggers.add_trigger(
                tenant_id, workflow.id, kind, name=start.name[:120], name_ar=None, config=config, place=place, by=by, begins_off=True
            )
        except (Invalid, Conflict) as refused:
            problems = getattr(refused, "problems", None) or {}
            about = ", ".join(str(config.get(name, name)) for name in problems)
            if line := lines.get(start.name):
                line.say(REVIEW, "start_refused", about)


def _note_problems(workflow: WorkflowTemplate, report: Report, lines: dict[str | None, Line]) -> None:
    """Let the report name every step that the check of the draft finds something wrong with."""
    names = {node["key"]: node["name"] for node in workflow.nodes}
    for problem in vetting.check_draft(workflow):
        line = lines.get(problem.step)
        if line is not None:
            line.say(REVIEW, "check")
        elif problem.step is not None:
            report.say("check_step", names.get(problem.step, problem.step))
        else:
            report.say("check_start")

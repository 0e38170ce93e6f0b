"""The verbs of workflows and runs; each is one transaction, audited, announced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db, ids
from portal.core.access import SYSTEM, Actor
from portal.core.errors import Invalid, NotFound
from portal.core.paging import Listing, Place
from portal.tenants import service as tenants
from portal.workflows import definition, inputs, list_queries, payloads, queries, redaction, uses, vetting
from portal.workflows.engine import plan
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.engine.store import answering, ending, gates, pausing, rescuing, starting
from portal.workflows.engine.store.reading import published
from portal.workflows.engine.store.rows import Hand
from portal.workflows.engine.store.starting import Reused
from portal.workflows.errors import DraftInvalid, NeedsApproval, NotPublished, TaskTaken, WrongState
from portal.workflows.models import WorkflowExecution, WorkflowRevision, WorkflowStep, WorkflowTemplate, WorkflowVersion
from portal.workflows.samples import catalogue


def create_workflow(tenant_id: UUID, *, name: str, name_ar: str | None, sample: str, by: Actor) -> UUID:
    """Create a workflow, blank or from a template of the house, which brings the data tables that it writes to."""
    chosen, workflow_id = catalogue.get(sample), ids.new_id()
    with db.transaction():
        chosen.make_tables(tenant_id)
        nodes, settings = chosen.draft(workflow_id)
        about = (chosen.description, chosen.description_ar) if nodes else (None, None)
        return add_workflow(
            tenant_id,
            workflow_id,
            nodes,
            settings,
            name=name,
            name_ar=name_ar,
            category=chosen.category,
            description=about[0],
            description_ar=about[1],
            sample=sample,
            by=by,
        )


def add_workflow(
    tenant_id: UUID,
    workflow_id: UUID,
    nodes: list[definition.Node],
    settings: definition.Settings,
    *,
    name: str,
    name_ar: str | None,
    category: str,
    description: str | None = None,
    description_ar: str | None = None,
    sample: str,
    by: Actor,
) -> UUID:
    """Add a workflow with this draft under an id of the caller's; `sample` says what it was begun from."""
    with db.transaction() as session:
        workflow = WorkflowTemplate(
            id=workflow_id,
            tenant_id=tenant_id,
            name=name,
            name_ar=name_ar or None,
            description=description or None,
            description_ar=description_ar or None,
            category=category,
            nodes=nodes,
            edges=definition.edges_of(nodes),
            settings=settings,
            created_by=by.id,
        )
        session.add(workflow)
        session.flush()
        session.add(
            WorkflowRevision(
                tenant_id=tenant_id, template_id=workflow_id, number=0, nodes=nodes, settings=settings, label="created", author_id=by.id
            )
        )
        audit.record(tenant_id, by, "workflow.created", workflow_id, sample=sample)
    return workflow_id


def describe_workflow(
    tenant_id: UUID,
    workflow_id: UUID,
    *,
    name: str,
    name_ar: str | None,
    description: str | None,
    description_ar: str | None,
    is_active: bool,
    by: Actor,
) -> None:
    """Change what a workflow is called and says of itself, and whether new runs may start. Running runs go on.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    with db.transaction():
        workflow = queries.get_workflow(tenant_id, workflow_id, lock=True)
        workflow.name, workflow.name_ar = name, name_ar or None
        workflow.description, workflow.description_ar = description or None, description_ar or None
        workflow.is_active = is_active
        audit.record(tenant_id, by, "workflow.described", workflow_id, name=name, is_active=is_active)


def switch_workflow(tenant_id: UUID, workflow_id: UUID, *, is_active: bool, by: Actor) -> bool:
    """Let new runs of a workflow start, or not; returns False when it stood so already. Running runs go on. Safe to repeat.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    with db.transaction():
        workflow = queries.get_workflow(tenant_id, workflow_id, lock=True)
        if workflow.is_active == is_active:
            return False
        workflow.is_active = is_active
        audit.record(tenant_id, by, "workflow.switched", workflow_id, is_active=is_active)
    return True


def publish_version(tenant_id: UUID, workflow_id: UUID, *, by: Actor) -> int:
    """Freeze the draft as the next version, make it the live one, and return its number.

    Publishing an unchanged draft again returns the live version's number and changes nothing.

    Raises:
        NotFound: no such workflow in this tenant.
        DraftInvalid: `.problems` says what is wrong.
        NeedsApproval: the organisation lets nobody publish alone.
    """
    with db.transaction():
        workflow = queries.get_workflow(tenant_id, workflow_id, lock=True)
        return publish_definition(tenant_id, workflow_id, workflow.nodes, workflow.settings, by=by)


def uses_connections(nodes: list[definition.Node]) -> bool:
    """Say whether a definition uses any connection: who publishes it must be allowed to."""
    return bool(uses.connections_of(nodes))


def needs_approval(tenant_id: UUID) -> bool:
    """Say whether the organisation lets nobody publish alone."""
    return bool(tenants.security_of(tenant_id).get("publish_needs_approval"))


def publish_definition(
    tenant_id: UUID, workflow_id: UUID, nodes: list[definition.Node], settings: definition.Settings, *, by: Actor, is_agreed: bool = False
) -> int:
    """Do what `publish_version` does with a definition that need not be the draft; the draft stays as it is.

    Args:
        is_agreed: somebody else than its authors has agreed to this very definition.
    """
    with db.transaction() as session:
        workflow = queries.get_workflow(tenant_id, workflow_id, lock=True)
        if not is_agreed and needs_approval(tenant_id):
            raise NeedsApproval
        if problems := vetting.check_definition(vetting.Definition(tenant_id, workflow_id, nodes, settings)):
            raise DraftInvalid(problems)
        digest = definition.graph_hash(nodes, settings)
        if workflow.published_version_id is not None:
            live = queries.get_version(tenant_id, workflow.published_version_id)
            if live.graph_hash == digest:
                return live.number
        number = queries.next_version_number(tenant_id, workflow_id)
        version = WorkflowVersion(
            tenant_id=tenant_id,
            template_id=workflow_id,
            number=number,
            nodes=nodes,
            edges=definition.edges_of(nodes),
            settings=settings,
            graph_hash=digest,
            author_id=by.id,
        )
        session.add(version)
        session.flush()
        workflow.published_version_id = version.id
        session.flush()
        gates.forget_limits(session.connection(), tenant_id, workflow_id)
        workflow.updated_at = clock.now()
        audit.record(tenant_id, by, "workflow.published", workflow_id, version=number)
        bus.announce(events.WorkflowPublished(tenant_id, workflow_id, number))
    return number


def is_draft_changed(workflow: WorkflowTemplate, live: WorkflowVersion | None) -> bool:
    """Say whether the draft differs from the live version."""
    return live is None or live.graph_hash != definition.graph_hash(workflow.nodes, workflow.settings)


def start_run(
    tenant_id: UUID,
    workflow_id: UUID,
    *,
    given: dict[str, Any],
    by: Actor,
    dedup_key: str | None = None,
    hand: Hand | None = None,
    priority: int | None = None,
) -> tuple[UUID, bool]:
    """Accept a run of the live version; return its id, and False if this key had started it before.

    Args:
        hand: who does its first pure and db steps at once, in the same transaction, and goes on after its commit (`runner.start_here`).

    Raises:
        NotFound: no such workflow in this tenant.
        NotPublished: it has no live version.
        GateFull: as many of its runs go on as may, and it refuses more.
        Invalid: `.problems` says which input is wrong.
    """
    with db.transaction() as session:
        live = queries.live_version(tenant_id, workflow_id)
        if live is None:
            raise NotPublished
        version = published(session.connection(), tenant_id, live.id)
        values = inputs.read(version.settings.get("inputs", []), given)
        run_id, is_new = starting.start(
            tenant_id,
            workflow_id,
            live.id,
            input_data=values,
            by=by.id,
            dedup_key=dedup_key,
            hand=hand,
            priority=priority,
        )
        if is_new:
            audit.record(tenant_id, by, "run.started", run_id, workflow=workflow_id, version=live.number)
    return run_id, is_new


def cancel_run(tenant_id: UUID, run_id: UUID, *, by: Actor, undo: bool = False) -> None:
    """Ask a run to end; what has begun may still finish, nothing new begins. Safe to repeat.

    Args:
        undo: take back what it did, by the undo lanes of its steps.

    Raises:
        NotFound: no such run in this tenant.
        WrongState: it has ended already.
    """
    with db.transaction():
        queries.get_run(tenant_id, run_id)
        if not ending.cancel(tenant_id, run_id, actor=str(by), undo=undo):
            raise WrongState
        audit.record(tenant_id, by, "run.cancel_asked", run_id, undo=undo)


def pause_run(tenant_id: UUID, run_id: UUID, *, by: Actor) -> None:
    """Let a run stand still: a step that is being carried out ends, nothing else begins, no timer fires.

    Raises:
        NotFound: no such run in this tenant.
        WrongState: it is paused already, is ending or has ended.
    """
    with db.transaction():
        queries.get_run(tenant_id, run_id)
        if not pausing.pause(tenant_id, run_id, actor=str(by)):
            raise WrongState
        audit.record(tenant_id, by, "run.paused", run_id)


def resume_run(tenant_id: UUID, run_id: UUID, *, by: Actor) -> None:
    """Let a paused run go on.

    Raises:
        NotFound: no such run in this tenant.
        WrongState: it is not paused.
    """
    with db.transaction():
        queries.get_run(tenant_id, run_id)
        if not pausing.resume(tenant_id, run_id, actor=str(by)):
            raise WrongState
        audit.record(tenant_id, by, "run.resumed", run_id)


def retry_run(tenant_id: UUID, run_id: UUID, *, by: Actor) -> UUID:
    """Start a new run of the same version that takes over every finished step and goes on at the one that failed.

    The old run stays as it is: ended runs never change. Asking twice gives the same new run.

    Raises:
        NotFound: no such run in this tenant.
        WrongState: it has not failed.
    """
    with db.transaction() as session:
        run = queries.get_run(tenant_id, run_id)
        if run.status not in ("failed", "timed_out", "cancelled"):  # what was taken back is not taken over
            raise WrongState
        db.commits("replay")
        graph = published(session.connection(), tenant_id, run.version_id).graph
        done = {
            key: Reused(step.state, step.port, payloads.read_one(tenant_id, step.output), step.error)
            for key, step in plan.view(graph, queries.steps_of(tenant_id, run_id, scope="")).items()
            if step.port is not None
        }
        new_id, is_new = starting.start(
            tenant_id,
            run.workflow_id,
            run.version_id,
            input_data=payloads.read_one(tenant_id, run.input_data),
            by=by.id,
            dedup_key=f"retry:{run_id}",
            reused=done,
            replay_of=run_id,
        )
        if is_new:
            audit.record(tenant_id, by, "run.retried", new_id, of=run_id)
    return new_id


def start_error_run(tenant_id: UUID, run_id: UUID) -> UUID | None:
    """Start the workflow that deals with the failure of a run, if its version names one; joins the open transaction.

    The facts go to the inputs of that workflow that have their names: workflow, workflow_id, run_id, status, step, code, detail.
    A run that deals with a failure has no such workflow itself, so failures never go round in a circle.
    """
    with db.transaction() as session:
        run = queries.get_run(tenant_id, run_id)
        wanted = published(session.connection(), tenant_id, run.version_id).settings.get("error_workflow")
        if not wanted or run.error_of is not None:
            return None
        try:
            live = queries.live_version(tenant_id, UUID(str(wanted)))
        except NotFound:
            live = None
        if live is None:
            audit.record(tenant_id, SYSTEM, "run.error_workflow_missing", run_id, workflow=str(wanted))
            return None
        error = run.error or {}
        facts = {
            "workflow": queries.get_workflow(tenant_id, run.workflow_id).name, "workflow_id": str(run.workflow_id), "run_id": str(run_id),
            "status": run.status, "step": error.get("step"), "code": error.get("code"), "detail": error.get("detail"),
        }  # fmt: skip
        declared = published(session.connection(), tenant_id, live.id).settings.get("inputs", [])
        # What does not fit an input is left empty: a form that asks for more must not keep a failure from being dealt with.
        values: dict[str, Any] = {}
        for each in declared:
            try:
                values |= inputs.read([each], facts)
            except Invalid:
                values[each["key"]] = None
        new_id, _new = starting.start(
            tenant_id, UUID(str(wanted)), live.id, input_data=values, by=run.executed_by, dedup_key=f"error:{run_id}", error_of=run_id
        )
    return new_id


def decide_step(tenant_id: UUID, run_id: UUID, node_key: str, decision: str, *, by: Actor, scope: str | None = None) -> None:
    """Answer for a step in doubt: `done`, `repeat` or `fail`.

    Raises:
        NotFound: no such run in this tenant, or no such decision.
        WrongState: the step is not in doubt any more.
    """
    if decision not in ("done", "repeat", "fail"):
        raise NotFound
    with db.transaction():
        queries.get_run(tenant_id, run_id)
        if not _voted(tenant_id, run_id, node_key, decision, by=by, scope=scope) and not rescuing.decide(
            tenant_id, run_id, node_key, decision, actor=str(by), scope=scope
        ):
            raise WrongState
        audit.record(tenant_id, by, "step.decided", run_id, step=node_key, decision=decision)


def _voted(tenant_id: UUID, run_id: UUID, node_key: str, decision: str, *, by: Actor, scope: str | None) -> bool:
    """Answer by the task that asks for it, so that it says who answered; False when there is none, or it is not this person's."""
    task_id = queries.task_of_doubt(tenant_id, run_id, node_key, scope=scope)
    if task_id is None or by.kind != "person" or by.id is None:
        return False
    try:
        answering.vote(tenant_id, task_id, answering.Vote(by.id, decision, {}, "", str(by)))
    except (NotFound, TaskTaken):
        return False
    return True


def has_ended(status: str) -> bool:
    """Say whether a run with this status will never change again."""
    return status in RUN_ENDED


def list_workflows(tenant_id: UUID, *, place: Place | None, limit: int) -> Listing[Row[Any]]:
    """Return workflows with their live version's number and their last run, last changed first; `place` has the kind `time`."""
    return list_queries.list_workflows(tenant_id, place=place, limit=limit)


def get_workflow(tenant_id: UUID, workflow_id: UUID) -> tuple[WorkflowTemplate, WorkflowVersion | None]:
    """Return a workflow and its live version.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    workflow = queries.get_workflow(tenant_id, workflow_id)
    return workflow, queries.get_version(tenant_id, workflow.published_version_id) if workflow.published_version_id else None


def get_run(tenant_id: UUID, run_id: UUID) -> tuple[WorkflowExecution, WorkflowVersion, Sequence[WorkflowStep]]:
    """Return a run, its version, and its steps that have begun.

    Raises:
        NotFound: no such run in this tenant.
    """
    run = queries.get_run(tenant_id, run_id)
    return run, queries.get_version(tenant_id, run.version_id), queries.steps_of(tenant_id, run_id)


def whole_value(tenant_id: UUID, value: Any) -> Any:
    """Return what a row of a run holds as programs see it: large values read, secrets as dots."""
    return redaction.shown(payloads.read_one(tenant_id, value))

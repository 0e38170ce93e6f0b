"""How long runs are kept, and legal holds: the rules that `sweeping` follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.ids import new_id
from portal.i18n.words import gettext as _
from portal.workflows import queries
from portal.workflows.history.models import LegalHold, WorkflowRetention, WorkflowTombstone
from portal.workflows.models import WorkflowExecution, WorkflowTemplate

MOST_DAYS = 36_500
MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class Rule:
    """For how many days runs are kept by how they ended; None keeps them for ever."""

    succeeded_days: int | None = None
    failed_days: int | None = None


def rule_of(tenant_id: UUID, workflow_id: UUID | None) -> Rule | None:
    """Return the rule of a workflow, or with None the one for all that have none; None when there is none."""
    found = db.session().scalar(_rule(tenant_id, workflow_id))
    return Rule(found.succeeded_days, found.failed_days) if found is not None else None


def own_rules(tenant_id: UUID) -> list[Any]:
    """Return the workflows that have rules of their own, by name."""
    wanted = (
        select(
            WorkflowTemplate.id,
            WorkflowTemplate.name,
            WorkflowTemplate.name_ar,
            WorkflowRetention.succeeded_days,
            WorkflowRetention.failed_days,
        )
        .join(WorkflowRetention, WorkflowRetention.workflow_id == WorkflowTemplate.id)
        .where(WorkflowTemplate.tenant_id == tenant_id, WorkflowRetention.tenant_id == tenant_id)
    )
    return list(db.session().execute(wanted.order_by(WorkflowTemplate.name, WorkflowTemplate.id).limit(200)))


def set_rule(tenant_id: UUID, workflow_id: UUID | None, rule: Rule | None, *, by: Actor) -> None:
    """Set the rule of a workflow, or with None that of all others; without a rule a workflow follows that one.

    Raises:
        Invalid: a figure is not between 1 and 36,500.
        NotFound: no such workflow in this tenant.
    """
    figures = {"succeeded_days": rule.succeeded_days, "failed_days": rule.failed_days} if rule else {}
    wrong = {
        name: _("Write a number of days from 1 to 36,500, or leave it empty.")
        for name, days in figures.items()
        if days is not None and not 1 <= days <= MOST_DAYS
    }
    if wrong:
        raise Invalid(wrong)
    with db.transaction(tenant_id) as session:
        if workflow_id is not None:
            queries.get_workflow(tenant_id, workflow_id)
        before = rule_of(tenant_id, workflow_id)
        if before == rule:
            return
        if rule is None:
            session.delete(session.scalars(_rule(tenant_id, workflow_id)).one())
        else:
            row = insert(WorkflowRetention).values(id=new_id(), tenant_id=tenant_id, workflow_id=workflow_id, **figures)
            session.execute(row.on_conflict_do_update(index_elements=["tenant_id", "workflow_id"], set_=figures))
        told = {"before": _told(before), "after": _told(rule)}
        audit.record(tenant_id, by, "retention.changed", workflow_id, **told)
        bus.announce(events.RetentionChanged(tenant_id, workflow_id))


def holds(tenant_id: UUID, *, is_open: bool, limit: int = 50) -> list[LegalHold]:
    """Return holds of the organisation, newest first."""
    wanted = select(LegalHold).where(
        LegalHold.tenant_id == tenant_id, LegalHold.lifted_at.is_(None) if is_open else LegalHold.lifted_at.is_not(None)
    )
    return list(db.session().scalars(wanted.order_by(LegalHold.placed_at.desc()).limit(limit)))


def holds_on(tenant_id: UUID, *, workflow_id: UUID, run_id: UUID | None = None) -> list[LegalHold]:
    """Return the open holds that keep a workflow's runs, or one of them."""
    return [
        each
        for each in holds(tenant_id, is_open=True, limit=1000)
        if each.scope == "tenant" or each.workflow_id == workflow_id or (run_id is not None and each.run_id == run_id)
    ]


def get_hold(tenant_id: UUID, hold_id: UUID) -> LegalHold:
    """Return a hold.

    Raises:
        NotFound: no such hold in this tenant.
    """
    found = db.session().scalar(select(LegalHold).where(LegalHold.tenant_id == tenant_id, LegalHold.id == hold_id))
    if found is None:
        raise NotFound
    return found


def hold(tenant_id: UUID, *, reason: str, by: Actor, workflow_id: UUID | None = None, run_id: UUID | None = None) -> UUID:
    """Hold a run, the runs of a workflow, or with neither everything; a second one on the same thing gives the first.

    Raises:
        Invalid: there is no reason.
        NotFound: no such run or workflow in this tenant, or the run is being deleted already.
    """
    reason = _reason(reason)
    scope = "run" if run_id else "workflow" if workflow_id else "tenant"
    with db.transaction(tenant_id) as session:
        if run_id is not None:
            queries.get_run(tenant_id, run_id)
        if workflow_id is not None:
            queries.get_workflow(tenant_id, workflow_id)
        row = insert(LegalHold).values(
            id=new_id(), tenant_id=tenant_id, scope=scope, workflow_id=workflow_id, run_id=run_id, reason=reason, placed_by=by.id
        )
        new = session.scalar(
            row.on_conflict_do_nothing(
                index_elements=["tenant_id", "workflow_id", "run_id"], index_where=text("lifted_at is null")
            ).returning(LegalHold.id)
        )
        if new is None:
            same = LegalHold.workflow_id.is_not_distinct_from(workflow_id) & LegalHold.run_id.is_not_distinct_from(run_id)
            found: UUID = session.scalars(
                select(LegalHold.id).where(LegalHold.tenant_id == tenant_id, same, LegalHold.lifted_at.is_(None))
            ).one()
            return found
        audit.record(tenant_id, by, "hold.placed", run_id or workflow_id, hold=new, scope=scope, reason=reason)
        bus.announce(events.HoldPlaced(tenant_id, new, scope))
    return new


def lift(tenant_id: UUID, hold_id: UUID, *, reason: str, by: Actor) -> None:
    """Lift a hold; what it held goes with the next sweep if its time is over. Lifting it twice changes nothing.

    Raises:
        Invalid: there is no reason.
        NotFound: no such hold in this tenant.
    """
    reason = _reason(reason)
    with db.transaction(tenant_id) as session:
        found = session.scalar(select(LegalHold).where(LegalHold.tenant_id == tenant_id, LegalHold.id == hold_id).with_for_update())
        if found is None:
            raise NotFound
        if found.lifted_at is not None:
            return
        found.lifted_at, found.lifted_by, found.lift_reason = session.scalar(func.clock_timestamp()), by.id, reason
        audit.record(tenant_id, by, "hold.lifted", found.run_id or found.workflow_id, hold=hold_id, scope=found.scope, reason=reason)
        bus.announce(events.HoldLifted(tenant_id, hold_id, found.scope))


def tombstones(tenant_id: UUID, *, limit: int = 50) -> list[Any]:
    """Return what is left of the runs that were deleted last, with the names of their workflows."""
    wanted = (
        select(WorkflowTombstone, WorkflowTemplate.name, WorkflowTemplate.name_ar)
        .outerjoin(
            WorkflowTemplate,
            (WorkflowTemplate.tenant_id == WorkflowTombstone.tenant_id) & (WorkflowTemplate.id == WorkflowTombstone.workflow_id),
        )
        .where(WorkflowTombstone.tenant_id == tenant_id)
        .order_by(WorkflowTombstone.deleted_at.desc().nulls_first(), WorkflowTombstone.execution_id.desc())
        .limit(limit)
    )
    return list(db.session().execute(wanted))


def is_going(tenant_id: UUID, run_id: UUID) -> bool:
    """Say whether a run is being deleted, so that parts of it may be missing."""
    return db.session().get(WorkflowTombstone, (tenant_id, run_id)) is not None


def run_names(tenant_id: UUID, ids: list[UUID]) -> dict[UUID, Any]:
    """Return the workflows' names of runs that are still there."""
    wanted = (
        select(WorkflowExecution.id, WorkflowTemplate.name, WorkflowTemplate.name_ar)
        .join(
            WorkflowTemplate,
            (WorkflowTemplate.tenant_id == WorkflowExecution.tenant_id) & (WorkflowTemplate.id == WorkflowExecution.workflow_id),
        )
        .where(WorkflowExecution.tenant_id == tenant_id, WorkflowExecution.id.in_(ids))
    )
    return {row.id: row for row in db.session().execute(wanted)}


def _rule(tenant_id: UUID, workflow_id: UUID | None) -> Any:
    return select(WorkflowRetention).where(
        WorkflowRetention.tenant_id == tenant_id, WorkflowRetention.workflow_id.is_not_distinct_from(workflow_id)
    )


def _told(rule: Rule | None) -> dict[str, int | None]:
    return {"succeeded_days": rule.succeeded_days, "failed_days": rule.failed_days} if rule else {}


def _reason(given: str) -> str:
    reason = given.strip()
    if not 3 <= len(reason) <= MOST_REASON:
        raise Invalid({"reason": _("Write the reason, in 3 to 500 characters.")})
    return reason

"""Every SELECT of triggers and receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from portal.core import db
from portal.core.errors import NotFound
from portal.core.paging import Listing, Place, SortKey, listing_of, sorted_page
from portal.workflows.engine.store.starting import Seen
from portal.workflows.models import WorkflowExecution
from portal.workflows.triggers.base import Opened
from portal.workflows.triggers.models import BUILT_IN, WorkflowReceipt, WorkflowTrigger

R, T = WorkflowReceipt, WorkflowTrigger
RECEIPTS: Any = R.__table__.c  # columns, as pages of a list want them
NEWEST = SortKey(RECEIPTS.received_at, "time")

OPEN = """
select clock_timestamp(), w.name, w.name_ar,
       t.id, t.tenant_id, t.workflow_id, t.kind, t.config, t.secrets, case when w.is_active then w.published_version_id end as version_id
from workflow_triggers t
join workflow_templates w on w.tenant_id = t.tenant_id and w.id = t.workflow_id
join tenants n on n.id = t.tenant_id
where t.is_enabled and n.status = 'active'
"""
FIND = text("select tenant_id, id from find_trigger(:digest)")
OPEN_BY_ID = text(OPEN + " and t.tenant_id = :tenant and t.id = :id")
EVENTS = text("select id from workflow_triggers where tenant_id = :tenant and is_enabled and event_type = :type")


def list_triggers(tenant_id: UUID, workflow_id: UUID) -> Sequence[WorkflowTrigger]:
    """Return the triggers of a workflow that were added, oldest first."""
    rows = select(T).where(T.tenant_id == tenant_id, T.workflow_id == workflow_id, T.kind.not_in(BUILT_IN)).order_by(T.created_at, T.id)
    return db.session().scalars(rows).all()


def built_in(tenant_id: UUID, workflow_id: UUID, kind: str) -> WorkflowTrigger | None:
    """Return the trigger of a kind that there is once; None while it has not been needed."""
    found: WorkflowTrigger | None = db.session().scalar(
        select(T).where(T.tenant_id == tenant_id, T.workflow_id == workflow_id, T.kind == kind)
    )
    return found


def get_trigger(tenant_id: UUID, trigger_id: UUID, *, lock: bool = False) -> WorkflowTrigger:
    """Return a trigger.

    Raises:
        NotFound: no such trigger in this tenant.
    """
    rows = select(T).where(T.tenant_id == tenant_id, T.id == trigger_id)
    if lock:
        rows = rows.with_for_update(key_share=True)
    found = db.session().scalar(rows)
    if found is None:
        raise NotFound
    return found


def opened(tenant_id: UUID, trigger_id: UUID) -> Opened | None:
    """Return a trigger that is on, with its workflow's live version; None when it is off, or its organisation stands still."""
    row = db.session().execute(OPEN_BY_ID, {"tenant": tenant_id, "id": trigger_id}).first()
    return Opened(Seen(*row[:3]), *row[3:]) if row else None


def opened_by_address(digest: bytes) -> Opened | None:
    """Do the same for the trigger whose address has this hash, and enter its tenant."""
    found = db.session().execute(FIND, {"digest": digest}).first()
    if found is None:
        return None
    db.enter_tenant(found.tenant_id, is_named=True)
    return opened(found.tenant_id, found.id)


def listening(tenant_id: UUID, event_type: str) -> Sequence[UUID]:
    """Return the triggers that are on and wait for this kind of event."""
    return db.session().scalars(EVENTS, {"tenant": tenant_id, "type": event_type}).all()


def receipt_of(tenant_id: UUID, trigger_id: UUID, dedup_key: str) -> Row[Any] | None:
    """Return outcome, run and hash of the body of what arrived under this key."""
    columns = select(R.id, R.outcome, R.execution_id, R.body_hash)
    return db.session().execute(columns.where(R.tenant_id == tenant_id, R.trigger_id == trigger_id, R.dedup_key == dedup_key)).first()


def list_receipts(tenant_id: UUID, trigger_id: UUID, *, place: Place | None, limit: int = 25) -> Listing[Row[Any]]:
    """Return what arrived at a trigger, newest first, with the state of its run."""
    columns = select(R.id, R.received_at, R.outcome, R.reason, R.problems, R.nominal_at, R.depth, R.execution_id, WorkflowExecution.status)
    rows = columns.outerjoin(
        WorkflowExecution, (WorkflowExecution.tenant_id == R.tenant_id) & (WorkflowExecution.id == R.execution_id)
    ).where(R.tenant_id == tenant_id, R.trigger_id == trigger_id)
    page = sorted_page(rows, NEWEST, RECEIPTS.id, is_down=True, place=place, limit=limit)
    return listing_of(list(db.session().execute(page)), place=place, limit=limit)


def last_fires(tenant_id: UUID, workflow_id: UUID) -> dict[UUID, Row[Any]]:
    """Return what arrived last at each trigger of a workflow: trigger → (received_at, outcome, execution_id)."""
    rows = db.session().execute(
        text(
            """
            select t.id, r.received_at, r.outcome, r.execution_id from workflow_triggers t
            cross join lateral (select received_at, outcome, execution_id from workflow_receipts r
                                where r.tenant_id = t.tenant_id and r.trigger_id = t.id order by received_at desc, id desc limit 1) r
            where t.tenant_id = :tenant and t.workflow_id = :workflow
            """
        ),
        {"tenant": tenant_id, "workflow": workflow_id},
    )
    return {row.id: row for row in rows}


def alive(tenant_id: UUID, trigger_id: UUID) -> list[UUID]:
    """Return the runs that this trigger started and that have not ended."""
    rows = db.session().scalars(
        text(
            """
            select e.id from workflow_executions e
            join workflow_receipts r on r.tenant_id = e.tenant_id and r.execution_id = e.id
            where e.tenant_id = :tenant and e.status in ('pending','running','cancelling','paused') and r.trigger_id = :trigger
            """
        ),
        {"tenant": tenant_id, "trigger": trigger_id},
    )
    return list(rows)


def depth_of(tenant_id: UUID, run_id: UUID) -> int:
    """Return how many runs led to this one, each by an event of the one before; 0 for a run that no event started."""
    found = db.session().scalar(
        text("select max(depth) from workflow_receipts where tenant_id = :tenant and execution_id = :run"),
        {"tenant": tenant_id, "run": run_id},
    )
    return int(found or 0)


def starter_of(tenant_id: UUID, run_id: UUID) -> Row[Any] | None:
    """Return id, workflow, kind, names and maker of the trigger that started a run; None when none did."""
    return (
        db.session()
        .execute(
            text(
                "select t.id, t.workflow_id, t.kind, t.config, t.name, t.name_ar, t.created_by from workflow_receipts r"
                " join workflow_triggers t on t.tenant_id = r.tenant_id and t.id = r.trigger_id"
                " where r.tenant_id = :tenant and r.execution_id = :run limit 1"
            ),
            {"tenant": tenant_id, "run": run_id},
        )
        .first()
    )


def due(limit: int = 200) -> list[tuple[UUID, UUID]]:
    """Return (tenant, trigger) of schedules that are due, of every tenant that does not stand still; only for the system role, picked without locks."""
    rows = db.session().execute(
        text(
            "select t.tenant_id, t.id from workflow_triggers t join tenants n on n.id = t.tenant_id and n.status = 'active'"
            " where t.is_enabled and t.next_fire_at <= clock_timestamp() order by t.next_fire_at limit :limit"
        ),
        {"limit": limit},
    )
    return [(row.tenant_id, row.id) for row in rows]


def unsettled(limit: int = 200) -> list[tuple[UUID, UUID, str]]:
    """Return (tenant, receipt, outcome) of what waits or is queued, of every tenant that does not stand still; only for the system role."""
    rows = db.session().execute(
        text(
            "select r.tenant_id, r.id, r.outcome from workflow_receipts r join tenants n on n.id = r.tenant_id and n.status = 'active'"
            " where r.outcome in ('waiting','queued') order by r.received_at limit :limit"
        ),
        {"limit": limit},
    )
    return [(row.tenant_id, row.id, row.outcome) for row in rows]


def answer_of(tenant_id: UUID, run_id: UUID) -> Row[Any]:
    """Return a run's status, and what its step “Answer the caller” said, if it has said it."""
    return (
        db.session()
        .execute(
            text(
                """
                select e.status, (select s.output from workflow_steps s where s.tenant_id = e.tenant_id and s.execution_id = e.id
                                  and s.kind = 'respond' and s.state = 'succeeded' order by s.finished_at, s.id limit 1) as output
                from workflow_executions e where e.tenant_id = :tenant and e.id = :run
                """
            ),
            {"tenant": tenant_id, "run": run_id},
        )
        .one()
    )

"""T14: a schedule that is due. One transaction a trigger: what was missed, what overlaps, the runs, and when it is due next.

Each start carries the trigger's id and the instant that was meant, so two dispatchers, or one that dies and another that goes on,
start each instant once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from portal.core import db
from portal.workflows.engine.runner import again
from portal.workflows.engine.store import ending
from portal.workflows.triggers import arriving, listening, mapping, queries, times
from portal.workflows.triggers.arriving import Arrival
from portal.workflows.triggers.base import Opened
from portal.workflows.triggers.models import WorkflowReceipt, WorkflowTrigger
from portal.workflows.triggers.schedule import plan_of

log = logging.getLogger(__name__)

# Later than this is missed: the dispatcher's round takes a second, its standby ten more.
ON_TIME = timedelta(seconds=60)
MOST_MISSED = 100


def fire_due() -> int:
    """Start what is due of every schedule, what waited for a run before it, and what events ask for; returns how many it dealt with.

    For the dispatcher, each second; safe to repeat and to run twice at once.
    """
    with db.transaction(system=True):
        waiting = queries.due()
        receipts = queries.unsettled()
    done = sum(_each(partial(fire, *row)) for row in waiting)
    deal_with = {"queued": release, "waiting": listening.settle}
    return done + sum(_each(partial(deal_with[outcome], tenant_id, receipt_id)) for tenant_id, receipt_id, outcome in receipts)


def _each(move: Callable[[], bool]) -> int:
    """Deal with each on its own: one that breaks must not keep the others waiting."""
    try:
        return int(again(move))
    except Exception:
        log.exception("a trigger could not be dealt with")
        return 0


def fire(tenant_id: UUID, trigger_id: UUID) -> bool:
    """Start what one schedule is due for; False when somebody else is at it, or it is not due any more."""
    with db.transaction(tenant_id) as session:
        db.commits("schedule")
        trigger = session.scalar(
            select(WorkflowTrigger)
            .where(
                WorkflowTrigger.tenant_id == tenant_id,
                WorkflowTrigger.id == trigger_id,
                WorkflowTrigger.is_enabled,
                WorkflowTrigger.next_fire_at <= func.clock_timestamp(),
            )
            .with_for_update(key_share=True, skip_locked=True)
        )
        if trigger is None or trigger.next_fire_at is None:
            return False
        now = session.scalar(select(func.clock_timestamp()))
        assert now is not None
        opened = queries.opened(tenant_id, trigger_id)
        plan = plan_of(trigger.config)
        if opened is not None:
            missed, wanted = sort_out(plan, trigger.config, first=trigger.next_fire_at, now=now)
            for instant in missed:
                arriving.note(opened, _arrival(opened, instant), "missed")
            for instant in wanted:
                _start(opened, instant)
                trigger.last_fired_at = instant
        trigger.next_fire_at = times.next_after(plan, now)
    return True


def sort_out(plan: times.Plan, config: dict[str, Any], *, first: datetime, now: datetime) -> tuple[list[datetime], list[datetime]]:
    """Return which of the instants from `first` to `now` were missed (the last hundred of them), and which are to start. Pure."""
    instants = times.due(plan, first, now, limit=MOST_MISSED)
    late = [each for each in instants if now - each > ON_TIME]
    wanted = [each for each in instants if now - each <= ON_TIME]
    caught: list[datetime] = []
    if config["misfire"] == "latest" and late and not wanted:
        caught = late[-1:]
    elif config["misfire"] == "all":
        window = now - timedelta(hours=int(config["window_h"]))
        caught = [each for each in late if each >= window][-int(config["catchup"]) :]
    return [each for each in late if each not in caught], [*caught, *wanted]


def release(tenant_id: UUID, receipt_id: UUID) -> bool:
    """Start what waited for the run before it, once that has ended; False while it has not."""
    with db.transaction(tenant_id) as session:
        receipt = session.scalar(
            select(WorkflowReceipt)
            .where(WorkflowReceipt.tenant_id == tenant_id, WorkflowReceipt.id == receipt_id, WorkflowReceipt.outcome == "queued")
            .with_for_update(skip_locked=True)
        )
        if receipt is None or queries.alive(tenant_id, receipt.trigger_id):
            return False
        opened = queries.opened(tenant_id, receipt.trigger_id)
        if opened is None:
            session.execute(
                text("update workflow_receipts set outcome = 'skipped', reason = 'off' where tenant_id = :tenant and id = :id"),
                {"tenant": tenant_id, "id": receipt_id},
            )
            return True
        instant = receipt.nominal_at
        assert instant is not None
        session.expunge(receipt)
        arriving.begin(opened, _arrival(opened, instant))
    return True


def _start(opened: Opened, instant: datetime) -> None:
    arrival = _arrival(opened, instant)
    overlap = opened.config["overlap"]
    running = queries.alive(opened.tenant_id, opened.id) if overlap != "allow" else []
    if running and overlap == "skip":
        arriving.note(opened, arrival, "skipped", reason="overlap")
        return
    if running and overlap == "queue":
        arriving.note(opened, arrival, "skipped" if _is_one_queued(opened) else "queued", reason="overlap")
        return
    for run_id in running:
        ending.cancel(opened.tenant_id, run_id, actor="schedule")
    arriving.begin(opened, arrival)


def _is_one_queued(opened: Opened) -> bool:
    found = db.session().scalar(
        text("select 1 from workflow_receipts where tenant_id = :tenant and trigger_id = :trigger and outcome = 'queued' limit 1"),
        {"tenant": opened.tenant_id, "trigger": opened.id},
    )
    return found is not None


def _arrival(opened: Opened, instant: datetime) -> Arrival:
    meant = instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    local = instant.astimezone(plan_of(opened.config).zone)
    arrived = {"at": meant, "local": local.isoformat(timespec="seconds"), "day": local.date().isoformat()}
    return Arrival(
        key=meant,
        read=lambda declared: mapping.read(declared, opened.config, arrived, {}),
        nominal_at=instant,
    )

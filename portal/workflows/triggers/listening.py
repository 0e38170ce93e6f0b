"""Events of the house → runs. The listener only writes a receipt, in the transaction of the event; the dispatcher deals with it."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from portal.core import db
from portal.core.ids import new_id
from portal.workflows import expressions
from portal.workflows.triggers import arriving, mapping, queries, rates
from portal.workflows.triggers.arriving import Arrival
from portal.workflows.triggers.base import Opened
from portal.workflows.triggers.errors import TooMany
from portal.workflows.triggers.event import MAX_DEPTH, TYPE_OF, payload_of
from portal.workflows.triggers.models import WorkflowReceipt

# Facts that are the same when they are told again: by what they are known. Any other is a fact of its own each time.
KNOWN_BY = {"run.finished": ("run_id",), "run.started": ("run_id",), "workflow.published": ("workflow_id", "version")}
# How long a process may go on believing that nobody waits for a kind of event. Most tenants have no such trigger, and each run
# would pay for the question; a trigger that is switched on in another process hears from this one a second later at most.
NOBODY_FOR_S = 1.0

_nobody: dict[tuple[UUID, str], float] = {}


def hear(event: Any) -> None:
    """Write a receipt for each trigger that waits for this event, in the open transaction."""
    name, now = TYPE_OF[type(event)], time.monotonic()
    if _nobody.get((event.tenant_id, name), 0.0) > now:
        return
    waiting = queries.listening(event.tenant_id, name)
    if not waiting:
        if len(_nobody) > 10_000:
            _nobody.clear()
        _nobody[(event.tenant_id, name)] = now + NOBODY_FOR_S
        return
    said = payload_of(event)
    depth = queries.depth_of(event.tenant_id, event.run_id) + 1 if "run_id" in said else 1
    known_by = [str(said[each]) for each in KNOWN_BY.get(name, ())] or [str(new_id())]
    for trigger_id in waiting:
        db.session().execute(
            text(
                "insert into workflow_receipts (id, tenant_id, trigger_id, dedup_key, outcome, payload, depth)"
                " values (:id, :tenant, :trigger, :key, 'waiting', cast(:payload as jsonb), :depth)"
                " on conflict (tenant_id, trigger_id, dedup_key) do nothing"
            ),
            {
                "id": new_id(), "tenant": event.tenant_id, "trigger": trigger_id, "key": ":".join([name, *known_by]),
                "payload": db.to_json(said), "depth": depth,
            },
        )  # fmt: skip


def forget_nobody(tenant_id: UUID) -> None:
    """Ask anew from now on whether somebody waits for events of a tenant."""
    for key in [key for key in _nobody if key[0] == tenant_id]:
        _nobody.pop(key, None)


def settle(tenant_id: UUID, receipt_id: UUID) -> bool:
    """Start the run that an event asks for, if its condition holds and it is not one too many; False if somebody else is at it."""
    with db.transaction(tenant_id) as session:
        receipt = session.scalar(
            select(WorkflowReceipt)
            .where(WorkflowReceipt.tenant_id == tenant_id, WorkflowReceipt.id == receipt_id, WorkflowReceipt.outcome == "waiting")
            .with_for_update(skip_locked=True)
        )
        if receipt is None:
            return False
        session.expunge(receipt)
        opened = queries.opened(tenant_id, receipt.trigger_id)
        if opened is None:
            _end(receipt, "skipped", "off")
            return True
        said = receipt.payload or {}
        refusal = _refusal(opened, receipt, said)
        if refusal is not None:
            _end(receipt, *refusal)
            return True
        arrival = Arrival(
            key=receipt.dedup_key, read=lambda declared: mapping.read(declared, opened.config, said, said), depth=receipt.depth
        )
        arriving.begin(opened, arrival)
    return True


def _refusal(opened: Opened, receipt: WorkflowReceipt, said: dict[str, Any]) -> tuple[str, str | None] | None:
    """Return outcome and reason of an event that starts nothing."""
    if receipt.depth > MAX_DEPTH:
        return "too_deep", None
    if condition := opened.config["when"]:
        try:
            holds = expressions.compile_template(f"${{ {condition} }}").evaluate({"input": said})
        except expressions.ExpressionError as wrong:
            return "refused", f"condition: {wrong.message}"
        if holds is not True:
            return "filtered", None if holds is False else "not_boolean"
    try:
        rates.take(opened.tenant_id, opened.id, per_minute=int(opened.config["per_minute"]))
    except TooMany:
        return "limited", None
    return None


def _end(receipt: WorkflowReceipt, outcome: str, reason: str | None) -> None:
    db.session().execute(
        text("update workflow_receipts set outcome = :outcome, reason = :reason where tenant_id = :tenant and id = :id"),
        {"outcome": outcome, "reason": reason, "tenant": receipt.tenant_id, "id": receipt.id},
    )

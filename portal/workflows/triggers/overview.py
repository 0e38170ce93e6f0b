"""The ways in which a workflow starts, as its pages list them."""

from __future__ import annotations

from uuid import UUID

from portal.workflows.triggers import queries, wording
from portal.workflows.triggers.registry import BUILT_IN
from portal.workflows.triggers.wording import Row


def ways_of(tenant_id: UUID, workflow_id: UUID) -> tuple[list[Row], list[Row]]:
    """Return those that each workflow has, and those that were added, oldest first."""
    last = queries.last_fires(tenant_id, workflow_id)
    always = [wording.built_in_row(kind, queries.built_in(tenant_id, workflow_id, kind.kind), last) for kind in BUILT_IN]
    return always, [wording.row(trigger, last) for trigger in queries.list_triggers(tenant_id, workflow_id)]


def added_to(tenant_id: UUID, workflow_id: UUID) -> list[Row]:
    """Return those that were added, without what came last: enough to name them, at the price of one query."""
    return [wording.row(trigger, {}) for trigger in queries.list_triggers(tenant_id, workflow_id)]

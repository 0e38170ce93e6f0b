"""Job entry points of lists."""

from __future__ import annotations

from uuid import UUID

from portal.core.jobs import job
from portal.lists import service


@job("lists.carry_out", queue="bulk", timeout_s=120)
def carry_out(tenant_id: str, bulk_id: str) -> None:
    """Go on with a bulk action."""
    service.carry_out(UUID(tenant_id), UUID(bulk_id))

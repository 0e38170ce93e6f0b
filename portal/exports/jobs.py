"""Job entry points of exports."""

from __future__ import annotations

from uuid import UUID

from portal.core.jobs import job
from portal.exports import service


@job("exports.make", queue="bulk", timeout_s=300)
def make(tenant_id: str, export_id: str) -> None:
    """Make a file that somebody asked for."""
    service.make(UUID(tenant_id), UUID(export_id))

"""Job entry points of tokens."""

from __future__ import annotations

from uuid import UUID

from portal.core.jobs import job
from portal.identity.tokens import clients


@job("tokens.forget_child", queue="bulk", timeout_s=30)
def forget_child(tenant_id: str, refresh_id: str) -> None:
    """Delete what a refresh token was exchanged for, when its ten seconds are over."""
    clients.forget_child(UUID(tenant_id), UUID(refresh_id))

"""The table of a tenant's outgoing webhooks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, TenantScoped


class WebhookConfig(Identified, TenantScoped, Base):
    """Where a tenant wants to be told of an event."""

    __tablename__ = "tenant_webhook_configs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        Index("ix_tenant_webhook_configs_event", "tenant_id", "event_type", postgresql_where=text("is_active")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    event_type: Mapped[str]
    webhook_url: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

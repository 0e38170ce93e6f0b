"""The table of AI agents."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped


class Agent(Identified, TenantScoped, Dated, Base):
    """An AI agent that a tenant registered."""

    __tablename__ = "ai_agents"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("status in ('inactive','active','retired')", name="status_known"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    name: Mapped[str]
    name_ar: Mapped[str | None]
    agent_type: Mapped[str]
    status: Mapped[str] = mapped_column(default="inactive", server_default="inactive")
    description: Mapped[str | None]
    description_ar: Mapped[str | None]
    capabilities: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    model: Mapped[str | None]
    provider: Mapped[str | None]
    last_active: Mapped[datetime | None]
    tasks_completed: Mapped[int] = mapped_column(default=0, server_default="0")
    tasks_in_progress: Mapped[int] = mapped_column(default=0, server_default="0")
    success_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    avg_response_time: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    configuration: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    metrics: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))

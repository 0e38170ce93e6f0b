"""The audit table: appended to, never changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, Json, TenantScoped


class AuditEntry(Identified, TenantScoped, Base):
    """Who did what, when, to which thing; codes only, no translated text."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_newest", "tenant_id", "at"),)

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    action: Mapped[str]
    target_id: Mapped[UUID | None]
    details: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))

"""The table behind the bell."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, Json, TenantScoped


class Notification(Identified, TenantScoped, Base):
    """One notice for one person of a tenant."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"], ondelete="CASCADE"),
        CheckConstraint("severity in ('info','success','warning','error')", name="severity_known"),
        Index("ix_notifications_newest", "tenant_id", "person_id", "created_at"),
        Index("ix_notifications_unread", "tenant_id", "person_id", postgresql_where=text("read_at is null")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    person_id: Mapped[UUID]
    type: Mapped[str]
    message: Mapped[str]
    severity: Mapped[str] = mapped_column(default="info", server_default="info")
    data: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    link: Mapped[str | None]
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

"""Tables of consent and of visits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, TenantScoped


class SupportGrant(Identified, TenantScoped, Base):
    """A tenant's consent: until when staff may look."""

    __tablename__ = "support_grants"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("until <= created_at + interval '24 hours 1 minute'", name="a_day_at_most"),
        Index("ix_support_grants_newest", "tenant_id", "created_at"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    granted_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SupportVisit(Identified, TenantScoped, Base):
    """One time that somebody of the staff looked, as which member and why; the session row points to it."""

    __tablename__ = "support_visits"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "grant_id"], ["support_grants.tenant_id", "support_grants.id"]),
        Index("ix_support_visits_newest", "tenant_id", "created_at"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    grant_id: Mapped[UUID]
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    person_id: Mapped[UUID]
    reason: Mapped[str]
    ticket: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    pages: Mapped[int] = mapped_column(default=0, server_default="0")
    last_page: Mapped[str] = mapped_column(default="", server_default="")
    seen_at: Mapped[datetime | None]

"""The table of exports."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, func
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.core.db import Base, Identified, Json, TenantScoped


class Export(Identified, TenantScoped, Base):
    """A list that a person asked for as a file; the file is there once `finished_at` is."""

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("file_format in ('csv','xlsx')", name="format_known"),
        CheckConstraint("state in ('waiting','done','failed')", name="state_known"),
        CheckConstraint("(state = 'done') = (content is not null)", name="done_has_a_file"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"], ondelete="CASCADE"),
        Index("ix_exports_mine", "tenant_id", "person_id", "created_at"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    person_id: Mapped[UUID]
    source: Mapped[str]
    filters: Mapped[Json]
    file_format: Mapped[str]
    locale: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    row_count: Mapped[int | None]
    content: Mapped[bytes | None] = deferred(mapped_column())
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    finished_at: Mapped[datetime | None]

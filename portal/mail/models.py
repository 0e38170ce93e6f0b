"""The table of letters: mail of the house itself, kept sealed until it is sent."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified


class Letter(Identified, Base):
    """One mail of the house to one address; not a tenant's row, because most are for people who have not entered one."""

    __tablename__ = "letters"
    __table_args__ = (Index("ix_letters_old", "created_at"),)

    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id"))  # whose look it wears
    message: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)  # address, language and facts, sealed: facts hold links; gone once sent
    state: Mapped[str] = mapped_column(default="waiting", server_default=text("'waiting'"))
    error: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    sent_at: Mapped[datetime | None]

"""The table of staff."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base


class Staff(Base):
    """A person who works for the house itself. Not a tenant's row; the application role may only read it."""

    __tablename__ = "staff"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

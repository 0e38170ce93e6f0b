"""Tables of the staff screens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified


class Staff(Base):
    """A person who works for the house itself. Not a tenant's row; the application role may only read it."""

    __tablename__ = "staff"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Announcement(Identified, Base):
    """A sentence of the house to everybody, on every page while it holds."""

    __tablename__ = "announcements"
    __table_args__ = (
        CheckConstraint("tone in ('info','warning','danger')", name="tone_known"),
        CheckConstraint("until > since", name="ends_after_its_start"),
    )

    text: Mapped[str]
    text_ar: Mapped[str]
    tone: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    created_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))


class FlagState(Base):
    """How a switch of `core.flags` stands; without a row it is on."""

    __tablename__ = "flags"

    name: Mapped[str] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), onupdate=func.clock_timestamp())
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))

"""The table of registrations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Json


class Registration(Base):
    """What somebody asked for who has not yet proven their address; nothing else exists of it. Goes after a day."""

    __tablename__ = "registrations"
    __table_args__ = (Index("ix_registrations_email", "email_key"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str]
    password_hash: Mapped[str]
    facts: Mapped[Json]  # the names of person and organisation, and the language
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

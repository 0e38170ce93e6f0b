"""The row that the readiness check writes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base


class Heartbeat(Base):
    """The last sign of life of each kind of process; no tenant's data."""

    __tablename__ = "ops_heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]

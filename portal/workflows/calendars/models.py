"""The table of calendars."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, TenantScoped


class BusinessCalendar(Identified, TenantScoped, Dated, Base):
    """When an organisation works: the json columns hold what `reckoning.Calendar` is made of."""

    __tablename__ = "business_calendars"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        Index("uq_business_calendars_one_default", "tenant_id", unique=True, postgresql_where=text("is_default")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    name: Mapped[str]
    name_ar: Mapped[str | None]
    timezone: Mapped[str]
    weekend: Mapped[list[Any]] = mapped_column(JSONB)  # ISO weekdays
    hours: Mapped[list[Any]] = mapped_column(JSONB)  # pairs of minutes of the day
    ramadan_hours: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    holidays: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    is_default: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

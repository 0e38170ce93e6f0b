"""What a tenant has put away of its first steps."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, TenantScoped
from portal.workflows.models import tenant_column


class Onboarding(TenantScoped, Base):
    """A tenant that has put its first steps away; what of them is done is read from the other tables."""

    __tablename__ = "onboardings"

    tenant_id = tenant_column(primary_key=True)
    dismissed_at: Mapped[datetime]
    dismissed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

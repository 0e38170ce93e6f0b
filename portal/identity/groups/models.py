"""Tables of groups."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, TenantScoped


class Group(Identified, TenantScoped, Dated, Base):
    """A named set of members."""

    __tablename__ = "groups"
    __table_args__ = (UniqueConstraint("tenant_id", "id"),)

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    name: Mapped[str]
    name_ar: Mapped[str | None]


class GroupMember(TenantScoped, Base):
    """One member in one group; goes with the membership, and with the group."""

    __tablename__ = "group_members"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "group_id"], ["groups.tenant_id", "groups.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"], ondelete="CASCADE"),
        Index("ix_group_members_person", "tenant_id", "person_id"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

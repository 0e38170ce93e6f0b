"""Templates that an organisation saved from its own workflows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped
from portal.workflows.models import tenant_column


class WorkflowSample(Identified, TenantScoped, Dated, Base):
    """A template of one organisation: names, and a draft without the connections and secrets that it had."""

    __tablename__ = "workflow_samples"
    __table_args__ = (Index("ix_workflow_samples_category", "tenant_id", "category"),)

    tenant_id = tenant_column()
    name: Mapped[str]
    name_ar: Mapped[str]
    description: Mapped[str | None]
    description_ar: Mapped[str | None]
    category: Mapped[str]
    icon: Mapped[str]
    nodes: Mapped[list[Json]]
    settings: Mapped[Json]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

"""Tables around published versions, which themselves never change: what they are called, and who asked to publish."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, Json, TenantScoped
from portal.workflows.models import same_tenant, tenant_column


class VersionLabel(TenantScoped, Base):
    """What people call a version, and what they say of it."""

    __tablename__ = "workflow_version_labels"
    __table_args__ = (same_tenant("version_id", "workflow_versions.id"),)

    tenant_id = tenant_column(primary_key=True)
    version_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    name_ar: Mapped[str | None]
    note: Mapped[str | None]
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class PublishRequest(Identified, TenantScoped, Base):
    """Somebody asked others to agree before a definition goes live; it keeps exactly what was asked for."""

    __tablename__ = "workflow_publish_requests"
    __table_args__ = (
        same_tenant("workflow_id", "workflow_templates.id"),
        same_tenant("version_id", "workflow_versions.id"),
        same_tenant("base_version_id", "workflow_versions.id"),
        same_tenant("made_version_id", "workflow_versions.id"),
        CheckConstraint("state in ('open','approved','rejected','withdrawn','void')", name="state_known"),
        CheckConstraint("(state = 'open') = (decided_at is null)", name="decided_has_a_time"),
        Index("uq_workflow_publish_requests_open", "tenant_id", "workflow_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_workflow_publish_requests_newest", "tenant_id", "workflow_id", "asked_at"),
    )

    tenant_id = tenant_column()
    workflow_id: Mapped[UUID]
    version_id: Mapped[UUID | None]  # the version that comes back; None: the draft
    base_version_id: Mapped[UUID | None]  # what was live
    nodes: Mapped[list[Json]]
    settings: Mapped[Json]
    graph_hash: Mapped[str]
    name: Mapped[str | None]  # what the version will be called
    name_ar: Mapped[str | None]
    note: Mapped[str | None]
    authors: Mapped[list[str]]  # who changed the draft since it was published; none of them may agree
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    made_version_id: Mapped[UUID | None]


class Trial(Identified, TenantScoped, Base):
    """A dry run (one input) or a simulation (many): what would have happened. The runs themselves were rolled back."""

    __tablename__ = "workflow_trials"
    __table_args__ = (
        same_tenant("workflow_id", "workflow_templates.id"),
        same_tenant("version_id", "workflow_versions.id"),
        CheckConstraint("kind in ('dry','simulation')", name="kind_known"),
        CheckConstraint("state in ('running','done','stopped')", name="state_known"),
        CheckConstraint("(state = 'running') = (finished_at is null)", name="finished_has_a_time"),
        Index("ix_workflow_trials_newest", "tenant_id", "workflow_id", "asked_at"),
    )

    tenant_id = tenant_column()
    workflow_id: Mapped[UUID]
    version_id: Mapped[UUID | None]  # None: the draft
    kind: Mapped[str]
    nodes: Mapped[list[Json]]
    settings: Mapped[Json]
    given: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))  # inputs and answers of a dry run
    run_ids: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))  # whose inputs a simulation replays
    results: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    state: Mapped[str] = mapped_column(default="running", server_default="running")
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    finished_at: Mapped[datetime | None]

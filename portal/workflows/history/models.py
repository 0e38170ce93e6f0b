"""Tables of how long runs are kept, what holds them, and what is left of those that were deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, TenantScoped
from portal.workflows.models import same_tenant, tenant_column


class WorkflowRetention(Identified, TenantScoped, Base):
    """For how many days runs that have ended are kept: of one workflow, or of every workflow without a row (`workflow_id` is null)."""

    __tablename__ = "workflow_retention"
    __table_args__ = (
        same_tenant("workflow_id", "workflow_templates.id"),
        CheckConstraint("succeeded_days between 1 and 36500 and failed_days between 1 and 36500", name="days_make_sense"),
        Index("uq_workflow_retention_of", "tenant_id", "workflow_id", unique=True, postgresql_nulls_not_distinct=True),
    )

    tenant_id = tenant_column()
    workflow_id: Mapped[UUID | None]
    succeeded_days: Mapped[int | None]  # none: for ever
    failed_days: Mapped[int | None]


class LegalHold(Identified, TenantScoped, Base):
    """While it is not lifted, nothing that it names is deleted: a run, the runs of a workflow, or all of the organisation."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        same_tenant("workflow_id", "workflow_templates.id"),
        CheckConstraint(
            "(scope = 'tenant' and workflow_id is null and run_id is null) or (scope = 'workflow' and workflow_id is not null and run_id is null)"
            " or (scope = 'run' and run_id is not null and workflow_id is null)",
            name="names_what_it_holds",
        ),
        CheckConstraint("(lifted_at is null) = (lift_reason is null)", name="lifted_with_a_reason"),
        Index(
            "uq_legal_holds_open", "tenant_id", "workflow_id", "run_id", unique=True, postgresql_nulls_not_distinct=True,
            postgresql_where=text("lifted_at is null"),
        ),
    )  # fmt: skip

    tenant_id = tenant_column()
    scope: Mapped[str]
    workflow_id: Mapped[UUID | None]
    run_id: Mapped[UUID | None]  # without a foreign key: the hold stays told of when the run has gone after it
    reason: Mapped[str]
    placed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    placed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str | None]


class WorkflowTombstone(TenantScoped, Base):
    """What is left of a deleted run: when it was, how it ended, how many events it had, and the hash of the last."""

    __tablename__ = "workflow_tombstones"
    __table_args__ = (
        Index("ix_workflow_tombstones_open", "begun_at", postgresql_where=text("deleted_at is null")),
        Index("ix_workflow_tombstones_newest", "tenant_id", "deleted_at", "execution_id"),
    )

    tenant_id = tenant_column(primary_key=True)
    execution_id: Mapped[UUID] = mapped_column(primary_key=True)
    workflow_id: Mapped[UUID]
    root_id: Mapped[UUID]  # the run at the top, with which it went
    depth: Mapped[int]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    completed_at: Mapped[datetime | None]
    event_count: Mapped[int]
    event_hash: Mapped[bytes | None]
    days: Mapped[int]  # the rule under which it went
    begun_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    deleted_at: Mapped[datetime | None]  # none while parts of it are still there


class WorkflowPayload(TenantScoped, Base):
    """A value of a run that is too large for its row, once for each tenant however often it is used."""

    __tablename__ = "workflow_payloads"
    __table_args__ = (Index("ix_workflow_payloads_old", "expires_at"),)

    tenant_id = tenant_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    size: Mapped[int]
    body: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]  # not before this is it deleted, and only once nothing uses it


class WorkflowPayloadUse(TenantScoped, Base):
    """A run that uses a large value."""

    __tablename__ = "workflow_payload_uses"
    __table_args__ = (
        same_tenant("execution_id", "workflow_executions.id"),
        ForeignKeyConstraint(["tenant_id", "sha256"], ["workflow_payloads.tenant_id", "workflow_payloads.sha256"]),
        Index("ix_workflow_payload_uses_of", "tenant_id", "sha256"),
    )

    tenant_id = tenant_column(primary_key=True)
    execution_id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(primary_key=True)

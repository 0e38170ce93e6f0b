"""Tables of triggers and of what arrived at them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped
from portal.workflows.models import same_tenant, tenant_column

KINDS = ("manual", "api", "form", "webhook", "schedule", "event")
# There is one of each for a workflow, made when it is first needed.
BUILT_IN = ("manual", "api")
OUTCOMES = ("waiting", "queued", "started", "refused", "filtered", "skipped", "missed", "limited", "too_deep", "unpublished")


def _listed(codes: tuple[str, ...]) -> str:
    return ",".join(f"'{code}'" for code in codes)


class WorkflowTrigger(Identified, TenantScoped, Dated, Base):
    """One way in which runs of one workflow start."""

    __tablename__ = "workflow_triggers"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("token_hash", "tenant_id", name="uq_workflow_triggers_token_hash"),
        same_tenant("workflow_id", "workflow_templates.id"),
        CheckConstraint(f"kind in ({_listed(KINDS)})", name="kind_known"),
        CheckConstraint("(token_hash is null) = (token_sealed is null)", name="token_is_known_and_shown"),
        CheckConstraint("jsonb_typeof(secrets) = 'array'", name="secrets_is_a_list"),
        Index("ix_workflow_triggers_due", "next_fire_at", postgresql_where=text("is_enabled and next_fire_at is not null")),
        Index("ix_workflow_triggers_of_workflow", "tenant_id", "workflow_id"),
        Index("ix_workflow_triggers_events", "tenant_id", "event_type", postgresql_where=text("is_enabled and event_type is not null")),
        Index(
            "uq_workflow_triggers_built_in",
            "tenant_id",
            "workflow_id",
            "kind",
            unique=True,
            postgresql_where=text(f"kind in ({_listed(BUILT_IN)})"),
        ),
    )

    tenant_id = tenant_column()
    workflow_id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(default="", server_default="")
    name_ar: Mapped[str | None]
    config: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    token_hash: Mapped[bytes | None]  # of the secret part of its address: how a stranger's request finds it
    token_sealed: Mapped[bytes | None]  # the same, to show the address to who builds the workflow
    secrets: Mapped[list[Json]] = mapped_column(default=list, server_default=text("'[]'"))  # [{"sealed", "until", "shown"}], newest first
    event_type: Mapped[str | None]
    next_fire_at: Mapped[datetime | None]
    last_fired_at: Mapped[datetime | None]
    rate_window_at: Mapped[datetime | None]
    rate_used: Mapped[int] = mapped_column(default=0, server_default="0")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


class WorkflowReceipt(Identified, TenantScoped, Base):
    """Something that arrived at a trigger, and what became of it; the same thing arrives once."""

    __tablename__ = "workflow_receipts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "trigger_id", "dedup_key"),
        ForeignKeyConstraint(["tenant_id", "trigger_id"], ["workflow_triggers.tenant_id", "workflow_triggers.id"], ondelete="CASCADE"),
        same_tenant("execution_id", "workflow_executions.id"),
        CheckConstraint(f"outcome in ({_listed(OUTCOMES)})", name="outcome_known"),
        CheckConstraint("(outcome = 'started') = (execution_id is not null)", name="started_has_a_run"),
        Index("ix_workflow_receipts_newest", "tenant_id", "trigger_id", "received_at", "id"),
        Index("ix_workflow_receipts_execution", "tenant_id", "execution_id", postgresql_where=text("execution_id is not null")),
        Index("ix_workflow_receipts_open", "received_at", postgresql_where=text("outcome in ('waiting','queued')")),
        Index("ix_workflow_receipts_network", "tenant_id", "network", "received_at", postgresql_where=text("network is not null")),
        Index("ix_workflow_receipts_old", "received_at"),
    )

    tenant_id = tenant_column()
    trigger_id: Mapped[UUID]
    dedup_key: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str | None]  # a code that `words` explains
    problems: Mapped[Json | None]  # input → why it was refused
    execution_id: Mapped[UUID | None]
    body_hash: Mapped[bytes | None]
    payload: Mapped[dict[str, Any] | None]  # what an event said, kept until it is dealt with
    nominal_at: Mapped[datetime | None]  # when a schedule meant it
    network: Mapped[bytes | None]  # hash of trigger and network, where a public form counts by it
    depth: Mapped[int] = mapped_column(default=0, server_default="0")  # runs that events of runs led to, one after the other
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

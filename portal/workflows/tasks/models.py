"""Tables of what waiting steps wait for: signals by name, tasks for people. A trigger of the schema closes them when their step moves on."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, Json, TenantScoped
from portal.workflows.models import same_tenant, tenant_column


class WorkflowWait(TenantScoped, Base):
    """A step that waits for a signal of this name and key."""

    __tablename__ = "workflow_waits"
    __table_args__ = (
        same_tenant("execution_id", "workflow_executions.id"),
        same_tenant("step_id", "workflow_steps.id"),
        Index("ix_workflow_waits_run", "tenant_id", "execution_id"),
        Index("ix_workflow_waits_open", "tenant_id", "name", "corr_key", "created_at", postgresql_where=text("ended_at is null")),
    )

    tenant_id = tenant_column(primary_key=True)
    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    execution_id: Mapped[UUID]
    name: Mapped[str]
    corr_key: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    ended_at: Mapped[datetime | None]


class WorkflowSignal(Identified, TenantScoped, Base):
    """Something that happened, told to whoever waits for it; kept until a wait takes it, also one that comes later."""

    __tablename__ = "workflow_signals"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "name", "dedup_key"),
        same_tenant("execution_id", "workflow_executions.id"),
        same_tenant("consumed_by", "workflow_steps.id"),
        CheckConstraint("(consumed_by is null) = (consumed_at is null)", name="consumed_has_a_time"),
        CheckConstraint("source in ('api','run','page','callback')", name="source_known"),
        Index("ix_workflow_signals_run", "tenant_id", "execution_id", postgresql_where=text("execution_id is not null")),
        Index("ix_workflow_signals_step", "tenant_id", "consumed_by", postgresql_where=text("consumed_by is not null")),
        Index("ix_workflow_signals_open", "tenant_id", "name", "corr_key", "created_at", postgresql_where=text("consumed_at is null")),
    )

    tenant_id = tenant_column()
    name: Mapped[str]
    corr_key: Mapped[str] = mapped_column(default="", server_default="")
    dedup_key: Mapped[str | None]
    payload: Mapped[Any | None] = mapped_column(JSONB)
    source: Mapped[str]
    sent_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    execution_id: Mapped[UUID | None]  # the only run that may take it; None for any
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    consumed_by: Mapped[UUID | None]
    consumed_at: Mapped[datetime | None]


class WorkflowTask(Identified, TenantScoped, Base):
    """Something that people are asked to decide; the step that asked waits for it."""

    __tablename__ = "workflow_tasks"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "step_id"),
        same_tenant("execution_id", "workflow_executions.id"),
        same_tenant("step_id", "workflow_steps.id"),
        CheckConstraint("state in ('open','decided','expired','cancelled')", name="state_known"),
        CheckConstraint("(state = 'open') = (closed_at is null)", name="closed_has_a_time"),
        CheckConstraint("quorum in ('any','all','majority','count')", name="quorum_known"),
        Index("ix_workflow_tasks_newest", "tenant_id", "created_at", "id"),
        Index("ix_workflow_tasks_run", "tenant_id", "execution_id"),
        Index("ix_workflow_tasks_remind", "remind_at", postgresql_where=text("state = 'open'")),
        Index("ix_workflow_tasks_escalate", "escalate_at", postgresql_where=text("state = 'open'")),
    )

    tenant_id = tenant_column()
    execution_id: Mapped[UUID]
    step_id: Mapped[UUID]
    node_key: Mapped[str]
    kind: Mapped[str]  # approval or task; doubt where a step was cut off
    title: Mapped[str]
    title_ar: Mapped[str | None]
    details: Mapped[str] = mapped_column(default="", server_default="")
    form: Mapped[list[Json]] = mapped_column(default=list, server_default=text("'[]'"))
    outcomes: Mapped[list[Json]]  # {"key", "label", "label_ar", "tone"}; the first one is the wish of who asks
    quorum: Mapped[str]
    quorum_count: Mapped[int] = mapped_column(default=1, server_default="1")
    bars_starter: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    bars_deciders: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    gen: Mapped[int] = mapped_column(default=0, server_default="0")
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    outcome: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    due_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    remind_every_s: Mapped[int | None]
    reminded: Mapped[int] = mapped_column(default=0, server_default="0")
    escalate_at: Mapped[datetime | None]
    escalate_to: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    closed_at: Mapped[datetime | None]


class WorkflowTaskCandidate(TenantScoped, Base):
    """Who may decide a task: `person:<id>`, `role:<name or id>` or `group:<id>`, as they are when it is asked."""

    __tablename__ = "workflow_task_candidates"
    __table_args__ = (
        same_tenant("task_id", "workflow_tasks.id"),
        Index("ix_workflow_task_candidates_who", "tenant_id", "who"),
    )

    tenant_id = tenant_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(primary_key=True)
    instead_of: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))  # who handed it on, and may not decide meanwhile
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WorkflowVote(Identified, TenantScoped, Base):
    """What one person decided; one each, never changed."""

    __tablename__ = "workflow_votes"
    __table_args__ = (
        UniqueConstraint("tenant_id", "task_id", "person_id", "gen"),
        same_tenant("task_id", "workflow_tasks.id"),
        Index("ix_workflow_votes_person", "tenant_id", "person_id"),
    )

    tenant_id = tenant_column()
    task_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    gen: Mapped[int] = mapped_column(default=0, server_default="0")
    outcome: Mapped[str]
    given: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    note: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WorkflowTaskNote(Identified, TenantScoped, Base):
    """What happened to a task beside its votes: comments, who took it or handed it on, reminders, escalations; appended to only."""

    __tablename__ = "workflow_task_notes"
    __table_args__ = (
        same_tenant("task_id", "workflow_tasks.id"),
        CheckConstraint("kind in ('comment','claimed','returned','delegated','reminded','escalated','removed')", name="kind_known"),
        Index("ix_workflow_task_notes_task", "tenant_id", "task_id", "created_at"),
    )

    tenant_id = tenant_column()
    task_id: Mapped[UUID]
    kind: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    other_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    text: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

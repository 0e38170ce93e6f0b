"""Tables of workflows, their versions and runs. Every move of a run or step is in `engine/store`, whose own books are in `engine/models.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped
from portal.i18n.keys import keeps_key


def tenant_column(**options: Any) -> Any:
    """The tenant's id, checked against the tenants."""
    return mapped_column(ForeignKey("tenants.id"), nullable=False, **options)


def same_tenant(columns: str, target: str, name: str | None = None) -> ForeignKeyConstraint:
    """A foreign key that carries the tenant: a row can never point at another tenant's row."""
    table, key = target.split(".")
    return ForeignKeyConstraint(["tenant_id", columns], [f"{table}.tenant_id", f"{table}.{key}"], name=name, use_alter=bool(name))


class WorkflowTemplate(Identified, TenantScoped, Dated, Base):
    """A workflow: its names, its draft (nodes, edges, settings), and which version is live."""

    __tablename__ = "workflow_templates"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        same_tenant("published_version_id", "workflow_versions.id", "fk_workflow_templates_published"),
        Index("ix_workflow_templates_changed", "tenant_id", "updated_at"),
        Index("ix_workflow_templates_search", "search_key", postgresql_using="gin", postgresql_ops={"search_key": "gin_trgm_ops"}),
    )

    tenant_id = tenant_column()
    name: Mapped[str]
    name_ar: Mapped[str | None]
    description: Mapped[str | None]
    description_ar: Mapped[str | None]
    search_key: Mapped[str] = mapped_column(server_default="")  # i18n.search.key of the names, kept by keeps_key below
    category: Mapped[str] = mapped_column(default="general", server_default="general")
    nodes: Mapped[list[Json]] = mapped_column(default=list, server_default=text("'[]'"))
    edges: Mapped[list[Json]] = mapped_column(default=list, server_default=text("'[]'"))
    settings: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    draft_revision: Mapped[int] = mapped_column(default=0, server_default="0")
    published_version_id: Mapped[UUID | None]
    # Samples of steps for who works on the draft: step → {"value", "source", "at", "by"}. No part of it, nor of a version.
    pins: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"), deferred=True)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


keeps_key(WorkflowTemplate, "name", "name_ar")


class WorkflowRevision(TenantScoped, Base):
    """One saved edit of a draft: the undo stack. Revision 0 is the draft as it was created."""

    __tablename__ = "workflow_revisions"
    __table_args__ = (same_tenant("template_id", "workflow_templates.id"),)

    tenant_id = tenant_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    nodes: Mapped[list[Json]]
    settings: Mapped[Json]
    label: Mapped[str]  # a code of what was done, e.g. `step.added`
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WorkflowVersion(Identified, TenantScoped, Base):
    """A published definition; a trigger refuses any change of it."""

    __tablename__ = "workflow_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "template_id", "number"),
        same_tenant("template_id", "workflow_templates.id"),
    )

    tenant_id = tenant_column()
    template_id: Mapped[UUID]
    number: Mapped[int]
    nodes: Mapped[list[Json]]
    edges: Mapped[list[Json]]
    settings: Mapped[Json]
    graph_hash: Mapped[str]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


RUN_ENDED = "'succeeded','failed','cancelled','timed_out','compensated'"
STEP_ENDED = "'succeeded','failed','skipped','cancelled'"


class WorkflowExecution(Identified, TenantScoped, Base):
    """One run of one version of a workflow."""

    __tablename__ = "workflow_executions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "workflow_id", "dedup_key"),
        same_tenant("workflow_id", "workflow_templates.id"),
        same_tenant("version_id", "workflow_versions.id"),
        CheckConstraint(f"status in ('pending','running','cancelling','paused','compensating',{RUN_ENDED})", name="status_known"),
        CheckConstraint(f"(status in ({RUN_ENDED})) = (completed_at is not null)", name="finished_has_a_time"),
        Index(
            "ix_workflow_executions_ended",
            "tenant_id",
            "completed_at",
            postgresql_where=text("completed_at is not null and parent_step_id is null"),
        ),
        Index("ix_workflow_executions_root", "tenant_id", "root_id", postgresql_where=text("root_id is not null")),
        # Deferred: the child is accepted in the transaction that writes its parent's step, and before it.
        ForeignKeyConstraint(
            ["tenant_id", "parent_step_id"],
            ["workflow_steps.tenant_id", "workflow_steps.id"],
            name="fk_workflow_executions_tenant_id_parent_step_id",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
        Index(
            "ix_workflow_executions_parent",
            "tenant_id",
            "parent_step_id",
            unique=True,
            postgresql_where=text("parent_step_id is not null"),
        ),
        Index("ix_workflow_executions_newest", "tenant_id", "created_at", "id"),
        Index("ix_workflow_executions_by_workflow", "tenant_id", "workflow_id", "created_at"),
        Index("ix_workflow_executions_by_status", "tenant_id", "status", "created_at"),
        CheckConstraint("priority between 1 and 5", name="priority_known"),
        CheckConstraint("not is_gated or gate_key is not null", name="gated_has_a_gate"),
        Index(
            "ix_workflow_executions_inside",
            "tenant_id",
            "gate_key",
            postgresql_where=text("gate_key is not null and not is_gated and completed_at is null"),
        ),
        Index(
            "ix_workflow_executions_gated",
            "tenant_id",
            "gate_key",
            "priority",
            "created_at",
            "id",
            postgresql_where=text("is_gated and completed_at is null"),
        ),
        Index("ix_workflow_executions_deadline", "deadline_at", postgresql_where=text(f"status not in ({RUN_ENDED})")),
    )

    tenant_id = tenant_column()
    workflow_id: Mapped[UUID]
    version_id: Mapped[UUID]  # pinned: publishing never changes a running run
    executed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    input_data: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    output_data: Mapped[Json | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    error_message: Mapped[str | None]
    error: Mapped[Json | None]  # {"code", "step", "detail"}: what the page explains in the reader's language
    dedup_key: Mapped[str | None]
    deadline_at: Mapped[datetime | None]
    cancel_at: Mapped[datetime | None]
    pause_at: Mapped[datetime | None]
    ends_as: Mapped[str | None]  # of a run that is ending: how, once nothing of it is leased and all is taken back
    undo: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # it is cancelled, and what it did is taken back
    parent_step_id: Mapped[UUID | None]  # the step of another run that waits for this one
    root_id: Mapped[UUID | None]
    depth: Mapped[int] = mapped_column(default=0, server_default="0")
    error_of: Mapped[UUID | None]  # the run whose failure this one deals with
    event_seq: Mapped[int] = mapped_column(default=0, server_default="0")
    event_hash: Mapped[bytes | None]  # of the last event; with their number it says that none is missing
    replay_of: Mapped[UUID | None]
    keys_of: Mapped[UUID | None]  # the run whose idempotency keys its steps carry; None: its own
    priority: Mapped[int] = mapped_column(SmallInteger, default=3, server_default="3")  # 1 comes first
    gate_key: Mapped[str | None]  # runs with the same one have a limit together
    is_gated: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # it waits for its turn there


class WorkflowStep(Identified, TenantScoped, Base):
    """One node of one run: in which frame (`scope_path`), and in which generation of it (`gen`)."""

    __tablename__ = "workflow_steps"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "execution_id", "node_key", "scope_path", "gen"),
        same_tenant("execution_id", "workflow_executions.id"),
        CheckConstraint(f"state in ('ready','leased','waiting','in_doubt',{STEP_ENDED})", name="state_known"),
        CheckConstraint("(state = 'leased') = (lease_until is not null)", name="leased_has_a_term"),
        CheckConstraint(f"(state in ({STEP_ENDED})) = (finished_at is not null)", name="finished_has_a_time"),
        Index("ix_workflow_steps_ready", "queue", "tenant_id", "priority", "available_at", "id", postgresql_where=text("state = 'ready'")),
        Index(
            "ix_workflow_steps_rated",
            "tenant_id",
            "rate_key",
            "available_at",
            postgresql_where=text("state = 'ready' and rate_key is not null"),
        ),
        Index("ix_workflow_steps_leased", "lease_until", postgresql_where=text("state = 'leased'")),
        Index("ix_workflow_steps_calling", "tenant_id", "id", postgresql_where=text("state = 'waiting' and kind = 'subworkflow'")),
        Index("ix_workflow_steps_in_doubt", "tenant_id", "execution_id", postgresql_where=text("state = 'in_doubt'")),
    )

    tenant_id: Mapped[UUID]
    execution_id: Mapped[UUID]
    node_key: Mapped[str]
    scope_path: Mapped[str] = mapped_column(default="", server_default="")
    gen: Mapped[int] = mapped_column(default=0, server_default="0")
    kind: Mapped[str]
    queue: Mapped[str] = mapped_column(default="io", server_default="io")  # its lane; with a prefix while no worker may take it
    priority: Mapped[int] = mapped_column(SmallInteger, default=3, server_default="3")
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    crash_count: Mapped[int] = mapped_column(default=0, server_default="0")
    timeout_s: Mapped[int] = mapped_column(default=60, server_default="60")
    available_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    lease_owner: Mapped[str | None]
    lease_epoch: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_until: Mapped[datetime | None]
    hard_until: Mapped[datetime | None]
    effect_class: Mapped[str]
    effect_at: Mapped[datetime | None]
    idem_key: Mapped[str]
    ended_seq: Mapped[int | None]  # the number of the event that told its end: the order in which steps are undone
    rate_key: Mapped[UUID | None]  # the connection whose rate it stands aside for
    port: Mapped[str | None]  # the way out that was taken: out, a lane, error; none for a failure that nothing caught
    input: Mapped[Json | None]
    output: Mapped[Any | None] = mapped_column(JSONB)
    error: Mapped[Json | None]
    warning: Mapped[str | None]
    used: Mapped[Json | None]  # outside, by all attempts together (core.metering); None where nothing was measured
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


FRAME_ENDED = "'succeeded','failed','cancelled'"


class WorkflowFrame(TenantScoped, Base):
    """One lane, item or round of a block, or the undoing of a step (number -1): the steps inside carry its path."""

    __tablename__ = "workflow_frames"
    __table_args__ = (
        UniqueConstraint("tenant_id", "execution_id", "scope_path"),
        same_tenant("execution_id", "workflow_executions.id"),
        same_tenant("step_id", "workflow_steps.id"),
        CheckConstraint(f"state in ('running','closing',{FRAME_ENDED})", name="state_known"),
        CheckConstraint(f"(state in ({FRAME_ENDED})) = (ended_at is not null)", name="ended_has_a_time"),
        Index("ix_workflow_frames_live", "tenant_id", "execution_id", postgresql_where=text("state in ('running','closing')")),
        Index("ix_workflow_frames_failed", "tenant_id", "step_id", postgresql_where=text("state = 'failed'")),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    execution_id: Mapped[UUID]
    scope_path: Mapped[str]
    parent_path: Mapped[str]
    lane: Mapped[str]
    state: Mapped[str]
    value: Mapped[Any | None] = mapped_column(JSONB)
    result: Mapped[Any | None] = mapped_column(JSONB)
    error: Mapped[Json | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    ended_at: Mapped[datetime | None]


class WorkflowList(TenantScoped, Base):
    """A page of the list that a for-each goes through: a run never holds more than one of them."""

    __tablename__ = "workflow_lists"
    __table_args__ = (same_tenant("step_id", "workflow_steps.id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    items: Mapped[list[Any]] = mapped_column(JSONB)


class WorkflowAttempt(TenantScoped, Base):
    """One try of a step, by one worker; appended to only."""

    __tablename__ = "workflow_attempts"
    __table_args__ = (same_tenant("step_id", "workflow_steps.id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    worker: Mapped[str]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    outcome: Mapped[str]
    error_code: Mapped[str | None]


class WorkflowEvent(TenantScoped, Base):
    """What happened to a run, numbered without gaps; appended to only. A trigger chains each to the one before."""

    __tablename__ = "workflow_events"
    __table_args__ = (same_tenant("execution_id", "workflow_executions.id"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    execution_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    kind: Mapped[str]
    node_key: Mapped[str | None]
    actor: Mapped[str] = mapped_column(default="engine", server_default="engine")
    data: Mapped[Json | None]
    prev_hash: Mapped[bytes] = mapped_column(server_default=FetchedValue())
    hash: Mapped[bytes] = mapped_column(server_default=FetchedValue())  # see history/chain.py


class WorkflowFile(Identified, TenantScoped, Base):
    """A file that a step made or fetched; a repeated attempt puts its file in the place of the one before."""

    __tablename__ = "workflow_files"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "execution_id", "idem_key"),
        same_tenant("execution_id", "workflow_executions.id"),
        CheckConstraint("size = octet_length(content)", name="size_is_right"),
        Index("ix_workflow_files_old", "expires_at"),
    )

    tenant_id = tenant_column()
    execution_id: Mapped[UUID]
    node_key: Mapped[str]
    idem_key: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = deferred(mapped_column(nullable=False))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]

"""The engine's own books: what is due, who stands where in line, who may go in, who leads. Nobody else writes them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, TenantScoped
from portal.workflows.models import same_tenant, tenant_column


class WorkflowTimer(Identified, TenantScoped, Base):
    """Something due later; fires once, and only if the step is still the one that set it."""

    __tablename__ = "workflow_timers"
    __table_args__ = (
        same_tenant("execution_id", "workflow_executions.id"),
        same_tenant("step_id", "workflow_steps.id"),
        Index("ix_workflow_timers_due", "due_at", postgresql_where=text("fired_at is null")),
        Index("ix_workflow_timers_step", "tenant_id", "step_id"),
        Index("ix_workflow_timers_run", "tenant_id", "execution_id"),
    )

    tenant_id: Mapped[UUID]
    execution_id: Mapped[UUID]
    step_id: Mapped[UUID]
    due_at: Mapped[datetime]
    expect_epoch: Mapped[int]
    fails_with: Mapped[str | None]  # the code that the step fails with when this fires; None lets it end with its output
    fired_at: Mapped[datetime | None]


class WorkflowLane(TenantScoped, Base):
    """The place of a tenant in the line of a lane: who has the lowest `vtime` is next."""

    __tablename__ = "workflow_lanes"
    __table_args__ = (
        CheckConstraint("lane in ('fast','io','ai','bulk')", name="lane_known"),
        CheckConstraint("weight between 1 and 100", name="weight_is_sound"),
        CheckConstraint("cap > 0", name="cap_is_sound"),
        CheckConstraint("own_cap > 0", name="own_cap_is_sound"),
    )

    lane: Mapped[str] = mapped_column(primary_key=True)
    tenant_id = tenant_column(primary_key=True)
    weight: Mapped[int] = mapped_column(default=1, server_default="1")
    cap: Mapped[int | None]  # how many steps may be in hand at once, as staff set it
    own_cap: Mapped[int | None]  # as the tenant itself set it; the lower one counts
    vtime: Mapped[float] = mapped_column(default=0, server_default="0")
    began: Mapped[float] = mapped_column(
        default=0, server_default="0"
    )  # where its last turn began: newcomers begin at the furthest of these
    claimed_at: Mapped[datetime | None]


class WorkflowShare(TenantScoped, Base):
    """What a tenant got of a lane in one minute. Waits are counted in bins: bin k holds those of up to 2^(k/2) ms."""

    __tablename__ = "workflow_shares"
    __table_args__ = (Index("ix_workflow_shares_minute", "minute"),)

    tenant_id = tenant_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    claims: Mapped[int] = mapped_column(default=0, server_default="0")
    served_s: Mapped[float] = mapped_column(default=0, server_default="0")
    active: Mapped[int] = mapped_column(default=0, server_default="0")  # how many tenants stood in line at most
    workers: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    waits: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))  # from due to begun
    turns: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))  # of it, what passed since the tenant's turn before: waiting for others


class WorkflowGate(TenantScoped, Base):
    """The door of a workflow that may run only so often at once: held while it is decided who goes in."""

    __tablename__ = "workflow_gates"
    __table_args__ = (same_tenant("workflow_id", "workflow_templates.id"),)

    tenant_id = tenant_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[UUID]
    most: Mapped[int | None]  # the limit and what happens else, as they were when somebody last came or went
    when_full: Mapped[str | None]


class WorkflowRate(TenantScoped, Base):
    """When the next call of a connection may leave (GCRA)."""

    __tablename__ = "workflow_rates"

    tenant_id = tenant_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    tat: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WorkflowLeader(Base):
    """Which dispatcher leads: a lease, safe when two believe that they do."""

    __tablename__ = "workflow_leaders"

    name: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    epoch: Mapped[int] = mapped_column(default=1, server_default="1")
    until: Mapped[datetime]

"""Tables of saved views, of what a person chose for a list, and of bulk actions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped


def _tenant(**options: Any) -> Any:
    return mapped_column(ForeignKey("tenants.id"), nullable=False, **options)


def _member() -> ForeignKeyConstraint:
    """What a person keeps goes with their membership."""
    return ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"], ondelete="CASCADE")


class SavedView(Identified, TenantScoped, Dated, Base):
    """Filters, sort and columns of a list under a name; a deleted one can be brought back for 30 days."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("length(name) between 1 and 60", name="name_fits"),
        CheckConstraint("jsonb_typeof(query) = 'object'", name="query_is_an_object"),
        _member(),
        Index("ix_saved_views_list", "tenant_id", "list_name", "person_id"),
    )

    tenant_id = _tenant()
    person_id: Mapped[UUID]
    list_name: Mapped[str]
    name: Mapped[str]
    query: Mapped[Json]
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    deleted_at: Mapped[datetime | None]


class ListChoice(TenantScoped, Base):
    """What one person chose for one list: the columns, and the view that opens first."""

    __tablename__ = "list_choices"
    __table_args__ = (
        _member(),
        # A view that is gone opens first for nobody; only its own column is emptied.
        ForeignKeyConstraint(["tenant_id", "view_id"], ["saved_views.tenant_id", "saved_views.id"], ondelete="SET NULL (view_id)"),
    )

    tenant_id = _tenant(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    list_name: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[list[str] | None]
    view_id: Mapped[UUID | None]


class BulkAction(Identified, TenantScoped, Base):
    """One verb for many rows: chosen ones (`ids`) or all that match (`query` as it was at `asked_at`).

    Rows are taken by id, and `cursor` is the last one that is settled: it moves in the transaction that settles a row.
    """

    __tablename__ = "bulk_actions"
    __table_args__ = (
        CheckConstraint("state in ('waiting','running','done','undone','stopped')", name="state_known"),
        CheckConstraint("(state in ('done','undone','stopped')) = (finished_at is not null)", name="over_has_a_time"),
        _member(),
        Index("ix_bulk_actions_mine", "tenant_id", "person_id", "asked_at"),
    )

    tenant_id = _tenant()
    person_id: Mapped[UUID]
    list_name: Mapped[str]
    verb: Mapped[str]
    query: Mapped[Json]
    ids: Mapped[list[str] | None]
    own_only: Mapped[bool]
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    total: Mapped[int]
    done_count: Mapped[int] = mapped_column(default=0, server_default="0")
    skipped_count: Mapped[int] = mapped_column(default=0, server_default="0")
    failed_count: Mapped[int] = mapped_column(default=0, server_default="0")
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default=text("'[]'"))
    changed: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    cursor: Mapped[UUID | None]
    undo_id: Mapped[UUID | None]  # the action that took this one back
    asked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    starts_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    @property
    def settled(self) -> int:
        return self.done_count + self.skipped_count + self.failed_count

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None

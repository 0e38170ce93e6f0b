"""The table of connections; secrets lie in it only in envelopes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped


class Connection(Identified, TenantScoped, Dated, Base):
    """How one other system is reached: settings that may be seen, secrets that may not, and who may use it."""

    __tablename__ = "connections"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("scope in ('tenant','workflows','kinds')", name="scope_known"),
        CheckConstraint("(sealed_before is null) = (before_until is null)", name="before_has_an_end"),
        CheckConstraint("(rate_count is null) = (rate_per is null)", name="rate_is_whole"),
        CheckConstraint("rate_count > 0 and rate_per in ('second','minute')", name="rate_is_sound"),
        Index("ix_connections_before", "before_until", postgresql_where=text("sealed_before is not null")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    kind: Mapped[str]
    name: Mapped[str]
    name_ar: Mapped[str | None]
    settings: Mapped[Json]
    hosts: Mapped[list[str]]  # authorities that the secret may be sent to; everything else is refused
    scope: Mapped[str] = mapped_column(default="tenant", server_default="tenant")
    scope_items: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))  # ids of workflows, or step kinds
    sealed: Mapped[bytes] = deferred(mapped_column(nullable=False))  # name of secret → value, as JSON in an envelope
    sealed_before: Mapped[bytes | None] = deferred(mapped_column())  # what was there before the last rotation
    before_until: Mapped[datetime | None]
    rotated_at: Mapped[datetime | None]
    token: Mapped[bytes | None] = deferred(mapped_column())  # an access token that was given for the secret, in an envelope
    token_until: Mapped[datetime | None]
    token_lease_until: Mapped[datetime | None]  # one worker fetches the next token, the others wait for it
    tested_at: Mapped[datetime | None]
    rate_count: Mapped[int | None]  # how many calls of steps may leave, evenly spread, in each second or minute
    rate_per: Mapped[str | None]
    test_code: Mapped[str | None]  # `ok`, or the code of what went wrong
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

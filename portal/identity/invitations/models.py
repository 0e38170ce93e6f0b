"""The table of invitations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, TenantScoped


class Invitation(Identified, TenantScoped, Dated, Base):
    """Somebody was asked into an organisation: for one address, for seven days, once. The link's token is kept only as its SHA-256."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        CheckConstraint("role in ('owner','admin','builder','member','auditor','custom')", name="role_known"),
        CheckConstraint("(role = 'custom') = (role_id is not null)", name="own_role_is_named"),
        CheckConstraint("accepted_at is null or revoked_at is null", name="ends_once"),
        ForeignKeyConstraint(["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"]),
        Index(
            "uq_invitations_open",
            "tenant_id",
            "email_key",
            unique=True,
            postgresql_where=text("accepted_at is null and revoked_at is null"),
        ),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    email: Mapped[str]
    email_key: Mapped[str]
    role: Mapped[str]
    role_id: Mapped[UUID | None]
    locale: Mapped[str]
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    resent: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))  # when it was sent again: ISO times
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

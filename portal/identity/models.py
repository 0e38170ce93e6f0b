"""Tables of people, their memberships and their sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped
from portal.i18n.keys import keeps_key


class Person(Identified, Dated, Base):
    """Somebody who can sign in. Not a tenant's row: one person may belong to several tenants."""

    __tablename__ = "people"
    __table_args__ = (Index("ix_people_search", "search_key", postgresql_using="gin", postgresql_ops={"search_key": "gin_trgm_ops"}),)

    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)  # folded: one account per address, whatever its case
    name: Mapped[str]
    name_ar: Mapped[str | None]
    password_hash: Mapped[str | None]
    locale: Mapped[str | None]
    preferences: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))  # only what i18n.preferences.allowed() lets in
    search_key: Mapped[str] = mapped_column(server_default="")  # i18n.search.key of the names, kept by keeps_key below
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


keeps_key(Person, "name", "name_ar")


class Membership(TenantScoped, Dated, Base):
    """One person's role in one tenant."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role in ('owner','admin','builder','member','auditor')", name="role_known"),
        Index("ix_memberships_person", "person_id"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str]


class WebSession(Base):
    """One signed-in browser; the cookie's token is kept only as its SHA-256."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_person", "person_id"),)

    id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id"))
    data: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

"""Tables of SCIM."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped

# The most powerful first: who is in several groups has the first of their roles. Owners are made by owners only.
GROUP_ROLES = ("admin", "builder", "member", "auditor")


class ScimToken(Identified, TenantScoped, Base):
    """What a directory proves itself with; shown once, kept as its SHA-256."""

    __tablename__ = "scim_tokens"
    __table_args__ = (UniqueConstraint("tenant_id", "token_hash"),)

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ScimUser(Identified, TenantScoped, Dated, Base):
    """A person as the directory of one organisation knows them."""

    __tablename__ = "scim_users"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "user_key"),
        UniqueConstraint("tenant_id", "person_id"),
        Index("ix_scim_users_external", "tenant_id", "external_id"),
        CheckConstraint("deleted_at is null or not active", name="deleted_is_not_active"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    user_key: Mapped[str]  # the folded userName
    external_id: Mapped[str | None]
    attributes: Mapped[Json]  # what the directory wrote, as far as we know its names
    active: Mapped[bool]
    role: Mapped[str]  # what they had when they were last active
    role_is_granted: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # by a group, and so taken with it
    deleted_at: Mapped[datetime | None]


class ScimGroup(Identified, TenantScoped, Dated, Base):
    """A group of the directory; here it may give a role."""

    __tablename__ = "scim_groups"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "name_key"),
        CheckConstraint("role in ('admin','builder','member','auditor')", name="gives_no_owner"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    name: Mapped[str]
    name_key: Mapped[str]
    external_id: Mapped[str | None]
    role: Mapped[str | None]


class ScimGroupMember(TenantScoped, Base):
    """Who is in a group."""

    __tablename__ = "scim_group_members"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "group_id"], ["scim_groups.tenant_id", "scim_groups.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["scim_users.tenant_id", "scim_users.id"], ondelete="CASCADE"),
        Index("ix_scim_group_members_user", "tenant_id", "user_id"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)

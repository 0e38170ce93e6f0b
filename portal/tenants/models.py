"""Tables of tenants and their themes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped
from portal.i18n.keys import keeps_key


class Tenant(Identified, Dated, Base):
    """An organisation. Not behind row-level security: a tenant is found before anything is known of it."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("status in ('active','suspended','closed')", name="status_known"),
        Index("uq_tenants_is_house", "is_house", unique=True, postgresql_where=text("is_house")),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    search_key: Mapped[str] = mapped_column(server_default="")  # i18n.search.key of the names, kept by keeps_key below
    name: Mapped[str]
    name_ar: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="active", server_default="active")
    status_reason: Mapped[str | None]  # why it is suspended, as its members read it
    status_reason_ar: Mapped[str | None]
    status_at: Mapped[datetime | None]
    timezone: Mapped[str] = mapped_column(default="Asia/Riyadh", server_default="Asia/Riyadh")
    preferences: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))  # what its people have who chose nothing
    security: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))  # its own rules, stricter than the house's
    is_house: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # the one that staff belong to, and nobody else
    look: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))  # of the theme in use: themes.service.look_of


keeps_key(Tenant, "name", "name_ar")


class Theme(Identified, TenantScoped, Dated, Base):
    """How a tenant's portal looks; every json column holds only whitelisted keys."""

    __tablename__ = "themes"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        Index("uq_themes_one_default", "tenant_id", unique=True, postgresql_where=text("is_default")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    name: Mapped[str]
    name_ar: Mapped[str | None]
    description: Mapped[str | None]
    description_ar: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    colors: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    typography: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    spacing: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    border_radius: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    shadows: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    branding: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    version: Mapped[int] = mapped_column(default=0, server_default="0")  # the last published one, 0 for none
    saved_in: Mapped[str] = mapped_column(default="", server_default="")  # the open editor that saved the draft last


class ThemeVersion(TenantScoped, Base):
    """A theme as it was published; never changed."""

    __tablename__ = "theme_versions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "theme_id"], ["themes.tenant_id", "themes.id"], ondelete="CASCADE"),
        Index("ix_theme_versions_sha", "tenant_id", "sha"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    theme_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    columns: Mapped[Json]
    css: Mapped[str]
    sha: Mapped[str]
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ThemeAsset(TenantScoped, Base):
    """A picture of a theme, made anew from what was uploaded; its name is its own hash, so it never changes."""

    __tablename__ = "theme_assets"
    __table_args__ = (
        CheckConstraint("media_type in ('image/webp','image/svg+xml')", name="media_type_known"),
        CheckConstraint("octet_length(content) <= 2000000", name="not_too_large"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    content: Mapped[bytes]
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

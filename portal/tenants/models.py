"""Tables of tenants and their themes."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped


class Tenant(Identified, Dated, Base):
    """An organisation. Not behind row-level security: a tenant is found before anything is known of it."""

    __tablename__ = "tenants"
    __table_args__ = (CheckConstraint("status in ('active','suspended','closed')", name="status_known"),)

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_ar: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="active", server_default="active")
    timezone: Mapped[str] = mapped_column(default="Asia/Riyadh", server_default="Asia/Riyadh")
    preferences: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))  # what its people have who chose nothing


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

"""The verbs of tenants."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.core import db
from portal.tenants.models import Tenant


def add_tenant(slug: str, *, name: str, name_ar: str | None, timezone: str = "Asia/Riyadh") -> UUID:
    """Add an organisation, or return the one with this slug."""
    with db.transaction() as session:
        found = session.scalar(select(Tenant.id).where(Tenant.slug == slug))
        if found is not None:
            return found
        tenant = Tenant(slug=slug, name=name, name_ar=name_ar, timezone=timezone)
        session.add(tenant)
        session.flush()
        return tenant.id


def zone_of(tenant_id: UUID) -> ZoneInfo:
    """Return the time zone in which an organisation's days begin."""
    found = db.session().scalar(select(Tenant.timezone).where(Tenant.id == tenant_id))
    return ZoneInfo(found or "UTC")

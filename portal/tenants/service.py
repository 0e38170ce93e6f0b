"""The verbs of tenants."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import Actor
from portal.core.db import Json
from portal.core.errors import Conflict, NotFound
from portal.core.ids import new_id
from portal.i18n import search
from portal.tenants import theme as rules
from portal.tenants.models import Tenant
from portal.tenants.themes import pictures, queries


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What mails wear; without an organisation's theme, as the product's own.

    Args:
        accent: the brand colour, readable on white and under white.
        name, footer: by language.
        logo: a PNG and the width and height at which it is shown.
    """

    accent: str = rules.STANDARD["light"]["primary"]
    name: Mapping[str, str] = field(default_factory=dict)
    footer: Mapping[str, str] = field(default_factory=dict)
    logo: tuple[bytes, int, int] | None = None


LONGEST_SLUG = 30


def house_id() -> UUID:
    """Return the tenant that staff of the house belong to; made when it is first asked for."""
    with db.transaction() as session:
        found = session.scalar(select(Tenant.id).where(Tenant.is_house))
        if found is None:
            house = Tenant(slug="nasij", name="Nasij", name_ar="نسيج", is_house=True)
            session.add(house)
            session.flush()
            found = house.id
        return found


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


def register(*, name: str, name_ar: str | None) -> UUID:
    """Add an organisation with a slug of its own, made from its name; return its id. Two of one name are two organisations."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST_SLUG].strip("-") or "organisation"
    with db.transaction() as session:
        for slug in (plain, *(f"{plain}-{secrets.token_hex(3)}" for _ in range(9))):
            # Written without the session, which is what keeps the key of others.
            made = insert(Tenant).values(
                id=new_id(), slug=slug, name=name, name_ar=name_ar, timezone="Asia/Riyadh", search_key=search.key(name, name_ar)
            )
            found = session.scalar(made.on_conflict_do_nothing(index_elements=["slug"]).returning(Tenant.id))
            if found is not None:
                return found
    raise Conflict


def get(tenant_id: UUID) -> Tenant:
    """Return an organisation.

    Raises:
        NotFound: there is none.
    """
    found = db.session().get(Tenant, tenant_id)
    if found is None:
        raise NotFound
    return found


def locked(tenant_id: UUID) -> Tenant:
    """Return an organisation under its lock, to the end of the open transaction: one change of who belongs to it after the other."""
    # Not the whole row: rows that point to it may still be written meanwhile.
    wanted = select(Tenant).where(Tenant.id == tenant_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    found = db.session().scalar(wanted)
    if found is None:
        raise NotFound
    return found


def change(tenant_id: UUID, *, name: str, name_ar: str | None, timezone: str, by: Actor) -> None:
    """Give an organisation other names, or another time zone."""
    with db.transaction(tenant_id):
        tenant = locked(tenant_id)
        before = (tenant.name, tenant.name_ar, tenant.timezone)
        if before == (name, name_ar, timezone):
            return
        tenant.name, tenant.name_ar, tenant.timezone = name, name_ar, timezone
        facts: dict[str, Any] = {"name": name, "name_ar": name_ar or "", "timezone": timezone, "name_before": before[0]}
        audit.record(tenant_id, by, "organisation.changed", tenant_id, **facts)


def suspend(tenant_id: UUID, *, reason: str, reason_ar: str | None, by: Actor) -> None:
    """Let an organisation stand still: its members read the reason instead of their pages. Its data stays. For staff, in a unit of its own.

    Raises:
        NotFound: there is none.
        Conflict: it is closed.
    """
    with db.transaction(tenant_id):
        tenant = _open(tenant_id)
        if tenant.status == "suspended":
            return
        _set_status(tenant, "suspended", reason, reason_ar)
        audit.record(tenant_id, by, "organisation.suspended", tenant_id, reason=reason)
        bus.announce(events.TenantSuspended(tenant_id))


def resume(tenant_id: UUID, *, by: Actor) -> None:
    """Let an organisation that stands still go on.

    Raises:
        Conflict: it is closed.
    """
    with db.transaction(tenant_id):
        tenant = _open(tenant_id)
        if tenant.status == "active":
            return
        since = tenant.status_at or clock.now()
        _set_status(tenant, "active", None, None)
        audit.record(tenant_id, by, "organisation.resumed", tenant_id)
        bus.announce(events.TenantResumed(tenant_id, since.isoformat()))


def close(tenant_id: UUID, *, by: Actor) -> None:
    """End an organisation: nobody enters it any more, and every session in it is over. Its rows stay until they are erased.

    Raises:
        Conflict: it is closed already.
    """
    with db.transaction(tenant_id):
        tenant = _open(tenant_id)
        _set_status(tenant, "closed", None, None)
        audit.record(tenant_id, by, "organisation.closed", tenant_id)
        bus.announce(events.TenantClosed(tenant_id, by.id))


def _open(tenant_id: UUID) -> Tenant:
    tenant = locked(tenant_id)
    if tenant.status == "closed":
        raise Conflict
    return tenant


def _set_status(tenant: Tenant, status: str, reason: str | None, reason_ar: str | None) -> None:
    tenant.status, tenant.status_reason, tenant.status_reason_ar = status, reason, reason_ar
    tenant.status_at = db.session().scalar(func.clock_timestamp())


def security_of(tenant_id: UUID) -> Json:
    """Return the rules that an organisation has for how its people sign in; the package that owns a rule knows its key."""
    return dict(db.session().scalar(select(Tenant.security).where(Tenant.id == tenant_id)) or {})


def save_security(tenant_id: UUID, rules: Json, *, by: Actor) -> None:
    """Change some of the rules for how people sign in; those that are not named stay. The caller has checked the values."""
    with db.transaction(tenant_id) as session:
        tenant = session.scalars(select(Tenant).where(Tenant.id == tenant_id).with_for_update()).one()
        tenant.security = {**tenant.security, **rules}
        audit.record(tenant_id, by, "security.changed", tenant_id, **rules)


def letterhead(tenant_id: UUID) -> Letterhead:
    """Return what the mails of a tenant wear: as its pages, the published version. Reads in a unit of its own."""
    with db.unit_of_work(tenant_id):
        version = queries.worn_version(tenant_id)
        if version is None:
            return Letterhead()
        branding = version.columns.get("branding", {})
        logo = branding.get("logo", {}).get("light")
        asset = queries.asset_of(tenant_id, logo) if logo else None
    picture = pictures.for_mail(asset.content) if asset is not None and asset.media_type == "image/webp" else None
    return Letterhead(rules.accent(version.columns), branding.get("name", {}), branding.get("mail_footer", {}), picture)


def default_locale(tenant_id: UUID) -> str:
    """Return the language of people of a tenant who have chosen none; empty if the tenant leaves it open."""
    with db.transaction():
        return queries.look_of(tenant_id).get("locale", "")

"""Every SELECT of support."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text

from portal.core import db
from portal.i18n.formats import isolate
from portal.i18n.locale import plain_name
from portal.identity.models import Membership, Person
from portal.identity.support.models import SupportGrant


def grant_in_force(tenant_id: UUID, *, lock: bool = False) -> SupportGrant | None:
    """Return the consent that holds now."""
    wanted = (
        select(SupportGrant)
        .where(SupportGrant.tenant_id == tenant_id, SupportGrant.ended_at.is_(None), SupportGrant.until > func.clock_timestamp())
        .order_by(SupportGrant.created_at.desc())
        .limit(1)
    )
    return db.session().scalar(wanted.with_for_update() if lock else wanted)


def visits(tenant_id: UUID, *, limit: int = 20) -> list[Row[Any]]:
    """Return the newest visits with the names of who looked and of whom they looked as."""
    rows = db.session().execute(
        text(
            """
            select v.id, v.reason, v.ticket, v.created_at, v.until, v.ended_at, v.pages, v.last_page, v.seen_at,
                   s.name as staff_name, s.name_ar as staff_name_ar, p.name as person_name, p.name_ar as person_name_ar,
                   v.ended_at is null and v.until > clock_timestamp() as is_open
            from support_visits v join people s on s.id = v.staff_id join people p on p.id = v.person_id
            where v.tenant_id = :tenant order by v.created_at desc, v.id limit :limit
            """
        ),
        {"tenant": tenant_id, "limit": limit},
    )
    return list(rows)


def note_page(tenant_id: UUID, visit_id: UUID, path: str) -> Row[Any] | None:
    """Write down the page that is looked at, "" for none; return the visit's end, reason and the name of who looks, or None when it is over."""
    return (
        db.session()
        .execute(
            text(
                """
            update support_visits v set pages = v.pages + cast(:is_page as int), seen_at = clock_timestamp(),
              last_page = case when :is_page then :path else v.last_page end
            from people s, support_grants g
            where v.tenant_id = :tenant and v.id = :visit and v.ended_at is null and v.until > clock_timestamp() and s.id = v.staff_id
              and g.tenant_id = v.tenant_id and g.id = v.grant_id and g.ended_at is null and g.until > clock_timestamp()
            returning v.until, v.staff_id, s.name as staff_name, s.name_ar as staff_name_ar
            """
            ),
            {"tenant": tenant_id, "visit": visit_id, "path": path[:300], "is_page": bool(path)},
        )
        .first()
    )


def is_tenant(tenant_id: UUID) -> bool:
    """Say whether there is such a tenant, and it is not the house itself."""
    found = db.session().scalar(text("select true from tenants where id = :id and not is_house"), {"id": tenant_id})
    return bool(found)


def members(tenant_id: UUID, *, but: frozenset[str]) -> list[tuple[str, str]]:
    """Return id and label of the active members of other roles, by name."""
    rows = db.session().execute(
        select(Person.id, Person.name, Person.name_ar, Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.tenant_id == tenant_id, Membership.role.not_in(but), Person.is_active)
        .order_by(Person.name, Person.id)
        .limit(500)
    )
    return [(str(row.id), f"{plain_name(row)} · {isolate(row.email)}") for row in rows]

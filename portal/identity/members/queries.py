"""Every SELECT of members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select, text

from portal.core import db
from portal.core.errors import NotFound
from portal.core.paging import Listing, Place, SortKey, listing_of, sorted_page
from portal.i18n import search
from portal.identity.models import Membership, Person, Role

PAGE = 50
BY_NAME = SortKey(Person.__table__.c.search_key, "text")


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Which members are wanted.

    Args:
        words: folded; each must stand in a name or in the address.
        role: as `standing.Standing.key` names it; empty for all.
    """

    words: str = ""
    role: str = ""


def _rows() -> Select[Any]:
    return (
        select(
            Person.id, Person.name, Person.name_ar, Person.email, Person.is_active, Membership.role, Membership.role_id,
            Membership.created_at.label("joined_at"), Membership.seen_at, Role.name.label("role_name"), Role.name_ar.label("role_name_ar"),
        )
        .join(Membership, Membership.person_id == Person.id)
        .outerjoin(Role, (Role.tenant_id == Membership.tenant_id) & (Role.id == Membership.role_id))
    )  # fmt: skip


def _wanted(tenant_id: UUID, rows: Select[Any], wanted: MemberFilter) -> Select[Any]:
    rows = rows.where(Membership.tenant_id == tenant_id)
    if wanted.words:
        rows = rows.where(
            or_(search.holds_words(wanted.words, Person.search_key), Person.email_key.contains(wanted.words, autoescape=True))
        )
    if wanted.role:
        rows = rows.where(Membership.role == wanted.role if _is_built_in(wanted.role) else Membership.role_id == UUID(wanted.role))
    return rows


def _is_built_in(key: str) -> bool:
    return key.isalpha()


def page(tenant_id: UUID, *, wanted: MemberFilter, place: Place | None) -> Listing[Row[Any]]:
    """Return one page of the members by name, with role, `joined_at` and `seen_at`."""
    rows = sorted_page(_wanted(tenant_id, _rows(), wanted), BY_NAME, Person.__table__.c.id, is_down=False, place=place, limit=PAGE)
    return listing_of(list(db.session().execute(rows)), place=place, limit=PAGE)


def count(tenant_id: UUID, *, wanted: MemberFilter, limit: int) -> int:
    """Return how many members there are, counted up to `limit`."""
    rows = _wanted(tenant_id, select(Person.id).join(Membership, Membership.person_id == Person.id), wanted).limit(limit).subquery()
    return db.session().scalar(select(func.count()).select_from(rows)) or 0


def get(tenant_id: UUID, person_id: UUID) -> Row[Any]:
    """Return a member.

    Raises:
        NotFound: there is no such one in this tenant.
    """
    found = db.session().execute(_rows().where(Membership.tenant_id == tenant_id, Person.id == person_id)).first()
    if found is None:
        raise NotFound
    return found


def locked(tenant_id: UUID, person_id: UUID) -> Membership:
    """Return a membership under its lock.

    Raises:
        NotFound: there is no such one in this tenant.
    """
    wanted = select(Membership).where(Membership.tenant_id == tenant_id, Membership.person_id == person_id)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found


def owners(tenant_id: UUID) -> list[Row[Any]]:
    """Return id, names, address and language of the owners who can sign in."""
    wanted = select(Person.id, Person.name, Person.name_ar, Person.email, Person.locale).join(Membership, Membership.person_id == Person.id)
    wanted = wanted.where(Membership.tenant_id == tenant_id, Membership.role == "owner", Person.is_active)
    return list(db.session().execute(wanted.order_by(Membership.created_at, Person.id)))


def choices(tenant_id: UUID, *, but: Iterable[UUID] = ()) -> list[Row[Any]]:
    """Return id, names and address of the members, to choose one from."""
    wanted = select(Person.id, Person.name, Person.name_ar, Person.email).join(Membership, Membership.person_id == Person.id)
    wanted = wanted.where(Membership.tenant_id == tenant_id, Person.is_active, Person.id.not_in(list(but)))
    return list(db.session().execute(wanted.order_by(Person.search_key, Person.id).limit(2_000)))


def roles_in_use(tenant_id: UUID) -> dict[str, int]:
    """Return how many members have each role, by its key."""
    counted = text("select coalesce(role_id::text, role) as key, count(*) as num from memberships where tenant_id = :tenant group by 1")
    return {row.key: row.num for row in db.session().execute(counted, {"tenant": tenant_id})}

"""Every SELECT of identity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, select, text

from portal.core import db
from portal.i18n import search
from portal.i18n.locale import bilingual
from portal.i18n.search import fold
from portal.identity.models import Membership, Person

# Built once: the list of runs asks it.
NAMES_OF_MEMBERS = (
    select(Person.__table__.c.id, Person.__table__.c.name, Person.__table__.c.name_ar)
    .join(Membership.__table__, Membership.person_id == Person.id)
    .where(Membership.tenant_id == bindparam("tenant"))
    .limit(201)
)


def find_person(email_key: str) -> Person | None:
    """Return the person with this folded address."""
    return db.session().scalar(select(Person).where(Person.email_key == email_key))


def session_row(token_hash: bytes, *, idle_s: int, absolute_s: int) -> Row[tuple[object, ...]] | None:
    """Return the live session with its person, tenant and role, in one query; None if it is unknown or too old.

    Where the person is a member of the session's tenant, the transaction has that tenant from here on.
    """
    return (
        db.session()
        .execute(
            text(
                """
            select s.id, s.person_id, s.tenant_id, s.data, s.seen_at < clock_timestamp() - interval '1 minute' as stale,
                   p.name as person_name, p.name_ar as person_name_ar, p.locale, p.preferences, t.name as tenant_name, t.name_ar as tenant_name_ar,
                   t.timezone, t.preferences as tenant_preferences, t.look,
                   case when p.id is not null and t.id is not null then enter_role(t.id, p.id) end as role
            from sessions s
            left join people p on p.id = s.person_id and p.is_active
            left join tenants t on t.id = s.tenant_id and t.status = 'active'
            where s.id = :id and s.seen_at > clock_timestamp() - make_interval(secs => :idle)
              and s.created_at > clock_timestamp() - make_interval(secs => :absolute)
            """
            ),
            {"id": token_hash, "idle": idle_s, "absolute": absolute_s},
        )
        .first()
    )


def first_tenant_of(person_id: UUID) -> UUID | None:
    """Return the tenant that a person enters at sign-in: the one they joined first."""
    session = db.session()
    # The one look across tenants that the wall allows: a person's own memberships.
    session.execute(text("select set_config('app.person_id', :person, true)"), {"person": str(person_id)})
    found: UUID | None = session.scalar(
        text(
            "select m.tenant_id from memberships m join tenants t on t.id = m.tenant_id and t.status = 'active'"
            " where m.person_id = :person order by m.created_at, m.tenant_id limit 1"
        ),
        {"person": person_id},
    )
    return found


def tenants_of(person_id: UUID) -> list[Row[Any]]:
    """Return id, names and role of every active tenant a person belongs to, first joined first."""
    return list(db.session().execute(text("select id, name, name_ar, role from own_tenants(:person)"), {"person": person_id}))


def find_members(tenant_id: UUID, words: str, *, limit: int) -> list[Row[Any]]:
    """Return id, names and role of the active members whose name holds each word of a folded text."""
    return list(
        db.session().execute(
            select(Person.id, Person.name, Person.name_ar, Membership.role)
            .join(Membership, Membership.person_id == Person.id)
            .where(
                Membership.tenant_id == tenant_id,
                Person.is_active,
                search.holds_words(words, Person.search_key),
            )
            .order_by(Person.name, Person.id)
            .limit(limit)
        )
    )


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of people of the tenant by id, in the reader's language where they have one in it."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    rows = db.session().execute(
        select(Person.id, Person.name, Person.name_ar).join(Membership, Membership.person_id == Person.id).where(Person.id.in_(wanted))
    )
    return {row.id: bilingual(row) for row in rows}


MAX_NAMES = 200


def names_of_members(tenant_id: UUID) -> dict[UUID, str] | None:
    """Return the names of all members of the tenant by id, in order of the names; None when there are more than 200."""
    rows = db.session().execute(NAMES_OF_MEMBERS, {"tenant": tenant_id}).all()
    if len(rows) > MAX_NAMES:
        return None
    return dict(sorted(((row.id, bilingual(row)) for row in rows), key=lambda pair: fold(pair[1])))


def role_of(tenant_id: UUID, person_id: UUID) -> str | None:
    """Return the role of an active member of a tenant."""
    wanted = select(Membership.role).join(Person, Person.id == Membership.person_id)
    return db.session().scalar(wanted.where(Membership.tenant_id == tenant_id, Membership.person_id == person_id, Person.is_active))


def member_ids(tenant_id: UUID, roles: tuple[str, ...] | None) -> list[UUID]:
    """Return the active members of a tenant, all of them or those with one of the roles."""
    rows = select(Person.id).join(Membership, Membership.person_id == Person.id).where(Membership.tenant_id == tenant_id, Person.is_active)
    if roles is not None:
        rows = rows.where(Membership.role.in_(roles))
    return list(db.session().scalars(rows.order_by(Person.id)))

"""Every SELECT of identity."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Subquery, bindparam, func, select, text

from portal.core import db
from portal.core.db import Json
from portal.i18n import search
from portal.i18n.locale import bilingual
from portal.i18n.search import APART, fold
from portal.identity.models import Device, FormerMember, Membership, Person, Role

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


def preferences_of(tenant_id: UUID, person_id: UUID | None) -> tuple[Json, Json, str]:
    """Return what a person chose, what their organisation did, and its time zone."""
    row = (
        db.session()
        .execute(
            text(
                "select t.preferences, t.timezone, (select preferences from people where id = :person) as chosen from tenants t where t.id = :tenant"
            ),
            {"tenant": tenant_id, "person": person_id},
        )
        .one()
    )
    return row.chosen or {}, row.preferences, row.timezone


def get_person(person_id: UUID) -> Person | None:
    """Return a person by id."""
    return db.session().get(Person, person_id)


def joined_at(tenant_id: UUID, person_id: UUID) -> datetime | None:
    """Return since when a person is a member of a tenant."""
    rows = select(Membership.created_at).where(Membership.tenant_id == tenant_id, Membership.person_id == person_id)
    return db.session().scalar(rows)


def session_row(token_hash: bytes, *, idle_s: int, absolute_s: int) -> Row[tuple[object, ...]] | None:
    """Return the live session with its person, tenant and role, in one query; None if it is unknown or too old.

    Where the person is a member of the session's tenant, the transaction has that tenant from here on.
    """
    return (
        db.session()
        .execute(
            text(
                """
            select s.id, s.person_id, s.tenant_id, s.data, s.seen_at < clock_timestamp() - interval '1 minute' as stale, s.confirmed_at, s.staff_id, s.visit_id,
                   extract(epoch from clock_timestamp() - s.seen_at) as idle_s, extract(epoch from clock_timestamp() - s.signed_in_at) as age_s,
                   p.name as person_name, p.name_ar as person_name_ar, p.locale, p.preferences, t.name as tenant_name, t.name_ar as tenant_name_ar,
                   t.timezone, t.preferences as tenant_preferences, t.security as tenant_security, t.look, t.status as tenant_status,
                   exists(select 1 from totp_factors f where f.person_id = p.id and f.confirmed_at is not null)
                   or exists(select 1 from passkeys k where k.person_id = p.id) as has_factor,
                   m.role, m.permissions
            from sessions s
            left join people p on p.id = s.person_id and p.is_active
            left join tenants t on t.id = s.tenant_id
            left join lateral enter_membership(case when t.status = 'active' then t.id end, p.id) m on true
            where s.id = :id and s.seen_at > clock_timestamp() - make_interval(secs => :idle)
              and s.signed_in_at > clock_timestamp() - make_interval(secs => :absolute)
            """
            ),
            {"id": token_hash, "idle": idle_s, "absolute": absolute_s},
        )
        .first()
    )


def device_id(person_id: UUID, token_hash: bytes) -> UUID | None:
    """Return the device that this person has used before under this token."""
    return db.session().scalar(select(Device.id).where(Device.person_id == person_id, Device.token_hash == token_hash))


def sessions_of(person_id: UUID) -> list[Row[Any]]:
    """Return the live sessions of a person, last seen first, with their tenant's names."""
    return list(
        db.session().execute(
            text(
                "select s.id, s.user_agent, s.address, s.signed_in_at, s.seen_at, t.name, t.name_ar from sessions s"
                " left join tenants t on t.id = s.tenant_id where s.person_id = :person and s.staff_id is null order by s.seen_at desc, s.id"
            ),
            {"person": person_id},
        )
    )


# The same as one value, for the frame around each page.
OWN_TENANTS = """select jsonb_agg(jsonb_build_object('id', m.id, 'name', m.name, 'name_ar', m.name_ar) order by m.place)
from own_memberships(:person) with ordinality as m (id, name, name_ar, role, status, status_reason, status_reason_ar, joined_at, seen_at, place)
where m.status = 'active'"""


def tenants_of(person_id: UUID) -> list[Row[Any]]:
    """Return id, names and role of every active tenant a person belongs to, first joined first."""
    return [row for row in memberships_of(person_id) if row.status == "active"]


def memberships_of(person_id: UUID) -> list[Row[Any]]:
    """Return every tenant a person belongs to, first joined first, also those that stand still.

    Columns: id, name, name_ar, role, status, status_reason, status_reason_ar, joined_at, seen_at.
    """
    return list(db.session().execute(text("select * from own_memberships(:person)"), {"person": person_id}))


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
    """Return the names of people of the tenant by id, of those who left, too; in the reader's language where they have one in it."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    is_ours = select(Membership.person_id).union_all(select(FormerMember.person_id))  # row-level security names the tenant
    rows = db.session().execute(select(Person.id, Person.name, Person.name_ar).where(Person.id.in_(wanted), Person.id.in_(is_ours)))
    return {row.id: bilingual(row) for row in rows}


def name_keys(language: str) -> Subquery:
    """Return a table of `id` and `key` for people of the tenant, also those who left: what the rows of others are sorted by.

    Args:
        language: `ar` sorts by the Arabic name where there is one, anything else by the other.
    """
    person = Person.__table__.c
    english, arabic = (func.nullif(func.split_part(person.search_key, APART, place), "") for place in (1, 2))
    first, second = (arabic, english) if language == "ar" else (english, arabic)
    is_ours = select(Membership.person_id).union_all(select(FormerMember.person_id))
    return select(person.id, func.coalesce(first, second, "").label("key")).where(person.id.in_(is_ours)).subquery(f"people_{language}")


MAX_NAMES = 200


def names_of_members(tenant_id: UUID) -> dict[UUID, str] | None:
    """Return the names of all members of the tenant by id, in order of the names; None when there are more than 200."""
    rows = db.session().execute(NAMES_OF_MEMBERS, {"tenant": tenant_id}).all()
    if len(rows) > MAX_NAMES:
        return None
    return dict(sorted(((row.id, bilingual(row)) for row in rows), key=lambda pair: fold(pair[1])))


def role_of(tenant_id: UUID, person_id: UUID) -> str | None:
    """Return the role of an active member of a tenant."""
    found = standing_of(tenant_id, person_id)
    return found.role if found else None


def standing_of(tenant_id: UUID, person_id: UUID) -> Row[Any] | None:
    """Return role, role_id and the own role's permissions of an active member of a tenant; None for who is none."""
    wanted = (
        select(Membership.role, Membership.role_id, Role.permissions)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(Role, (Role.tenant_id == Membership.tenant_id) & (Role.id == Membership.role_id))
    )
    return (
        db.session().execute(wanted.where(Membership.tenant_id == tenant_id, Membership.person_id == person_id, Person.is_active)).first()
    )


def member_ids(tenant_id: UUID, roles: tuple[str, ...] | None) -> list[UUID]:
    """Return the active members of a tenant, all of them or those with one of the roles."""
    rows = select(Person.id).join(Membership, Membership.person_id == Person.id).where(Membership.tenant_id == tenant_id, Person.is_active)
    if roles is not None:
        rows = rows.where(Membership.role.in_(roles))
    return list(db.session().scalars(rows.order_by(Person.id)))


def people_named(tenant_id: UUID, names: list[str]) -> list[UUID]:
    """Return the active members that are meant by `person:<id>`, `role:<name or id>` and `group:<id>`."""
    rows = db.session().scalars(
        text(
            """
            select distinct m.person_id from memberships m join people p on p.id = m.person_id and p.is_active
            left join group_members g on g.tenant_id = m.tenant_id and g.person_id = m.person_id
            where m.tenant_id = :tenant and ('person:' || m.person_id = any(:names) or 'role:' || m.role = any(:names)
                                             or 'role:' || m.role_id = any(:names) or 'group:' || g.group_id = any(:names))
            """
        ),
        {"tenant": tenant_id, "names": names},
    )
    return list(rows)


def designations_of(tenant_id: UUID, person_id: UUID) -> list[str]:
    """Return every name of that kind by which an active member is meant; none for who is no member."""
    rows = db.session().execute(
        text(
            """
            select m.role, m.role_id, g.group_id from memberships m join people p on p.id = m.person_id and p.is_active
            left join group_members g on g.tenant_id = m.tenant_id and g.person_id = m.person_id
            where m.tenant_id = :tenant and m.person_id = :person
            """
        ),
        {"tenant": tenant_id, "person": person_id},
    )
    found: dict[str, None] = {}
    for row in rows:
        found |= {f"person:{person_id}": None, f"role:{row.role_id or row.role}": None}
        if row.group_id:
            found[f"group:{row.group_id}"] = None
    return list(found)


def addresses_of(tenant_id: UUID, ids: Iterable[UUID]) -> list[Row[Any]]:
    """Return id, address, locale and names of the active members among these people."""
    wanted = select(Person.id, Person.email, Person.locale, Person.name, Person.name_ar).join(Membership, Membership.person_id == Person.id)
    return list(db.session().execute(wanted.where(Membership.tenant_id == tenant_id, Person.is_active, Person.id.in_(list(ids)))))


def own_roles(tenant_id: UUID) -> list[Row[Any]]:
    """Return id, names and permissions of the tenant's own roles."""
    return list(
        db.session().execute(
            select(Role.id, Role.name, Role.name_ar, Role.permissions).where(Role.tenant_id == tenant_id).order_by(Role.name)
        )
    )

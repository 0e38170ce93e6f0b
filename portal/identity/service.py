"""The verbs of identity."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import NotFound
from portal.i18n import preferences
from portal.identity import queries
from portal.identity.errors import SignInRefused
from portal.identity.models import Membership, Person
from portal.identity.passwords import hash_password, needs_rehash, verify_password
from portal.identity.roles import PERMISSIONS

# A browser left alone is signed out, and every browser once a day.
IDLE = timedelta(hours=1)
ABSOLUTE = timedelta(hours=24)


def email_key(email: str) -> str:
    """Fold an address for comparison: NFKC, no case, no outer blanks."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def sign_in(email: str, password: str) -> tuple[UUID, UUID]:
    """Check address and password; return the person and the tenant they enter.

    Raises:
        SignInRefused: unknown address, wrong password, or no active tenant; all take the same time and say the same.
    """
    with db.transaction():
        person = queries.find_person(email_key(email))
        stored = person.password_hash if person and person.is_active else None
    # Outside the transaction: hashing takes a tenth of a second, and must not hold a connection.
    right = verify_password(stored, password)
    if not right or person is None:
        raise SignInRefused
    with db.transaction():
        tenant_id = queries.first_tenant_of(person.id)
        if tenant_id is None:
            raise SignInRefused
        db.enter_tenant(tenant_id)
        if stored and needs_rehash(stored):
            person.password_hash = hash_password(password)
            db.session().merge(person)
        audit.record(tenant_id, Actor("person", person.id), "session.started", person.id)
        bus.announce(events.SignedIn(person.id, tenant_id))
    return person.id, tenant_id


def switch_tenant(person_id: UUID, tenant_id: UUID, *, leaving: UUID) -> None:
    """Take a person of several tenants from one into another; both books say so. The caller begins a new session.

    Raises:
        NotFound: they do not belong to it, or it is not active.
    """
    by = Actor("person", person_id)
    with db.transaction() as session:
        if tenant_id not in {row.id for row in queries.tenants_of(person_id)}:
            raise NotFound
        audit.record(leaving, by, "session.left", person_id)
        session.flush()
        db.enter_tenant(tenant_id)
        audit.record(tenant_id, by, "session.entered", person_id)


def choose_locale(person_id: UUID, locale: str) -> None:
    """Remember the person's language: it follows them to every device."""
    with db.transaction() as session:
        person = session.get(Person, person_id)
        if person is not None:
            person.locale = locale


def save_preferences(tenant_id: UUID, person_id: UUID, given: Mapping[str, Any], *, locale: str, by: Actor) -> None:
    """Remember how the person wants pages written, on every device and in every organisation.

    Args:
        given: replaces what was chosen before; what is not known is dropped, what is missing is as usual again.
        locale: the language, "ar" or "en".
    """
    with db.transaction(tenant_id) as session:
        person = session.get_one(Person, person_id)
        person.preferences, person.locale = preferences.allowed(given), locale
        audit.record(tenant_id, by, "preferences.saved", person_id, locale=locale, preferences=person.preferences)


def add_person(email: str, *, name: str, name_ar: str | None, password: str, locale: str | None = None) -> UUID:
    """Add somebody who can sign in, or return the person who has this address already."""
    with db.transaction() as session:
        found = queries.find_person(email_key(email))
        if found is not None:
            return found.id
        person = Person(
            email=email.strip(),
            email_key=email_key(email),
            name=name,
            name_ar=name_ar,
            password_hash=hash_password(password),
            locale=locale,
        )
        session.add(person)
        session.flush()
        return person.id


def add_member(tenant_id: UUID, person_id: UUID, role: str, *, by: Actor) -> None:
    """Give a person a role in the tenant of the open unit; a role they have is replaced."""
    with db.transaction(tenant_id) as session:
        membership = session.get(Membership, (tenant_id, person_id))
        if membership is None:
            session.add(Membership(tenant_id=tenant_id, person_id=person_id, role=role))
        else:
            membership.role = role
        audit.record(tenant_id, by, "member.added", person_id, role=role)


def permissions_of(tenant_id: UUID, person_id: UUID) -> frozenset[str]:
    """Return what a person may do in the tenant now; nothing for who is no active member. For jobs, which act later than they were asked."""
    role = queries.role_of(tenant_id, person_id)
    return PERMISSIONS[role] if role else frozenset()


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of members of the tenant by id; others are left out."""
    return queries.names_of(ids)


def find_members(tenant_id: UUID, words: str, *, limit: int = 8) -> list[Any]:
    """Return id, names and role of the active members whose name holds each word of a folded text."""
    return list(queries.find_members(tenant_id, words, limit=limit))


def names_of_members(tenant_id: UUID) -> dict[UUID, str] | None:
    """Return the names of all members of the tenant by id, in order of the names; None when they are too many to choose from."""
    return queries.names_of_members(tenant_id)


def member_ids(tenant_id: UUID, *, roles: tuple[str, ...] | None = None) -> list[UUID]:
    """Return the active members of the tenant, all of them or those with one of the roles."""
    return queries.member_ids(tenant_id, roles)


def sweep_sessions() -> int:
    """Delete sessions that nobody can use any more; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            text(
                "delete from sessions where seen_at < clock_timestamp() - make_interval(secs => :idle)"
                " or created_at < clock_timestamp() - make_interval(secs => :absolute)"
            ),
            {"idle": IDLE.total_seconds(), "absolute": ABSOLUTE.total_seconds()},
        )
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE has it

"""The verbs of identity."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Subquery, func, select, text

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import Actor, Permission
from portal.core.errors import NotFound
from portal.core.ids import new_id
from portal.core.secrets import token_hash
from portal.i18n import preferences
from portal.i18n.locale import bilingual
from portal.i18n.words import lazy_gettext as _l
from portal.identity import lockout, queries, roles, throttle
from portal.identity.errors import ProviderNeeded, SignInRefused
from portal.identity.groups import queries as groups
from portal.identity.models import Device, Membership, Person
from portal.identity.origin import Origin, browser_of
from portal.identity.passwords import hash_password, needs_rehash, verify_password
from portal.identity.sso import policy
from portal.mail import service as mail

# A browser left alone is signed out, and every browser once a day; sooner where more is at stake.
IDLE, ABSOLUTE = timedelta(minutes=60), timedelta(hours=24)
IDLE_POWERFUL, ABSOLUTE_POWERFUL = timedelta(minutes=30), timedelta(hours=12)
POWERFUL = frozenset({"owner", "admin", "staff"})
MOST_SESSIONS = 10
ROLE_WORDS: dict[str, Any] = {
    "owner": _l("Owners"),
    "admin": _l("Admins"),
    "builder": _l("Builders"),
    "member": _l("Members"),
    "auditor": _l("Auditors"),
}
SUSPENDED_AT = 100  # wrong passwords in a row, after which only a reset helps


def limits_of(role: str, security: Mapping[str, Any]) -> tuple[int, int]:
    """Return after how many seconds a session ends: idle, and in any case. A tenant may only shorten them.

    Args:
        security: of the tenant; `idle_min` and `absolute_h`.
    """
    idle, absolute = (IDLE_POWERFUL, ABSOLUTE_POWERFUL) if role in POWERFUL else (IDLE, ABSOLUTE)
    own_idle, own_absolute = security.get("idle_min"), security.get("absolute_h")
    if own_idle:
        idle = min(idle, timedelta(minutes=own_idle))
    if own_absolute:
        absolute = min(absolute, timedelta(hours=own_absolute))
    return int(idle.total_seconds()), int(absolute.total_seconds())


def email_key(email: str) -> str:
    """Fold an address for comparison: NFKC, no case, no outer blanks."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def sign_in(email: str, password: str, origin: Origin) -> tuple[UUID, UUID | None]:
    """Check address and password; return the person and the tenant they enter, None for who has none that is active.

    Nothing has begun yet: see `start_session`.

    Raises:
        SignInRefused: unknown address, wrong password or too many tries; all take the same time and say the same.
        ProviderNeeded: the password is right, and every organisation of theirs wants its provider instead.
    """
    key = email_key(email)
    person_id = check_password(key, password, origin, kind="password")
    if person_id is None:
        raise SignInRefused
    return person_id, _tenant_without_provider(person_id, key)


def start_session(person_id: UUID, tenant_id: UUID | None) -> None:
    """Note that somebody who proved who they are comes in. The caller begins the browser's session.

    Args:
        tenant_id: None for who belongs to no active tenant.

    Raises:
        SignInRefused: they are no active member any more; between the two steps of signing in that may have changed.
    """
    with db.transaction():
        if tenant_id is None:
            bus.announce(events.SignedIn(person_id, None))
            return
        db.enter_tenant(tenant_id)
        if queries.role_of(tenant_id, person_id) is None:
            raise SignInRefused
        note_visit(tenant_id, person_id)
        audit.record(tenant_id, Actor("person", person_id), "session.started", person_id)
        bus.announce(events.SignedIn(person_id, tenant_id))


def tenant_to_enter(person_id: UUID) -> UUID | None:
    """Return the tenant that a person enters who came without a provider; None for who belongs to no active one.

    Raises:
        SignInRefused: they are not active.
        ProviderNeeded: every organisation of theirs wants its provider instead.
    """
    with db.transaction():
        person = queries.get_person(person_id)
    if person is None or not person.is_active:
        raise SignInRefused
    return _tenant_without_provider(person_id, person.email_key)


def _tenant_without_provider(person_id: UUID, key: str) -> UUID | None:
    tenant_id, provider = policy.tenant_for_password(person_id, key)
    if provider is not None:
        raise ProviderNeeded(provider)
    return tenant_id


def throttled(kind: str, person_id: UUID, origin: Origin, is_right: Callable[[], bool]) -> bool:
    """Say whether somebody who is known proved who they are; a proof that was tried too often is not even looked at.

    Args:
        kind: the throttle's rule.
        is_right: checks the proof.
    """
    with db.transaction():
        device_id = queries.device_id(person_id, token_hash(origin.device)) if origin.device else None
    attempt = throttle.begin(kind, str(person_id), origin, device_id=device_id)
    if not attempt.is_allowed or not is_right():
        return False
    throttle.passed(attempt)
    return True


def check_password(key: str, password: str, origin: Origin, *, kind: str) -> UUID | None:
    """Return whose password it is, or None; throttled, and as slow for an unknown address as for a wrong password.

    Args:
        key: the folded address.
        kind: the throttle's rule: "password", or "confirm" for who is signed in.
    """
    with db.transaction():
        person = queries.find_person(key)
        device_id = queries.device_id(person.id, token_hash(origin.device)) if person and origin.device else None
    attempt = throttle.begin(kind, key, origin, device_id=device_id)
    # Guesses come from devices that the account does not know; a lock is never for the others.
    is_stranger = person is not None and device_id is None and kind == "password"
    is_shut = person is not None and is_stranger and lockout.is_shut(person.id, key, attempt.id)
    can_have = person is not None and person.is_active and person.password_failures < SUSPENDED_AT and attempt.is_allowed and not is_shut
    stored = person.password_hash if person is not None and can_have else None
    # Outside the transaction: hashing takes a tenth of a second, and must not hold a connection.
    is_right = verify_password(stored, password)
    if person is None or not is_right:
        if stored is not None:
            _count_failure(key)
        if person is not None and (is_shut or (stored is not None and is_stranger)):
            lockout.note_failure(person.id, key, attempt.id)
        return None
    throttle.passed(attempt)
    with db.transaction() as session:
        person = session.get_one(Person, person.id)
        person.password_failures = 0
        if stored and needs_rehash(stored):
            person.password_hash = hash_password(password)
    return person.id


def _count_failure(key: str) -> None:
    """Count a wrong password; the one that suspends it is told to the person, once."""
    with db.transaction() as session:
        person = session.scalar(select(Person).where(Person.email_key == key).with_for_update())
        assert person is not None
        person.password_failures += 1
        if person.password_failures == SUSPENDED_AT:
            mail.post(person.email, "password_suspended", locale=person.locale, name=person.name, link="/password/forgotten")


def switch_tenant(person_id: UUID, tenant_id: UUID, *, leaving: UUID | None) -> None:
    """Take a person of several tenants from one into another; both books say so. The caller begins a new session.

    Args:
        leaving: where they worked until now; None for who was in no tenant.

    Raises:
        NotFound: they do not belong to it, or it is not active.
    """
    by = Actor("person", person_id)
    with db.transaction() as session:
        if tenant_id not in {row.id for row in queries.tenants_of(person_id)}:
            raise NotFound
        if leaving is not None:
            audit.record(leaving, by, "session.left", person_id)
            session.flush()
        db.enter_tenant(tenant_id)
        note_visit(tenant_id, person_id)
        audit.record(tenant_id, by, "session.entered", person_id)


def note_visit(tenant_id: UUID, person_id: UUID) -> None:
    """Note that a member works in the tenant of the open unit now: what the list of members shows, and where they come in next time."""
    with db.transaction(tenant_id) as session:
        session.execute(
            text("update memberships set seen_at = clock_timestamp() where tenant_id = :tenant and person_id = :person"),
            {"tenant": tenant_id, "person": person_id},
        )


def has_several_tenants(person_id: UUID) -> bool:
    """Say whether a person has more than one tenant to work in."""
    with db.transaction():
        return len(queries.tenants_of(person_id)) > 1


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


def zone_of(tenant_id: UUID, person_id: UUID | None) -> ZoneInfo:
    """Return the time zone in which a person's days begin in an organisation; the organisation's own for nobody."""
    with db.transaction(tenant_id):
        chosen, ours, timezone = queries.preferences_of(tenant_id, person_id)
    return ZoneInfo(preferences.resolve(chosen, ours, timezone=timezone).timezone)


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
            membership.role, membership.role_id = role, None
        audit.record(tenant_id, by, "member.added", person_id, role=role)


def tenants_of(person_id: UUID, *, but_the_house: bool = False) -> list[Any]:
    """Return id, names and role of every active tenant a person belongs to."""
    return [row for row in queries.tenants_of(person_id) if not (but_the_house and row.role == "staff")]


def permissions_of(tenant_id: UUID, person_id: UUID) -> frozenset[str]:
    """Return what a person may do in the tenant now; nothing for who is no active member. For jobs, which act later than they were asked."""
    standing = queries.standing_of(tenant_id, person_id)
    return roles.permissions_of(standing.role, standing.permissions) if standing else frozenset()


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of members of the tenant by id; others are left out."""
    return queries.names_of(ids)


def name_keys(language: str) -> Subquery:
    """Return a table of `id` and `key` for people of the tenant, also those who left, to sort rows of other tables by a person's name."""
    return queries.name_keys(language)


def find_members(tenant_id: UUID, words: str, *, limit: int = 8) -> list[Any]:
    """Return id, names and role of the active members whose name holds each word of a folded text."""
    return list(queries.find_members(tenant_id, words, limit=limit))


def names_of_members(tenant_id: UUID) -> dict[UUID, str] | None:
    """Return the names of all members of the tenant by id, in order of the names; None when they are too many to choose from."""
    return queries.names_of_members(tenant_id)


def member_ids(tenant_id: UUID, *, roles: tuple[str, ...] | None = None) -> list[UUID]:
    """Return the active members of the tenant, all of them or those with one of the roles."""
    return queries.member_ids(tenant_id, roles)


def people_named(tenant_id: UUID, names: list[str]) -> list[UUID]:
    """Return the active members that are meant by `person:<id>`, `role:<name or id>` and `group:<id>`, each once."""
    return queries.people_named(tenant_id, names)


def designations_with(tenant_id: UUID, permission: Permission) -> list[str]:
    """Return every role that holds a permission, as such a name."""
    built_in = [f"role:{role}" for role, held in roles.PERMISSIONS.items() if permission in held]
    return built_in + [f"role:{row.id}" for row in queries.own_roles(tenant_id) if permission in row.permissions]


def designations_of(tenant_id: UUID, person_id: UUID) -> list[str]:
    """Return every name of that kind by which an active member is meant."""
    return queries.designations_of(tenant_id, person_id)


def designations(tenant_id: UUID) -> list[tuple[str, str]]:
    """Return every name of that kind with its words, for a choice: roles, groups, and members where they are not too many."""
    found = [(f"role:{role}", words) for role, words in ROLE_WORDS.items()]
    found += [(f"role:{row.id}", bilingual(row)) for row in queries.own_roles(tenant_id)]
    found += [(f"group:{row.id}", bilingual(row)) for row in groups.every(tenant_id)]
    return found + [(f"person:{each}", name) for each, name in (queries.names_of_members(tenant_id) or {}).items()]


def named(tenant_id: UUID) -> list[tuple[str, str]]:
    """Return own roles and groups by their first name, and active members by their address, for files that name them."""
    found = [(f"role:{row.id}", str(row.name)) for row in queries.own_roles(tenant_id)]
    found += [(f"group:{row.id}", str(row.name)) for row in groups.every(tenant_id)]
    members = queries.addresses_of(tenant_id, queries.member_ids(tenant_id, None))
    return found + [(f"person:{row.id}", str(row.email)) for row in members]


def addresses_of(tenant_id: UUID, ids: Iterable[UUID]) -> list[Any]:
    """Return id, address, locale and names of the active members among these people, to write to them."""
    return queries.addresses_of(tenant_id, ids)


def remember_device(person_id: UUID, tenant_id: UUID | None, origin: Origin) -> UUID:
    """Note the device that somebody signs in with; the person is told of one that is new, unless it is their first.

    Args:
        origin: with the device's token.
    """
    assert origin.device is not None
    hashed = token_hash(origin.device)
    with db.transaction() as session:
        person = session.get_one(Person, person_id)
        is_first = session.scalar(select(func.count()).where(Device.person_id == person_id)) == 0
        row = session.execute(
            text(
                "insert into devices (id, person_id, token_hash, user_agent, address) values (:id, :person, :hash, :agent, :address)"
                " on conflict (person_id, token_hash) do update"
                " set seen_at = clock_timestamp(), user_agent = excluded.user_agent, address = excluded.address"
                " returning id, xmax = 0 as is_new"
            ),
            {"id": new_id(), "person": person_id, "hash": hashed, "agent": origin.agent, "address": origin.address},
        ).one()
        if row.is_new and not is_first:
            browser, system = browser_of(origin.agent)
            mail.post(
                person.email, "new_device", locale=person.locale, tenant_id=tenant_id, name=person.name, name_ar=person.name_ar,
                browser=browser, system=system, address=origin.address, at=clock.now().isoformat(), link="/settings/devices",
            )  # fmt: skip
            bus.announce(events.SignedInFromNewDevice(person_id, tenant_id, browser, system))
    found: UUID = row.id
    return found


def end_oldest_sessions(person_id: UUID, tenant_id: UUID | None) -> None:
    """Sign a person out where they were seen longest ago, so that ten sessions remain; they are told."""
    with db.transaction() as session:
        gone = session.execute(
            text(
                "delete from sessions where id in (select id from sessions where person_id = :person and staff_id is null order by seen_at desc, id offset :most)"
            ),
            {"person": person_id, "most": MOST_SESSIONS},
        )
        if db.touched(gone):
            bus.announce(events.SessionsCrowdedOut(person_id, tenant_id, MOST_SESSIONS))


def end_sessions(person_id: UUID, *, but: bytes | None = None) -> int:
    """Sign a person out everywhere, or everywhere but here; returns how many sessions ended. Effective at their next request.

    Args:
        but: the id of the session that stays.
    """
    with db.transaction() as session:
        gone = session.execute(
            text("delete from sessions where person_id = :person and id is distinct from :but"), {"person": person_id, "but": but}
        )
    return db.touched(gone)


def sweep_sessions() -> int:
    """Delete sessions that nobody can use any more; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            text(
                "delete from sessions where seen_at < clock_timestamp() - make_interval(secs => :idle)"
                " or signed_in_at < clock_timestamp() - make_interval(secs => :absolute)"
            ),
            {"idle": IDLE.total_seconds(), "absolute": ABSOLUTE.total_seconds()},
        )
    return db.touched(gone)

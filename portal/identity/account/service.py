"""The verbs of an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.secrets import new_token, token_hash
from portal.identity import blocklist, lockout, queries, throttle
from portal.identity import service as identity
from portal.identity.account import queries as links
from portal.identity.account.errors import LinkSpent
from portal.identity.factors import service as factors
from portal.identity.models import PasswordReset, Person
from portal.identity.origin import Origin, browser_of
from portal.identity.passwords import hash_password
from portal.mail import service as mail

RESET_FOR = timedelta(minutes=30)


def confirm(person_id: UUID, password: str, origin: Origin) -> bool:
    """Say whether the password is this person's; throttled."""
    with db.transaction() as session:
        key = session.get_one(Person, person_id).email_key
    return identity.check_password(key, password, origin, kind="confirm") == person_id


def has_password(person_id: UUID) -> bool:
    """Say whether a person has a password: who came through a provider may have none."""
    with db.transaction() as session:
        return session.get_one(Person, person_id).password_hash is not None


def shortest_for(person_id: UUID) -> int:
    """Return how long a new password of a person must be: shorter where it never opens anything without a second step."""
    with db.transaction():
        is_enforced = factors.must_have(person_id) and factors.has_factor(person_id)
    return blocklist.SHORTEST_WITH_FACTOR if is_enforced else blocklist.SHORTEST


def change_password(tenant_id: UUID, person_id: UUID, password: str, *, session_id: bytes) -> None:
    """Give a person another password; every other session of theirs ends, and they are told by mail.

    Args:
        session_id: of the session that stays.

    Raises:
        Invalid: it may not be used.
    """
    with db.transaction() as session:
        person = session.get_one(Person, person_id)
        words = _words_of(person)
    hashed = _checked_hash(password, words, shortest=shortest_for(person_id))
    with db.transaction(tenant_id):
        _keep_password(person_id, hashed, by_reset=False)
        identity.end_sessions(person_id, but=session_id)
        audit.record(tenant_id, Actor("person", person_id), "password.changed", person_id)


def ask_reset(email: str, origin: Origin) -> None:
    """Mail a link for a new password to the address, if it is an account's and may ask; who asks learns nothing of either."""
    key = identity.email_key(email)
    attempt = throttle.begin("reset", key, origin)
    with db.transaction() as session:
        person = queries.find_person(key)
        if not attempt.is_allowed or person is None or not person.is_active:
            return
        token = new_token()
        session.add(PasswordReset(token_hash=token_hash(token), person_id=person.id))
        browser, system = browser_of(origin.agent)
        mail.post(
            person.email, "password_reset", locale=person.locale, name=person.name, name_ar=person.name_ar, browser=browser, system=system,
            address=origin.address, minutes=int(RESET_FOR.total_seconds() // 60), link=f"/password/reset?token={token}",
        )  # fmt: skip


def is_link_valid(token: str) -> bool:
    """Say whether the link of a mail may still change a password; asking uses nothing up."""
    with db.transaction():
        return links.owner_of_link(token_hash(token), valid_for=RESET_FOR) is not None


def reset_password(token: str, password: str) -> None:
    """Give the owner of a link another password: every session of theirs ends, every link is spent, and they are told by mail.

    They are not signed in, and a second factor is asked for as ever.

    Raises:
        LinkSpent: the link was used, is too old, or was never ours.
        Invalid: the password may not be used; the link still stands.
    """
    with db.transaction():
        person = links.owner_of_link(token_hash(token), valid_for=RESET_FOR)
        if person is None:
            raise LinkSpent
        words, shortest = _words_of(person), shortest_for(person.id)
    hashed = _checked_hash(password, words, shortest=shortest)
    with db.transaction():
        person = links.owner_of_link(token_hash(token), valid_for=RESET_FOR, lock=True)
        if person is None:
            raise LinkSpent
        _keep_password(person.id, hashed, by_reset=True)
        identity.end_sessions(person.id)
        person_id = person.id
    lockout.end_all(person_id)


def end_session(tenant_id: UUID, person_id: UUID, session_id: bytes) -> None:
    """Sign a person out on one device.

    Raises:
        NotFound: they have no such session.
    """
    with db.transaction(tenant_id) as session:
        gone = session.execute(text("delete from sessions where id = :id and person_id = :person"), {"id": session_id, "person": person_id})
        if not db.touched(gone):
            raise NotFound
        audit.record(tenant_id, Actor("person", person_id), "session.ended", person_id)


def end_others(tenant_id: UUID, person_id: UUID, *, session_id: bytes) -> None:
    """Sign a person out everywhere but in this session."""
    with db.transaction(tenant_id):
        count = identity.end_sessions(person_id, but=session_id)
        audit.record(tenant_id, Actor("person", person_id), "sessions.ended", person_id, count=count)


def sessions_of(person_id: UUID) -> list[Any]:
    """Return where a person is signed in: id, user_agent, address, signed_in_at, seen_at, name and name_ar of the organisation."""
    return list(queries.sessions_of(person_id))


def sweep_resets() -> int:
    """Delete links that are too old; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(delete(PasswordReset).where(PasswordReset.created_at < func.clock_timestamp() - RESET_FOR))
    return db.touched(gone)


def _checked_hash(password: str, words: list[str], *, shortest: int) -> str:
    problems = blocklist.problems_of(password, words=words, shortest=shortest)
    if problems:
        raise Invalid({"password": problems[0]})
    return hash_password(password)


def _words_of(person: Person) -> list[str]:
    """Return what anybody would try for this person: their names, address and organisations."""
    tenants = [name for row in queries.tenants_of(person.id) for name in (row.name, row.name_ar)]
    return [word for word in (person.name, person.name_ar, person.email, *tenants) if word]


def _keep_password(person_id: UUID, hashed: str, *, by_reset: bool) -> None:
    session = db.session()
    person = session.get_one(Person, person_id)
    person.password_hash, person.password_failures = hashed, 0
    person.password_changed_at = session.scalar(func.clock_timestamp())
    session.execute(delete(PasswordReset).where(PasswordReset.person_id == person_id))
    mail.post(
        person.email, "password_changed", locale=person.locale, name=person.name, name_ar=person.name_ar, by_reset=by_reset,
        link="/password/forgotten",
    )  # fmt: skip
    bus.announce(events.PasswordChanged(person_id, by_reset))

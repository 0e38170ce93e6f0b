"""The verbs of registration. Until the link in the mail is used there is a row that waits, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, text
from sqlalchemy.exc import IntegrityError

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Invalid
from portal.core.secrets import new_token, token_hash
from portal.identity import blocklist, naming, queries, throttle
from portal.identity import service as identity
from portal.identity.models import Membership, Person
from portal.identity.origin import Origin
from portal.identity.passwords import hash_password, verify_password
from portal.identity.registration import queries as waiting
from portal.identity.registration.errors import LinkSpent, TooOften
from portal.identity.registration.models import Registration
from portal.mail import service as mail
from portal.tenants import service as tenants

VALID_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: an organisation and its first owner, as they were typed."""

    organisation: str
    organisation_ar: str | None
    name: str
    name_ar: str | None
    email: str
    locale: str


def ask(wish: Wish, password: str, origin: Origin) -> bytes | None:
    """Mail a link that makes the organisation; an address with an account gets another mail, and who asks learns nothing of it.

    Returns:
        The id of what waits, for the browser that asked; None when nothing does.

    Raises:
        Invalid: the password may not be used.
        TooOften: five times an hour from one network, three for one address.
    """
    words = [wish.organisation, wish.organisation_ar, wish.name, wish.name_ar, wish.email]
    if problems := blocklist.problems_of(password, words=[word for word in words if word]):
        raise Invalid({"password": problems[0]})
    key = identity.email_key(wish.email)
    if not throttle.begin("registration", key, origin).is_allowed:
        raise TooOften
    # Made for every address, so that one with an account does not answer sooner.
    hashed = hash_password(password)
    with db.transaction():
        if (person := queries.find_person(key)) is not None:
            _tell_owner(person)
            return None
        facts = {
            "organisation": wish.organisation, "organisation_ar": wish.organisation_ar, "name": wish.name, "name_ar": wish.name_ar,
            "locale": wish.locale,
        }  # fmt: skip
        return _keep(wish.email, key, hashed, facts)


def ask_again(email: str, origin: Origin) -> None:
    """Mail another link for what waits; older links go on working. Who asks learns nothing of the address.

    Raises:
        TooOften: as for `ask`.
    """
    key = identity.email_key(email)
    if not throttle.begin("registration", key, origin).is_allowed:
        raise TooOften
    with db.transaction():
        if (person := queries.find_person(key)) is not None:
            _tell_owner(person)
        elif (found := waiting.newest(key, valid_for=VALID_FOR)) is not None:
            _keep(found.email, key, found.password_hash, found.facts)


def _keep(email: str, key: str, hashed: str, facts: dict[str, Any]) -> bytes:
    token = new_token()
    registration = Registration(token_hash=token_hash(token), email=email.strip(), email_key=key, password_hash=hashed, facts=facts)
    db.session().add(registration)
    mail.post(
        email.strip(), "registration", locale=facts["locale"], name=facts["name"], name_ar=facts["name_ar"],
        organisation=facts["organisation"], organisation_ar=facts["organisation_ar"], hours=int(VALID_FOR.total_seconds() // 3600),
        link=f"/register/confirm?token={token}",
    )  # fmt: skip
    return registration.token_hash


def _tell_owner(person: Person) -> None:
    if person.is_active:
        mail.post(person.email, "registration_known", locale=person.locale, name=person.name, name_ar=person.name_ar, link="/sign-in")


def look_up(token: str) -> Registration | None:
    """Return what a link stands for, None for one that does not work; asking uses nothing up."""
    with db.transaction():
        found = waiting.of_token(token_hash(token), valid_for=VALID_FOR)
        return found if found is not None and queries.find_person(found.email_key) is None else None


def is_same_browser(token: str, asked_for: str | None) -> bool:
    """Say whether the link was asked for in the browser that keeps this mark."""
    return asked_for is not None and token_hash(token).hex() == asked_for


def knows_password(token: str, password: str, origin: Origin) -> bool:
    """Say whether this is the password that was chosen with the link; throttled.

    Whoever opens the link elsewhere must know it: somebody else may have typed a stranger's address with a password of their own, and
    would otherwise share the account that the stranger then makes.
    """
    found = look_up(token)
    if found is None:
        return False
    attempt = throttle.begin("password", found.email_key, origin)
    if not attempt.is_allowed or not verify_password(found.password_hash, password):
        return False
    throttle.passed(attempt)
    return True


def confirm(token: str) -> tuple[UUID, UUID]:
    """Make the organisation with its first owner, all of it or nothing; return the person and the tenant. The caller begins the session.

    Raises:
        LinkSpent: the link was used, is too old, was never ours, or the address has an account by now.
    """
    try:
        # Of its own: nobody may be signed in, and whoever is works in another tenant.
        with db.unit_of_work(), db.transaction():
            return _confirm(token)
    except IntegrityError:
        raise LinkSpent from None  # two links for one address, used at once


def _confirm(token: str) -> tuple[UUID, UUID]:
    session = db.session()
    found = waiting.of_token(token_hash(token), valid_for=VALID_FOR)
    if found is not None:
        # One after the other for each address: two of its links at once would each wait for what the other holds.
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:it, 0))"), {"it": f"registration:{found.email_key}"})
        found = waiting.of_token(token_hash(token), valid_for=VALID_FOR, lock=True)
    if found is None or queries.find_person(found.email_key) is not None:
        raise LinkSpent
    facts = found.facts
    name, name_ar = naming.pair(facts["name"], facts["name_ar"])
    person = Person(
        email=found.email, email_key=found.email_key, name=name, name_ar=name_ar, password_hash=found.password_hash, locale=facts["locale"],
        password_changed_at=session.scalar(func.clock_timestamp()),
    )  # fmt: skip
    session.add(person)
    session.flush()
    tenant_id = make_organisation(person, facts["organisation"], facts["organisation_ar"])
    session.execute(delete(Registration).where(Registration.email_key == found.email_key))
    bus.announce(events.SignedIn(person.id, tenant_id))
    return person.id, tenant_id


def add_organisation(person_id: UUID, organisation: str, organisation_ar: str | None, origin: Origin) -> UUID:
    """Make another organisation for somebody who has an account; return its id. The caller continues the session in it.

    Raises:
        TooOften: as for `ask`.
    """
    with db.unit_of_work():
        with db.transaction() as session:
            key = session.get_one(Person, person_id).email_key
        if not throttle.begin("registration", key, origin).is_allowed:
            raise TooOften
        with db.transaction() as session:
            return make_organisation(session.get_one(Person, person_id), organisation, organisation_ar)


def make_organisation(person: Person, organisation: str, organisation_ar: str | None) -> UUID:
    """Make an organisation whose first owner is this person, in the open transaction of a unit without a tenant; welcome them by mail."""
    session = db.session()
    name, name_ar = naming.pair(organisation, organisation_ar)
    tenant_id = tenants.register(name=name, name_ar=name_ar)
    db.enter_tenant(tenant_id)
    session.add(Membership(tenant_id=tenant_id, person_id=person.id, role="owner", seen_at=session.scalar(func.clock_timestamp())))
    audit.record(tenant_id, Actor("person", person.id), "organisation.registered", tenant_id, name=name)
    mail.post(
        person.email, "welcome", locale=person.locale, tenant_id=tenant_id, name=person.name, name_ar=person.name_ar,
        organisation=name, organisation_ar=name_ar, link="/home",
    )  # fmt: skip
    bus.announce(events.TenantRegistered(tenant_id, person.id))
    return tenant_id


def sweep() -> int:
    """Delete what waited for longer than a day; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(delete(Registration).where(Registration.created_at < func.clock_timestamp() - VALID_FOR))
    return db.touched(gone)

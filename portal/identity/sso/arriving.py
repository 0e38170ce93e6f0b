"""Who a person is that comes through a provider: known, connected by a proven address, or new."""

from __future__ import annotations

import unicodedata
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import Actor
from portal.i18n.names import tidy
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.identity.models import Person
from portal.identity.sso import domains, queries, service
from portal.identity.sso.errors import SsoRefused
from portal.identity.sso.models import ExternalIdentity, IdentityProvider
from portal.identity.sso.oidc import Claims
from portal.identity.sso.service import Provider

LONGEST_NAME = 120


def arrive(provider: Provider, claims: Claims, *, locale: str) -> UUID:
    """Return the person who comes through a provider, made or connected if they are new.

    Who they are is issuer and subject. An address connects only where the organisation has proven its domain, the provider says
    that it was verified, and nobody else came with it before; never an owner, who connects by hand.

    Args:
        locale: the language of somebody new.

    Raises:
        SsoRefused: they do not come in this way; the message says why and what to do.
    """
    try:
        return _arrive(provider, claims, locale)
    except IntegrityError:
        # Two browsers of the same newcomer at once: the other one has made the person.
        return _arrive(provider, claims, locale)


def is_same(provider: Provider, claims: Claims, person_id: UUID) -> bool:
    """Say whether who comes through a provider is this member."""
    with db.transaction():
        known = queries.find_identity(provider.tenant_id, provider.id, provider.issuer, claims.subject)
    return known is not None and known.person_id == person_id


def _arrive(provider: Provider, claims: Claims, locale: str) -> UUID:
    with db.transaction() as session:
        row = queries.get_provider(provider.tenant_id, provider.id)
        if not row.is_enabled:
            raise SsoRefused("disabled", _("This way in is switched off. Ask an admin of your organisation."))
        known = queries.find_identity(row.tenant_id, row.id, provider.issuer, claims.subject)
        if known is None:
            person_id = _somebody_new(row, claims, locale)
            known = ExternalIdentity(
                tenant_id=row.tenant_id, provider_id=row.id, issuer=provider.issuer, subject=claims.subject, person_id=person_id
            )
            session.add(known)
        known.email, known.seen_at = claims.email or None, clock.now()
        person = session.get(Person, known.person_id)
        if person is None or not person.is_active or queries.role_of(row.tenant_id, known.person_id) is None:
            raise SsoRefused("inactive", _("Your account is switched off. Ask an admin of your organisation."))
        session.flush()
        audit.record(row.tenant_id, Actor("person", known.person_id), "session.started", known.person_id, provider=row.id)
        bus.announce(events.SignedIn(known.person_id, row.tenant_id))
        return known.person_id


def _somebody_new(provider: IdentityProvider, claims: Claims, locale: str) -> UUID:
    email = _address(claims)
    if not service.speaks_for(provider.tenant_id, domains.domain_of(email)):
        raise SsoRefused(
            "domain", _("Your organisation has not proven the domain of %(email)s. Ask an admin.", email=f"\u2068{email}\u2069")
        )
    if queries.is_expelled(provider.tenant_id, identity.email_key(email)):
        raise SsoRefused("inactive", _("Your account is switched off. Ask an admin of your organisation."))
    person = queries.find_person(identity.email_key(email))
    if person is None:
        _check_admits(provider)
        return _newcomer(provider, claims, email, locale)
    # The address may have been somebody else's before: without the provider's word it proves nothing.
    if claims.email_verified is not True:
        raise SsoRefused(
            "unverified", _("An account with your address is there already, and the provider does not say that the address is yours.")
        )
    role = queries.role_of(provider.tenant_id, person.id)
    if role == "owner":
        raise SsoRefused(
            "owner", _("Owners connect this way in by hand: sign in with your password, then open the provider's page in the settings.")
        )
    if queries.identity_of(provider.tenant_id, provider.id, person.id) is not None:
        raise SsoRefused("reused", _("Your address belongs to a member who came in with another account. Ask an admin."))
    if role is None:
        _check_admits(provider)
        _admit(provider, person.id)
    return person.id


def _address(claims: Claims) -> str:
    try:
        email = validate_email(claims.email, check_deliverability=False).normalized
    except EmailNotValidError:
        raise SsoRefused(
            "no_email", _("The provider does not tell your e-mail address, and without it nobody knows who you are.")
        ) from None
    if claims.email_verified is False:
        raise SsoRefused("unverified", _("The provider says that your address is not verified. Verify it there, then come back."))
    return email


def _check_admits(provider: IdentityProvider) -> None:
    if not provider.admits_newcomers:
        raise SsoRefused("no_newcomers", _("You are not a member yet, and this way in is for members only. Ask an admin to invite you."))


def _newcomer(provider: IdentityProvider, claims: Claims, email: str, locale: str) -> UUID:
    name = _name(claims, email)
    with db.transaction() as session:
        person = Person(email=email, email_key=identity.email_key(email), name=name, name_ar=None, password_hash=None, locale=locale)
        session.add(person)
        session.flush()
    _admit(provider, person.id)
    return person.id


def _admit(provider: IdentityProvider, person_id: UUID) -> None:
    by = Actor("provider", provider.id)
    identity.add_member(provider.tenant_id, person_id, provider.default_role, by=by)
    db.session().flush()
    bus.announce(events.MemberProvisioned(provider.tenant_id, person_id, "sso"))


def _name(claims: Claims, email: str) -> str:
    """Return what to call a newcomer, without signs that change how the rest of a page is read."""
    seen = "".join(
        each for each in tidy(claims.name) if unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co") or each in "\u200c\u200d"
    )
    return seen[:LONGEST_NAME].strip() or email.partition("@")[0]

"""The verbs of single sign-on: what an organisation sets up, and what its providers say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db, jobs, secrets
from portal.core.access import SYSTEM, Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.ids import new_id
from portal.i18n.words import gettext as _
from portal.identity.sso import domains, oidc, queries
from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.models import ExternalIdentity, IdentityProvider, SsoSession, TenantDomain
from portal.identity.sso.oidc import Claims, Discovery

MOST_PROVIDERS = 10
MOST_DOMAINS = 50
# A record that vanishes for a day is a mistake of somebody's DNS; one that stays away is an answer.
GRACE = timedelta(days=7)
RECHECK = timedelta(days=1)
KEPT_FIELDS = ("name", "name_ar", "issuer", "client_id", "default_role", "admits_newcomers", "allows_passwords")


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as a sign-in needs it: plain values, so that no transaction is open while it is asked."""

    id: UUID
    tenant_id: UUID
    kind: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    endpoints: Mapping[str, Any]
    is_enabled: bool
    name: str
    name_ar: str | None
    private_key: str = field(default="", repr=False)

    @property
    def discovery(self) -> Discovery:
        return Discovery.of(self.endpoints)


def find_provider(provider_id: UUID) -> Provider:
    """Return a provider by its id alone and enter its tenant: for who is not signed in.

    Raises:
        NotFound: there is none, or its organisation is not active.
    """
    with db.transaction():
        tenant_id = queries.tenant_of_provider(provider_id)
        if tenant_id is None:
            raise NotFound
        db.enter_tenant(tenant_id)
        return _plain(queries.get_provider(tenant_id, provider_id))


def _plain(row: IdentityProvider) -> Provider:
    secret = secrets.unseal(row.client_secret, where=_place(row.tenant_id, row.id)) if row.client_secret else ""
    key = secrets.unseal(row.private_key, where=_place(row.tenant_id, row.id, "private_key")) if row.private_key else ""
    return Provider(
        row.id, row.tenant_id, row.kind, row.issuer, row.client_id, secret, row.endpoints, row.is_enabled, row.name, row.name_ar, key
    )


def _place(tenant_id: UUID, provider_id: UUID, column: str = "client_secret") -> str:
    return f"identity_providers.{column}:{tenant_id}:{provider_id}"


def add_provider(
    tenant_id: UUID, given: Mapping[str, Any], endpoints: Mapping[str, Any], *, kind: str, secret: str, by: Actor, private_key: str = ""
) -> UUID:
    """Add a provider, still off: somebody has to come through it once before it may be enabled.

    Args:
        given: values of `KEPT_FIELDS`.
        endpoints: what was found at its issuer.
        private_key: ours for it, of SAML.

    Raises:
        Conflict: there are ten already.
        Invalid: the same issuer is there with the same client.
    """
    row = IdentityProvider(id=new_id(), tenant_id=tenant_id, kind=kind, endpoints=dict(endpoints), **_kept(given))
    row.client_secret = secrets.seal(secret, where=_place(tenant_id, row.id)) if secret else None
    row.private_key = secrets.seal(private_key, where=_place(tenant_id, row.id, "private_key")) if private_key else None
    try:
        with db.transaction(tenant_id) as session:
            if len(queries.list_providers(tenant_id)) >= MOST_PROVIDERS:
                raise Conflict(_("There are 10 providers already. Delete one first."))
            session.add(row)
            session.flush()
            audit.record(tenant_id, by, "provider.added", row.id, provider_kind=kind, issuer=row.issuer)
            bus.announce(events.ProviderChanged(tenant_id, row.id, "added"))
    except IntegrityError:
        raise _twice() from None
    return row.id


def change_provider(
    tenant_id: UUID, provider_id: UUID, given: Mapping[str, Any], endpoints: Mapping[str, Any], *, secret: str, by: Actor
) -> bool:
    """Change a provider; another issuer or client makes it another one, which is off until somebody has come through it.

    Args:
        secret: the new one; empty keeps the one that is there.

    Returns:
        Whether it was switched off by this.

    Raises:
        NotFound: no such provider in this tenant.
        Invalid: the same issuer is there with the same client.
    """
    try:
        with db.transaction(tenant_id) as session:
            row = queries.get_provider(tenant_id, provider_id, lock=True)
            is_another = (row.issuer, row.client_id) != (given["issuer"], given["client_id"])
            was_on = row.is_enabled
            changed = [name for name in KEPT_FIELDS if getattr(row, name) != given[name]]
            for name, value in _kept(given).items():
                setattr(row, name, value)
            forgotten = _disconnect_owners(row, endpoints, by)
            row.endpoints = dict(endpoints)
            if secret:
                row.client_secret = secrets.seal(secret, where=_place(tenant_id, provider_id))
                changed.append("client_secret")
            if is_another:
                row.is_enabled, row.tested_at = False, None
            session.flush()
            audit.record(tenant_id, by, "provider.changed", provider_id, fields=changed, owners_disconnected=forgotten)
            bus.announce(events.ProviderChanged(tenant_id, provider_id, "changed"))
    except IntegrityError:
        raise _twice() from None
    return is_another and was_on


def _disconnect_owners(row: IdentityProvider, endpoints: Mapping[str, Any], by: Actor) -> int:
    """Forget the accounts that owners connected by hand when somebody else brings a new SAML certificate; return how many.

    Whoever holds its key can say to be anybody there: without this an admin could become an owner.
    """
    is_new = set(endpoints.get("certificates", ())) - set(row.endpoints.get("certificates", ()))
    if not is_new or (by.id is not None and queries.role_of(row.tenant_id, by.id) == "owner"):
        return 0
    gone = db.session().execute(
        text(
            "delete from external_identities e using memberships m where e.tenant_id = :tenant and e.provider_id = :provider"
            " and m.tenant_id = e.tenant_id and m.person_id = e.person_id and m.role = 'owner'"
        ),
        {"tenant": row.tenant_id, "provider": row.id},
    )
    return db.touched(gone)


def _kept(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in KEPT_FIELDS}


def _twice() -> Invalid:
    return Invalid({"issuer": _("This issuer is there already, with the same client ID.")})


def refresh_provider(tenant_id: UUID, provider_id: UUID, endpoints: Mapping[str, Any], *, by: Actor) -> None:
    """Keep what was found at the issuer just now."""
    with db.transaction(tenant_id):
        row = queries.get_provider(tenant_id, provider_id, lock=True)
        if row.endpoints == dict(endpoints):
            return
        forgotten = _disconnect_owners(row, endpoints, by)
        row.endpoints = dict(endpoints)
        audit.record(tenant_id, by, "provider.changed", provider_id, fields=["endpoints"], owners_disconnected=forgotten)
        bus.announce(events.ProviderChanged(tenant_id, provider_id, "changed"))


def enable_provider(tenant_id: UUID, provider_id: UUID, *, by: Actor) -> None:
    """Let people come in through a provider.

    Raises:
        NotFound: no such provider in this tenant.
        Conflict: nobody has come through it as it is now.
    """
    with db.transaction(tenant_id):
        row = queries.get_provider(tenant_id, provider_id, lock=True)
        if row.tested_at is None:
            raise Conflict(_("Sign in through it once as a test, then switch it on."))
        _switch(row, on=True, by=by)


def disable_provider(tenant_id: UUID, provider_id: UUID, *, by: Actor) -> None:
    """Let nobody come in through a provider any more; who is in stays in.

    Raises:
        NotFound: no such provider in this tenant.
    """
    with db.transaction(tenant_id):
        _switch(queries.get_provider(tenant_id, provider_id, lock=True), on=False, by=by)


def _switch(row: IdentityProvider, *, on: bool, by: Actor) -> None:
    if row.is_enabled == on:
        return
    row.is_enabled = on
    what = "enabled" if on else "disabled"
    audit.record(row.tenant_id, by, f"provider.{what}", row.id)
    bus.announce(events.ProviderChanged(row.tenant_id, row.id, what))


def delete_provider(tenant_id: UUID, provider_id: UUID, *, by: Actor) -> None:
    """Delete a provider with its connections, and end the sessions that came through it.

    Raises:
        NotFound: no such provider in this tenant.
    """
    with db.transaction(tenant_id) as session:
        row = queries.get_provider(tenant_id, provider_id, lock=True)
        ended = end_sessions(tenant_id, provider_id)
        session.delete(row)
        audit.record(tenant_id, by, "provider.deleted", provider_id, issuer=row.issuer, sessions=ended)
        bus.announce(events.ProviderChanged(tenant_id, provider_id, "deleted"))


def note_test(tenant_id: UUID, provider_id: UUID, *, by: Actor) -> None:
    """Remember that somebody came through the provider as it is now."""
    with db.transaction(tenant_id):
        queries.get_provider(tenant_id, provider_id, lock=True).tested_at = clock.now()
        audit.record(tenant_id, by, "provider.tested", provider_id)


def connect(tenant_id: UUID, provider_id: UUID, *, person_id: UUID, issuer: str, subject: str, email: str, by: Actor) -> None:
    """Connect the signed-in person to the account with which they just came through the provider.

    Raises:
        Conflict: that account is somebody else's here.
    """
    with db.transaction(tenant_id) as session:
        queries.get_provider(tenant_id, provider_id, lock=True)
        taken = queries.find_identity(tenant_id, provider_id, issuer, subject)
        if taken is not None and taken.person_id != person_id:
            raise Conflict(_("That account is connected to another member."))
        before = queries.identity_of(tenant_id, provider_id, person_id)
        if before is not None:
            session.delete(before)
            session.flush()
        session.add(
            ExternalIdentity(
                tenant_id=tenant_id, provider_id=provider_id, issuer=issuer, subject=subject, person_id=person_id, email=email or None
            )
        )
        audit.record(tenant_id, by, "identity.connected", person_id, provider=provider_id)


def refuse(provider: Provider, reason: str) -> None:
    """Write into the organisation's book that somebody was turned away, and why; never who they said they were."""
    with db.transaction():
        audit.record(provider.tenant_id, SYSTEM, "sign_in.refused", provider.id, reason=reason)


def note_session(tenant_id: UUID, session_id: bytes, provider: Provider, claims: Claims) -> None:
    """Remember through which provider a browser came in, in the transaction that lets it in."""
    with db.transaction() as session:
        session.add(
            SsoSession(tenant_id=tenant_id, session_id=session_id, provider_id=provider.id, subject=claims.subject, sid=claims.sid or None)
        )


def end_sessions_for(provider: Provider, token: str) -> int:
    """End what a logout token names: one session, or all of a person; returns how many.

    Raises:
        TokenRefused: it is no logout token of this provider for us, or was used before.
        ProviderFaulty: the provider's keys cannot be fetched.
    """
    claims = oidc.check_logout_token(token, provider.discovery, client_id=provider.client_id)
    with db.transaction():
        expires_at = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=2 * oidc.SKEW_S)
        if not use_once(provider, f"jti:{claims['jti']}", expires_at):
            raise TokenRefused("replayed")
        ended = end_sessions(provider.tenant_id, provider.id, subject=claims.get("sub"), sid=claims.get("sid"))
        audit.record(provider.tenant_id, SYSTEM, "session.ended_by_provider", provider.id, sessions=ended)
        bus.announce(events.ProviderEndedSessions(provider.tenant_id, provider.id, ended))
    return ended


def use_once(provider: Provider, token_id: str, expires_at: datetime) -> bool:
    """Say whether this message of a provider is the first of its name; from now on it is not."""
    with db.transaction() as session:
        written = session.execute(
            text(
                "insert into sso_used_tokens (tenant_id, provider_id, token_id, expires_at) values (:tenant, :provider, :token, :expires)"
                " on conflict do nothing"
            ),
            {"tenant": provider.tenant_id, "provider": provider.id, "token": _short(token_id), "expires": expires_at},
        )
    return bool(db.touched(written))


def _short(token_id: str) -> str:
    """Keep an id of any length as its hash: an index entry has an end."""
    return token_id if len(token_id) <= 100 else secrets.token_hash(token_id).hex()


def end_sessions(tenant_id: UUID, provider_id: UUID, *, subject: str | None = None, sid: str | None = None) -> int:
    """End the sessions that came through a provider: all, those of a subject, or one by the provider's name for it; return how many."""
    with db.transaction() as session:
        gone = session.execute(
            text(
                "delete from sessions where id in (select session_id from sso_sessions where tenant_id = :tenant and provider_id = :provider"
                " and (cast(:subject as text) is null or subject = :subject) and (cast(:sid as text) is null or sid = :sid))"
            ),
            {"tenant": tenant_id, "provider": provider_id, "subject": subject, "sid": sid},
        )
    return db.touched(gone)


def add_domain(tenant_id: UUID, written: str, *, by: Actor) -> UUID:
    """Add a domain that the organisation says is its own, with a record for its DNS to prove it.

    Raises:
        Invalid: it is no domain, or is there already.
        Conflict: there are fifty already.
    """
    domain = domains.tidy(written)
    with db.transaction(tenant_id) as session:
        known = queries.list_domains(tenant_id)
        if any(each.domain == domain for each in known):
            raise Invalid({"domain": _("This domain is there already.")})
        if len(known) >= MOST_DOMAINS:
            raise Conflict(_("There are 50 domains already. Delete one first."))
        row = TenantDomain(tenant_id=tenant_id, domain=domain, challenge=secrets.new_token())
        session.add(row)
        session.flush()
        audit.record(tenant_id, by, "domain.added", row.id, domain=domain)
    return row.id


def delete_domain(tenant_id: UUID, domain_id: UUID, *, by: Actor) -> None:
    """Forget a domain; who was connected by its addresses stays connected.

    Raises:
        NotFound: no such domain in this tenant.
    """
    with db.transaction(tenant_id) as session:
        row = queries.get_domain(tenant_id, domain_id, lock=True)
        session.delete(row)
        audit.record(tenant_id, by, "domain.deleted", domain_id, domain=row.domain)


def check_domain(tenant_id: UUID, domain_id: UUID, *, by: Actor) -> domains.Seen:
    """Look for the record of a domain now and return what was seen; safe to repeat.

    A domain that was proven stays so for seven days without its record.

    Raises:
        NotFound: no such domain in this tenant.
    """
    with db.transaction(tenant_id):
        row = queries.get_domain(tenant_id, domain_id)
        domain, challenge = row.domain, row.challenge
    seen = domains.look(domain, challenge)  # no transaction is open: a slow DNS must not hold a connection
    with db.transaction(tenant_id):
        row = queries.get_domain(tenant_id, domain_id, lock=True)
        _note(row, seen, by)
    return seen


def _note(row: TenantDomain, seen: domains.Seen, by: Actor) -> None:
    now = clock.now()
    if seen is domains.Seen.UNKNOWN:
        return
    row.checked_at = now
    if seen is domains.Seen.THERE:
        row.missing_since = None
        if row.verified_at is None:
            row.verified_at = now
            audit.record(row.tenant_id, by, "domain.verified", row.id, domain=row.domain)
            bus.announce(events.DomainVerified(row.tenant_id, row.id, row.domain))
    elif row.verified_at is not None:
        row.missing_since = row.missing_since or now
        if now - row.missing_since >= GRACE:
            row.verified_at = None
            audit.record(row.tenant_id, by, "domain.lost", row.id, domain=row.domain)


def speaks_for(tenant_id: UUID, domain: str) -> bool:
    """Say whether a tenant has proven a domain; has its record looked for again once a day, when it counts."""
    with db.transaction():
        row = queries.verified_domain(tenant_id, domain) if domain else None
        if row is not None and (row.checked_at is None or clock.now() - row.checked_at > RECHECK):
            jobs.enqueue("identity.check_domain", tenant_id, row.id)
    return row is not None


def sweep() -> int:
    """Forget used tokens that have expired; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(text("delete from sso_used_tokens where expires_at < clock_timestamp()"))
    return db.touched(gone)

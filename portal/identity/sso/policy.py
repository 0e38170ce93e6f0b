"""How a member may come into an organisation: with a password, or only through its provider."""

from __future__ import annotations

from uuid import UUID

from portal.core import db
from portal.identity import queries as people
from portal.identity.models import Person
from portal.identity.sso import domains, queries
from portal.identity.sso.models import IdentityProvider


def ways_of_address(email: str) -> list[IdentityProvider]:
    """Return the enabled providers of whoever has proven the domain of an address; of several organisations, all."""
    domain = domains.domain_of(email)
    with db.transaction():
        tenants = queries.tenants_of_domain(domain) if domain else []
    return [provider for tenant_id in tenants for provider in ways_of(tenant_id)]


def ways_of_slug(slug: str) -> list[IdentityProvider]:
    """Return the enabled providers of the organisation with this slug."""
    with db.transaction():
        tenant_id = queries.tenant_of_slug(slug)
    return ways_of(tenant_id) if tenant_id else []


def ways_of(tenant_id: UUID) -> list[IdentityProvider]:
    """Return the enabled providers of a tenant, whoever asks."""
    with db.unit_of_work(tenant_id):  # of its own: whoever asks may be signed in to another tenant
        return queries.list_providers(tenant_id, enabled_only=True)


def forbids_password(tenant_id: UUID, email: str, role: str) -> IdentityProvider | None:
    """Return the provider that a member must come through, or None when a password is enough. Owners always keep theirs."""
    if role == "owner":
        return None
    strict = next((each for each in ways_of(tenant_id) if not each.allows_passwords), None)
    if strict is None:
        return None
    with db.unit_of_work(tenant_id):
        return strict if queries.verified_domain(tenant_id, domains.domain_of(email)) else None


def tenant_for_password(person_id: UUID, email: str) -> tuple[UUID | None, IdentityProvider | None]:
    """Return the tenant that a person enters with a password; where every one wants its provider, None and the first one's provider."""
    strict = None
    with db.transaction():
        joined = people.tenants_of(person_id)
    # The one they worked in last stands first; among those never entered, the one they joined first.
    for row in sorted(joined, key=lambda each: (each.seen_at is None, -each.seen_at.timestamp() if each.seen_at else 0)):
        found = forbids_password(row.id, email, row.role)
        if found is None:
            return row.id, None
        strict = strict or found
    return None, strict


def provider_of_session(tenant_id: UUID, session_id: bytes) -> IdentityProvider | None:
    """Return the provider through which a browser came in, or None."""
    with db.unit_of_work(tenant_id):
        provider_id = queries.provider_of_session(tenant_id, session_id)
        return queries.get_provider(tenant_id, provider_id) if provider_id else None


def provider_to_enter(tenant_id: UUID, person_id: UUID) -> IdentityProvider | None:
    """Return the provider that a person must come through to enter one of their tenants, or None when a password is enough."""
    with db.transaction() as session:
        role = next((row.role for row in people.tenants_of(person_id) if row.id == tenant_id), None)
        email = session.get_one(Person, person_id).email
    return forbids_password(tenant_id, email, role) if role else None


def slug_of(tenant_id: UUID) -> str:
    """Return the short name of an organisation, under which its ways in are found."""
    with db.transaction():
        return queries.slug_of(tenant_id)

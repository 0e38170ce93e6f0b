"""Every SELECT of single sign-on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from portal.core import db
from portal.core.errors import NotFound
from portal.identity.models import Membership, Person
from portal.identity.sso.models import ExternalIdentity, IdentityProvider, TenantDomain


def tenant_of_provider(provider_id: UUID) -> UUID | None:
    """Return the active tenant of a provider, for who is not signed in yet."""
    found: UUID | None = db.session().scalar(text("select tenant_of_provider(:id)"), {"id": provider_id})
    return found


def tenants_of_domain(domain: str) -> list[UUID]:
    """Return the active tenants that have proven a folded domain, the first one first."""
    return list(db.session().scalars(text("select tenants_of_domain(:domain)"), {"domain": domain}))


def tenant_of_slug(slug: str) -> UUID | None:
    """Return the active tenant with this slug."""
    found: UUID | None = db.session().scalar(text("select id from tenants where slug = :slug and status = 'active'"), {"slug": slug})
    return found


def slug_of(tenant_id: UUID) -> str:
    """Return the slug of a tenant."""
    return str(db.session().scalar(text("select slug from tenants where id = :id"), {"id": tenant_id}))


def list_providers(tenant_id: UUID, *, enabled_only: bool = False) -> list[IdentityProvider]:
    """Return the providers of a tenant, the oldest first."""
    rows = select(IdentityProvider).where(IdentityProvider.tenant_id == tenant_id).order_by(IdentityProvider.id)
    if enabled_only:
        rows = rows.where(IdentityProvider.is_enabled)
    return list(db.session().scalars(rows))


def get_provider(tenant_id: UUID, provider_id: UUID, *, lock: bool = False) -> IdentityProvider:
    """Return one provider.

    Raises:
        NotFound: no such provider in this tenant.
    """
    rows = select(IdentityProvider).where(IdentityProvider.tenant_id == tenant_id, IdentityProvider.id == provider_id)
    found = db.session().scalar(rows.with_for_update() if lock else rows)
    if found is None:
        raise NotFound
    return found


def list_domains(tenant_id: UUID) -> list[TenantDomain]:
    """Return the domains of a tenant by name."""
    return list(db.session().scalars(select(TenantDomain).where(TenantDomain.tenant_id == tenant_id).order_by(TenantDomain.domain)))


def get_domain(tenant_id: UUID, domain_id: UUID, *, lock: bool = False) -> TenantDomain:
    """Return one domain.

    Raises:
        NotFound: no such domain in this tenant.
    """
    rows = select(TenantDomain).where(TenantDomain.tenant_id == tenant_id, TenantDomain.id == domain_id)
    found = db.session().scalar(rows.with_for_update() if lock else rows)
    if found is None:
        raise NotFound
    return found


def verified_domain(tenant_id: UUID, domain: str) -> TenantDomain | None:
    """Return a domain if the tenant has proven it."""
    rows = select(TenantDomain).where(
        TenantDomain.tenant_id == tenant_id, TenantDomain.domain == domain, TenantDomain.verified_at.is_not(None)
    )
    return db.session().scalar(rows)


def find_identity(tenant_id: UUID, provider_id: UUID, issuer: str, subject: str) -> ExternalIdentity | None:
    """Return who an account at a provider is here."""
    rows = select(ExternalIdentity).where(
        ExternalIdentity.tenant_id == tenant_id,
        ExternalIdentity.provider_id == provider_id,
        ExternalIdentity.issuer == issuer,
        ExternalIdentity.subject == subject,
    )
    return db.session().scalar(rows)


def identity_of(tenant_id: UUID, provider_id: UUID, person_id: UUID) -> ExternalIdentity | None:
    """Return the account of a person at a provider."""
    rows = select(ExternalIdentity).where(
        ExternalIdentity.tenant_id == tenant_id, ExternalIdentity.provider_id == provider_id, ExternalIdentity.person_id == person_id
    )
    return db.session().scalar(rows)


def count_identities(tenant_id: UUID, provider_id: UUID) -> int:
    """Return how many people have come through a provider."""
    rows = text("select count(*) from external_identities where tenant_id = :tenant and provider_id = :provider")
    return int(db.session().scalar(rows, {"tenant": tenant_id, "provider": provider_id}) or 0)


def find_person(email_key: str) -> Person | None:
    """Return the person with this folded address."""
    return db.session().scalar(select(Person).where(Person.email_key == email_key))


def role_of(tenant_id: UUID, person_id: UUID) -> str | None:
    """Return the role of a member."""
    rows = select(Membership.role).where(Membership.tenant_id == tenant_id, Membership.person_id == person_id)
    return db.session().scalar(rows)


def provider_of_session(tenant_id: UUID, session_id: bytes) -> UUID | None:
    """Return the provider through which a browser came into a tenant."""
    rows = text("select provider_id from sso_sessions where tenant_id = :tenant and session_id = :id")
    found: UUID | None = db.session().scalar(rows, {"tenant": tenant_id, "id": session_id})
    return found


def came_through(tenant_id: UUID, session_id: bytes) -> Row[Any] | None:
    """Return how a browser came into a tenant: provider_id, subject and sid; None for a way of ours."""
    rows = text("select provider_id, subject, sid from sso_sessions where tenant_id = :tenant and session_id = :id")
    return db.session().execute(rows, {"tenant": tenant_id, "id": session_id}).first()


def is_expelled(tenant_id: UUID, email_key: str) -> bool:
    """Say whether the organisation's directory has switched off the person with this folded address."""
    rows = text(
        "select true from scim_users u join people p on p.id = u.person_id"
        " where u.tenant_id = :tenant and not u.active and (p.email_key = :key or u.user_key = :key) limit 1"
    )
    return bool(db.session().scalar(rows, {"tenant": tenant_id, "key": email_key}))

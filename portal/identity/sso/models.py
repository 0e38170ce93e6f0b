"""Tables of single sign-on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped

# Nobody becomes owner or admin by coming in: those are given by people who are in.
NEWCOMER_ROLES = ("member", "builder", "auditor")


class IdentityProvider(Identified, TenantScoped, Dated, Base):
    """Where people of an organisation sign in instead of here."""

    __tablename__ = "identity_providers"
    __table_args__ = (
        CheckConstraint("kind in ('oidc','saml')", name="kind_known"),
        CheckConstraint("default_role in ('member','builder','auditor')", name="newcomers_are_no_admins"),
        CheckConstraint("not is_enabled or tested_at is not null", name="tested_before_enabled"),
        CheckConstraint("(kind = 'saml') = (private_key is not null)", name="saml_has_a_key"),
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "issuer", "client_id"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    kind: Mapped[str]
    name: Mapped[str]
    name_ar: Mapped[str | None]
    issuer: Mapped[str]  # of SAML the entity id; compared exactly
    client_id: Mapped[str] = mapped_column(default="", server_default="")  # empty for SAML
    client_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed for this row; None for a public client
    private_key: Mapped[bytes | None] = mapped_column(LargeBinary)  # ours for this SAML provider, sealed for this row
    endpoints: Mapped[Json]  # what was found at the issuer, or the metadata says; the only places where a browser is sent
    default_role: Mapped[str] = mapped_column(default="member", server_default="member")
    admits_newcomers: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    allows_passwords: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    is_enabled: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    tested_at: Mapped[datetime | None]  # when somebody last came through it as it is now


class TenantDomain(Identified, TenantScoped, Base):
    """A domain whose addresses an organisation speaks for, once a record of its DNS has said so."""

    __tablename__ = "tenant_domains"
    __table_args__ = (
        CheckConstraint("domain = lower(domain)", name="domain_folded"),
        UniqueConstraint("tenant_id", "domain"),
        Index("ix_tenant_domains_verified", "domain", postgresql_where=text("verified_at is not null")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    domain: Mapped[str]
    challenge: Mapped[str]
    verified_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    missing_since: Mapped[datetime | None]  # the record was there once and is gone
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ExternalIdentity(Identified, TenantScoped, Base):
    """Who an account at a provider is here: issuer and subject, never the address, which changes hands."""

    __tablename__ = "external_identities"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "provider_id"], ["identity_providers.tenant_id", "identity_providers.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"], ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "provider_id", "issuer", "subject"),
        UniqueConstraint("tenant_id", "provider_id", "person_id"),
        CheckConstraint("length(subject) between 1 and 255", name="subject_fits"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    provider_id: Mapped[UUID]
    issuer: Mapped[str]
    subject: Mapped[str]
    person_id: Mapped[UUID]
    email: Mapped[str | None]  # what the provider last said
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class SsoSession(TenantScoped, Base):
    """A signed-in browser that came through a provider, so that the provider can end it."""

    __tablename__ = "sso_sessions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "provider_id"], ["identity_providers.tenant_id", "identity_providers.id"], ondelete="CASCADE"),
        Index("ix_sso_sessions_subject", "tenant_id", "provider_id", "subject"),
        Index("ix_sso_sessions_session", "session_id"),  # what the deletion of a session looks for
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    session_id: Mapped[bytes] = mapped_column(LargeBinary(32), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    provider_id: Mapped[UUID]
    subject: Mapped[str]
    sid: Mapped[str | None]  # the provider's name for the session


class UsedToken(TenantScoped, Base):
    """A message of a provider that may count only once: a logout token, an assertion."""

    __tablename__ = "sso_used_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "provider_id"], ["identity_providers.tenant_id", "identity_providers.id"], ondelete="CASCADE"),
        Index("ix_sso_used_tokens_expired", "expires_at"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_id: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]

"""Tables of API tokens, API clients and their refresh tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified, TenantScoped

ENDED_BECAUSE = "'person','admin','leak','reuse','rotated','replaced'"


def of_member() -> ForeignKeyConstraint:
    """What a person made in a tenant dies with their membership of it."""
    return ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"], ondelete="CASCADE")


class ApiToken(Identified, TenantScoped, Base):
    """A secret with which a program acts for a person in one tenant; kept only as its SHA-256."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        # By the hash first: it is all that a request brings. The tenant is part of it because every unique key has one.
        UniqueConstraint("hash", "tenant_id", name="uq_api_tokens_hash"),
        UniqueConstraint("tenant_id", "person_id", "request_key"),
        of_member(),
        ForeignKeyConstraint(["tenant_id", "rotated_to"], ["api_tokens.tenant_id", "api_tokens.id"], ondelete="SET NULL (rotated_to)"),
        CheckConstraint("length(name) between 1 and 60", name="name_fits"),
        CheckConstraint("octet_length(hash) = 32", name="hash_is_sha256"),
        CheckConstraint("jsonb_typeof(scopes) = 'array' and jsonb_typeof(networks) = 'array'", name="lists_are_lists"),
        CheckConstraint("expires_at <= created_at + interval '366 days'", name="lives_a_year_at_most"),
        CheckConstraint(
            f"(revoked_at is null) = (revoked_because is null) and revoked_because in ({ENDED_BECAUSE})", name="end_has_a_reason"
        ),
        Index("ix_api_tokens_newest", "tenant_id", "created_at", "id"),
        Index("ix_api_tokens_expiring", "expires_at", postgresql_where=text("revoked_at is null")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    person_id: Mapped[UUID]
    name: Mapped[str]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    shown: Mapped[str]  # its beginning, by which people know it again
    scopes: Mapped[list[str]]
    networks: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    noticed_days: Mapped[int | None]  # the last notice that was given: so many days before the end
    last_used_at: Mapped[datetime | None]
    last_used_from: Mapped[str | None]
    rotated_to: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]
    request_key: Mapped[UUID | None]  # of the form that made it: sent twice, it makes one


class ApiClient(Identified, TenantScoped, Base):
    """A program that keeps itself signed in for a person with refresh tokens; `family_id` names its present sign-in."""

    __tablename__ = "api_clients"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("secret_hash", "tenant_id", name="uq_api_clients_secret_hash"),
        UniqueConstraint("tenant_id", "person_id", "request_key"),
        of_member(),
        CheckConstraint("length(name) between 1 and 60", name="name_fits"),
        CheckConstraint(
            "kind in ('confidential','public') and (kind = 'confidential') = (secret_hash is not null)", name="kind_has_its_secret"
        ),
        CheckConstraint("jsonb_typeof(scopes) = 'array'", name="scopes_is_a_list"),
        CheckConstraint(
            f"(signed_out_at is null) = (signed_out_because is null) and signed_out_because in ({ENDED_BECAUSE})", name="end_has_a_reason"
        ),
        Index("ix_api_clients_newest", "tenant_id", "created_at", "id"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    person_id: Mapped[UUID]
    name: Mapped[str]
    kind: Mapped[str]
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    family_id: Mapped[UUID]
    family_since: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_used_at: Mapped[datetime | None]
    last_used_from: Mapped[str | None]
    signed_out_at: Mapped[datetime | None]
    signed_out_because: Mapped[str | None]
    removed_at: Mapped[datetime | None]
    request_key: Mapped[UUID | None]


class RefreshToken(Identified, TenantScoped, Base):
    """One link of a family's chain: a refresh token, and the access token that was given out with it."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("hash", "tenant_id", name="uq_refresh_tokens_hash"),
        UniqueConstraint("access_hash", "tenant_id", name="uq_refresh_tokens_access_hash"),
        # One child each: two exchanges at once cannot both give one.
        UniqueConstraint("tenant_id", "parent_id"),
        ForeignKeyConstraint(["tenant_id", "client_id"], ["api_clients.tenant_id", "api_clients.id"], ondelete="CASCADE"),
        CheckConstraint("(sealed_child is null) or (used_at is not null)", name="only_used_ones_have_a_child"),
        Index("ix_refresh_tokens_family", "tenant_id", "client_id", "family_id"),
        Index("ix_refresh_tokens_old", "created_at"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    client_id: Mapped[UUID]
    family_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    access_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    access_expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    sealed_child: Mapped[bytes | None] = mapped_column(LargeBinary)  # what it was exchanged for, for ten seconds

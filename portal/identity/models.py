"""Tables of people, their memberships and their sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped
from portal.i18n.keys import keeps_key


class Person(Identified, Dated, Base):
    """Somebody who can sign in. Not a tenant's row: one person may belong to several tenants."""

    __tablename__ = "people"
    __table_args__ = (Index("ix_people_search", "search_key", postgresql_using="gin", postgresql_ops={"search_key": "gin_trgm_ops"}),)

    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)  # folded: one account per address, whatever its case
    name: Mapped[str]
    name_ar: Mapped[str | None]
    password_hash: Mapped[str | None]
    locale: Mapped[str | None]
    preferences: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))  # only what i18n.preferences.allowed() lets in
    search_key: Mapped[str] = mapped_column(server_default="")  # i18n.search.key of the names, kept by keeps_key below
    is_active: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    password_changed_at: Mapped[datetime | None]
    password_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # in a row; at 100 only a reset helps


keeps_key(Person, "name", "name_ar")


class Role(Identified, TenantScoped, Dated, Base):
    """A role that an organisation made for itself; the built-in ones stand in `roles.PERMISSIONS`."""

    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        CheckConstraint("jsonb_typeof(permissions) = 'array'", name="permissions_are_a_list"),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    name: Mapped[str]
    name_ar: Mapped[str | None]
    description: Mapped[str | None]
    permissions: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))


class Membership(TenantScoped, Dated, Base):
    """One person's role in one tenant: a built-in one, or `custom` with the organisation's own. Whoever leaves has no row."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint("role in ('owner','admin','builder','member','auditor','custom','staff')", name="role_known"),
        CheckConstraint("(role = 'custom') = (role_id is not null)", name="own_role_is_named"),
        ForeignKeyConstraint(["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"]),
        Index("ix_memberships_person", "person_id"),
        Index("ix_memberships_role", "tenant_id", "role_id", postgresql_where=text("role_id is not null")),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str]
    role_id: Mapped[UUID | None]
    seen_at: Mapped[datetime | None]  # when the person last worked in this tenant, to the minute


class FormerMember(TenantScoped, Base):
    """Somebody who left or was removed: their name stands beside what they did, and they may do nothing any more."""

    __tablename__ = "former_members"

    tenant_id = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    left_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WebSession(Base):
    """One signed-in browser; the cookie's token is kept only as its SHA-256."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_person", "person_id"),)

    id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("tenants.id"))
    data: Mapped[Json] = mapped_column(default=dict, server_default=text("'{}'"))
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"))
    staff_id: Mapped[UUID | None]  # who looks, while support looks as this person
    visit_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    signed_in_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())  # stays when the id is changed
    confirmed_at: Mapped[datetime | None]  # when the person last proved who they are
    seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Device(Identified, Base):
    """A browser that a person has signed in with: the cookie's token is kept as its SHA-256, one row for each person who used it."""

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("person_id", "token_hash"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    address: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ProofAttempt(Identified, Base):
    """One try of a password or code, written before it is checked: as failed, until it is known to be right."""

    __tablename__ = "proof_attempts"
    __table_args__ = (
        CheckConstraint("outcome in ('failed','passed','refused')", name="outcome_known"),
        Index("ix_proof_attempts_subject", "subject", "at"),
        Index("ix_proof_attempts_network", "network", "at"),
        Index("ix_proof_attempts_wide_network", "wide_network", "at"),
        Index("ix_proof_attempts_old", "at"),
    )

    kind: Mapped[str]
    subject: Mapped[bytes] = mapped_column(LargeBinary(32))  # hash of the kind of proof and the account
    network: Mapped[str]
    wide_network: Mapped[str]
    device_id: Mapped[UUID | None]
    outcome: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class PasswordReset(Base):
    """A link that was mailed for a new password; its token is kept only as its SHA-256."""

    __tablename__ = "password_resets"
    __table_args__ = (Index("ix_password_resets_person", "person_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class AccountLock(TenantScoped, Base):
    """A password that counts nowhere but on known devices until then, because an organisation of its owner asks for lockouts."""

    __tablename__ = "account_locks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "person_id"], ["memberships.tenant_id", "memberships.person_id"], ondelete="CASCADE"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    failures: Mapped[int]
    locked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    until: Mapped[datetime]  # moved to the moment of an unlocking: failures before it count no more


class SignInAlarm(Identified, Base):
    """Passwords are tried at many accounts: from one network, or at the site as a whole."""

    __tablename__ = "sign_in_alarms"
    __table_args__ = (CheckConstraint("kind in ('network','site')", name="kind_known"), Index("ix_sign_in_alarms_at", "at"))

    kind: Mapped[str]
    network: Mapped[str] = mapped_column(default="", server_default="")
    accounts: Mapped[int]
    tries: Mapped[int]
    failures: Mapped[int]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

"""Tables of sign-in factors. They belong to a person, not to a tenant: one person signs in once for all their organisations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Identified


class TotpFactor(Identified, Base):
    """An authenticator app; it counts from the moment its first code was right."""

    __tablename__ = "totp_factors"
    __table_args__ = (
        CheckConstraint("length(label) <= 60", name="label_fits"),
        CheckConstraint("confirmed_at is not null or last_step is null", name="used_after_confirmed"),
        Index("ix_totp_factors_person", "person_id"),
        # Somebody who begins anew throws away what they began before.
        Index("uq_totp_factors_begun", "person_id", unique=True, postgresql_where=text("confirmed_at is null")),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(default="", server_default="")  # empty: pages say what it is
    secret: Mapped[bytes] = mapped_column(LargeBinary)  # sealed, bound to this row
    last_step: Mapped[int | None] = mapped_column(BigInteger)  # the last half minute whose code was taken: none is taken twice
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    confirmed_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class Passkey(Identified, Base):
    """A WebAuthn credential with user verification: by itself two factors, what somebody has and what they know or are."""

    __tablename__ = "passkeys"
    __table_args__ = (CheckConstraint("length(name) <= 60", name="name_fits"), Index("ix_passkeys_person", "person_id"))

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    aaguid: Mapped[UUID]
    name: Mapped[str] = mapped_column(default="", server_default="")
    is_backed_up: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of ten codes for the day the phone is lost; only its hash is kept."""

    __tablename__ = "recovery_codes"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    used_at: Mapped[datetime | None]

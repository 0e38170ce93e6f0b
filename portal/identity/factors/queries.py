"""Every SELECT of sign-in factors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, or_, select, text

from portal.core import db
from portal.identity.factors.models import Passkey, RecoveryCode, TotpFactor
from portal.identity.models import Membership, Person


def has_factor(person_id: UUID) -> bool:
    """Say whether a person has an app or a passkey."""
    app = exists().where(TotpFactor.person_id == person_id, TotpFactor.confirmed_at.is_not(None))
    passkey = exists().where(Passkey.person_id == person_id)
    return bool(db.session().scalar(select(or_(app, passkey))))


def apps_of(person_id: UUID) -> list[TotpFactor]:
    """Return a person's apps, the oldest first."""
    rows = select(TotpFactor).where(TotpFactor.person_id == person_id, TotpFactor.confirmed_at.is_not(None))
    return list(db.session().scalars(rows.order_by(TotpFactor.created_at, TotpFactor.id)))


def apps_locked(person_id: UUID) -> list[Row[Any]]:
    """Return id, secret and last step of a person's apps, read after whoever is using them at this moment."""
    rows = select(TotpFactor.id, TotpFactor.secret, TotpFactor.last_step)
    rows = rows.where(TotpFactor.person_id == person_id, TotpFactor.confirmed_at.is_not(None))
    return list(db.session().execute(rows.order_by(TotpFactor.id).with_for_update()))


def begun_app(person_id: UUID, factor_id: UUID, *, lock: bool = False) -> TotpFactor | None:
    """Return the app that a person has begun to add within the hour."""
    rows = select(TotpFactor).where(TotpFactor.id == factor_id, TotpFactor.person_id == person_id, TotpFactor.confirmed_at.is_(None))
    rows = rows.where(TotpFactor.created_at > func.clock_timestamp() - text("interval '1 hour'"))
    return db.session().scalar(rows.with_for_update().execution_options(populate_existing=True) if lock else rows)


def passkeys_of(person_id: UUID) -> list[Passkey]:
    """Return a person's passkeys, the oldest first."""
    return list(db.session().scalars(select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.created_at, Passkey.id)))


def passkey_locked(credential_id: bytes) -> Passkey | None:
    """Return the passkey with this credential id of anybody, read after whoever is using it at this moment."""
    rows = select(Passkey).where(Passkey.credential_id == credential_id).with_for_update()
    return db.session().scalar(rows.execution_options(populate_existing=True))


def get_factor(person_id: UUID, factor_id: UUID) -> TotpFactor | Passkey | None:
    """Return one factor of a person, whatever its kind."""
    session = db.session()
    app = session.scalar(select(TotpFactor).where(TotpFactor.id == factor_id, TotpFactor.confirmed_at.is_not(None)))
    found = app or session.get(Passkey, factor_id)
    return found if found is not None and found.person_id == person_id else None


def lock_person(person_id: UUID) -> Person:
    """Return the person, held until the transaction ends: what they must keep is counted by one request at a time."""
    return db.session().scalars(select(Person).where(Person.id == person_id).with_for_update(key_share=True)).one()


def codes_left(person_id: UUID) -> int:
    """Return how many recovery codes are unused."""
    rows = select(func.count()).select_from(RecoveryCode)
    return db.session().scalar(rows.where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))) or 0


def has_codes(person_id: UUID) -> bool:
    """Say whether a person ever made recovery codes, used or not."""
    return bool(db.session().scalar(select(exists().where(RecoveryCode.person_id == person_id))))


def rules_over(person_id: UUID) -> list[Row[Any]]:
    """Return id, role and security rules of every active organisation a person belongs to."""
    wanted = "select t.id, o.role, t.security from own_tenants(:person) o join tenants t on t.id = o.id"
    return list(db.session().execute(text(wanted), {"person": person_id}))


def count_without(tenant_id: UUID) -> int:
    """Return how many active people of a tenant have no second step."""
    return (
        db.session().scalar(
            select(func.count())
            .select_from(Membership)
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.tenant_id == tenant_id, Person.is_active)
            .where(~exists().where(TotpFactor.person_id == Person.id, TotpFactor.confirmed_at.is_not(None)))
            .where(~exists().where(Passkey.person_id == Person.id))
        )
        or 0
    )

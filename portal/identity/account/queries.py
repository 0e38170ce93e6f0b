"""Every SELECT of the account."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from portal.core import db
from portal.identity.models import PasswordReset, Person


def owner_of_link(token_hash: bytes, *, valid_for: timedelta, lock: bool = False) -> Person | None:
    """Return whose password a link may change; None for one that is unknown, used or too old."""
    wanted = (
        select(Person)
        .join(PasswordReset, PasswordReset.person_id == Person.id)
        .where(PasswordReset.token_hash == token_hash, PasswordReset.created_at > func.clock_timestamp() - valid_for, Person.is_active)
    )
    return db.session().scalar(wanted.with_for_update() if lock else wanted)

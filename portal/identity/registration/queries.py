"""Every SELECT of registrations."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from portal.core import db
from portal.identity.registration.models import Registration


def of_token(token_hash: bytes, *, valid_for: timedelta, lock: bool = False) -> Registration | None:
    """Return what a link stands for; None for one that is unknown, used or too old."""
    wanted = select(Registration).where(Registration.token_hash == token_hash, Registration.created_at > func.clock_timestamp() - valid_for)
    return db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)


def newest(email_key: str, *, valid_for: timedelta) -> Registration | None:
    """Return what was last asked for with an address."""
    wanted = select(Registration).where(Registration.email_key == email_key, Registration.created_at > func.clock_timestamp() - valid_for)
    return db.session().scalar(wanted.order_by(Registration.created_at.desc()).limit(1))

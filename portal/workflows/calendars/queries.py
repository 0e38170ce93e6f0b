"""Every SELECT of calendars."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from portal.core import db
from portal.core.errors import NotFound
from portal.workflows.calendars.models import BusinessCalendar


def every(tenant_id: UUID) -> Sequence[BusinessCalendar]:
    """Return the calendars of the tenant, the usual one first."""
    ours = select(BusinessCalendar).where(BusinessCalendar.tenant_id == tenant_id)
    return db.session().scalars(ours.order_by(BusinessCalendar.is_default.desc(), BusinessCalendar.name, BusinessCalendar.id)).all()


def get(tenant_id: UUID, calendar_id: UUID, *, lock: bool = False) -> BusinessCalendar:
    """Return a calendar.

    Raises:
        NotFound: there is no such one in this tenant.
    """
    wanted = select(BusinessCalendar).where(BusinessCalendar.tenant_id == tenant_id, BusinessCalendar.id == calendar_id)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None:
        raise NotFound
    return found


def find(tenant_id: UUID, calendar_id: UUID | None) -> BusinessCalendar | None:
    """Return a calendar, or the usual one; None where there is neither."""
    ours = select(BusinessCalendar).where(BusinessCalendar.tenant_id == tenant_id)
    wanted = BusinessCalendar.is_default if calendar_id is None else (BusinessCalendar.id == calendar_id) | BusinessCalendar.is_default
    return db.session().scalars(ours.where(wanted).order_by(BusinessCalendar.is_default).limit(1)).first()

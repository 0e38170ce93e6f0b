"""Every SELECT of the bell; a person sees only their own notices."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, text, tuple_

from portal.core import db
from portal.core.paging import Listing, Page, write_cursor
from portal.notifications.models import Notification

# A part of the query of every page's frame.
UNREAD_SQL = "select count(*) from notifications where tenant_id = :tenant and person_id = :person and read_at is null"


def list_notifications(tenant_id: UUID, person_id: UUID, page: Page) -> Listing[Notification]:
    """Return a person's notices, newest first."""
    rows = (
        select(Notification)
        .where(Notification.tenant_id == tenant_id, Notification.person_id == person_id)
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(page.limit + 1)
    )
    if page.after is not None:
        rows = rows.where(tuple_(Notification.created_at, Notification.id) < page.after)
    found = list(db.session().scalars(rows))
    more = len(found) > page.limit
    found = found[: page.limit]
    return Listing(found, write_cursor(found[-1].created_at, found[-1].id) if more else None)


def unread_count(tenant_id: UUID, person_id: UUID) -> int:
    """Return how many notices a person has not read."""
    return db.session().scalar(text(UNREAD_SQL), {"tenant": tenant_id, "person": person_id}) or 0

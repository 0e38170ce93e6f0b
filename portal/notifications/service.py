"""The verbs of the bell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, update

from portal.core import db
from portal.core.errors import NotFound
from portal.core.ids import new_id
from portal.notifications import queries
from portal.notifications.models import Notification

MAX_MESSAGE = 2_000


def notify(
    tenant_id: UUID,
    person_ids: Iterable[UUID],
    *,
    type: str,  # noqa: A002 - the column's name
    message: str,
    severity: str = "info",
    data: dict[str, Any] | None = None,
    link: str | None = None,
) -> None:
    """Put a notice into the bell of each person, in the open transaction.

    Args:
        type: a code; the page has a sentence for each that the house itself sends, and shows `message` for others.
        message: text of the person who designed the workflow, cut at 2,000 characters.
        link: the path in the portal where the notice leads.
    """
    rows = [
        {
            "id": new_id(),
            "tenant_id": tenant_id,
            "person_id": person_id,
            "type": type,
            "message": message.replace("\x00", "")[:MAX_MESSAGE],
            "severity": severity,
            "data": data or {},
            "link": link,
        }
        for person_id in person_ids
    ]
    if rows:
        db.session().execute(insert(Notification), rows)


def mark_read(tenant_id: UUID, person_id: UUID, notification_id: UUID) -> None:
    """Mark one notice as read; a second time changes nothing.

    Raises:
        NotFound: this person has no such notice.
    """
    with db.transaction() as session:
        found = session.get(Notification, notification_id)
        if found is None or found.tenant_id != tenant_id or found.person_id != person_id:
            raise NotFound
        if found.read_at is None:
            found.read_at = session.scalar(func.clock_timestamp())


def mark_all_read(tenant_id: UUID, person_id: UUID) -> None:
    """Mark every notice of a person as read."""
    with db.transaction() as session:
        session.execute(
            update(Notification)
            .where(Notification.tenant_id == tenant_id, Notification.person_id == person_id, Notification.read_at.is_(None))
            .values(read_at=func.clock_timestamp())
        )


def unread_count(tenant_id: UUID, person_id: UUID) -> int:
    """Return how many notices a person has not read."""
    return queries.unread_count(tenant_id, person_id)

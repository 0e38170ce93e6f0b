"""The verbs of the staff screens."""

from __future__ import annotations

from uuid import UUID

from portal.admin.models import Staff
from portal.core import db


def add_staff(person_id: UUID) -> None:
    """Make a person staff of the house; safe to repeat. Needs a unit of its own: only the system role may write the list."""
    with db.transaction(system=True) as session:
        session.merge(Staff(person_id=person_id))

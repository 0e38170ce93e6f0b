"""Every SELECT of the staff screens."""

from __future__ import annotations

from uuid import UUID

from portal.admin.models import Staff
from portal.core import db


def is_staff(person_id: UUID) -> bool:
    """Say whether the person works for the house."""
    return db.session().get(Staff, person_id) is not None

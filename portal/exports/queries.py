"""Every SELECT of exports; a person sees only their own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from portal.core import db
from portal.core.errors import NotFound
from portal.exports.models import Export


def list_exports(tenant_id: UUID, person_id: UUID) -> Sequence[Export]:
    """Return a person's exports, newest first, without their files."""
    mine = select(Export).where(Export.tenant_id == tenant_id, Export.person_id == person_id)
    return db.session().scalars(mine.order_by(Export.created_at.desc(), Export.id.desc()).limit(100)).all()


def get_export(tenant_id: UUID, person_id: UUID, export_id: UUID) -> Export:
    """Return one of a person's exports.

    Raises:
        NotFound: this person has no such export.
    """
    wanted = select(Export).where(Export.tenant_id == tenant_id, Export.person_id == person_id, Export.id == export_id)
    found = db.session().scalar(wanted)
    if found is None:
        raise NotFound
    return found


def waiting_count(tenant_id: UUID, person_id: UUID) -> int:
    """Return how many of a person's exports are not made yet."""
    mine = select(func.count()).where(Export.tenant_id == tenant_id, Export.person_id == person_id, Export.state == "waiting")
    return db.session().scalar(mine) or 0

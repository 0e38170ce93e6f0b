"""Reads of an organisation's own templates."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from portal.core import db
from portal.core.errors import NotFound
from portal.workflows.gallery.models import WorkflowSample

MOST = 200


def get(tenant_id: UUID, sample_id: UUID, *, lock: bool = False) -> WorkflowSample:
    """Return a template of this organisation.

    Raises:
        NotFound: it has none of this id.
    """
    wanted = select(WorkflowSample).where(WorkflowSample.tenant_id == tenant_id, WorkflowSample.id == sample_id)
    with db.transaction(tenant_id) as session:
        found = session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound
    return found


def listing(tenant_id: UUID) -> Sequence[WorkflowSample]:
    """Return the organisation's own templates, newest first; there are never more than `MOST`."""
    wanted = select(WorkflowSample).where(WorkflowSample.tenant_id == tenant_id).order_by(WorkflowSample.created_at.desc()).limit(MOST)
    with db.transaction(tenant_id) as session:
        return session.scalars(wanted).all()


def count(tenant_id: UUID) -> int:
    """Return how many templates the organisation has saved."""
    with db.transaction(tenant_id) as session:
        return session.scalar(select(func.count()).select_from(WorkflowSample).where(WorkflowSample.tenant_id == tenant_id)) or 0

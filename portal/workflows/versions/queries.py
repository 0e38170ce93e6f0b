"""What pages of versions read; the tenant comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from portal.core import db
from portal.core.errors import NotFound
from portal.workflows.engine.states import RUN_ENDED, RunStatus
from portal.workflows.models import WorkflowVersion
from portal.workflows.versions.models import VersionLabel

V, L = WorkflowVersion, VersionLabel
ROWS = (
    select(
        V.id, V.number, V.graph_hash, V.author_id, V.created_at, L.name.label("label"), L.name_ar.label("label_ar"), L.note,
    ).outerjoin(L, (L.tenant_id == V.tenant_id) & (L.version_id == V.id))
)  # fmt: skip


def list_versions(tenant_id: UUID, workflow_id: UUID, *, before: int | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """Return versions with their names, newest first, those below the number `before`, and one more than `limit`."""
    rows = ROWS.where(V.tenant_id == tenant_id, V.template_id == workflow_id)
    if before is not None:
        rows = rows.where(V.number < before)
    return db.session().execute(rows.order_by(V.number.desc()).limit(limit + 1)).all()


def get_row(tenant_id: UUID, workflow_id: UUID, number: int) -> Row[Any]:
    """Return one version as `list_versions` does.

    Raises:
        NotFound: this workflow has no such version.
    """
    found = db.session().execute(ROWS.where(V.tenant_id == tenant_id, V.template_id == workflow_id, V.number == number)).first()
    if found is None:
        raise NotFound
    return found


def numbered(tenant_id: UUID, workflow_id: UUID, number: int) -> WorkflowVersion:
    """Return a version by its number.

    Raises:
        NotFound: this workflow has no such version.
    """
    wanted = select(V).where(V.tenant_id == tenant_id, V.template_id == workflow_id, V.number == number)
    found = db.session().scalar(wanted)
    if found is None:
        raise NotFound
    return found


def live_runs(tenant_id: UUID, workflow_id: UUID) -> dict[UUID, int]:
    """Return how many runs that have not ended follow each version."""
    rows = db.session().execute(
        text(
            "select version_id, count(*) as runs from workflow_executions where tenant_id = :tenant and status = any(:live)"
            " and workflow_id = :workflow group by version_id"
        ),
        {"tenant": tenant_id, "workflow": workflow_id, "live": [each for each in RunStatus if each not in RUN_ENDED]},
    )
    return {row.version_id: row.runs for row in rows}


def get_label(tenant_id: UUID, version_id: UUID) -> VersionLabel | None:
    """Return what a version is called, None for one that has only its number."""
    return db.session().get(VersionLabel, (tenant_id, version_id))

"""The verbs of versions: call them something, bring them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from portal.audit import service as audit
from portal.core import clock, db
from portal.core.access import Actor
from portal.workflows import queries as workflows
from portal.workflows import service
from portal.workflows.designer import drafts
from portal.workflows.models import WorkflowVersion
from portal.workflows.versions import queries, trials
from portal.workflows.versions.models import VersionLabel


def label_version(
    tenant_id: UUID, workflow_id: UUID, number: int, *, name: str | None, name_ar: str | None, note: str | None, by: Actor
) -> None:
    """Say what a version is called and what to know of it; the version itself stays as it is.

    Raises:
        NotFound: this workflow has no such version.
    """
    with db.transaction() as session:
        version = queries.get_row(tenant_id, workflow_id, number)
        label = queries.get_label(tenant_id, version.id)
        if label is None:
            label = VersionLabel(tenant_id=tenant_id, version_id=version.id)
            session.add(label)
        label.name, label.name_ar, label.note = name or None, name_ar or None, note or None
        label.changed_by, label.changed_at = by.id, clock.now()
        audit.record(tenant_id, by, "workflow.version_named", workflow_id, version=number, name=label.name, name_ar=label.name_ar)


def restore_to_draft(tenant_id: UUID, workflow_id: UUID, number: int, *, revision: int, by: Actor) -> None:
    """Put a version in the place of the draft; undo in the design brings the draft back.

    Raises:
        NotFound: this workflow has no such version.
        DraftChanged: the draft is not at this revision any more.
    """
    with db.transaction():
        old = queries.numbered(tenant_id, workflow_id, number)
        drafts.replace(tenant_id, workflow_id, old.nodes, old.settings, revision=revision, label="version.restored", by=by)
        audit.record(tenant_id, by, "workflow.version_restored", workflow_id, version=number)


def roll_back(tenant_id: UUID, workflow_id: UUID, number: int, *, by: Actor) -> int:
    """Publish an earlier version again, as a new one; the draft and running runs stay as they are. Returns the new number.

    Raises:
        NotFound: this workflow has no such version.
        DraftInvalid: something that it needs is not there any more.
        NeedsApproval: the organisation lets nobody publish alone.
    """
    with db.transaction():
        old = queries.numbered(tenant_id, workflow_id, number)
        live = workflows.get_workflow(tenant_id, workflow_id, lock=True).published_version_id
        made = service.publish_definition(tenant_id, workflow_id, old.nodes, old.settings, by=by)
        if live != workflows.get_workflow(tenant_id, workflow_id).published_version_id:
            audit.record(tenant_id, by, "workflow.rolled_back", workflow_id, version=made, of=number)
    return made


def list_versions(tenant_id: UUID, workflow_id: UUID, *, limit: int) -> Sequence[Row[Any]]:
    """Return the newest versions of a workflow with their names."""
    return queries.list_versions(tenant_id, workflow_id, limit=limit)[:limit]


def get_version(tenant_id: UUID, workflow_id: UUID, number: int) -> tuple[Row[Any], WorkflowVersion]:
    """Return a version with its name, and its definition.

    Raises:
        NotFound: this workflow has no such version.
    """
    return queries.get_row(tenant_id, workflow_id, number), queries.numbered(tenant_id, workflow_id, number)


def live_runs(tenant_id: UUID, workflow_id: UUID) -> dict[UUID, int]:
    """Return how many runs that have not ended follow each version."""
    return queries.live_runs(tenant_id, workflow_id)


def dry_run(
    tenant_id: UUID, workflow_id: UUID, which: str, *, given: Mapping[str, Any], answers: Mapping[str, str], may_read: bool, by: Actor
) -> tuple[UUID, dict[str, Any]]:
    """Try the draft or a version; return the trial and what would have happened (`trials.dry_run` says what is refused)."""
    trial_id = trials.dry_run(tenant_id, workflow_id, which, given=given, answers=answers, may_read=may_read, by=by)
    return trial_id, trials.get(tenant_id, trial_id).results[0]

"""The verbs of versions: call them something, bring them back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.audit import service as audit
from portal.core import clock, db
from portal.core.access import Actor
from portal.core.errors import NotFound
from portal.workflows import queries as workflows
from portal.workflows import service
from portal.workflows.definition import Node, Settings
from portal.workflows.designer import drafts
from portal.workflows.models import WorkflowTemplate, WorkflowVersion
from portal.workflows.versions import queries
from portal.workflows.versions.models import VersionLabel

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Side:
    """One of two definitions that are compared; `number` is None for the draft."""

    number: int | None
    nodes: list[Node]
    settings: Settings

    @property
    def key(self) -> str:
        """How an address names it."""
        return DRAFT if self.number is None else str(self.number)

    @property
    def definition(self) -> tuple[list[Node], Settings]:
        return self.nodes, self.settings


def side(tenant_id: UUID, workflow: WorkflowTemplate, which: str) -> Side:
    """Return the draft or a version of a workflow, as an address names it.

    Raises:
        NotFound: this workflow has no such version.
    """
    if which == DRAFT:
        return Side(None, workflow.nodes, workflow.settings)
    if not which.isascii() or not which.isdecimal() or len(which) > 9:
        raise NotFound
    return of_version(queries.numbered(tenant_id, workflow.id, int(which)))


def of_version(version: WorkflowVersion) -> Side:
    """Return a version as one side."""
    return Side(version.number, version.nodes, version.settings)


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

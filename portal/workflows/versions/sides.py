"""What is compared, tried or asked for: the draft of a workflow or one of its versions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from portal.core.errors import NotFound
from portal.workflows.definition import Node, Settings
from portal.workflows.models import WorkflowTemplate, WorkflowVersion
from portal.workflows.versions import queries

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

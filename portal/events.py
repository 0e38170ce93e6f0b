"""Every fact the house announces: small frozen dataclasses with ids, never rows."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WorkflowPublished:
    """A draft became the live version of its workflow."""

    tenant_id: UUID
    workflow_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run was accepted and will be carried out."""

    tenant_id: UUID
    run_id: UUID
    workflow_id: UUID


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run reached its end, well or badly."""

    tenant_id: UUID
    run_id: UUID
    workflow_id: UUID
    status: str  # succeeded, failed, cancelled or timed_out
    started_by: UUID | None


@dataclass(frozen=True, slots=True)
class StepInDoubt:
    """A step was cut off after its effect may have left the house; a person must decide."""

    tenant_id: UUID
    run_id: UUID
    workflow_id: UUID
    node_key: str
    started_by: UUID | None


@dataclass(frozen=True, slots=True)
class ThemePublished:
    """A version of a theme became the look of its tenant."""

    tenant_id: UUID
    theme_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class BulkActionFinished:
    """One verb for many rows of a list is over."""

    tenant_id: UUID
    bulk_id: UUID
    list_name: str
    verb: str
    done: int
    skipped: int
    failed: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person opened a session."""

    person_id: UUID
    tenant_id: UUID | None

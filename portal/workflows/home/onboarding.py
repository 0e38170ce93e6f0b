"""The first steps of a new organisation: read from what there is, never ticked by hand; put away by a person who may edit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from portal.audit import service as audit
from portal.core import clock, db
from portal.core.access import Actor
from portal.workflows.home import queries
from portal.workflows.home.models import Onboarding


@dataclass(frozen=True, slots=True)
class Step:
    """One first step: its code, whether it is done, and the thing it goes on with."""

    code: str
    is_done: bool
    target_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Checklist:
    """The five first steps, in their order."""

    steps: tuple[Step, ...]
    is_dismissed: bool

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.steps)

    @property
    def current(self) -> Step | None:
        return next((step for step in self.steps if not step.is_done), None)


def checklist(tenant_id: UUID, *, has_language: bool) -> Checklist:
    """Return how far the tenant has come; `has_language` says whether the reader has chosen theirs."""
    facts = queries.first_facts(tenant_id)
    steps = (
        Step("create", facts.has_workflow),
        Step("publish", facts.has_published, facts.draft_id),
        Step("run", facts.has_run, facts.published_id),
        Step("succeed", facts.has_succeeded, facts.run_id),
        Step("language", has_language),
    )
    return Checklist(steps, queries.get_onboarding(tenant_id) is not None)


def dismiss(tenant_id: UUID, *, by: Actor) -> None:
    """Put the first steps away for the whole tenant. Safe to repeat."""
    with db.transaction() as session:
        # Two people may press the button at once; only the first one's is an event.
        wanted = insert(Onboarding).values(tenant_id=tenant_id, dismissed_at=clock.now(), dismissed_by=by.id)
        if session.scalar(wanted.on_conflict_do_nothing().returning(Onboarding.tenant_id)) is not None:
            audit.record(tenant_id, by, "onboarding.dismissed")


def resume(tenant_id: UUID, *, by: Actor) -> None:
    """Show the first steps again, as far as they are done by now. Safe to repeat."""
    with db.transaction() as session:
        found = queries.get_onboarding(tenant_id)
        if found is not None:
            session.delete(found)
            audit.record(tenant_id, by, "onboarding.resumed")

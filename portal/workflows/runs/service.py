"""Verbs of single steps that only their run's page has; each is one transaction, audited."""

from __future__ import annotations

from uuid import UUID

from portal.audit import service as audit
from portal.core import db
from portal.core.access import Actor
from portal.workflows import queries
from portal.workflows.engine.store import hurrying
from portal.workflows.errors import WrongState


def hurry_step(tenant_id: UUID, run_id: UUID, step_id: UUID, *, by: Actor) -> None:
    """Let the next attempt of a step begin now.

    Raises:
        NotFound: no such step in this run.
        WrongState: it does not wait for another attempt.
    """
    with db.transaction():
        step = queries.get_step(tenant_id, run_id, step_id)
        if not hurrying.hurry(tenant_id, run_id, step_id, actor=str(by)):
            raise WrongState
        audit.record(tenant_id, by, "step.hurried", run_id, step=step.node_key)


def skip_step(tenant_id: UUID, run_id: UUID, step_id: UUID, *, by: Actor) -> None:
    """End a wait for a moment, a signal or a callback now; the run goes on behind it.

    Raises:
        NotFound: no such step in this run.
        WrongState: it does not wait so, or the run is paused.
    """
    with db.transaction():
        step = queries.get_step(tenant_id, run_id, step_id)
        if not hurrying.skip(tenant_id, run_id, step_id, actor=str(by)):
            raise WrongState
        audit.record(tenant_id, by, "step.ended_early", run_id, step=step.node_key)

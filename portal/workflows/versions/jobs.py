"""Job entry points of versions."""

from __future__ import annotations

from uuid import UUID

from portal.core.jobs import job
from portal.workflows.versions import trials


@job("workflows.simulate", queue="bulk", timeout_s=120)
def simulate(tenant_id: str, trial_id: str) -> None:
    """Go on with a simulation, if it is the turn of test runs."""
    trials.take_turn(UUID(tenant_id), UUID(trial_id))

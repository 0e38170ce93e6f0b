"""Job entry points of the engine."""

from __future__ import annotations

import os
import signal

from portal.core import jobs
from portal.core.jobs import job
from portal.workflows.engine import runner

BUDGET_S = 55.0
LINGER_S = 8.0


@job("workflows.pump", queue="engine-fast", timeout_s=120)
def pump(_lane: str) -> None:
    """Carry out due steps of any run until nothing is due, 55 s at most. A ticket carries no ids and means only: look.

    Which lane the ticket is for says who gets it; a worker that has come looks into all lanes that it serves.

    Gives way to other jobs: steps that are left get another ticket within the dispatcher's second.
    """
    runner.pump(
        worker=runner.worker_name(),
        budget_s=BUDGET_S,
        linger_s=LINGER_S,
        kill=end_this_process,
        gives_way=lambda: jobs.are_waiting("mail", "bulk"),
    )


def end_this_process() -> None:
    """Kill this process hard: a handler that hangs cannot be stopped in any other way, and its lease expires."""
    os.kill(os.getpid(), signal.SIGKILL)

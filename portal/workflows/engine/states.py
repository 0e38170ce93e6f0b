"""States of runs and steps, and which moves are allowed. Pure."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run stands; "waiting" is not stored, it is a running run without a ready or leased step."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPENSATING = "compensating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    COMPENSATED = "compensated"


class StepState(StrEnum):
    """Where a step stands; a node without a row has not begun."""

    READY = "ready"
    LEASED = "leased"
    WAITING = "waiting"
    IN_DOUBT = "in_doubt"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


RUN_ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT, RunStatus.COMPENSATED})
STEP_ENDED = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED, StepState.CANCELLED})
# A worker may carry on a run in these; in a paused one it ends the step in hand and begins nothing.
RUN_CARRIED = frozenset({RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.COMPENSATING})

ENDS = RUN_ENDED - {RunStatus.COMPENSATED}
UNDONE = frozenset({RunStatus.COMPENSATING})
RUN_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PENDING: frozenset({RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.CANCELLING}) | UNDONE | ENDS,
    RunStatus.RUNNING: frozenset({RunStatus.PAUSED, RunStatus.CANCELLING}) | UNDONE | ENDS,
    RunStatus.PAUSED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLING}) | UNDONE | ENDS,
    RunStatus.CANCELLING: UNDONE | ENDS,
    RunStatus.COMPENSATING: frozenset({RunStatus.COMPENSATED, RunStatus.FAILED}),
    **dict.fromkeys(RUN_ENDED, frozenset()),
}

STEP_MOVES: dict[StepState, frozenset[StepState]] = {
    StepState.READY: frozenset({StepState.LEASED, StepState.CANCELLED}),
    StepState.LEASED: frozenset({StepState.READY, StepState.WAITING, StepState.IN_DOUBT}) | STEP_ENDED,
    StepState.WAITING: frozenset({StepState.READY, StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED}),
    StepState.IN_DOUBT: frozenset({StepState.READY, StepState.SUCCEEDED, StepState.FAILED, StepState.CANCELLED}),
    **dict.fromkeys(STEP_ENDED, frozenset()),
}


def may_move(before: StepState, after: StepState) -> bool:
    """Say whether a step may go from one state to the other; ended states never change."""
    return after in STEP_MOVES[before]

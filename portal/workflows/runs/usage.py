"""What a step or a run used: calls, bytes, mails, rows, and the time of the work itself. Counted where it happens (`core.metering`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """What was counted, of all attempts together.

    Args:
        busy_ms: how long workers were busy with the work itself, without taking it up and writing it down; None where that is not measured.
        lost: how many attempts ended with their worker: what they used is not known and not in here.
        is_known: False where nothing was measured although something left the house, because the step is older than the counting.
    """

    calls: int = 0
    sent: int = 0
    received: int = 0
    mails: int = 0
    rows: int = 0
    busy_ms: int | None = None
    lost: int = 0
    is_known: bool = True


def of_step(row: Any) -> Usage:
    """Return what a step used; needs used, crash_count, effect_class, effect_at, state."""
    amounts = row.used or {}
    is_known = row.used is not None or row.effect_at is None or row.effect_class in ("pure", "db") or row.state == "leased"
    return Usage(**amounts, lost=row.crash_count, is_known=is_known)


def of_run(outline: Sequence[Any]) -> Usage:
    """Return what all steps of a run used together; needs what `queries.outline` gives."""

    def total(name: str) -> int:
        return int(sum(getattr(row, name) or 0 for row in outline))

    amounts = {name: total(name) for name in ("calls", "sent", "received", "mails", "rows", "busy_ms", "lost")}
    return Usage(**amounts, is_known=not any(row.unknown for row in outline))

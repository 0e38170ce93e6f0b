"""The figures of the proof: shares, waits, and how long a tenant waits for the others at most. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

# A worker that was told nothing looks by itself after a second.
LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """A lane in a span of time: how much was done in it, for how many, by how many."""

    lane: str
    claims: int
    served_s: float
    tenants: int
    weights: int
    workers: int

    @property
    def turn_s(self) -> float:
        """How long a turn took on the average."""
        return self.served_s / self.claims if self.claims else 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """What one tenant got of a lane. Waits are in milliseconds, shares between 0 and 1.

    `wait_*` is from due to begun, with what it waited for itself; `turn_*` only what it waited for others.
    """

    tenant_id: UUID
    name: str
    name_ar: str | None
    lane: str
    claims: int
    served_s: float
    weight: int
    cap: int | None
    got: float
    due: float
    wait_p50: float | None
    wait_p95: float | None
    turn_p50: float | None
    turn_p95: float | None
    bound_turns: int
    bound_ms: float
    is_alone: bool = False

    @property
    def is_within(self) -> bool | None:
        """Whether the others kept it waiting no longer than they may; None when it waited for nobody."""
        return None if self.turn_p95 is None or self.is_alone else self.turn_p95 <= self.bound_ms


def bound_turns(weight: int, weights: int, workers: int) -> int:
    """Return after how many turns of a lane it is a tenant's turn at the latest: one round of all by weight, and what is in hand (I-14)."""
    return math.ceil(weights / weight) + workers


def percentile(bins: Sequence[int] | None, part: float) -> float | None:
    """Return the wait in ms that this part of all waits kept under: the upper edge of its bin (bin k holds up to 2^(k/2) ms)."""
    total = sum(bins or ())
    if not bins or not total:
        return None
    seen = 0
    for k, count in enumerate(bins):
        seen += count
        if seen >= part * total:
            return float(2 ** (k / 2))
    raise AssertionError("unreachable: the last bin reaches the total")


def lines_of(rows: Iterable[Any]) -> dict[str, Line]:
    """Return each lane that was used, from what each tenant got of it."""
    by_lane: dict[str, list[Any]] = {}
    for row in rows:
        by_lane.setdefault(row.lane, []).append(row)
    return {
        lane: Line(
            lane,
            sum(row.claims for row in used),
            sum(row.served_s for row in used),
            len(used),
            sum(row.weight for row in used),
            max(1, len({worker for row in used for worker in row.workers})),
        )
        for lane, used in by_lane.items()
    }


def share_of(row: Any, line: Line, bins: Mapping[tuple[UUID, str], tuple[Sequence[int], Sequence[int]]]) -> Share:
    """Return what a tenant got, measured against its lane."""
    waits, turns = bins.get((row.tenant_id, row.lane), ((), ()))
    most = bound_turns(row.weight, line.weights, line.workers)
    return Share(
        row.tenant_id, row.name, row.name_ar, row.lane, row.claims, row.served_s, row.weight, row.cap,
        row.served_s / line.served_s if line.served_s else 0.0, row.weight / line.weights,
        percentile(waits, 0.5), percentile(waits, 0.95), percentile(turns, 0.5), percentile(turns, 0.95),
        most, (most * line.turn_s / line.workers + LOOK_S) * 1000, line.tenants == 1,
    )  # fmt: skip

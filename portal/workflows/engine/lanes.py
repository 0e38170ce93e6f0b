"""Lanes: which workers a step waits for, and how it stands in line. Pure.

The column `queue` of a step is its lane while it may be claimed; a run that is paused, or that waits for its turn at its
workflow's gate, has its ready steps aside, where no worker looks: the lane behind a prefix.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.workflows.actions.registry import ACTIONS

FAST = "fast"  # what the database alone does
LANES = (FAST, "io", "ai", "bulk")
PARKED = "parked:"
GATED = "gated:"

PRIORITIES = (1, 2, 3, 4, 5)
PRIORITY = 3


def lane_of(kind: str, effect: str) -> str:
    """Return the lane of a kind of step: what the database alone does is fast; a kind may name its own lane."""
    return getattr(ACTIONS[kind], "lane", None) or (FAST if effect in ("pure", "db") else "io")


def in_turn(lanes: tuple[str, ...], last: str | None) -> list[str]:
    """Return the lanes to look into, the one after the last served first: no lane waits for another one to be empty."""
    if last not in lanes:
        return list(lanes)
    behind = lanes.index(last) + 1
    return [*lanes[behind:], *lanes[:behind]]


def read_lanes(text: str) -> tuple[str, ...]:
    """Read a list of lanes, as operators write it; empty means all.

    Raises:
        ValueError: one is unknown.
    """
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [each for each in wanted if each not in LANES]:
        raise ValueError(f"no such lane: {', '.join(unknown)}")
    return tuple(each for each in LANES if each in wanted) or LANES


def waiting_in(rows: Iterable[dict[str, Any]], lane: str | None) -> set[str]:
    """Return the lanes in which new rows of steps wait for a worker."""
    return {lane or row["lane"] for row in rows if row["state"] == "ready"}

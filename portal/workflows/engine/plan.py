"""Definition + finished steps → next steps. Pure.

An edge arrives when its source ends: live if the source succeeded and left by the edge's port, dead otherwise. A step
begins when every edge into it has arrived and at least one is live; when all are dead it is skipped, and so on. Loops,
parallel lanes and joins need no more than this rule (docs/adr/0003-engine.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Stand(NamedTuple):
    """Where a step stands: its state, and the port by which it left."""

    state: str
    port: str | None


@dataclass(frozen=True, slots=True)
class Graph:
    """A version's definition, indexed for planning; immutable, so a process may keep it."""

    nodes: Mapping[str, dict[str, Any]]
    incoming: Mapping[str, tuple[tuple[str, str], ...]]  # target → (source, port)
    outgoing: Mapping[str, tuple[str, ...]]  # source → targets, each once

    @classmethod
    def of(cls, nodes: list[dict[str, Any]], edges: list[dict[str, str]]) -> Graph:
        """Index a stored definition."""
        incoming: dict[str, list[tuple[str, str]]] = defaultdict(list)
        outgoing: dict[str, dict[str, None]] = defaultdict(dict)
        for edge in edges:
            incoming[edge["target"]].append((edge["source"], edge["port"]))
            outgoing[edge["source"]][edge["target"]] = None
        return cls(
            {node["key"]: node for node in nodes},
            {target: tuple(sources) for target, sources in incoming.items()},
            {source: tuple(targets) for source, targets in outgoing.items()},
        )

    def entries(self) -> list[str]:
        """Return the steps that begin with the run."""
        return [key for key in self.nodes if key not in self.incoming]


@dataclass(slots=True)
class Next:
    """What follows: steps to begin, and steps that will never begin in this run."""

    begin: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)


def after(graph: Graph, stands: Mapping[str, Stand], ended: str) -> Next:
    """Say what follows now that the step `ended` has ended; `stands` already holds how.

    Repeating the call with the result applied returns nothing more: an edge arrives once.
    """
    known = dict(stands)
    found = Next()
    waiting = [ended]
    while waiting:
        for target in graph.outgoing.get(waiting.pop(0), ()):
            if target in known:
                continue
            arrivals = [_arrival(known.get(source), port) for source, port in graph.incoming[target]]
            if None in arrivals:
                continue
            if any(arrivals):
                known[target] = Stand("ready", None)
                found.begin.append(target)
            else:
                known[target] = Stand("skipped", None)
                found.skip.append(target)
                waiting.append(target)
    return found


def _arrival(source: Stand | None, port: str) -> bool | None:
    """True for a live arrival, False for a dead one, None while the source has not ended."""
    if source is None:
        return None
    if source.state == "succeeded":
        return source.port == port
    if source.state == "skipped":
        return False
    return None

"""Definition + finished steps → next steps. Pure.

An edge arrives when its source ends: live if the source left by the edge's port, dead otherwise. A step begins when every
edge into it has arrived and at least one is live; when all are dead it is skipped, and so on.

The steps of a run live in frames: the root, and one for each lane, item or round of a block and for each undoing of a step.
A frame is planned by itself, on the steps of its region. Inside one frame there is a single thread; what runs side by side
runs in frames of its own (`blocks`). A jump back begins a new generation of the frame: what stands behind the target in
reading order counts no more (docs/adr/0003-engine.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from portal.workflows.definition import BLOCKS, ERROR, UNDO

Region = tuple[str | None, str | None]
ROOT: Region = (None, None)
INNER = frozenset({"parallel", "group"})  # blocks whose lanes run once: what was computed inside can be used behind them


class Stand(NamedTuple):
    """Where a step stands: its state, and the port by which it left."""

    state: str
    port: str | None


class Row(Protocol):
    """A stored step as far as a frame's view needs it."""

    @property
    def node_key(self) -> str: ...

    @property
    def gen(self) -> int: ...


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Graph:
    """A version's definition, indexed for planning; immutable, so a process may keep it."""

    nodes: Mapping[str, dict[str, Any]]
    incoming: Mapping[str, tuple[tuple[str, str], ...]]  # target → (source, port)
    outgoing: Mapping[str, tuple[str, ...]]  # source → targets, each once
    position: Mapping[str, int]
    region: Mapping[str, Region]
    members: Mapping[Region, tuple[str, ...]]
    undoable: frozenset[str]
    callbacks: tuple[str, ...]  # the steps to which another system answers
    has_frames: bool

    @classmethod
    def of(cls, nodes: list[dict[str, Any]], edges: list[dict[str, str]]) -> Graph:
        """Index a stored definition."""
        incoming: dict[str, list[tuple[str, str]]] = defaultdict(list)
        outgoing: dict[str, dict[str, None]] = defaultdict(dict)
        for edge in edges:
            incoming[edge["target"]].append((edge["source"], edge["port"]))
            outgoing[edge["source"]][edge["target"]] = None
        by_key = {node["key"]: node for node in nodes}
        regions: dict[str, Region] = {}
        members: dict[Region, list[str]] = {ROOT: []}
        for node in nodes:
            regions[node["key"]] = region = _region(node, by_key, regions)
            members.setdefault(region, []).append(node["key"])
        return cls(
            by_key,
            {target: tuple(sources) for target, sources in incoming.items()},
            {source: tuple(targets) for source, targets in outgoing.items()},
            {node["key"]: number for number, node in enumerate(nodes)},
            regions,
            {region: tuple(keys) for region, keys in members.items()},
            frozenset(key for key in by_key if by_key[key].get("undo") and (key, UNDO) in members),
            tuple(key for key, node in by_key.items() if node["kind"] == "callback"),
            len(members) > 1,
        )

    def entries(self, region: Region = ROOT) -> list[str]:
        """Return the steps that begin with a frame of this region."""
        return [key for key in self.members.get(region, ()) if key not in self.incoming]


def _region(node: dict[str, Any], nodes: Mapping[str, dict[str, Any]], regions: Mapping[str, Region]) -> Region:
    parent, lane = nodes.get(node.get("parent") or ""), node.get("lane")
    if parent is None:
        return ROOT
    if lane == UNDO or (parent["kind"] in BLOCKS and lane != ERROR):
        return parent["key"], lane
    return regions.get(parent["key"], ROOT)


def path_of(parent: str, key: str, gen: int, number: int | str) -> str:
    """Name a frame: the frame around it, the step that holds it with its generation, and which lane, item or round it is."""
    return f"{parent}{'/' if parent else ''}{key}{f'~{gen}' if gen else ''}:{number}"


def paths_around(path: str) -> list[str]:
    """Return the names of the frames around one, outermost first; the root is not named."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


@dataclass(slots=True)
class Next:
    """What follows: steps to begin, and steps that will never begin in this frame."""

    begin: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)


def after(graph: Graph, stands: Mapping[str, Stand], ended: str) -> Next:
    """Say what follows now that the step `ended` has ended; `stands` are those of its frame, and already hold how.

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
    """True for a live arrival, False for a dead one, None while the source has not ended. A failure with a port was caught."""
    if source is None:
        return None
    if source.state == "succeeded" or (source.state == "failed" and source.port is not None):
        return source.port == port
    return False if source.state == "skipped" else None


@dataclass(frozen=True, slots=True)
class Jump:
    """What a jump does to a frame: steps that count no more, steps that are passed over, and whether it goes back."""

    erased: tuple[str, ...]
    skipped: tuple[str, ...]
    is_back: bool


def jump(graph: Graph, stands: Mapping[str, Stand], source: str, target: str) -> Jump:
    """Say what a jump from one step of a frame to another one does."""
    here, there = graph.position[source], graph.position[target]
    if there <= here:
        return Jump(tuple(key for key in stands if graph.position[key] >= there), (), is_back=True)
    members = graph.members[graph.region[source]]
    return Jump((), tuple(key for key in members if here < graph.position[key] < there and key not in stands), is_back=False)


def view(graph: Graph, rows: Iterable[R]) -> dict[str, R]:
    """Return the rows of a frame that count, by key: each generation replaces what stood behind its first step."""
    by_gen: dict[int, dict[str, R]] = defaultdict(dict)
    for row in rows:
        by_gen[row.gen][row.node_key] = row
    live: dict[str, R] = {}
    for gen in sorted(by_gen):
        first = min(graph.position[key] for key in by_gen[gen]) if gen else 0
        live = {key: row for key, row in live.items() if not gen or graph.position[key] < first} | by_gen[gen]
    return live


def handler(node: Mapping[str, Any]) -> str | None:
    """Return the port by which a failed step is left, None when nothing catches its failure."""
    if node.get("on_error") == "continue":
        return "out"
    return ERROR if node.get("on_error") == "lane" else None

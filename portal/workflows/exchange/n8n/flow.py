"""What comes along a line, and where its next step goes. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from portal.workflows import stripping
from portal.workflows.exchange.n8n.graph import Node
from portal.workflows.exchange.n8n.made import LONGEST_NOTE
from portal.workflows.exchange.n8n.sight import Node as Given
from portal.workflows.exchange.n8n.values import Item, Renamed, Unsure


@dataclass(frozen=True, slots=True)
class Flow:
    """What comes along a line: the items, the node that they come from, and what each node passed has given."""

    given: Given
    source: str
    seen: dict[str, Given] = field(default_factory=dict)
    is_each: bool = False
    lanes: tuple[Flow, ...] = ()  # where ways that ran side by side have met

    def past(self, name: str) -> Flow:
        """Return what comes along behind a node that lets everything through."""
        return Flow(self.given, name, {**self.seen, name: self.given}, self.is_each)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next step goes."""

    parent: str | None
    lane: str | None
    depth: int
    reach: dict[str, str] = field(default_factory=dict)  # nodes that a go-to from here can reach → their steps

    def inside(self, parent: str, lane: str, *, is_block: bool = False) -> Place:
        return Place(parent, lane, self.depth + 1, {} if is_block else dict(self.reach))


def all_seen(flows: list[Flow]) -> dict[str, Given]:
    return {name: given for flow in flows for name, given in flow.seen.items()}


def listed(given: Given) -> str:
    if given.items is not None:
        return given.items
    try:
        return f"[dyn({given.item.read(())})]"
    except Unsure:
        return "[]"


def error_item() -> Item:
    return Renamed(
        {
            ("error", "message"): "error.detail",
            ("error", "name"): "error.code",
            ("error",): "error.detail",
            ("error", "description"): "error.detail",
        }
    )


def settings_of(node: Node) -> str:
    """Return the settings of a node as a note: what a person needs to build it anew; never its credentials."""
    text = json.dumps(stripping.without("", node.parameters), ensure_ascii=False, indent=1, default=str)
    return f"{node.type} {node.version:g}\n{text if node.parameters else ''}".strip()[:LONGEST_NOTE]

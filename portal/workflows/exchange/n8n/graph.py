"""The envelope of a file of n8n, and its nodes and wires, whatever shape each of them has. Pure.

Nothing here refuses a node: what is missing or of a wrong kind gets the emptiest reading that it can have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

MOST_NODES, MOST_WIRES = 500, 3_000
MOST_WORKFLOWS = 20
MAIN, ERRORS = "main", "error"
TRIGGERS = frozenset(
    {"manualTrigger", "start", "webhook", "scheduleTrigger", "cron", "interval", "formTrigger", "errorTrigger", "executeWorkflowTrigger"}
)


@dataclass(slots=True)
class Node:
    """One node of n8n."""

    name: str
    type: str  # without the prefix of n8n's own package
    version: float
    parameters: dict[str, Any]
    raw: dict[str, Any]
    place: tuple[float, float]
    disabled: bool = False
    was: str = ""  # the name in the file, where another node has it too

    @property
    def catches(self) -> bool:
        """Say whether its last output is that of its errors."""
        return self.raw.get("onError") == "continueErrorOutput"

    @property
    def goes_on(self) -> bool:
        """Say whether the line goes on as if nothing had happened when it fails."""
        told = self.raw.get("onError")
        return told == "continueRegularOutput" or (told is None and self.raw.get("continueOnFail") is True)

    @property
    def is_trigger(self) -> bool:
        return self.type in TRIGGERS or self.type.endswith("Trigger")

    @property
    def credentials(self) -> list[str]:
        """Return what the credentials are called, or else their types."""
        held = self.raw.get("credentials")
        named = held.items() if isinstance(held, dict) else ()
        return [str(each.get("name") or kind) if isinstance(each, dict) else str(kind) for kind, each in named][:5]


@dataclass(slots=True)
class Graph:
    """A workflow of n8n: nodes by name, wires by output, and what belongs to what."""

    name: str
    nodes: dict[str, Node] = field(default_factory=dict)
    outputs: dict[str, dict[int, list[str]]] = field(default_factory=dict)  # name → output → targets
    inputs: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # (source, target) → inputs of the target
    helpers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # node → [(sub-node, kind of the wire)]
    settings: dict[str, Any] = field(default_factory=dict)
    lost: list[tuple[str, str]] = field(default_factory=list)  # wires that lead nowhere: (source, target)
    raw: dict[str, Any] = field(default_factory=dict)


def workflows_of(document: Any) -> list[dict[str, Any]]:
    """Return the workflows in a file of n8n; empty when it holds none."""
    if isinstance(document, list):
        return [found for each in document for found in workflows_of(each)][: MOST_WORKFLOWS + 1] if len(document) < 10_000 else []
    if not isinstance(document, dict):
        return []
    if isinstance(document.get("nodes"), list):
        return [document]
    for name in ("workflow", "data"):
        held = document.get(name)
        if isinstance(held, dict | list) and held:
            return [
                {**each, "name": each.get("name") or document.get("name")} if isinstance(held, dict) else each
                for each in workflows_of(held)
            ]
    return []


def read(document: dict[str, Any]) -> Graph:
    """Return the graph of one workflow."""
    graph = Graph(_text(document.get("name")) or "n8n", raw=document)
    settings = document.get("settings")
    graph.settings = settings if isinstance(settings, dict) else {}
    for raw in document.get("nodes") or []:
        node = _node(raw, graph.nodes)
        graph.nodes[node.name] = node
    for source, kind, number, target, slot in _wires(document.get("connections")):
        if source not in graph.nodes or target not in graph.nodes:
            graph.lost.append((source, target))
        elif kind.startswith("ai_"):
            graph.helpers.setdefault(target, []).append((source, kind))
        else:
            number = outputs_of(graph.nodes[source]) if kind == ERRORS else number
            targets = graph.outputs.setdefault(source, {}).setdefault(number, [])
            graph.inputs.setdefault((source, target), []).append(slot)
            if target not in targets:
                targets.append(target)
    return graph


def wire_count(document: dict[str, Any]) -> int:
    """Return how many wires a workflow has, as far as it matters."""
    return sum(1 for _wire in islice(_wires(document.get("connections")), MOST_WIRES + 1))


def outputs_of(node: Node) -> int:
    """Return how many outputs a node has without that of its errors."""
    if node.type in ("if", "splitInBatches"):
        return 1 if node.type == "splitInBatches" and node.version < 2 else 2
    if node.type == "switch":
        return switch_outputs(node)
    return 1


def switch_outputs(node: Node) -> int:
    """Return how many outputs a switch has, that of what fits nowhere included."""
    parameters = node.parameters
    if node.version < 3:
        rules = listed(parameters, "rules", "rules")
        fallback = parameters.get("fallbackOutput", -1)
        return 4 if node.version < 2 else max(len(rules), fallback + 1 if isinstance(fallback, int) else 0)
    if parameters.get("mode") == "expression":
        number = parameters.get("numberOutputs", 4)
        return number if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 100 else 4
    extra = 1 if held(parameters, "options", "fallbackOutput") == "extra" else 0
    return len(listed(parameters, "rules", "values")) + extra


def held(value: Any, *names: str) -> Any:
    """Return what stands under names inside each other; None where one is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def listed(value: Any, *names: str) -> list[dict[str, Any]]:
    """Return the maps of a list that stands under names inside each other."""
    found = held(value, *names)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def chosen(value: Any) -> Any:
    """Return the value of what can be chosen in several ways (`__rl`), or the value itself."""
    return value.get("value") if isinstance(value, dict) and "value" in value else value


def _node(raw: Any, taken: dict[str, Node]) -> Node:
    given = raw if isinstance(raw, dict) else {}
    type_ = _text(given.get("type"))
    short = type_.removeprefix("n8n-nodes-base.")
    name = was = _text(given.get("name")) or short or "?"
    number = 2
    while name in taken:
        name, number = f"{was} ({number})", number + 1
    parameters, version = given.get("parameters"), given.get("typeVersion")
    place = given.get("position")
    spot = (
        (float(place[0]), float(place[1]))
        if isinstance(place, list) and len(place) >= 2 and all(_is_number(p) for p in place[:2])
        else (0, 0)
    )
    return Node(
        name,
        short,
        float(version) if isinstance(version, int | float) and _is_number(version) else 1.0,
        parameters if isinstance(parameters, dict) else {},
        given,
        spot,
        given.get("disabled") is True,
        was if was != name else "",
    )


def _wires(connections: Any) -> Iterator[tuple[str, str, int, str, int]]:
    """Give every wire as (source, kind, output, target, input); empty slots and what is none are passed over."""
    for source, kinds in (connections if isinstance(connections, dict) else {}).items():
        for kind, outputs in (kinds if isinstance(kinds, dict) else {}).items():
            for number, slots in enumerate(outputs if isinstance(outputs, list) else []):
                for slot in slots if isinstance(slots, list) else []:
                    if isinstance(slot, dict) and isinstance(slot.get("node"), str):
                        index = slot.get("index")
                        yield source, kind, number, slot["node"], index if isinstance(index, int) and not isinstance(index, bool) else 0


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15

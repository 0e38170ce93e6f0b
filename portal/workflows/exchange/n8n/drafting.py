"""The steps of one workflow while they are made: each node with its line of the report. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from portal.workflows import expressions as ours
from portal.workflows.definition import DEFAULT_ATTEMPTS, DEFAULT_TIMEOUT_S
from portal.workflows.definition import Node as Step
from portal.workflows.exchange.n8n import steps as turns
from portal.workflows.exchange.n8n.expressions import Reader
from portal.workflows.exchange.n8n.flow import Flow, Place, settings_of
from portal.workflows.exchange.n8n.graph import Graph, Node
from portal.workflows.exchange.n8n.made import LONGEST_NOTE, Ask, Made, placeholder
from portal.workflows.exchange.n8n.registry import TURNS
from portal.workflows.exchange.n8n.shape import Shape
from portal.workflows.exchange.n8n.sight import Node as Given
from portal.workflows.exchange.n8n.sight import Sight
from portal.workflows.exchange.n8n.values import At, Declared, Nowhere, Unsure, made_key
from portal.workflows.exchange.reporting import CHANGED, MAPPED, REVIEW, Line

NAMES = {
    "each": ("For each item", "لكل عنصر"), "parallel": ("Side by side", "معًا"), "worked": ("If it worked", "إن نجحت"),
    "goto": ("Back to “{}”", "العودة إلى «{}»"), "fits": ("If one fitted", "إن انطبقت حالة"), "apart": ("Not connected", "غير موصول"),
    "starts": ("How it started", "كيف بدأ"), "passes": ("Pass on", "تمرير"), "goes_on": ("Goes on at “{}”", "يتابع عند «{}»"),
}  # fmt: skip


class Drafting(ABC):
    """Makes the steps of nodes; how lines and lanes are built is told by who builds upon it."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.shape = graph, Shape(graph)
        self.steps: list[Step] = []
        self.keys: set[str] = set()
        self.step_of: dict[str, str] = {}
        self.lines = {name: Line(node.was or name, node.type) for name, node in graph.nodes.items()}
        self.visited: set[str] = set()
        self.declared = Declared()
        self.copies = 0
        self.helpers = {source for held in graph.helpers.values() for source, _kind in held}

    @abstractmethod
    def sequence(self, at: str | None, stop: str | None, flow: Flow, place: Place) -> Flow | None:
        """Build the line from a node up to another; return what comes along it there, None when it ends before."""

    @abstractmethod
    def follow(self, source: str, targets: list[str], stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Go on behind a node: along one way, side by side along several, back along one that leads back."""

    def _ask(self, node: Node, flow: Flow) -> Ask:
        here = flow.given
        if node.raw.get("executeOnce") is True and here.items is not None:
            here = Given(At(f"{here.items}[0]"))
        sight = Sight(here, flow.seen, self.declared, flow.is_each)
        held = [(self.graph.nodes[source], kind) for source, kind in self.graph.helpers.get(node.name, ())]
        key = made_key(node.name, "step", self.keys)
        return Ask(node, key, Reader(sight), self.lines[node.name], held)

    def _turned(self, ask: Ask, flow: Flow) -> Made:
        node = ask.node
        try:
            if node.type == "merge":
                lanes = [(self.graph.inputs.get((lane.source, node.name), [0])[0], lane.given) for lane in flow.lanes]
                return turns.merge(ask, lanes)
            turn = TURNS.get(node.type)
            return turn(ask) if turn else placeholder(ask, note=settings_of(node))
        except Unsure as unsure:
            return placeholder(ask, unsure.code, note=settings_of(node))

    def _place_made(self, ask: Ask, made: Made, place: Place) -> str | None:
        """Add the step of a node; its line says which it is and what was kept as text."""
        node, line, found = ask.node, ask.line, ask.reader.found
        for source in found.kept:
            line.say(REVIEW, "expression", source)
        for code in found.changed:
            line.say(CHANGED, code)
        if made.kind is None:
            line.say(MAPPED, "no_step")
            return None
        kept = [f"{{{{ {source} }}}}" for source in dict.fromkeys(found.kept)]
        note = "\n".join([str(node.raw.get("notes") or "") if isinstance(node.raw.get("notes"), str) else "", made.note, *kept]).strip()
        step: dict[str, Any] = {"note": note[:LONGEST_NOTE]} if note else {}
        if made.was:
            step["was"] = made.was[:200]
        if node.catches:
            step["on_error"] = "lane"
        elif node.goes_on:
            step["on_error"] = "continue"
        if node.raw.get("retryOnFail") is True:
            tries = node.raw.get("maxTries", 3)
            step["retry"] = {"attempts": min(max(int(tries), 1), 10) if isinstance(tries, int | float) and abs(tries) < 1e9 else 3}
            if node.raw.get("waitBetweenTries"):
                line.say(CHANGED, "retry_wait")
        else:
            step["retry"] = {"attempts": 1}
        step["timeout_s"] = made.timeout_s or DEFAULT_TIMEOUT_S
        key = self.add(None, made.kind, made.config, place, key=ask.key, name=node.was or node.name, **step)
        line.step = line.step or key
        if node.was:
            line.say(CHANGED, "renamed", node.name)
        self.step_of[node.name] = key
        place.reach[node.name] = key
        return key

    def _after(self, node: Node, made: Made, flow: Flow) -> Flow:
        given = flow.given
        if made.kind == "group":
            given = Given(Nowhere("placeholder"))
        elif made.out is not None or made.items is not None:
            given = Given(made.out or flow.given.item, made.items)
        elif node.raw.get("executeOnce") is True and flow.given.items is not None:
            given = flow.given
        return Flow(given, node.name, {**flow.seen, node.name: given}, flow.is_each)

    def _never_empty(self, place: Place) -> None:
        """Put a step that does nothing into a lane that would be empty, which a block does not allow."""
        if not any(step["parent"] == place.parent and step["lane"] == place.lane for step in self.steps):
            self.add("passes", "set", {"values": [{"name": "passed", "value": "true"}]}, place)

    def _close_each(self, each: tuple[str, Place, Flow], flow: Flow) -> Flow:
        key, _place, before = each
        step = next(step for step in self.steps if step["key"] == key)
        self._never_empty(Place(key, "each", 0))
        try:
            step["config"]["result"] = flow.given.items if flow.given.items is not None else flow.given.item.read(())
        except Unsure:
            step["config"]["result"] = ""
        items = f"steps.{key}.results"
        inside = set(flow.seen) - set(before.seen)
        seen = {**before.seen, **{name: Given(Nowhere("inside_each")) for name in inside}}
        given = Given(At(f"{items}[0]"), items)
        return Flow(given, flow.source, {**seen, flow.source: given}, before.is_each)

    def add(self, said: str | None, kind: str, config: dict[str, Any], place: Place, *, key: str = "", about: str = "", **more: Any) -> str:
        """Add a step at a place and return its key."""
        key = key or made_key(said or kind, kind, self.keys)
        self.keys.add(key)
        called = more.pop("name", None)
        names = (called, "") if called is not None else tuple(text.format(about) for text in NAMES[str(said)])
        step = {
            "key": key, "kind": kind, "name": names[0][:120], "name_ar": names[1][:120], "parent": place.parent, "lane": place.lane,
            "config": _compiling(config), "retry": {"attempts": DEFAULT_ATTEMPTS}, "timeout_s": DEFAULT_TIMEOUT_S, **more,
        }  # fmt: skip
        self.steps.append(step)
        return key


def _compiling(config: dict[str, Any]) -> dict[str, Any]:
    """Return settings without `${ … }` that does not compile; it would stand in the way of the whole draft."""

    def sound(value: Any) -> Any:
        if isinstance(value, str) and "${" in value:
            try:
                ours.compile_template(value)
            except ours.ExpressionError:
                return value.replace("${", "$${")
        if isinstance(value, list):
            return [sound(each) for each in value]
        if isinstance(value, dict):
            return {name: sound(each) for name, each in value.items()}
        return value

    return {name: value if name == "statement" else sound(value) for name, value in config.items()}

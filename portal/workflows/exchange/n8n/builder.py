"""A graph of n8n → our tree of sequences: lanes that meet again, loops, ways side by side, errors. Pure; never fails, drops nothing.

Where the graph is no tree a step stands twice; where even that does not help a placeholder says where the line went on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from portal.workflows import expressions as ours
from portal.workflows.definition import MAX_LANES
from portal.workflows.definition import Node as Step
from portal.workflows.exchange import secrets
from portal.workflows.exchange.n8n import steps as turns
from portal.workflows.exchange.n8n.expressions import Node as Given
from portal.workflows.exchange.n8n.expressions import Reader, Sight
from portal.workflows.exchange.n8n.graph import Graph, Node, outputs_of
from portal.workflows.exchange.n8n.made import LONGEST_NOTE, Ask, Made, placeholder
from portal.workflows.exchange.n8n.registry import COLLECTS, PASSES, TURNS
from portal.workflows.exchange.n8n.shape import Shape, done_output, loop_output
from portal.workflows.exchange.n8n.values import At, Declared, Either, Item, Nowhere, Renamed, Unsure, made_key
from portal.workflows.exchange.reporting import CHANGED, MAPPED, REVIEW, Line

DEEPEST = 24
MOST_COPIES = 40
NAMES = {
    "each": ("For each item", "لكل عنصر"), "parallel": ("Side by side", "معًا"), "worked": ("If it worked", "إن نجحت"),
    "goto": ("Back to “{}”", "العودة إلى «{}»"), "fits": ("If one fitted", "إن انطبقت حالة"), "apart": ("Not connected", "غير موصول"),
    "starts": ("How it started", "كيف بدأ"), "passes": ("Pass on", "تمرير"), "goes_on": ("Goes on at “{}”", "يتابع عند «{}»"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flow:
    """What comes along a line: the items, the node that they come from, and what each node passed has given."""

    given: Given
    source: str
    seen: dict[str, Given] = field(default_factory=dict)
    is_each: bool = False
    lanes: tuple[Flow, ...] = ()  # where ways that ran side by side have met


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next step goes."""

    parent: str | None
    lane: str | None
    depth: int
    reach: dict[str, str] = field(default_factory=dict)  # nodes that a go-to from here can reach → their steps

    def inside(self, parent: str, lane: str, *, is_block: bool = False) -> Place:
        return Place(parent, lane, self.depth + 1, {} if is_block else dict(self.reach))


Opened = tuple[str, Place, Flow]  # the step that goes through items, where the line goes on behind it, what came to it


class Builder:
    """Builds the steps of one workflow."""

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

    # Lines

    def sequence(self, at: str | None, stop: str | None, flow: Flow, place: Place) -> Flow | None:
        """Build the line from a node up to another; return what comes along it there, None when it ends before."""
        open_: list[Opened] = []
        while at is not None and at != stop:
            if not self._may_stand(at, place):
                return None
            node = self.graph.nodes[at]
            self.visited.add(at)
            if flow.lanes and node.type != "merge":
                self.lines[at].say(CHANGED, "ways_meet")
            flow, place = self._around(node, flow, place, open_)
            at, after, place = self._node(node, stop, flow, place)
            if after is None:
                self._close_all(open_, flow)
                return None
            flow = after
        return self._close_all(open_, flow)

    def _may_stand(self, at: str, place: Place) -> bool:
        """Say whether a step of a node may stand here; otherwise a group marks the place. A second one of it is counted and told."""
        if place.depth > DEEPEST:
            self._goes_on(at, place, "deep")
            return False
        if at in self.visited:
            self.copies += 1
            if self.copies > MOST_COPIES:
                self._goes_on(at, place, "goes_on")
                return False
            self.lines[at].say(CHANGED, "copied")
        return True

    def _around(self, node: Node, flow: Flow, place: Place, open_: list[Opened]) -> tuple[Flow, Place]:
        """Begin to go through the items one by one before a node that works on each, or end it before one that works on all."""
        if node.type in PASSES or node.disabled:
            return flow, place
        if not self._collects(node):
            if flow.given.items is None:
                return flow, place
            opened, flow, place = self._open_each(flow, place)
            open_.append(opened)
            return flow, place
        if open_ and flow.given.items is None:
            opened = open_.pop()
            return self._close_each(opened, flow), opened[1]
        if open_:
            self.lines[node.name].say(CHANGED, "inner_list")
        return flow, place

    def _close_all(self, open_: list[Opened], flow: Flow) -> Flow:
        while open_:
            flow = self._close_each(open_.pop(), flow)
        return flow

    def follow(self, source: str, targets: list[str], stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Go on behind a node: along one way, side by side along several, back along one that leads back."""
        backs = [each for each in targets if (source, each) in self.shape.back and each != stop]
        forward = [each for each in targets if each not in backs]
        for each in backs:
            self._back(each, place, last=not forward)
        if not forward:
            return None, None, place
        if len(forward) == 1:
            return forward[0], flow, place
        meet = stop if stop in forward else self.shape.meet(forward)
        ways = [each for each in forward if each != meet]
        direct = [flow] if meet in forward else []
        if len(ways) == 1:
            reached = self.sequence(ways[0], meet, flow, place)
            flows = [*direct, *([reached] if reached else [])]
        else:
            flows = [*self._side_by_side(ways, meet, flow, place), *direct]
        if meet is None or not flows:
            return None, None, place
        joined = flows[0] if len(flows) == 1 else replace(flows[0], lanes=tuple(flows), seen=_all_seen(flows))
        return meet, joined, place

    def _side_by_side(self, ways: list[str], meet: str | None, flow: Flow, place: Place) -> list[Flow]:
        first, rest = (ways, []) if len(ways) <= MAX_LANES else (ways[: MAX_LANES - 1], ways[MAX_LANES - 1 :])
        key = self.add("parallel", "parallel", {"lanes": len(first) + bool(rest)}, place)
        flows = []
        for number, way in enumerate(first, 1):
            inner = place.inside(key, f"lane_{number}", is_block=True)
            reached = self.sequence(way, meet, flow, inner)
            flows += [reached] if reached else []
            self._never_empty(inner)
        if rest:
            inner = place.inside(key, f"lane_{len(first) + 1}", is_block=True)
            if len(rest) == 1:
                reached = self.sequence(rest[0], meet, flow, inner)
                self._never_empty(inner)
                return [*flows, *([reached] if reached else [])]
            return [*flows, *self._side_by_side(rest, meet, flow, inner)]
        return flows

    def _open_each(self, flow: Flow, place: Place) -> tuple[Opened, Flow, Place]:
        key = self.add("each", "foreach", {"source": "list", "list": flow.given.items, "at_once": 1}, place)
        item = Given(At("item"))
        # The nodes whose items these are: `$('Node').item` means the one at hand.
        same = {name: item for name, given in flow.seen.items() if given.items == flow.given.items}
        inner = Flow(item, flow.source, {**flow.seen, **same}, is_each=True)
        return (key, place, flow), inner, place.inside(key, "each", is_block=True)

    def _close_each(self, each: Opened, flow: Flow) -> Flow:
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

    def _never_empty(self, place: Place) -> None:
        """Put a step that does nothing into a lane that would be empty, which a block does not allow."""
        if not any(step["parent"] == place.parent and step["lane"] == place.lane for step in self.steps):
            self.add("passes", "set", {"values": [{"name": "passed", "value": "true"}]}, place)

    # Nodes

    def _node(self, node: Node, stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Build one node with its lanes; return where the line goes on, with what, and where the next step goes."""
        outs = self.graph.outputs.get(node.name, {})
        if node.disabled:
            return self._disabled(node, stop, flow, place)
        if node.type == "splitInBatches":
            return self._loop(node, stop, flow, place)
        if node.type == "if" or node.type == "switch":
            return self._fork(node, stop, flow, place)
        if node.type == "filter" and flow.given.items is None:
            return self._filtered(node, stop, flow, place)
        regular = sorted(number for number in outs if not (node.catches and number == outputs_of(node)))
        if node.type not in TURNS and len(regular) > 1:
            return self._fork(node, stop, flow, place)
        ask = self._ask(node, flow)
        made = self._turned(ask, flow)
        key = self._place_made(ask, made, place)
        after = self._after(node, made, flow)
        if made.ends:
            return None, None, place
        if node.catches and key is not None:
            return self._caught(node, key, stop, after, place)
        targets = [target for number in regular for target in outs[number]]
        return self.follow(node.name, targets, stop, after, place)

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
            return turn(ask) if turn else placeholder(ask, note=_settings_of(node))
        except Unsure as unsure:
            return placeholder(ask, unsure.code, note=_settings_of(node))

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
        step["timeout_s"] = made.timeout_s or 30
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

    def _disabled(self, node: Node, stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Keep a node that was switched off inside a condition that is never true; the line goes on behind it."""
        ask = self._ask(node, flow)
        made = self._turned(ask, flow) if node.type in TURNS and node.type not in PASSES else placeholder(ask, note=_settings_of(node))
        ask.line.level, ask.line.words = MAPPED, []
        ask.line.say(CHANGED, "disabled")
        holder = self.add(None, "condition", {"when": "false"}, place, key=ask.key, name=node.was or node.name, note=_settings_of(node))
        ask.line.step = ask.line.step or holder
        if made.kind not in (None, "group"):
            inner = made_key(node.name, "step", self.keys)
            self.add(None, str(made.kind), made.config, Place(holder, "then", 0), key=inner, name=node.was or node.name)
        targets = self.graph.outputs.get(node.name, {}).get(0, [])
        after = Flow(flow.given, node.name, {**flow.seen, node.name: flow.given}, flow.is_each, flow.lanes)
        return self.follow(node.name, targets, stop, after, place)

    def _caught(self, node: Node, key: str, stop: str | None, after: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Build the lane of errors; what follows only when it worked stands in a condition."""
        outs, count = self.graph.outputs.get(node.name, {}), outputs_of(node)
        caught = outs.get(count, [])
        worked = [target for number in range(count) for target in outs.get(number, [])]
        meet = self.shape.meet([*worked, *caught]) if worked and caught else None
        meet = stop if stop in (*worked, *caught) else meet
        wrong = Flow(Given(_error_item()), node.name, dict(after.seen), after.is_each)
        lane = place.inside(key, "error")
        at, reached, where = self.follow(node.name, [each for each in caught if each != meet], stop, wrong, lane)
        ended = self.sequence(at, meet, reached, where) if at and reached else (wrong if meet in caught else None)
        if not any(step["parent"] == key and step["lane"] == "error" for step in self.steps):
            next(step for step in self.steps if step["key"] == key)["on_error"] = "continue"
        if worked == [meet]:
            joined = (
                replace(after, given=Given(Either(((f"!has(steps.{key}.error)", after.given.item),), ended.given.item))) if ended else after
            )
            return meet, joined, place
        if not worked:
            return meet, ended, place
        self.lines[node.name].say(CHANGED, "error_lane")
        check = self.add("worked", "condition", {"when": f"!has(steps.{key}.error)"}, place)
        at, reached, where = self.follow(node.name, [each for each in worked if each != meet], stop, after, place.inside(check, "then"))
        passed = self.sequence(at, meet, reached, where) if at and reached else (after if meet in worked else None)
        return meet, self.joined(check, [("then", passed), ("else", ended)]) if meet is not None else None, place

    def _fork(self, node: Node, stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Build a condition or a switch with its lanes, up to where they meet."""
        outs, ask = self.graph.outputs.get(node.name, {}), self._ask(node, flow)
        is_if, lanes = node.type == "if", {}
        if is_if:
            made = Made("condition", {"when": turns.condition_of(ask) or ""})
            lanes = {"then": outs.get(0, []), "else": outs.get(1, [])}
        else:
            cases = (
                turns.cases_of(ask)
                if node.type == "switch"
                else [{"name": str(number), "value": ""} for number in range(max(outs, default=-1) + 1)]
            )
            if node.type != "switch":
                ask.review("unknown", node.type)
            made = Made("switch", {"cases": cases[:20]}, note="" if node.type == "switch" else _settings_of(node))
            count = len(cases) if node.type == "switch" else max(outs, default=-1) + 1
            lanes = {f"case_{number + 1}": outs.get(number, []) for number in range(count)}
            lanes["otherwise"] = self._fallback(node, outs, count)
        key = self._place_made(ask, made, place) or ask.key
        if node.catches and (caught := outs.get(outputs_of(node))):
            self.sequence(caught[0], stop, Flow(Given(_error_item()), node.name, dict(flow.seen)), place.inside(key, "error"))
            if not any(step["parent"] == key and step["lane"] == "error" for step in self.steps):
                next(step for step in self.steps if step["key"] == key)["on_error"] = "continue"
        passing = Flow(flow.given, node.name, {**flow.seen, node.name: flow.given}, flow.is_each)
        targets = [target for ways in lanes.values() for target in ways]
        forward = [each for each in targets if (node.name, each) not in self.shape.back or each == stop]
        ends = is_if and not all(lanes.values())
        meet = None if ends or not forward else stop if stop in forward else self.shape.meet(forward)
        made_flows: list[tuple[str, Flow | None]] = []
        for lane, ways in lanes.items():
            if not ways:
                made_flows.append((lane, None))
                continue
            inner = place.inside(key, lane)
            if ways == [meet]:
                made_flows.append((lane, passing))
                continue
            at, reached, where = self.follow(node.name, [each for each in ways if each != meet], meet or stop, passing, inner)
            end = self.sequence(at, meet or stop, reached, where) if at and reached else (passing if meet in ways else None)
            made_flows.append((lane, end))
        joined = self.joined(key, made_flows)
        if meet is None:
            return stop if joined is not None else None, joined, place
        dropped = [lane for lane, ways in lanes.items() if not ways]
        if dropped and not is_if and meet != stop and joined is not None:
            kept = [lane for lane, ways in lanes.items() if ways]
            numbers = [lane.removeprefix("case_") for lane in kept if lane != "otherwise"] + (["0"] if "otherwise" in kept else [])
            check = self.add("fits", "condition", {"when": f"steps.{key}.number in [{', '.join(numbers)}]"}, place)
            ask.line.say(CHANGED, "nothing_fits")
            place = place.inside(check, "then")
        return meet, joined, place

    def _fallback(self, node: Node, outs: dict[int, list[str]], count: int) -> list[str]:
        """Return where a switch goes when no case fits."""
        wanted = node.parameters.get("fallbackOutput", -1)
        if node.version >= 3:
            options = node.parameters.get("options")
            wanted = options.get("fallbackOutput", "none") if isinstance(options, dict) else "none"
            wanted = count if wanted == "extra" else wanted
        number = int(wanted) if isinstance(wanted, int | str) and str(wanted).isdecimal() and len(str(wanted)) < 3 else -1
        return outs.get(number, [])

    def joined(self, key: str, flows: list[tuple[str, Flow | None]]) -> Flow | None:
        """Return what comes along behind a fork, whichever lane was taken."""
        live = [(lane, flow) for lane, flow in flows if flow is not None]
        if not live:
            return None
        first = live[0][1]
        kind = next(step["kind"] for step in self.steps if step["key"] == key)
        whens = [f"steps.{key}.result" if lane == "then" else f"steps.{key}.number == {lane.removeprefix('case_')}" for lane, _flow in live]
        whens = [
            f"!steps.{key}.result" if lane == "else" and kind == "condition" else when for (lane, _f), when in zip(live, whens, strict=True)
        ]
        cases = tuple((when, flow.given.item) for when, (_lane, flow) in zip(whens, live, strict=True))
        item: Item = Either(cases[:-1], cases[-1][1])
        lists = {flow.given.items for _lane, flow in live}
        items = first.given.items if len(lists) == 1 else None
        if len(lists) > 1:
            made = _listed(live[-1][1].given)
            for when, (_lane, flow) in list(zip(whens, live, strict=True))[-2::-1]:
                made = f"({when} ? dyn({_listed(flow.given)}) : dyn({made}))"
            items, item = made, At(f"{made}[0]")
        return Flow(Given(item, items), first.source, _all_seen([flow for _lane, flow in live]), first.is_each)

    def _filtered(self, node: Node, stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Build a filter of one item: a condition that holds the rest of the line."""
        ask = self._ask(node, flow)
        ask.changed("filter_one")
        key = self._place_made(ask, Made("condition", {"when": turns.condition_of(ask) or ""}), place) or ask.key
        passing = Flow(flow.given, node.name, {**flow.seen, node.name: flow.given}, flow.is_each)
        return self.follow(node.name, self.graph.outputs.get(node.name, {}).get(0, []), stop, passing, place.inside(key, "then"))

    def _loop(self, node: Node, stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Build a loop over items: its body up to the wire back, then what comes when it is done."""
        ask, outs = self._ask(node, flow), self.graph.outputs.get(node.name, {})
        size = node.parameters.get("batchSize", 1 if node.version >= 3 else 10)
        if size != 1:
            ask.changed("batches", size if isinstance(size, int) else "")
        if node.version < 2:
            ask.review("old_loop")
        try:
            list_ = ask.list_of_items()
        except Unsure as unsure:
            list_ = ""
            ask.review(unsure.code)
        made = Made("foreach", {"source": "list", "list": list_, "at_once": 1})
        key = self._place_made(ask, made, place) or ask.key
        step = next(step for step in self.steps if step["key"] == key)
        step.pop("on_error", None)
        item = Given(At("item"))
        same = {name: item for name, given in flow.seen.items() if given.items == list_}
        inner = Flow(item, node.name, {**flow.seen, **same, node.name: item}, is_each=True)
        where = place.inside(key, "each", is_block=True)
        body = [each for each in outs.get(loop_output(node.version), []) if each != node.name]
        at, reached, where = self.follow(node.name, body, node.name, inner, where)
        ended = self.sequence(at, node.name, reached, where) if at and reached else None
        after = self._close_each((key, place, flow), ended or replace(inner, given=Given(At("item"))))
        given = Given(At(f"steps.{key}.results[0]"), f"steps.{key}.results")
        after = replace(after, source=node.name, seen={**after.seen, node.name: given})
        done = [each for each in outs.get(done_output(node.version), []) if each != node.name]
        return self.follow(node.name, done, stop, after, place)

    # Ways that are no line

    def _back(self, target: str, place: Place, *, last: bool) -> None:
        """Go back to a node that stands on this line, or on one around it."""
        key = place.reach.get(target)
        if key is None or not last:
            self._goes_on(target, place, "back")
            return
        name = self.graph.nodes[target].name
        self.add("goto", "goto", {"to": key, "most": 100}, place, about=name)
        self.lines[target].say(CHANGED, "loop_back")

    def _goes_on(self, target: str, place: Place, code: str) -> None:
        self.add("goes_on", "group", {}, place, about=target, was=f"n8n: → {target}"[:200])
        self.lines[target].say(REVIEW, code)

    def _collects(self, node: Node) -> bool:
        """Say whether a node works on all items at once."""
        if node.raw.get("executeOnce") is True or node.type in COLLECTS:
            return True
        if node.type == "set":
            keeps = node.parameters.get("includeOtherFields") is True or (
                node.version < 3 and node.parameters.get("keepOnlySet") is not True
            )
            return not keeps and not (3 <= node.version < 3.3) and node.parameters.get("mode") != "raw"
        return False

    def add(self, said: str | None, kind: str, config: dict[str, Any], place: Place, *, key: str = "", about: str = "", **more: Any) -> str:
        """Add a step at a place and return its key."""
        key = key or made_key(said or kind, kind, self.keys)
        self.keys.add(key)
        called = more.pop("name", None)
        names = (called, "") if called is not None else tuple(text.format(about) for text in NAMES[str(said)])
        step = {
            "key": key, "kind": kind, "name": names[0][:120], "name_ar": names[1][:120], "parent": place.parent, "lane": place.lane,
            "config": _compiling(config), "retry": {"attempts": 3}, "timeout_s": 30, **more,
        }  # fmt: skip
        self.steps.append(step)
        return key


def _all_seen(flows: list[Flow]) -> dict[str, Given]:
    return {name: given for flow in flows for name, given in flow.seen.items()}


def _listed(given: Given) -> str:
    if given.items is not None:
        return given.items
    try:
        return f"[dyn({given.item.read(())})]"
    except Unsure:
        return "[]"


def _error_item() -> Item:
    return Renamed(
        {
            ("error", "message"): "error.detail",
            ("error", "name"): "error.code",
            ("error",): "error.detail",
            ("error", "description"): "error.detail",
        }
    )


def _settings_of(node: Node) -> str:
    """Return the settings of a node as a note: what a person needs to build it anew; never its credentials."""
    text = json.dumps(secrets.without("", node.parameters), ensure_ascii=False, indent=1, default=str)
    return f"{node.type} {node.version:g}\n{text if node.parameters else ''}".strip()[:LONGEST_NOTE]


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

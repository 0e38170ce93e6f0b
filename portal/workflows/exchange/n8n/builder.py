"""A graph of n8n → our tree of sequences: lanes that meet again, loops, ways side by side, errors. Pure; never fails, drops nothing.

Where the graph is no tree a step stands twice; where even that does not help a placeholder says where the line went on.
"""

from __future__ import annotations

from dataclasses import replace

from portal.workflows.definition import MAX_LANES
from portal.workflows.exchange.n8n.flow import Flow, Place, all_seen
from portal.workflows.exchange.n8n.forks import Forks
from portal.workflows.exchange.n8n.graph import Node, outputs_of
from portal.workflows.exchange.n8n.registry import COLLECTS, PASSES, TURNS
from portal.workflows.exchange.n8n.sight import Node as Given
from portal.workflows.exchange.n8n.values import At
from portal.workflows.exchange.reporting import CHANGED, REVIEW

DEEPEST = 24
MOST_COPIES = 40
MOST_MADE = 600  # three times of what can be published
Opened = tuple[str, Place, Flow]  # the step that goes through items, where the line goes on behind it, what came to it


class Builder(Forks):
    """Builds the steps of one workflow."""

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
        if len(self.steps) >= MOST_MADE:
            self._leave_out(at)
            return False
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

    def _leave_out(self, at: str) -> None:
        """Say of a node that the workflow has more steps than anybody could look at."""
        self.visited.add(at)
        self.lines[at].say(REVIEW, "too_many_steps")

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
        if len(self.steps) >= MOST_MADE:
            for each in targets:
                self._leave_out(each)
            return None, None, place
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
        joined = flows[0] if len(flows) == 1 else replace(flows[0], lanes=tuple(flows), seen=all_seen(flows))
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

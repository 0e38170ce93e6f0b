"""Nodes with several ways out: forks, loops, errors, and those that were switched off. Pure."""

from __future__ import annotations

from dataclasses import replace

from portal.workflows.definition import Node as Step
from portal.workflows.exchange.n8n import steps as turns
from portal.workflows.exchange.n8n.drafting import Drafting
from portal.workflows.exchange.n8n.flow import Flow, Place, all_seen, error_item, listed, settings_of
from portal.workflows.exchange.n8n.graph import Node, outputs_of
from portal.workflows.exchange.n8n.made import Made, placeholder
from portal.workflows.exchange.n8n.registry import PASSES, TURNS
from portal.workflows.exchange.n8n.shape import done_output, loop_output
from portal.workflows.exchange.n8n.sight import Node as Given
from portal.workflows.exchange.n8n.values import At, Either, Item, Unsure, made_key
from portal.workflows.exchange.reporting import CHANGED, MAPPED


class Forks(Drafting):
    """Builds nodes whose ways out are lanes."""

    def _disabled(self, node: Node, stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Keep a node that was switched off inside a condition that is never true; the line goes on behind it."""
        ask = self._ask(node, flow)
        made = self._turned(ask, flow) if node.type in TURNS and node.type not in PASSES else placeholder(ask, note=settings_of(node))
        ask.line.level, ask.line.words = MAPPED, []
        ask.line.say(CHANGED, "disabled")
        holder = self.add(None, "condition", {"when": "false"}, place, key=ask.key, name=node.was or node.name, note=settings_of(node))
        ask.line.step = ask.line.step or holder
        if made.kind not in (None, "group"):
            inner = made_key(node.name, "step", self.keys)
            self.add(None, str(made.kind), made.config, Place(holder, "then", 0), key=inner, name=node.was or node.name)
        targets = self.graph.outputs.get(node.name, {}).get(0, [])
        after = replace(flow.past(node.name), lanes=flow.lanes)
        return self.follow(node.name, targets, stop, after, place)

    def _caught(self, node: Node, key: str, stop: str | None, after: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Build the lane of errors; what follows only when it worked stands in a condition."""
        outs, count = self.graph.outputs.get(node.name, {}), outputs_of(node)
        caught = outs.get(count, [])
        worked = [target for number in range(count) for target in outs.get(number, [])]
        meet = self.shape.meet([*worked, *caught]) if worked and caught else None
        meet = stop if stop in (*worked, *caught) else meet
        wrong = Flow(Given(error_item()), node.name, dict(after.seen), after.is_each)
        lane = place.inside(key, "error")
        at, reached, where = self.follow(node.name, [each for each in caught if each != meet], stop, wrong, lane)
        ended = self.sequence(at, meet, reached, where) if at and reached else (wrong if meet in caught else None)
        self._go_on_without_lane(key)
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
            if node.type == "switch":
                cases, note = turns.cases_of(ask), ""
            else:
                ask.review("unknown", node.type)
                cases, note = [{"name": str(number), "value": ""} for number in range(max(outs, default=-1) + 1)], settings_of(node)
            made = Made("switch", {"cases": cases[:20]}, note=note)
            lanes = {f"case_{number + 1}": outs.get(number, []) for number in range(len(cases))}
            lanes["otherwise"] = self._fallback(node, outs, len(cases))
        key = self._place_made(ask, made, place) or ask.key
        if node.catches and (caught := outs.get(outputs_of(node))):
            self.sequence(caught[0], stop, Flow(Given(error_item()), node.name, dict(flow.seen)), place.inside(key, "error"))
            self._go_on_without_lane(key)
        passing = flow.past(node.name)
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

    def _go_on_without_lane(self, key: str) -> None:
        """Let the line go on after an error of a step whose lane of errors stayed empty."""
        if not any(step["parent"] == key and step["lane"] == "error" for step in self.steps):
            self._step(key)["on_error"] = "continue"

    def _step(self, key: str) -> Step:
        return next(step for step in self.steps if step["key"] == key)

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
        kind = self._step(key)["kind"]
        whens = [f"steps.{key}.result" if lane == "then" else f"steps.{key}.number == {lane.removeprefix('case_')}" for lane, _flow in live]
        whens = [
            f"!steps.{key}.result" if lane == "else" and kind == "condition" else when for (lane, _f), when in zip(live, whens, strict=True)
        ]
        cases = tuple((when, flow.given.item) for when, (_lane, flow) in zip(whens, live, strict=True))
        item: Item = Either(cases[:-1], cases[-1][1])
        lists = {flow.given.items for _lane, flow in live}
        items = first.given.items if len(lists) == 1 else None
        if len(lists) > 1:
            made = listed(live[-1][1].given)
            for when, (_lane, flow) in list(zip(whens, live, strict=True))[-2::-1]:
                made = f"({when} ? dyn({listed(flow.given)}) : dyn({made}))"
            items, item = made, At(f"{made}[0]")
        return Flow(Given(item, items), first.source, all_seen([flow for _lane, flow in live]), first.is_each)

    def _filtered(self, node: Node, stop: str | None, flow: Flow, place: Place) -> tuple[str | None, Flow | None, Place]:
        """Build a filter of one item: a condition that holds the rest of the line."""
        ask = self._ask(node, flow)
        ask.changed("filter_one")
        key = self._place_made(ask, Made("condition", {"when": turns.condition_of(ask) or ""}), place) or ask.key
        passing = flow.past(node.name)
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
        self._step(key).pop("on_error", None)
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

"""Where the ways of a graph meet again, and which wires lead back. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from portal.workflows.exchange.n8n.graph import Graph


class Shape:
    """The graph without the wires that lead back: for each node, which nodes every way from it passes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.back: set[tuple[str, str]] = set()
        self.order: dict[str, int] = {}
        self._after: dict[str, int] = {}
        self._bit = {name: 1 << number for number, name in enumerate(graph.nodes)}
        self._walk()

    def next(self, name: str) -> list[str]:
        """Return what follows a node, forwards."""
        seen: list[str] = []
        for number in sorted(self.graph.outputs.get(name, {})):
            seen += [each for each in self.graph.outputs[name][number] if (name, each) not in self.back and each not in seen]
        return seen

    def meet(self, names: Iterable[str]) -> str | None:
        """Return the first node that all ways from all these nodes come to; None when there is none."""
        common = -1
        for name in names:
            common &= self._after.get(name, 0)
        if common <= 0:
            return None
        # What all ways pass lies on one line; the first of it is the latest in the order in which nodes were finished.
        found = [name for name, bit in self._bit.items() if common & bit]
        return min(found, key=lambda name: self.order[name])

    def _walk(self) -> None:
        """Visit every node once, without recursion; a wire to a node that is still open leads back."""
        open_, done = set(), []
        entered: set[str] = set()
        starts = [name for name, node in self.graph.nodes.items() if node.is_trigger] + list(self.graph.nodes)
        for start in starts:
            if start in entered:
                continue
            entered.add(start)
            open_.add(start)
            stack = [(start, iter(self._targets(start)))]
            while stack:
                name, targets = stack[-1]
                target = next(targets, None)
                if target is None:
                    stack.pop()
                    open_.discard(name)
                    done.append(name)
                elif target in open_:
                    self.back.add((name, target))
                elif target not in entered:
                    entered.add(target)
                    open_.add(target)
                    stack.append((target, iter(self._targets(target))))
        self.order = {name: len(done) - number for number, name in enumerate(done)}
        for name in done:  # what follows is finished before it
            after, following = -1, self._ways(name)
            for each in following:
                after &= self._after[each]
            self._after[name] = (0 if not following else after) | self._bit[name]

    def _targets(self, name: str) -> list[str]:
        outputs = self.graph.outputs.get(name, {})
        return [each for number in sorted(outputs) for each in outputs[number]]

    def _ways(self, name: str) -> list[str]:
        """Return what a node's ways lead to: of a loop over items only what comes after it."""
        node = self.graph.nodes[name]
        if node.type == "splitInBatches":
            done = done_output(node.version)
            return [each for each in self.graph.outputs.get(name, {}).get(done, []) if (name, each) not in self.back]
        if node.type == "if" and not node.disabled and not all(self.graph.outputs.get(name, {}).get(side) for side in (0, 1)):
            return []  # one of its two ways ends here
        return self.next(name)


def done_output(version: float) -> int:
    """Return which output of a loop is taken when it is done; 3 changed the order, 1 had none."""
    return 0 if version >= 3 else 1


def loop_output(version: float) -> int:
    """Return which output of a loop leads into its body."""
    return 1 if version >= 3 else 0

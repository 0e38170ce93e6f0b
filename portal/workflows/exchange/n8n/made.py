"""What a node of n8n becomes, and what one that is being turned can ask for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from portal.workflows import literals
from portal.workflows.exchange.n8n.expressions import Reader
from portal.workflows.exchange.n8n.graph import Node
from portal.workflows.exchange.n8n.sight import Sight
from portal.workflows.exchange.n8n.values import At, Item
from portal.workflows.exchange.reporting import CHANGED, REVIEW, Line
from portal.workflows.stripping import LEFT_OUT

LONGEST_NOTE = 2_000


@dataclass(slots=True)
class Made:
    """The step that stands for a node; without a kind there is none, and the line goes on with what came.

    `out` is what the node gives: a path below the step's own output, an item, or None for what came in; `many` when it is a list of items.
    """

    kind: str | None
    config: dict[str, Any] = field(default_factory=dict)
    out: Item | None = None
    items: str | None = None
    retry: dict[str, Any] | None = None
    timeout_s: int | None = None
    note: str = ""
    was: str = ""
    ends: bool = False  # nothing can follow it


@dataclass(slots=True)
class Ask:
    """A node that is being turned: its settings, what it can see, and its line in the report."""

    node: Node
    key: str
    reader: Reader
    line: Line
    helpers: list[tuple[Node, str]] = field(default_factory=list)

    @property
    def given(self) -> dict[str, Any]:
        return self.node.parameters

    @property
    def sight(self) -> Sight:
        return self.reader.sight

    def at(self, *keys: str) -> At:
        """Return what stands below the output of the step."""
        return At(".".join(["steps", self.key, *keys]))

    def changed(self, code: str, about: Any = "") -> None:
        self.line.say(CHANGED, code, about)

    def review(self, code: str, about: Any = "") -> None:
        self.line.say(REVIEW, code, about)

    def text(self, value: Any) -> str:
        """Return a setting as a text of ours."""
        return self.reader.text("" if value is None else value)

    def pairs(self, rows: list[dict[str, Any]], name: str = "name", value: str = "value") -> list[dict[str, str]]:
        """Return rows with a name and a value as pairs of ours; what looks like a secret is left out."""
        found = []
        for row in rows:
            called, text = self.text(row.get(name)), self.text(row.get(value))
            if literals.looks_secret(called, text):
                self.review("secret", called)
                text = LEFT_OUT
            if called:
                found.append({"name": called, "value": text})
        return found

    def list_of_items(self) -> str:
        """Return CEL of the list of all items that come to the node."""
        here = self.sight.here
        if here.items is not None:
            return here.items
        item = here.item.read(())
        return f"(type({item}) == list ? dyn({item}) : dyn([{item}]))"


Turn = Callable[[Ask], Made]


def placeholder(ask: Ask, code: str = "unknown", about: str = "", *, note: str = "") -> Made:
    """Return a group with nothing in it, which the check of the draft names until something is put there."""
    node = ask.node
    ask.review(code, about or node.type)
    was = f"n8n: {node.type or '?'} {node.version:g}"
    return Made("group", note=note, was=was, out=None)

"""Random workflows whose counters are known: which calls must arrive, each under one key, and how many rows must be there.

Each is made of pieces in a random order, nested at random: a chain of calls, lanes side by side, a for-each, a repeat, a group
whose failure is caught, a jump back. A call says which run and which place it comes from, so that every one can be counted.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Node = dict[str, Any]
MAX_DEPTH = 2


@dataclass
class Program:
    """The steps of a workflow, and what a run of it must leave behind."""

    address: str
    chance: random.Random
    nodes: list[Node] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, address: str, seed: int) -> Program:
        """Make the program that belongs to a seed."""
        program = cls(address, random.Random(seed))
        program._fill(None, None, [""], 0)
        return program

    def _fill(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        """Put pieces into a lane that runs once for each of these labels."""
        pieces: list[Callable[..., None]] = [self._call, self._row]
        if depth < MAX_DEPTH:
            pieces += [self._parallel, self._foreach, self._repeat, self._group]
        for piece in self.chance.sample(pieces, k=min(len(pieces), 4 if depth == 0 else 2)):
            piece(parent, lane, labels, depth)

    def _add(self, kind: str, parent: str | None, lane: str | None, config: dict[str, Any], **more: Any) -> str:
        key = f"{kind}_{len(self.nodes)}"
        place = {"name": key, "name_ar": None, "parent": parent, "lane": lane, "on_error": "fail", "undo": False, **more}
        self.nodes.append({"key": key, "kind": kind, **place, "config": config, "retry": {"attempts": 10}, "timeout_s": 30})
        return key

    def _call(self, parent: str | None, lane: str | None, labels: list[str], _depth: int) -> None:
        key = f"webhook_{len(self.nodes)}"
        body = f'{{"run": "${{ run.id }}", "step": "{key}{self._suffix(labels)}"}}'
        config = {"method": "POST", "url": f"http://{self.address}/", "headers": [], "body": body, "if_cut_off": "repeat"}
        self._add("webhook", parent, lane, config)
        self.calls |= {f"{key}{label}" for label in labels}

    def _row(self, parent: str | None, lane: str | None, labels: list[str], _depth: int) -> None:
        key = f"database_{len(self.nodes)}"
        values = [{"name": "run", "value": "${ run.id }"}, {"name": "step", "value": f"{key}{self._suffix(labels)}"}]
        self._add("database", parent, lane, {"table": "rows", "operation": "insert", "values": values})
        self.rows |= {f"{key}{label}" for label in labels}

    def _suffix(self, labels: list[str]) -> str:
        """Return the template of the labels of a lane: where it stands in the loops around it."""
        return f"${{ steps.{self._marks[-1]}.at }}" if labels != [""] else ""

    @property
    def _marks(self) -> list[str]:
        return [node["key"] for node in self.nodes if node["kind"] == "set" and node.get("marks")]

    def _parallel(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        key = self._add("parallel", parent, lane, {"lanes": 2, "join": "all"})
        for number in (1, 2):
            self._call(key, f"lane_{number}", labels, depth)
            self._row(key, f"lane_{number}", labels, depth)

    def _foreach(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        if labels != [""]:
            return  # one loop is enough: what is nested deeper is counted by the loops around it
        times = self.chance.randint(2, 5)
        config = {"source": "times", "times": times, "at_once": self.chance.randint(1, 3), "if_fails": "stop"}
        key = self._add("foreach", parent, lane, config)
        self._marked(key, [f"-{number}" for number in range(times)], "-${ index }", depth)

    def _repeat(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        if labels != [""]:
            return
        rounds = self.chance.randint(1, 3)
        key = self._add("repeat", parent, lane, {"until": f"round >= {rounds}", "rounds": 5, "if_spent": "fail"})
        self._marked(key, [f"-{number}" for number in range(1, rounds + 1)], "-${ round }", depth)

    def _marked(self, key: str, labels: list[str], mark: str, depth: int) -> None:
        self._add("set", key, "each", {"values": [{"name": "at", "value": mark}]}, marks=True)
        self._call(key, "each", labels, depth)
        self._fill(key, "each", labels, depth + 1)

    def _group(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        key = self._add("group", parent, lane, {}, on_error="lane")
        self._call(key, "do", labels, depth)
        self._add("set", key, "do", {"values": [{"name": "x", "value": "${ int('fails') }"}]})
        self._call(key, "error", labels, depth)

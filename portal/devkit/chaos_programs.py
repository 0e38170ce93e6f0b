"""Random workflows whose counters are known: which calls must arrive, each under one key, and how many rows must be there.

Each is made of pieces in a random order, nested at random: a chain of calls, lanes side by side, a for-each, a repeat, a group
whose failure is caught, a jump back, another workflow, a signal, a callback, a question to a person. A call says which run and which
place it comes from, so that every one can be counted. Others fail at their end, and take back what they did.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Node = dict[str, Any]
MAX_DEPTH = 2


@dataclass(frozen=True)
class Known:
    """A workflow, and what a run of it must leave behind.

    Args:
        calls: the calls that must come, each under so many keys: a jump back makes a call again, under another one.
        rows: the rows that must be there, once.
        signals: what must be told to it.
        hook: path and secret of the address that starts it.
    """

    workflow_id: UUID
    calls: dict[str, int]
    rows: frozenset[str] = frozenset()
    signals: frozenset[str] = frozenset()
    status: str = "succeeded"
    hook: tuple[str, str] = ("", "")


@dataclass
class Program:
    """The steps of a workflow, and what a run of it must leave behind.

    Args:
        child: the workflow that a sub-workflow calls; it makes one call in the name of its input `run`, from its input `mark`.
        person: who is asked.
    """

    address: str
    chance: random.Random
    child: UUID
    person: UUID
    nodes: list[Node] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    rows: set[str] = field(default_factory=set)
    signals: set[str] = field(default_factory=set)
    status: str = "succeeded"

    @classmethod
    def of(cls, address: str, seed: int, *, child: UUID, person: UUID) -> Program:
        """Make the program that belongs to a seed."""
        program = cls(address, random.Random(seed), child, person)
        program._fill(None, None, [""], 0)
        return program

    @classmethod
    def undoing(cls, address: str, seed: int, *, child: UUID, person: UUID) -> Program:
        """Make a program that fails at its end, and takes back its calls."""
        program = cls(address, random.Random(seed), child, person, status="compensated")
        for _ in range(3):
            key = program._call(None, None, [""], 0, undo=True)
            program._call(key, "undo", [""], 0)
        program._told(None, None, [""], 0)
        program._add("set", None, None, {"values": [{"name": "x", "value": "${ int('fails') }"}]})
        return program

    def _fill(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        """Put pieces into a lane that runs once for each of these labels."""
        pieces: list[Callable[..., object]] = [self._call, self._row]
        if depth < MAX_DEPTH:
            pieces += [
                self._parallel,
                self._foreach,
                self._repeat,
                self._group,
                self._child,
                self._back,
                self._told,
                self._called,
                self._asked,
            ]
        for piece in self.chance.sample(pieces, k=min(len(pieces), 5 if depth == 0 else 2)):
            piece(parent, lane, labels, depth)

    def _add(self, kind: str, parent: str | None, lane: str | None, config: dict[str, Any], **more: Any) -> str:
        key = f"{kind}_{len(self.nodes)}"
        place = {"name": key, "name_ar": None, "parent": parent, "lane": lane, "on_error": "fail", "undo": False, **more}
        self.nodes.append({"key": key, "kind": kind, **place, "config": config, "retry": {"attempts": 10}, "timeout_s": 30})
        return key

    def _call(
        self, parent: str | None, lane: str | None, labels: list[str], _depth: int, *, keys: int = 1, callback: str = "", **more: Any
    ) -> str:
        key = f"webhook_{len(self.nodes)}"
        says = f', "callback": "${{ run.callback.{callback} }}"' if callback else ""
        body = f'{{"run": "${{ run.id }}", "step": "{key}{self._suffix(labels)}"{says}}}'
        config = {"method": "POST", "url": f"http://{self.address}/", "headers": [], "body": body, "if_cut_off": "repeat"}
        self._add("webhook", parent, lane, config, **more)
        self.calls |= {f"{key}{label}": keys for label in labels}
        return key

    def _child(self, parent: str | None, lane: str | None, labels: list[str], _depth: int) -> None:
        key = f"subworkflow_{len(self.nodes)}"
        given = {"run": "${ run.id }", "mark": f"{key}{self._suffix(labels)}"}
        inputs = [{"name": name, "value": value} for name, value in given.items()]
        self._add("subworkflow", parent, lane, {"workflow": str(self.child), "inputs": inputs})
        self.calls |= {f"{key}{label}": 1 for label in labels}

    def _back(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        key = self._call(parent, lane, labels, depth, keys=2)
        self._add("goto", parent, lane, {"to": key, "when": "", "most": 1, "if_spent": "continue"})

    def _told(self, parent: str | None, lane: str | None, labels: list[str], _depth: int) -> None:
        key = f"signal_{len(self.nodes)}"
        self._add("signal", parent, lane, {"signal": "go", "corr_key": f"${{ run.id }}/{key}{self._suffix(labels)}"})
        self.signals |= {f"{key}{label}" for label in labels}

    def _called(self, parent: str | None, lane: str | None, labels: list[str], depth: int) -> None:
        self._call(parent, lane, labels, depth, callback=f"callback_{len(self.nodes) + 1}")
        self._add("callback", parent, lane, {})

    def _asked(self, parent: str | None, lane: str | None, _labels: list[str], _depth: int) -> None:
        self._add("approval", parent, lane, {"title": "Chaos", "title_ar": "فوضى", "candidates": [f"person:{self.person}"]})

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

"""What a path of n8n means in a run of ours: the current item, the output of a node, what came in. Pure.

A value is an `Item`: it says for a path the CEL that reads it, and whether it stands there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from portal.workflows.exchange.n8n.cel import RESERVED, part, quoted

Keys = tuple[str | int, ...]
NUMBER, TEXT, TRUTH, MOMENT = "number", "text", "boolean", "date"
LONGEST_INPUT_TEXT = 120
MOST_INPUTS = 200


class Unsure(Exception):
    """Nobody can say where this stands in ours; `.code` names the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Item(Protocol):
    """One item of n8n, where it stands in a run of ours."""

    def read(self, keys: Keys) -> str:
        """Return the CEL that reads a path of it; without keys the whole of it.

        Raises:
            Unsure: it is not known.
        """

    def present(self, keys: Keys) -> str:
        """Return the CEL that says whether the last part of a path is there."""


def _present(base: str, keys: Keys) -> str:
    if not keys:
        return "true"
    before = part(base, keys[:-1])
    last = keys[-1]
    return f"size({before}) > {last}" if isinstance(last, int) else f"{quoted(last)} in {before}"


@dataclass(frozen=True, slots=True)
class At:
    """Everything below one CEL path."""

    base: str

    def read(self, keys: Keys) -> str:
        return part(self.base, keys)

    def present(self, keys: Keys) -> str:
        return _present(self.base, keys)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """It is not kept in a run of ours."""

    code: str = "no_item"

    def read(self, keys: Keys) -> str:
        raise Unsure(self.code)

    def present(self, keys: Keys) -> str:
        raise Unsure(self.code)


@dataclass(frozen=True, slots=True)
class Renamed:
    """Parts that have other names with us; what is not among them is read from `rest`."""

    names: dict[Keys, str]
    rest: Item = field(default_factory=Nowhere)

    def read(self, keys: Keys) -> str:
        for depth in range(len(keys), 0, -1):
            if (base := self.names.get(keys[:depth])) is not None:
                return part(base, keys[depth:])
        if any(name[: len(keys)] == keys for name in self.names) and not (not keys and len(self.names) > 50):
            if isinstance(self.rest, Nowhere):
                below = {name[len(keys)]: base for name, base in self.names.items() if len(name) == len(keys) + 1}
                return "{" + ", ".join(f"{quoted(str(name))}: {base}" for name, base in below.items()) + "}"
            raise Unsure("mixed_item")
        return self.rest.read(keys)

    def present(self, keys: Keys) -> str:
        for depth in range(len(keys), 0, -1):
            if (base := self.names.get(keys[:depth])) is not None:
                return _present(base, keys[depth:])
        return self.rest.present(keys)


@dataclass(frozen=True, slots=True)
class Either:
    """One of several, by what a fork decided."""

    cases: tuple[tuple[str, Item], ...]  # CEL that is true, and what it is then
    otherwise: Item

    def read(self, keys: Keys) -> str:
        return self._chosen(lambda item: item.read(keys))

    def present(self, keys: Keys) -> str:
        return self._chosen(lambda item: item.present(keys))

    def _chosen(self, ask: Callable[[Item], str]) -> str:
        last = ask(self.otherwise)
        texts = [(when, ask(item)) for when, item in self.cases]
        if all(text == last for _when, text in texts):
            return last
        made = last
        for when, text in reversed(texts):
            made = f"({when} ? dyn({text}) : dyn({made}))"
        if len(made) > 600:
            raise Unsure("too_many_ways")
        return made


@dataclass(slots=True)
class Declared:
    """The inputs that a workflow has to ask for, found by what its nodes read of what came in."""

    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    paths: dict[Keys, str] = field(default_factory=dict)  # where in what came in → the input
    turned: int = 0  # expressions of the workflow so far

    def declare(self, keys: Keys, label: str, kind: str = TEXT, *, required: bool = False, choices: list[str] | None = None) -> str:
        """Return the key of the input that stands for a path, made when it is first asked for."""
        if keys in self.paths:
            return self.paths[keys]
        if len(self.inputs) >= MOST_INPUTS:
            raise Unsure("too_many_inputs")
        key = made_key(label, "input", set(self.inputs))
        self.inputs[key] = {
            "key": key,
            "type": kind,
            "label": label[:LONGEST_INPUT_TEXT] or key,
            "label_ar": "",
            "required": required,
            "choices": choices or [],
        }
        self.paths[keys] = key
        return key

    def suppose(self, cel: str, kind: str) -> None:
        """Note that an input is used as a number, or as true or false."""
        found = self.inputs.get(cel.removeprefix("input."))
        if cel.startswith("input.") and found is not None and found["type"] == TEXT:
            found["type"] = kind


@dataclass(frozen=True, slots=True)
class CameIn:
    """What started the run: each path that is read becomes an input."""

    declared: Declared
    names: dict[Keys, str] = field(default_factory=dict)  # paths that n8n calls otherwise

    def read(self, keys: Keys) -> str:
        if not keys:
            return "input"
        known = self.names.get(keys)
        keys = (known,) if known else keys
        texts = [str(each) for each in keys]
        if keys in (("body",), ("headers",), ("query",), ("params",)):
            raise Unsure("whole_request")
        return f"input.{self.declared.declare(keys, texts[-1])}"

    def present(self, keys: Keys) -> str:
        return f"{self.read(keys)} != null"


def made_key(name: str, usual: str, taken: set[str]) -> str:
    """Return a key for a name that is not taken: of its Latin letters, or a usual one with a number."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    slug = slug if slug[:1].isalpha() else f"{usual}_{slug}" if slug else usual
    slug = slug[:34].strip("_")
    slug = f"{slug}_{usual}" if slug in RESERVED else slug
    key, number = slug, 2
    while key in taken:
        key, number = f"{slug}_{number}", number + 1
    return key

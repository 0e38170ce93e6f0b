"""What two runs of a workflow did differently: the way, the time, and the values of each step. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.workflows.runs.trees import below

MOST = 12  # differences that are named of one value
DEEPEST = 8
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Side:
    """What one run knows of a step: None as `state` when it never came there. Its values are as people see them: dots are equal to dots."""

    state: str | None = None
    port: str | None = None
    took_ms: int | None = None
    runs: int = 0
    attempts: int = 0
    input: Any = None
    output: Any = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One field that differs; None for the side that does not have it."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """One step of both runs."""

    key: str
    old: Side
    new: Side
    fields: tuple[Field, ...]
    is_cut: bool

    @property
    def other_way(self) -> bool:
        """Whether one of them went elsewhere: another end, another way out, or not here at all."""
        return (_went(self.old), self.old.port) != (_went(self.new), self.new.port)

    @property
    def delta_ms(self) -> int | None:
        """How much longer the newer one took."""
        return None if self.old.took_ms is None or self.new.took_ms is None else self.new.took_ms - self.old.took_ms

    @property
    def is_same(self) -> bool:
        """Whether nothing but the time differs."""
        return not self.other_way and not self.fields and self.old.runs == self.new.runs and self.old.code == self.new.code


def _went(side: Side) -> str | None:
    """A step that was passed over is as one that was never reached."""
    return None if side.state == "skipped" else side.state


def pair_up(keys: Sequence[str], old: Mapping[str, Side], new: Mapping[str, Side]) -> list[Pair]:
    """Put the steps of two runs side by side, in the order of `keys`."""
    nothing = Side()
    return [_pair(key, old.get(key, nothing), new.get(key, nothing)) for key in keys]


def _pair(key: str, old: Side, new: Side) -> Pair:
    if _went(old) is None or _went(new) is None or old.runs > 1 or new.runs > 1:
        return Pair(key, old, new, (), is_cut=False)
    # A step that was taken over from another run has no input of its own: it is not there to be compared.
    asked = [] if old.input is None or new.input is None else fields(old.input, new.input, f"steps.{key}.input")
    found = [*asked, *fields(old.output, new.output, f"steps.{key}")]
    return Pair(key, old, new, tuple(found[:MOST]), len(found) > MOST)


def fields(old: Any, new: Any, path: str, depth: int = 0) -> Iterator[Field]:
    """Give the fields in which two values differ, the whole value where they are of different kinds."""
    if old is ABSENT or new is ABSENT or type(old) is not type(new) or depth >= DEEPEST:
        if old is ABSENT or new is ABSENT or not _same(old, new):
            yield Field(path, said(old), said(new))
    elif isinstance(old, dict):
        for name in dict.fromkeys((*old, *new)):
            yield from fields(old.get(name, ABSENT), new.get(name, ABSENT), below(path, name), depth + 1)
    elif isinstance(old, list):
        for number in range(max(len(old), len(new))):
            one, other = (each[number] if number < len(each) else ABSENT for each in (old, new))
            yield from fields(one, other, below(path, number), depth + 1)
    elif not _same(old, new):
        yield Field(path, said(old), said(new))


def _same(old: Any, new: Any) -> bool:
    """1 and 1.0 are one number in JSON, and neither is true."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def said(value: Any) -> str | None:
    """Write a value as a short text; None for one that is not there."""
    if value is ABSENT:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 300 else f"{text[:300]}…"

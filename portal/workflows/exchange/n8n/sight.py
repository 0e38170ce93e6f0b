"""What an expression can see, and what it becomes. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from portal.workflows.exchange.n8n.values import NUMBER, TEXT, TRUTH, Declared, Item

ANY, NOTHING, LIST = "any", "nothing", "list"


@dataclass(frozen=True, slots=True)
class Node:
    """What another node of n8n gives, where it stands in a run of ours."""

    item: Item
    items: str | None = None  # CEL of the list of all its items, where it gives many


@dataclass(frozen=True, slots=True)
class Sight:
    """What an expression at one node can see."""

    here: Node
    nodes: dict[str, Node]
    declared: Declared
    is_each: bool = False


@dataclass(frozen=True, slots=True)
class Cel:
    """A piece of CEL and the kind of its result; `keys` and `item` where it is a path and nothing else."""

    text: str
    kind: str = ANY
    item: Item | None = None
    keys: tuple[str | int, ...] = ()
    is_decimal: bool = False


@dataclass(slots=True)
class Found:
    """What was noticed on the way: (code, the source it is about)."""

    kept: list[str] = field(default_factory=list)  # sources that stayed text
    changed: list[str] = field(default_factory=list)  # codes of small differences


def kind_of(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return TRUTH
    return NUMBER if isinstance(value, int | float) else TEXT


def as_text(cel: Cel) -> str:
    if cel.kind == TEXT:
        return cel.text
    return f"string({cel.text})"


def as_number(cel: Cel) -> str:
    """Return CEL whose result is a decimal."""
    if cel.kind == NUMBER and re.fullmatch(r"-?\d+", cel.text):
        return f"{cel.text}.0"
    return cel.text if cel.is_decimal or re.fullmatch(r"-?\d+\.\d+", cel.text) else f"double({cel.text})"


def decimal(text: str) -> Cel:
    return Cel(text, NUMBER, is_decimal=True)

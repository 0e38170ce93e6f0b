"""The graph of a workflow: its nodes, the lanes that hold them, and the edges that follow. Pure; rules are in `checks`.

A node is `{"key", "kind", "name", "name_ar", "parent", "lane", "config", "retry", "timeout_s", "on_error", "undo", "note"}`;
a note is for who reads the design and changes nothing in a run. The order
of the list is the reading order; nodes with the same (parent, lane) run one after another. Edges are derived, never edited.

A fork (condition, switch, and a question whose outcomes have lanes of their own) sends the run into one of its lanes. A block (parallel, foreach, repeat, group) holds lanes that run
as frames of their own, any number of times, while the block waits. Every step may have two lanes more: `error`, taken when it
fails, and `undo`, which takes back what it did.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]
Edge = dict[str, str]
Settings = dict[str, Any]

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
# A figure of a group: what to do, and with what of each item.
FIGURE = re.compile(r"(count|sum|avg|min|max|first|last|list)\s*\((.*)\)\Z", re.DOTALL)
FORKS = frozenset({"condition", "switch"})
ASKING = frozenset({"approval", "task"})
EXPIRED = "expired"
BLOCKS = frozenset({"parallel", "foreach", "repeat", "group"})
ERROR, UNDO = "error", "undo"
ON_ERROR = ("fail", "continue", "lane")
MAX_LANES = 10
MAX_CASES = 20
MAX_ITEMS = 100_000
MAX_AT_ONCE = 50
MAX_ROUNDS = 1_000
MAX_JUMPS = 100
INPUT_TYPES = ("text", "long_text", "number", "date", "email", "choice", "boolean")
MAX_NODES = 200
MAX_NOTE = 2_000
MAX_INPUTS = 50
MAX_ATTEMPTS = 10
MAX_TIMEOUT_S = 3600
DEFAULT_TIMEOUT_S = 30
DEFAULT_ATTEMPTS = 3
MAX_DEADLINE_S = 30 * 86400
DEFAULT_DEADLINE_S = 86400
# transient: it may work a moment later. timeout: no answer in time. auth: who we are was not accepted. validation: what we
# sent was not accepted. permanent: all that trying again cannot change.
ERROR_CLASSES = ("transient", "timeout", "auth", "validation", "permanent")


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a step kind: what the inspector shows and the check enforces.

    `type` is text, long_text, expression, cases, number, choice, boolean, pairs, duration, datetime, table, connection, calendar,
    people, inputs, outcomes, workflow, step, code, item or item_pairs. Values of text, long_text, pairs, number, duration and
    datetime may hold `${ … }`; an expression is CEL alone, cases are pairs of a name and an expression. A connection is chosen among
    those whose family is in `choices`. Code is kept as it is; an item is CEL about `item`, one of a list, which the step itself works
    out. A late field is worked out by the block itself, inside its lane.
    """

    name: str
    type: str
    label: Any
    hint: Any = ""
    required: bool = False
    choices: tuple[tuple[str, Any], ...] = ()
    default: Any = ""
    show_when: tuple[str, tuple[str, ...]] | None = None  # (other field, its values) that make this one matter
    late: bool = False
    least: int | None = None
    most: int | None = None


# Types of fields that name a thing of the organisation.
REFERRING = frozenset({"connection", "workflow", "calendar", "people", "table"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: at which step (None: the start card), in which field, and what to do."""

    step: str | None
    field: str | None
    message: Any


def branches(node: Node) -> tuple[str, ...]:
    """Return the lanes that a node's kind and settings give it, in order."""
    kind, config = node.get("kind"), node.get("config") or {}
    if kind == "condition":
        return ("then", "else")
    if kind == "switch":
        return (*(f"case_{number}" for number in range(1, len(config.get("cases") or ()) + 1)), "otherwise")
    if kind == "parallel":
        return tuple(f"lane_{number}" for number in range(1, lane_count(config) + 1))
    if kind in ASKING:
        return _outcome_lanes(str(kind), config) if config.get("own_lanes") else ()
    return {"foreach": ("each",), "repeat": ("each",), "group": ("do",)}.get(str(kind), ())


def is_fork(node: Node) -> bool:
    """Say whether a run goes into exactly one of the lanes that a node's kind and settings give it."""
    kind = node.get("kind")
    return kind in FORKS or (kind in ASKING and bool((node.get("config") or {}).get("own_lanes")))


def port_of(node: Node, outcome: str) -> str:
    """Return the way out of a question that was answered so."""
    return outcome if is_fork(node) else "out"


def _outcome_lanes(kind: str, config: dict[str, Any]) -> tuple[str, ...]:
    if kind == "approval":
        lanes = ("approve", *(("return",) if config.get("may_return") else ()), "reject")
    else:
        lanes = tuple(str(each.get("key") or "") for each in config.get("outcomes") or ({"key": "done"},))
    ends = config.get("limit") not in (None, "") and config.get("if_late", "go_on") == "go_on"
    return (*lanes, EXPIRED) if ends else lanes


def lane_count(config: dict[str, Any]) -> int:
    """Return how many lanes a parallel block has; at least 2."""
    wanted = config.get("lanes", 2)
    return min(max(int(wanted), 2), MAX_LANES) if isinstance(wanted, int | float) else 2


def timeout_of(node: Node) -> int:
    """Return the time limit of a step in seconds."""
    return int(node.get("timeout_s") or DEFAULT_TIMEOUT_S)


def lanes_of(node: Node) -> tuple[str, ...]:
    """Return every lane of a node: those of its kind, then `error` and `undo` where it has them."""
    catches = (ERROR,) if node.get("on_error") == "lane" else ()
    return (*branches(node), *catches, *((UNDO,) if node.get("undo") else ()))


def edges_of(nodes: list[Node]) -> list[Edge]:
    """Derive the edges: each sequence is a chain; the lanes of a fork, and of an error, meet again at the step after it.

    What stands inside a block or takes a step back begins without an edge: its frame begins it.
    """
    edges: list[Edge] = []
    lines: dict[tuple[Any, Any], list[Node]] = {}
    for node in nodes:
        lines.setdefault((node.get("parent"), node.get("lane")), []).append(node)

    def chain(parent: str | None, lane: str | None, entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
        open_ends = entries
        for node in lines.get((parent, lane), ()):
            key = node["key"]
            edges.extend({"source": source, "port": port, "target": key} for source, port in open_ends)
            forks = is_fork(node)
            # A fork that fails and goes on "as if nothing had happened" goes into none of its lanes.
            open_ends = [(key, "out")] if not forks or node.get("on_error") == "continue" else []
            for side in branches(node):
                ends = chain(key, side, [(key, side)] if forks else [])
                open_ends += ends if forks else []
            if node.get("on_error") == "lane":
                open_ends += chain(key, ERROR, [(key, ERROR)])
            if node.get("undo"):
                chain(key, UNDO, [])
        return open_ends

    chain(None, None, [])
    return edges


def children(nodes: Iterable[Node], parent: str | None, lane: str | None) -> list[Node]:
    """Return the steps of one sequence, in order."""
    return [node for node in nodes if node.get("parent") == parent and node.get("lane") == lane]


def graph_hash(nodes: list[Node], settings: Settings) -> str:
    """Return the SHA-256 of the definition in canonical JSON."""
    canonical = json.dumps([nodes, settings], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def config_of(node: Node, fields: Iterable[Field]) -> dict[str, Any]:
    """Return the node's settings with defaults filled in, without those that do not matter for its choices."""
    given, fields = node.get("config") or {}, tuple(fields)
    full = {field.name: given.get(field.name, field.default) for field in fields}
    return {field.name: full[field.name] for field in fields if _matters(field, fields, full)}


def _matters(field: Field, fields: tuple[Field, ...], config: dict[str, Any]) -> bool:
    if field.show_when is None:
        return True
    other, values = field.show_when
    asked = next((each for each in fields if each.name == other), None)
    return config.get(other) in values and (asked is None or _matters(asked, fields, config))


def texts_of(field: Field, value: Any) -> list[str]:
    """Return the texts of a field's value that may hold `${ … }`."""
    if field.type == "expression":
        return [as_template(value)] if value else []
    if field.type == "cases":
        return [as_template(pair.get("value")) for pair in value or [] if pair.get("value")]
    if field.type == "pairs":
        return [str(pair.get("value", "")) for pair in value or []]
    if field.type in ("text", "long_text", "number", "duration", "datetime"):
        return [str(value)] if value not in (None, "") else []
    if field.type == "item":
        return [item_template(value)] if value else []
    if field.type == "item_pairs":
        about = [FIGURE.sub(r"\2", str(pair["value"]).strip()) for pair in value or [] if pair.get("value")]
        return [item_template(each) for each in about if each.strip()]
    return []


def item_template(expression: str, over: str = "[dyn(0)]") -> str:
    """Write an expression about `item` as a text that gives its result for each item of a list."""
    return f"${{ {over}.map(item, {bare(expression)}) }}"


def bare(expression: str) -> str:
    """Return an expression in brackets of its own, without the `${ … }` that people may have put around it."""
    text = str(expression).strip()
    if text.startswith("${") and text.endswith("}"):
        text = text[2:-1].strip()
    return f"({text}\n)"  # the line ends what a comment would hide


def as_template(expression: str) -> str:
    """Write a bare CEL expression as `${ … }`; one that is written so already stays."""
    text = str(expression).strip()
    return text if text.startswith("${") else f"${{ {text} }}"

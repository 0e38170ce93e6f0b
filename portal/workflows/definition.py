"""The graph of a workflow: what a valid draft is, and the edges that follow from its nodes. Pure.

A node is `{"key", "kind", "name", "name_ar", "parent", "lane", "config", "retry", "timeout_s"}`. The order of the list is
the reading order; nodes with the same (parent, lane) run one after another. Edges are derived, never edited.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.i18n.words import lazy_gettext as _l
from portal.workflows import expressions

Node = dict[str, Any]
Edge = dict[str, str]
Settings = dict[str, Any]

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
# A figure of a group: what to do, and with what of each item.
FIGURE = re.compile(r"(count|sum|avg|min|max|first|last|list)\s*\((.*)\)\Z", re.DOTALL)
LANES = ("then", "else")
INPUT_TYPES = ("text", "long_text", "number", "date", "email", "choice", "boolean")
MAX_NODES = 200
MAX_INPUTS = 50
MAX_ATTEMPTS = 10
MAX_TIMEOUT_S = 3600
MAX_DEADLINE_S = 30 * 86400
DEFAULT_DEADLINE_S = 86400


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a step kind: what the inspector shows and the check enforces.

    `type` is text, long_text, expression, number, choice, boolean, pairs, duration, datetime, table, connection, code, item or
    item_pairs. Values of text, long_text, pairs, number, duration and datetime may hold `${ … }`; an expression is CEL alone. A
    connection is chosen among those whose family is in `choices`. Code is kept as it is; an item is CEL about `item`, one of a
    list, which the step itself works out.
    """

    name: str
    type: str
    label: Any
    hint: Any = ""
    required: bool = False
    choices: tuple[tuple[str, Any], ...] = ()
    default: Any = ""
    show_when: tuple[str, tuple[str, ...]] | None = None  # (other field, its values) that make this one matter


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: at which step (None: the start card), in which field, and what to do."""

    step: str | None
    field: str | None
    message: Any


def edges_of(nodes: list[Node]) -> list[Edge]:
    """Derive the edges: each sequence is a chain; the lanes of a condition meet again at the step after it."""
    edges: list[Edge] = []

    def chain(parent: str | None, lane: str | None, entries: list[tuple[str, str]]) -> list[tuple[str, str]]:
        open_ends = entries
        for node in children(nodes, parent, lane):
            edges.extend({"source": source, "port": port, "target": node["key"]} for source, port in open_ends)
            if node["kind"] != "condition":
                open_ends = [(node["key"], "out")]
                continue
            open_ends = [end for side in LANES for end in chain(node["key"], side, [(node["key"], side)])]
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


def check(nodes: list[Node], settings: Settings, kinds: Mapping[str, tuple[Field, ...]]) -> list[Problem]:
    """Return every broken rule, in reading order; an empty list means that the draft can be published.

    Args:
        kinds: the known step kinds with their fields.
    """
    problems = _check_settings(settings)
    if not nodes:
        problems.append(Problem(None, None, _l("Add at least one step.")))
    if len(nodes) > MAX_NODES:
        problems.append(Problem(None, None, _l("A workflow has at most %(num)d steps.", num=MAX_NODES)))
    seen: dict[str, str] = {}
    inputs = {each.get("key", "") for each in settings.get("inputs", [])}
    for node in nodes:
        problems.extend(_check_place(node, seen, kinds))
        if node.get("kind") in kinds:
            problems.extend(_check_fields(node, kinds[node["kind"]], set(seen), inputs))
        seen[node.get("key", "")] = node.get("kind", "")
    return problems


def _check_settings(settings: Settings) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    inputs = settings.get("inputs", [])
    if len(inputs) > MAX_INPUTS:
        problems.append(Problem(None, "inputs", _l("A workflow asks for at most %(num)d inputs.", num=MAX_INPUTS)))
    for each in inputs:
        key = each.get("key", "")
        if not KEY.match(key):
            problems.append(
                Problem(None, "inputs", _l("“%(key)s” is not a valid input key: use a–z, 0–9 and _, beginning with a letter.", key=key))
            )
        elif key in seen:
            problems.append(Problem(None, "inputs", _l("Two inputs have the key “%(key)s”. Rename one.", key=key)))
        seen.add(key)
        if each.get("type") not in INPUT_TYPES:
            problems.append(Problem(None, "inputs", _l("Choose a type for the input “%(key)s”.", key=key)))
        if each.get("type") == "choice" and not each.get("choices"):
            problems.append(Problem(None, "inputs", _l("The input “%(key)s” needs at least one choice.", key=key)))
    deadline_s = settings.get("deadline_s", DEFAULT_DEADLINE_S)
    if not isinstance(deadline_s, int) or not 60 <= deadline_s <= MAX_DEADLINE_S:
        problems.append(Problem(None, "deadline_s", _l("The time limit of a run is between 1 minute and 30 days.")))
    return problems


def _check_place(node: Node, seen: Mapping[str, str], kinds: Mapping[str, Any]) -> list[Problem]:
    key = node.get("key", "")
    problems = []
    if not KEY.match(key):
        problems.append(Problem(key, "key", _l("“%(key)s” is not a valid step key: use a–z, 0–9 and _, beginning with a letter.", key=key)))
    if key in seen:
        problems.append(Problem(key, "key", _l("Two steps have the key “%(key)s”. Rename one.", key=key)))
    if node.get("kind") not in kinds:
        problems.append(Problem(key, "kind", _l("This kind of step is not known here. Delete the step.")))
    parent, lane = node.get("parent"), node.get("lane")
    if (parent is None) != (lane is None) or (parent is not None and (seen.get(parent) != "condition" or lane not in LANES)):
        problems.append(Problem(key, None, _l("The step lost its place. Move it to where it belongs.")))
    attempts = (node.get("retry") or {}).get("attempts", 3)
    if not isinstance(attempts, int) or not 1 <= attempts <= MAX_ATTEMPTS:
        problems.append(Problem(key, "attempts", _l("Attempts are between 1 and %(num)d.", num=MAX_ATTEMPTS)))
    timeout_s = node.get("timeout_s", 30)
    if not isinstance(timeout_s, int) or not 1 <= timeout_s <= MAX_TIMEOUT_S:
        problems.append(Problem(key, "timeout_s", _l("The time limit of a step is between 1 and %(num)d seconds.", num=MAX_TIMEOUT_S)))
    return problems


def _check_fields(node: Node, fields: tuple[Field, ...], earlier: set[str], inputs: set[str]) -> list[Problem]:
    problems = []
    config = config_of(node, fields)
    for field in fields:
        if field.name not in config:
            continue
        value = config[field.name]
        if field.required and value in ("", None, [], {}, ()):
            problems.append(Problem(node["key"], field.name, _l("Fill in “%(field)s”.", field=field.label)))
            continue
        if field.type == "choice" and value not in [choice for choice, _label in field.choices]:
            problems.append(Problem(node["key"], field.name, _l("Choose one of the values of “%(field)s”.", field=field.label)))
            continue
        for text in texts_of(field, value):
            if message := _check_text(text, earlier, inputs):
                problems.append(Problem(node["key"], field.name, message))
                break
    return problems


def texts_of(field: Field, value: Any) -> list[str]:
    """Return the texts of a field's value that may hold `${ … }`."""
    if field.type == "expression":
        return [as_template(value)] if value else []
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


def _check_text(text: str, earlier: set[str], inputs: set[str]) -> Any:
    """Return what is wrong with a text, or None."""
    try:
        names = expressions.names_used(text)
    except expressions.ExpressionError as wrong:
        return wrong.message
    for path in sorted(names):
        if path[0] == "steps" and len(path) > 1 and path[1] not in earlier:
            return _l("“steps.%(step)s” is not a step before this one.", step=path[1])
        if path[0] == "input" and len(path) > 1 and path[1] not in inputs:
            return _l("“input.%(key)s” is not an input of this workflow. Add it at the start card.", key=path[1])
    return None

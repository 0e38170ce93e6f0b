"""Copied steps as a text, which people carry from one workflow to another; what comes back is judged as anything from outside. Pure."""

from __future__ import annotations

import json
from typing import Any

from portal.core.errors import PortalError
from portal.core.forms import clean
from portal.i18n import names
from portal.i18n.words import gettext as _
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import (
    DEFAULT_ATTEMPTS,
    DEFAULT_TIMEOUT_S,
    ERROR_CLASSES,
    INPUT_TYPES,
    KEY,
    MAX_ATTEMPTS,
    MAX_INPUTS,
    MAX_NODES,
    MAX_NOTE,
    MAX_TIMEOUT_S,
    ON_ERROR,
    Field,
    Node,
    lanes_of,
)
from portal.workflows.designer import fields
from portal.workflows.people import MOST_NAMED, WHO

MARK = "nasij"
MAX_CLIP = 1_000_000
LARGEST = 10**12


class ClipRefused(PortalError):
    """The text holds no steps that can be put in; the message says why."""

    status = 422
    code = "clip_refused"


def write(part: list[Node]) -> str:
    """Write copied steps as a text."""
    return json.dumps({MARK: "steps", "steps": part}, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> list[Node]:
    """Read copied steps; settings that no step of the kind has are left out.

    Raises:
        ClipRefused: it is no text of ours, or holds what this portal does not know.
    """
    if len(text) > MAX_CLIP:
        raise ClipRefused(_("That is too much text to be copied steps."))
    try:
        given = json.loads(text, parse_constant=lambda _name: None)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or given.get(MARK) != "steps" or not isinstance(given.get("steps"), list):
        raise ClipRefused(_("What was pasted are no steps. Copy steps in a workflow first."))
    listed = given["steps"]
    if not 0 < len(listed) <= MAX_NODES or not all(isinstance(each, dict) for each in listed):
        raise ClipRefused(_("What was pasted are no steps. Copy steps in a workflow first."))
    made: dict[str, Node] = {}
    for each in listed:
        node = _node(each)
        if node["key"] in made:
            raise ClipRefused(_("What was pasted names two steps alike."))
        holder = made.get(each.get("parent") if isinstance(each.get("parent"), str) else "")
        if holder and each.get("lane") in lanes_of(holder):
            node.update(parent=holder["key"], lane=each["lane"])
        made[node["key"]] = node
    return list(made.values())


def _node(given: dict[str, Any]) -> Node:
    key, kind = given.get("key"), given.get("kind")
    if not isinstance(key, str) or not KEY.match(key) or not isinstance(kind, str):
        raise ClipRefused(_("What was pasted are no steps. Copy steps in a workflow first."))
    action = ACTIONS.get(kind)
    if action is None:
        raise ClipRefused(_("What was pasted holds a step of a kind that does not exist here: %(kind)s.", kind=_text(kind, 40)))
    node: Node = {"key": key, "kind": kind, "parent": None, "lane": None, "name": _name(given, "name"), "name_ar": _name(given, "name_ar")}
    config = given.get("config")
    config = config if isinstance(config, dict) else {}
    node["config"] = {
        each.name: value for each in action.fields if each.name in config if (value := _value(each, config[each.name])) is not None
    }
    node["retry"] = _retry(given.get("retry"))
    node["timeout_s"] = _whole(given.get("timeout_s"), MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S)
    if given.get("on_error") in ON_ERROR:
        node["on_error"] = given["on_error"]
    if given.get("undo") is True:
        node["undo"] = True
    if isinstance(given.get("sensitive"), list):
        node["sensitive"] = [each.name for each in action.fields if each.name in given["sensitive"]]
    if note := _text(given.get("note"), MAX_NOTE):
        node["note"] = note
    return node


def _name(given: dict[str, Any], name: str) -> str:
    words = str(names.tidy(_text(given.get(name), fields.MAX_NAME)))
    return "" if names.problem(words) else words


def _retry(given: Any) -> dict[str, Any]:
    policy = given if isinstance(given, dict) else {}
    made: dict[str, Any] = {"attempts": _whole(policy.get("attempts"), MAX_ATTEMPTS, DEFAULT_ATTEMPTS)}
    made |= {name: _whole(policy[name], most, most) for name, most in fields.WAITS.items() if name in policy}
    if isinstance(policy.get("on"), list):
        made["on"] = [each for each in ERROR_CLASSES if each in policy["on"]]
    return made


def _whole(given: Any, most: int, usual: int) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= most else usual


def _text(given: Any, most: int) -> str:
    # Half of a surrogate pair is text to JSON and nothing to PostgreSQL.
    return str(clean(given)).encode("utf-8", "ignore").decode()[:most] if isinstance(given, str) else ""


def _value(field: Field, given: Any) -> Any:
    """Read one setting by the type of its field; None leaves it out."""
    if field.type in fields.PAIR_TYPES:
        return [{name: _text(row.get(name), most) for name, most in (("name", fields.MAX_NAME), ("value", fields.MAX_TEXT))} for row in _rows(given, fields.MAX_PAIRS)]  # fmt: skip
    if field.type == "people":
        return [each for each in given if isinstance(each, str) and WHO.match(each)][:MOST_NAMED] if isinstance(given, list) else None
    if field.type == "inputs":
        return [_input(row) for row in _rows(given, MAX_INPUTS)]
    if field.type == "outcomes":
        rows = [
            {name: _text(row.get(name), most) for name, most in (("key", 40), ("label", 120), ("label_ar", 120))}
            for row in _rows(given, 20)
        ]
        return [{**row, **({"tone": _text(raw["tone"], 20)} if isinstance(raw.get("tone"), str) else {})} for row, raw in zip(rows, _rows(given, 20), strict=True)]  # fmt: skip
    if field.type == "boolean":
        return given if isinstance(given, bool) else None
    if isinstance(given, str):
        return _text(given, fields.MAX_TEXT)
    if field.type in ("number", "duration") and isinstance(given, int | float) and not isinstance(given, bool):
        return given if abs(given) <= LARGEST else None  # what is no number is not
    return None


def _rows(given: Any, most: int) -> list[dict[str, Any]]:
    return [each for each in given if isinstance(each, dict)][:most] if isinstance(given, list) else []


def _input(row: dict[str, Any]) -> dict[str, Any]:
    choices = row.get("choices")
    return {
        "key": _text(row.get("key"), 60),
        "type": row["type"] if row.get("type") in INPUT_TYPES else "text",
        "label": _text(row.get("label"), fields.MAX_NAME),
        "label_ar": _text(row.get("label_ar"), fields.MAX_NAME),
        "required": row.get("required") is True,
        "sensitive": row.get("sensitive") is True,
        "choices": [_text(each, fields.MAX_NAME) for each in choices if isinstance(each, str)][:100] if isinstance(choices, list) else [],
    }

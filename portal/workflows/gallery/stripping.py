"""What a template must not carry: connections, and literals that look like secrets. Pure."""

from __future__ import annotations

from typing import Any

from portal.workflows.actions.registry import FIELDS
from portal.workflows.definition import Node
from portal.workflows.literals import looks_secret


def stripped(nodes: list[Node]) -> list[Node]:
    """Return the steps with every connection left open and every literal that looks like a secret emptied; the given ones stay."""
    return [{**node, "config": _config(node)} for node in nodes]


def left_open(nodes: list[Node]) -> list[Node]:
    """Return the steps whose connection is still to be chosen."""
    return [node for node in nodes for name in _connections(node) if not (node.get("config") or {}).get(name)]


def _config(node: Node) -> dict[str, Any]:
    chosen = _connections(node)
    config = node.get("config") or {}
    return {name: "" if name in chosen else _clean(name, value) for name, value in config.items()}


def _connections(node: Node) -> list[str]:
    return [field.name for field in FIELDS.get(str(node.get("kind")), ()) if field.type == "connection"]


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return "" if looks_secret(name, value) else value
    if isinstance(value, list):
        return [_pair(each) for each in value]
    return value


def _pair(each: Any) -> Any:
    if isinstance(each, dict) and isinstance(each.get("value"), str) and looks_secret(str(each.get("name") or ""), each["value"]):
        return {**each, "value": ""}
    return each

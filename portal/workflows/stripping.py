"""What a workflow leaves behind when it goes into a file or a template: literals that look like secrets, and connections. Pure."""

from __future__ import annotations

from typing import Any

from portal.workflows.actions.registry import fields_of
from portal.workflows.definition import REFERRING, Node
from portal.workflows.literals import looks_secret

LEFT_OUT = "<left out: it looks like a secret>"


def without_secrets(node: Node, *, instead: str = LEFT_OUT) -> Node:
    """Return a step whose literals that look like secrets are replaced; what names a thing of the organisation stays."""
    referring = {field.name for field in fields_of(node, REFERRING)}
    config = node.get("config") or {}
    return {
        **node,
        "config": {name: value if name in referring else without(name, value, instead=instead) for name, value in config.items()},
    }


def without(name: str, value: Any, *, instead: str = LEFT_OUT) -> Any:
    """Return a setting whose literals that look like secrets are replaced, at any depth."""
    if isinstance(value, str):
        return instead if looks_secret(name, value) else value
    if isinstance(value, list):
        return [without(_named(each, name), each, instead=instead) for each in value]
    if isinstance(value, dict):
        called = _named(value, name)
        return {key: without(called if key == "value" else key, each, instead=instead) for key, each in value.items()}
    return value


def holds(value: Any) -> bool:
    """Say whether something was left out of a setting."""
    if isinstance(value, list):
        return any(holds(each) for each in value)
    if isinstance(value, dict):
        return any(holds(each) for each in value.values())
    return bool(value == LEFT_OUT)


def without_connections(node: Node) -> Node:
    """Return a step whose connection is still to be chosen."""
    chosen = _connections(node)
    return {**node, "config": {name: "" if name in chosen else value for name, value in (node.get("config") or {}).items()}}


def left_open(nodes: list[Node]) -> list[Node]:
    """Return the steps whose connection is still to be chosen."""
    return [node for node in nodes for name in _connections(node) if not (node.get("config") or {}).get(name)]


def _connections(node: Node) -> list[str]:
    return [field.name for field in fields_of(node, {"connection"})]


def _named(value: Any, usual: str) -> str:
    return str(value.get("name") or usual) if isinstance(value, dict) else usual

"""Literals that look like secrets never leave in a file, and none comes in by one. Pure."""

from __future__ import annotations

from typing import Any

from portal.workflows import literals

LEFT_OUT = "<left out: it looks like a secret>"


def without(name: str, value: Any) -> Any:
    """Return a setting with LEFT_OUT in the place of each literal that looks like a secret."""
    if isinstance(value, str):
        return LEFT_OUT if literals.looks_secret(name, value) else value
    if isinstance(value, list):
        return [without(_named(each, name), each) for each in value]
    if isinstance(value, dict):
        called = _named(value, name)
        return {key: without(called if key == "value" else key, each) for key, each in value.items()}
    return value


def holds(value: Any) -> bool:
    """Say whether something was left out of a setting."""
    if isinstance(value, list):
        return any(holds(each) for each in value)
    if isinstance(value, dict):
        return any(holds(each) for each in value.values())
    return bool(value == LEFT_OUT)


def _named(value: Any, usual: str) -> str:
    return str(value.get("name") or usual) if isinstance(value, dict) else usual

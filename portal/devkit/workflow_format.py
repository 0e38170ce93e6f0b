"""Write the JSON Schema of workflow files anew, from the kinds of steps and their fields: `python -m portal.devkit.workflow_format`."""

from __future__ import annotations

import json
from typing import Any

from portal.workflows.actions.registry import FIELDS
from portal.workflows.definition import INPUT_TYPES, KEY, ON_ERROR
from portal.workflows.exchange.own import MOST_STEPS, NAME, SCHEMA, VERSION

DESCRIPTION = (
    "One workflow as a file. Things of an organisation are named, never identified: a connection is written as connection=<kind>/<name>,"
    " another workflow as workflow=<name>, a calendar as calendar=<name>, people as person=<address>, role=<name> or group=<name>, a data"
    " table by its short name. What looked like a secret stands as <left out: it looks like a secret>."
)
NAMES = {"pattern": KEY.pattern.replace("\\Z", "$")}
SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}
PAIR = {"type": "object", "properties": {"name": SCALAR, "value": SCALAR}}
# How the value of each type of field is written; all others are single values.
SHAPES: dict[str, Any] = {
    "pairs": {"$ref": "#/$defs/pairs"},
    "cases": {"$ref": "#/$defs/pairs"},
    "item_pairs": {"$ref": "#/$defs/pairs"},
    "inputs": {"type": "array", "maxItems": 200, "items": {"$ref": "#/$defs/input"}},
    "outcomes": {"type": "array", "maxItems": 50, "items": {"type": "object", "additionalProperties": SCALAR}},
    "people": {"type": "array", "maxItems": 500, "items": {"type": "string"}},
}


def _text(most: int) -> dict[str, Any]:
    return {"type": ["string", "null"], "maxLength": most}


def _config(kind: str) -> dict[str, Any]:
    fields = {field.name: SHAPES.get(field.type, {"$ref": "#/$defs/scalar"}) for field in FIELDS[kind]}
    return {"if": {"properties": {"kind": {"const": kind}}}, "then": {"properties": {"config": {"properties": fields}}}}


def schema() -> dict[str, Any]:
    """Return the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{NAME.replace('.', ':')}:{VERSION}",
        "title": "Nasij workflow",
        "description": DESCRIPTION,
        "type": "object",
        "required": ["format", "version", "name", "settings", "steps"],
        "additionalProperties": False,
        "properties": {
            "format": {"const": NAME},
            "version": {"const": VERSION},
            "name": {"type": "string", "minLength": 1, "maxLength": 200},
            "name_ar": _text(200),
            "description": _text(5_000),
            "description_ar": _text(5_000),
            "category": _text(60),
            "settings": {"$ref": "#/$defs/settings"},
            "steps": {"type": "array", "maxItems": MOST_STEPS, "items": {"$ref": "#/$defs/step"}},
        },
        "$defs": {
            "scalar": SCALAR,
            "pairs": {"type": "array", "maxItems": 1_000, "items": PAIR},
            "settings": _settings(),
            "input": _input(),
            "step": _step(),
        },
    }


def _settings() -> dict[str, Any]:
    concurrency = {"limit": {"type": "integer", "minimum": 1}, "key": _text(2_000), "when_full": {"enum": ["queue", "refuse", "cancel"]}}
    return {
        "type": "object",
        "properties": {
            "inputs": {"type": "array", "maxItems": 200, "items": {"$ref": "#/$defs/input"}},
            "deadline_s": {"type": "integer", "minimum": 1},
            "error_workflow": _text(300),
            "concurrency": {"type": ["object", "null"], "properties": concurrency},
            "priority": {"enum": [1, 2, 3, 4, 5]},
            "lane": {"enum": [None, "bulk"]},
        },
        "propertyNames": NAMES,
    }


def _input() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["key", "type"],
        "properties": {
            "key": {"type": "string", **NAMES},
            "type": {"enum": list(INPUT_TYPES)},
            "label": _text(500),
            "label_ar": _text(500),
            "required": {"type": "boolean"},
            "choices": {"type": "array", "maxItems": 1_000, "items": {"$ref": "#/$defs/scalar"}},
        },
        "propertyNames": NAMES,
    }


def _step() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["key", "kind", "name", "parent", "lane", "config"],
        "properties": {
            "key": {"type": "string", **NAMES},
            "kind": {"enum": sorted(FIELDS)},
            "name": {"type": "string", "maxLength": 500},
            "name_ar": _text(500),
            "note": _text(10_000),
            "was": _text(500),
            "parent": _text(40),
            "lane": _text(60),
            "config": {"type": "object", "propertyNames": NAMES},
            "retry": {
                "type": ["object", "null"],
                "properties": {"attempts": {"type": "integer"}, "on": {"type": "array", "items": {"type": "string"}}},
            },
            "timeout_s": {"type": "integer"},
            "on_error": {"enum": list(ON_ERROR)},
            "undo": {"type": "boolean"},
        },
        "propertyNames": NAMES,
        "allOf": [_config(kind) for kind in sorted(FIELDS)],
    }


def text() -> str:
    """Return the schema as it stands in its file."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")

"""Our own format: a definition as a file, byte for byte the same again, and back. Pure.

The file is UTF-8, indented by two spaces, with a fixed order of names and a line at its end. `format.json` beside this module is its
JSON Schema (2020-12), which every file is held against before anything else looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from portal.i18n.formats import isolate
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.registry import FIELDS
from portal.workflows.definition import Node, Settings, lanes_of
from portal.workflows.exchange.errors import FileRefused

NAME, VERSION = "nasij.workflow", 1
MOST_STEPS = 500
SCHEMA = Path(__file__).with_name("format.json")
HEAD = ("name", "name_ar", "description", "description_ar", "category")
SETTINGS = ("inputs", "deadline_s", "error_workflow", "concurrency", "priority", "lane")
STEP = ("key", "kind", "name", "name_ar", "note", "was", "parent", "lane", "config", "retry", "timeout_s", "on_error", "undo")
ROW = ("key", "type", "name", "label", "label_ar", "value", "required", "choices")


def write(head: dict[str, Any], nodes: list[Node], settings: Settings) -> bytes:
    """Return the file of a definition."""
    document = {
        "format": NAME,
        "version": VERSION,
        **{name: head.get(name) for name in HEAD},
        "settings": _ordered(settings, SETTINGS),
        "steps": [_step(node) for node in nodes],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def is_ours(document: Any) -> bool:
    """Say whether a file claims to be of our format."""
    return isinstance(document, dict) and document.get("format") == NAME


def check(document: dict[str, Any]) -> None:
    """Hold a file against the schema, and its steps against each other.

    Raises:
        FileRefused: `.problems` name each wrong part and where it stands.
    """
    if isinstance(document.get("version"), int) and document["version"] > VERSION:
        raise FileRefused(_l("The file was written by a newer Nasij (format %(version)d). Update first.", version=document["version"]))
    steps = document.get("steps")
    if isinstance(steps, list) and len(steps) > MOST_STEPS:  # the schema says so too, but would look at each of them first
        raise FileRefused(_l("“%(where)s” is longer or larger than %(most)s.", where=isolate("steps"), most=MOST_STEPS))
    wrong = sorted(validator().iter_errors(document), key=lambda each: [str(part) for part in each.absolute_path])
    if wrong:
        raise FileRefused(*[_sentence(each) for each in wrong[:10]])
    if places := list(_lost(document["steps"])):
        raise FileRefused(*places)


@lru_cache(maxsize=1)
def validator() -> Draft202012Validator:
    """Return the schema, ready to hold a file against."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _step(node: Node) -> dict[str, Any]:
    made = _ordered(node, STEP)
    order = [field.name for field in FIELDS.get(str(node.get("kind")), ())]
    made["config"] = _ordered(node.get("config") or {}, order)
    return made


def _ordered(value: Any, first: Iterable[str] = ROW) -> Any:
    """Return a value whose names stand in one order: the known ones first, the others by the alphabet."""
    if isinstance(value, list | tuple):
        return [_ordered(each) for each in value]
    if not isinstance(value, dict):
        return value
    known = [name for name in first if name in value]
    return {name: _ordered(value[name]) for name in [*known, *sorted(set(value) - set(known))]}


def _lost(steps: list[dict[str, Any]]) -> Iterable[Any]:
    """Name the steps whose key is taken, or whose place is not there; a page could not show them."""
    seen: dict[str, dict[str, Any]] = {}
    for step in steps:
        key, parent, lane = step["key"], step["parent"], step["lane"]
        if key in seen:
            yield _l("Two steps have the key “%(key)s”. Rename one.", key=key)
        elif (parent is None) != (lane is None) or (parent is not None and (parent not in seen or lane not in lanes_of(seen[parent]))):
            yield _l("The step “%(key)s” stands at a place that is not there.", key=key)
        seen[key] = step


def _sentence(wrong: ValidationError) -> Any:
    path, rule = list(wrong.absolute_path), str(wrong.validator)
    where = isolate("".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or NAME)
    if rule == "enum" and path[:1] == ["steps"] and path[2:] == ["kind"] and isinstance(wrong.instance, str):
        return _l("“%(where)s”: there is no kind of step “%(kind)s” here.", where=where, kind=isolate(wrong.instance[:100]))
    asked: Any = wrong.validator_value
    if rule == "required":
        held: Any = wrong.instance
        missing = next((name for name in asked if name not in held and repr(name) in wrong.message), "")  # one problem for each
        return _l("“%(name)s” is missing in “%(where)s”.", name=isolate(missing), where=where)
    if rule in ("additionalProperties", "unevaluatedProperties", "propertyNames"):
        return _l("“%(where)s” holds a name that is not known.", where=where)
    if rule in ("enum", "const"):
        return _l("“%(where)s” is none of the known values.", where=where)
    if rule == "type":
        return _l("“%(where)s” is of another kind than it must be.", where=where)
    if rule in ("maxLength", "maxItems", "maximum", "maxProperties"):
        return _l("“%(where)s” is longer or larger than %(most)s.", where=where, most=asked)
    return _l("“%(where)s” is not written as it must be.", where=where)

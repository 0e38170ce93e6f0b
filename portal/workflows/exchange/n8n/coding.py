"""Code nodes of n8n: the few shapes that only give fields of values become steps; all other code stays a note. Nothing is carried out. Pure.

What is understood is `return` of what came in, of one item, or of each item with other fields (`map`, or a node that runs for each item),
where every value is an expression of the kind that settings have, too. One word more, and all of it stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

from portal.workflows import expressions as ours
from portal.workflows import literals
from portal.workflows.exchange.n8n import javascript as js
from portal.workflows.exchange.n8n.cel import escaped, part, quoted
from portal.workflows.exchange.n8n.made import LONGEST_NOTE, Ask, Made, placeholder
from portal.workflows.exchange.n8n.sight import Node, Sight
from portal.workflows.exchange.n8n.turning import Turning
from portal.workflows.exchange.n8n.values import At, Keys, Renamed, Unsure
from portal.workflows.stripping import LEFT_OUT

LEADING = re.compile(r"(?:\s+|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
ALL = {"$input.all()", "items"}
NAMED = re.compile(r"(?:const|let|var)[ \t]+([A-Za-z_]\w*)[ \t]*=[ \t]*(\$input\.all\(\)|items)[ \t]*(?:;|\n)\s*", re.ASCII)
# Behind a `return` that ends its line JavaScript gives nothing.
RETURN = re.compile(r"return(?=[ \t\[{(])[ \t]*(?=\S)(.*?);?\s*\Z", re.DOTALL)
MAP = re.compile(
    r"([$\w.()]+?)\s*\.\s*map\(\s*(?:(\w+)|\(\s*(\w+)\s*\))\s*=>\s*(?:\(\s*(\{.*\})\s*\)|\{\s*return[ \t]+(\{.*\})\s*;?\s*\})\s*\)",
    re.DOTALL | re.ASCII,
)
ONE = re.compile(r"\[\s*(\{.*\})\s*,?\s*\]", re.DOTALL)
EACH = "runOnceForEachItem"


def code(ask: Ask) -> Made:
    """Turn code that only gives fields; keep all other as a note."""
    given = ask.given
    source = next((text for name in ("jsCode", "pythonCode", "functionCode") if isinstance(text := given.get(name), str)), "")
    language = str(given.get("language") or "javaScript")
    try:
        if language != "javaScript" or ask.node.type == "functionItem" or len(source) > js.LONGEST:
            raise js.NotSafe
        made = _made(ask, source, is_each=given.get("mode") == EACH)
    except (js.NotSafe, Unsure, ours.ExpressionError):
        return placeholder(ask, "code", language, note=source[:LONGEST_NOTE])
    if made.kind is None:
        ask.changed("code_passes")
        return made
    ask.changed("code_turned")
    made.note = source[:LONGEST_NOTE]
    return made


def _made(ask: Ask, source: str, *, is_each: bool) -> Made:
    body = LEADING.sub("", source, count=1)
    lists = set(ALL)
    while found := NAMED.match(body):
        lists.add(found[1])
        body = body[found.end() :]
    given = RETURN.fullmatch(body)
    if given is None:
        raise js.NotSafe
    what = given[1].strip()
    if is_each:
        return _each_item(ask, js.read_fields(what), "")
    if what in lists:
        return Made(None)
    if mapped := MAP.fullmatch(what):
        if mapped[1] not in lists:
            raise js.NotSafe
        return _each_item(ask, js.read_fields(mapped[4] or mapped[5]), mapped[2] or mapped[3])
    one = ONE.fullmatch(what)
    return _one(ask, ask.sight, js.read_fields(one[1] if one else what), "")


def _each_item(ask: Ask, trees: dict[str, Any], name: str) -> Made:
    if ask.sight.here.items is None:
        return _one(ask, ask.sight, trees, name)
    cels = _worked_out(ask, replace(ask.sight, here=Node(At("item"))), trees, name)
    pairs = [{"name": escaped(field), "value": cel} for field, cel in cels.items()]
    made = Made("transform", {"mode": "fields", "list": ask.list_of_items(), "fields": pairs})
    made.out, made.items = At(f"steps.{ask.key}.items[0]"), f"steps.{ask.key}.items"
    return made


def _one(ask: Ask, sight: Sight, trees: dict[str, Any], name: str) -> Made:
    values = [{"name": escaped(field), "value": f"${{ {cel} }}"} for field, cel in _worked_out(ask, sight, trees, name).items()]
    names: dict[Keys, str] = {(field,): part(f"steps.{ask.key}", (field,)) for field in trees}
    return Made("set", {"values": values}, Renamed(names))


def _worked_out(ask: Ask, sight: Sight, trees: dict[str, Any], name: str) -> dict[str, str]:
    """Return CEL of each field.

    Raises:
        NotSafe, Unsure, ExpressionError: one of them cannot be said for sure.
    """
    if not trees:
        raise js.NotSafe
    found, leaves = {}, []
    for field, tree in trees.items():
        if isinstance(tree, js.Value) and isinstance(tree.value, str) and literals.looks_secret(field, tree.value):
            leaves.append(field)
            found[field] = quoted(LEFT_OUT)
            continue
        cel = Turning(sight, ask.reader.found).turn(_renamed(tree, name) if name else tree).text
        ours.names_used(f"${{ {cel} }}")
        found[field] = cel
    for field in leaves:
        ask.review("secret", field)
    return found


def _renamed(tree: Any, name: str) -> Any:
    """Put `$json` into the place of `name.json`; the item itself is no value that a step could hold."""
    match tree:
        case js.Part(of=js.Name(name=found), key=js.Value(value="json")) if found == name:
            return js.Name("$json")
        case js.Name(name=found) if found == name:
            raise js.NotSafe
        case tuple():
            return tuple(_renamed(each, name) for each in tree)
    if is_dataclass(tree) and not isinstance(tree, type):
        return replace(tree, **{each.name: _renamed(getattr(tree, each.name), name) for each in fields(tree)})
    return tree

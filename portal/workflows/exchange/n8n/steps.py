"""Nodes of n8n that work on values or on the line itself. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from portal.workflows.exchange.n8n import filters
from portal.workflows.exchange.n8n.cel import escaped, literal, part, quoted
from portal.workflows.exchange.n8n.expressions import Reader
from portal.workflows.exchange.n8n.graph import held, listed
from portal.workflows.exchange.n8n.made import LONGEST_NOTE, Ask, Made, placeholder
from portal.workflows.exchange.n8n.sight import Node, as_number
from portal.workflows.exchange.n8n.values import NUMBER, TRUTH, At, Keys, Renamed
from portal.workflows.exchange.reporting import REVIEW

TYPES = {"numberValue": "number", "booleanValue": "boolean", "arrayValue": "array", "objectValue": "object", "stringValue": "string"}
TYPES_OF_CEL = {"number": NUMBER, "boolean": TRUTH}
UNITS = {"seconds": "seconds", "minutes": "minutes", "hours": "hours", "days": "days"}


def edit_fields(ask: Ask) -> Made:
    """Turn what sets fields, in each of its three shapes; over a list without the old fields it is a transform."""
    list_ = ask.list_of_items() if ask.sight.here.items is not None else None
    if list_ is not None:
        ask.reader.sight = _each(ask)
    rows, keeps = _fields(ask)
    if rows is None:
        return placeholder(ask, "raw_json", note=str(ask.given.get("jsonOutput") or "")[:LONGEST_NOTE])
    if not rows:
        ask.changed("no_fields")
        return Made(None)
    if list_ is not None:
        pairs = [{"name": escaped(name), "value": cel or '""'} for name, _text, cel in rows]
        made = Made("transform", {"mode": "fields", "list": list_, "fields": pairs})
        made.out, made.items = At(f"steps.{ask.key}.items[0]"), f"steps.{ask.key}.items"
        return made
    names: dict[Keys, str] = {tuple(name.split(".")): part(f"steps.{ask.key}", (name,)) for name, _text, _cel in rows}
    out = Renamed(names, ask.sight.here.item) if keeps else Renamed(names)
    return Made("set", {"values": [{"name": escaped(name), "value": text} for name, text, _cel in rows]}, out)


def _fields(ask: Ask) -> tuple[list[tuple[str, str, str | None]] | None, bool]:
    """Return (name, text, CEL) of each field, and whether the fields that came are kept; None for what is written as one JSON."""
    given, version = ask.given, ask.node.version
    found: list[tuple[str, Any, str]] = []
    if version < 3:
        keeps = given.get("keepOnlySet") is not True
        values = given.get("values")
        for kind, rows in (values if isinstance(values, dict) else {}).items():
            held_rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            found += [(str(row.get("name") or ""), row.get("value"), kind) for row in held_rows]
    else:
        keeps = given.get("includeOtherFields") is True or (version < 3.3 and given.get("include", "all") != "none")
        if given.get("mode") == "raw":
            try:
                whole = json.loads(given.get("jsonOutput") or "")
            except (TypeError, ValueError, RecursionError):
                return None, keeps
            if not isinstance(whole, dict):
                return None, keeps
            found = [(name, value, "") for name, value in whole.items()]
        else:
            for row in listed(given, "fields", "values"):
                kind = str(row.get("type") or "stringValue")
                found.append((str(row.get("name") or ""), row.get(kind), TYPES.get(kind, "string")))
            for row in listed(given, "assignments", "assignments"):
                found.append((str(row.get("name") or ""), row.get("value"), str(row.get("type") or "string")))
    return [made for name, value, kind in found if name and (made := _field(ask, name, value, kind))], keeps


def _field(ask: Ask, name: str, value: Any, kind: str) -> tuple[str, str, str | None]:
    if kind in ("array", "object") and isinstance(value, str) and not value.startswith("="):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            ask.review("raw_json")
    if isinstance(value, list | dict):
        cel: str | None = whole(value)
        return name, f"${{ {cel} }}", cel
    read = ask.reader.cel(value, TYPES_OF_CEL.get(kind, "any"))
    said = read.text if read is not None else None
    if read is not None and kind in ("number", "boolean"):
        said = as_number(read) if kind == "number" and isinstance(value, str) and value.startswith("=") else said
        return name, f"${{ {said} }}", said
    return name, ask.text(value), said


def whole(value: Any) -> str:
    """Write JSON as CEL."""
    if isinstance(value, list):
        return "[" + ", ".join(f"dyn({whole(each)})" for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(str(name))}: dyn({whole(each)})" for name, each in value.items()) + "}"
    return literal(value)


def keep_if(ask: Ask) -> Made:
    """Turn a filter over a list; over one item the builder makes a condition of it."""
    reader = Reader(_each(ask))
    where = filters.read(ask.given, reader)
    ask.reader.found.kept += reader.found.kept
    if where is None:
        ask.review("condition")
    made = Made("filter", {"list": ask.list_of_items(), "where": where or ""})
    return _list_made(ask, made)


def limit(ask: Ask) -> Made:
    count = ask.given.get("maxItems", 1)
    end = "last" if ask.given.get("keep") == "lastItems" else "first"
    number = count if isinstance(count, int) and not isinstance(count, bool) else ask.text(count)
    return _list_made(ask, Made("limit", {"list": ask.list_of_items(), "count": number, "end": end}))


def sort(ask: Ask) -> Made:
    rows = listed(ask.given, "sortFieldsUi", "sortField")
    if ask.given.get("type") in ("random", "code") or not rows:
        return placeholder(ask, "sort", str(ask.given.get("type") or ""), note=str(ask.given.get("code") or "")[:LONGEST_NOTE])
    if len(rows) > 1:
        ask.review("sort_first")
    by = part("item", _path(rows[0].get("fieldName")))
    order = "down" if rows[0].get("order") == "descending" else "up"
    return _list_made(ask, Made("sort", {"list": ask.list_of_items(), "by": by, "order": order}))


def remove_duplicates(ask: Ask) -> Made:
    given = ask.given
    if given.get("operation") not in (None, "removeDuplicateInputItems"):
        return placeholder(ask, "operation", str(given.get("operation")))
    names = given.get("fieldsToCompare")
    names = names if isinstance(names, str) and given.get("compare") == "selectedFields" else held(names, "fields")
    by = ""
    if isinstance(names, str) and names.strip():
        paths = [part("item", _path(name)) for name in names.split(",") if name.strip()]
        by = paths[0] if len(paths) == 1 else "[" + ", ".join(f"dyn({path})" for path in paths) + "]"
    if given.get("compare") == "allFieldsExcept":
        ask.review("compare_except")
    return _list_made(ask, Made("dedupe", {"list": ask.list_of_items(), "by": by}))


def split_out(ask: Ask) -> Made:
    name = str(ask.given.get("fieldToSplitOut") or "").removeprefix("=")
    names = [each.strip() for each in name.split(",") if each.strip()]
    if ask.given.get("include") not in (None, "noOtherFields"):
        ask.review("split_others")
    if len(names) != 1 or "{{" in name:
        return placeholder(ask, "split_field", name)
    list_ = ask.sight.here.item.read(_path(names[0]))
    made = Made("transform", {"mode": "value", "list": list_, "value": "item"})
    return _list_made(ask, made)


def aggregate(ask: Ask) -> Made:
    given, items = ask.given, ask.list_of_items()
    if given.get("aggregate") == "aggregateAllItemData":
        name = str(given.get("destinationFieldName") or "data")
        return _set_one(ask, {name: items})
    values = {}
    for row in listed(given, "fieldsToAggregate", "fieldToAggregate"):
        path = _path(row.get("fieldToAggregate"))
        name = str(row.get("outputFieldName") or "") if row.get("renameField") is True else ""
        if path:
            values[name or str(path[-1])] = f"{items}.map(item, {part('item', path)})"
    if not values:
        return placeholder(ask, "aggregate")
    return _set_one(ask, values)


def merge(ask: Ask, lanes: list[tuple[int, Any]]) -> Made:
    """Turn what brings several ways together; `lanes` are the flows that come to it, by input."""
    given, version = ask.given, ask.node.version
    mode = str(given.get("mode") or "append")
    if len(lanes) < 2:
        if mode not in ("append", "chooseBranch", "passThrough", "wait"):
            ask.changed("merge_ways")
        return Made(None)
    ordered = [node for _slot, node in sorted(lanes, key=lambda each: each[0])]
    if mode == "append":
        lists = [node.items if node.items is not None else f"[dyn({node.item.read(())})]" for node in ordered]
        made = Made("transform", {"mode": "value", "list": " + ".join(lists), "value": "item"})
        return _list_made(ask, made)
    if mode in ("chooseBranch", "passThrough", "wait"):
        wanted = str(given.get("useDataOfInput") or given.get("output") or "1")
        number = int(found[0]) if (found := re.search(r"\d", wanted)) else 1
        node = ordered[min(max(number, 1), len(ordered)) - 1]
        return Made(None, out=node.item, items=node.items)
    by_place = given.get("combineBy") == "combineByPosition" or (version < 3 and mode == "mergeByIndex")
    if by_place or held(given, "combinationMode") == "mergeByPosition":
        ask.changed("merge_place")
        values = {f"input{number}": node.item.read(()) for number, node in enumerate(ordered, 1)}
        made = _set_one(ask, values)
        made.out = ordered[0].item
        ask.line.say(REVIEW, "merge_fields")
        return made
    return placeholder(ask, "merge", mode if mode != "combine" else str(given.get("combineBy") or given.get("combinationMode") or mode))


def wait(ask: Ask) -> Made:
    given = ask.given
    resume = given.get("resume") or ("timeInterval" if given.get("amount") is not None or ask.node.version >= 1 else "")
    if resume in ("webhook", "form"):
        ask.changed("callback")
        return Made("callback", {}, ask.at())
    if resume == "specificTime":
        return Made("wait", {"mode": "until", "until": ask.text(given.get("dateTime"))})
    unit = str(given.get("unit") or ("seconds" if ask.node.version >= 1.1 else "hours"))
    amount = given.get("amount", 5 if ask.node.version >= 1.1 else 1)
    if unit not in UNITS:
        ask.review("unit", unit)
    number = amount if isinstance(amount, int | float) and not isinstance(amount, bool) else ask.text(amount)
    return Made("wait", {"mode": "for", "amount": number, "unit": UNITS.get(unit, "minutes")})


def stop_and_error(ask: Ask) -> Made:
    given = ask.given
    told = given.get("errorObject") if given.get("errorType") == "errorObject" else given.get("errorMessage")
    return Made("stop", {"outcome": "failed", "message": ask.text(told)}, ends=True)


def respond(ask: Ask) -> Made:
    """Turn the answer to whoever called."""
    given = ask.given
    way = given.get("respondWith", "firstIncomingItem")
    code = held(given, "options", "responseCode")
    status = code if isinstance(code, int) and not isinstance(code, bool) else ask.text(code) if code else 200
    config: dict[str, Any] = {"status": status, "type": "application/json", "body": ""}
    if way in ("json", "text"):
        config |= {"body": ask.text(given.get("responseBody")), "type": "application/json" if way == "json" else "text/plain"}
    elif way == "firstIncomingItem":
        config["body"] = f"${{ {ask.sight.here.item.read(())} }}"
    elif way == "allIncomingItems":
        config["body"] = f"${{ {ask.list_of_items()} }}"
    elif way != "noData":
        ask.review("respond", way)
    if rows := listed(given, "options", "responseHeaders", "entries"):
        config["headers"] = ask.pairs(rows)
    return Made("respond", config)


def nothing(ask: Ask) -> Made:
    return Made(None)


def condition_of(ask: Ask) -> str | None:
    """Return the CEL of a fork in two or of a filter."""
    said = filters.read(ask.given, ask.reader)
    if said is None:
        ask.review("condition")
    return said


def cases_of(ask: Ask) -> list[dict[str, str]]:
    """Return name and CEL of each output of a switch, without that of what fits nowhere; empty CEL where it cannot be said."""
    given, version, reader = ask.given, ask.node.version, ask.reader
    found: list[dict[str, str]] = []
    if given.get("mode") == "expression":
        output = reader.expression(given.get("output"), NUMBER)
        count = given.get("numberOutputs", 4)
        count = count if isinstance(count, int) and 0 < count <= 20 else 4
        found = [{"name": str(number), "value": f"double({output}) == {number}.0" if output else ""} for number in range(count)]
    elif version >= 3:
        for number, row in enumerate(listed(given, "rules", "values")):
            named = row.get("outputKey") if row.get("renameOutput") else ""
            found.append({"name": escaped(str(named or number))[:100], "value": filters.read(row, reader) or ""})
        if held(given, "options", "allMatchingOutputs") is True:
            ask.review("switch_all")
    else:
        kind = str(given.get("dataType") or "number")
        outputs: dict[int, list[str | None]] = {}
        for number, row in enumerate(listed(given, "rules", "rules")):
            output = row.get("output", number)
            cel = filters.of_words(kind, str(row.get("operation") or "equal"), given.get("value1"), row.get("value2"), reader)
            outputs.setdefault(output if isinstance(output, int) and 0 <= output < 20 else number, []).append(cel)
        for number in range(max(outputs, default=-1) + 1):
            parts = outputs.get(number, ["false"])
            found.append({"name": str(number), "value": "" if None in parts else " || ".join(f"({each})" for each in parts)})
    if any(not case["value"] for case in found) or not found:
        ask.review("condition")
    return found


def _each(ask: Ask) -> Any:
    """Return the sight of one item of the list that a node works on."""
    return replace(ask.sight, here=Node(At("item")))


def _list_made(ask: Ask, made: Made) -> Made:
    made.out, made.items = At(f"steps.{ask.key}.items[0]"), f"steps.{ask.key}.items"
    return made


def _set_one(ask: Ask, values: dict[str, str]) -> Made:
    names: dict[Keys, str] = {(name,): part(f"steps.{ask.key}", (name,)) for name in values}
    return Made("set", {"values": [{"name": escaped(name), "value": f"${{ {cel} }}"} for name, cel in values.items()]}, Renamed(names))


def _path(name: Any) -> Keys:
    """Return the path that a name with dots means."""
    return tuple(each for each in str(name or "").removeprefix("=").strip().split(".") if each)

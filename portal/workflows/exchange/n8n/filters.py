"""Conditions of n8n, in the shape of each version → CEL. Pure."""

from __future__ import annotations

from typing import Any

from portal.workflows.exchange.n8n.expressions import Reader
from portal.workflows.exchange.n8n.sight import Cel, as_number
from portal.workflows.exchange.n8n.values import MOMENT, NUMBER, TEXT, TRUTH

KINDS = {"string": TEXT, "number": NUMBER, "boolean": TRUTH, "dateTime": MOMENT, "array": "list", "object": "map"}
# The words of old versions, in those of new ones.
OLD = {
    "equal": "equals", "notEqual": "notEquals", "larger": "gt", "largerEqual": "gte", "smaller": "lt", "smallerEqual": "lte",
    "isEmpty": "empty", "isNotEmpty": "notEmpty", "after": "after", "before": "before",
}  # fmt: skip
ORDER = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "after": ">", "before": "<", "afterOrEquals": ">=", "beforeOrEquals": "<="}
TEXTS = {"contains": "contains", "startsWith": "startsWith", "endsWith": "endsWith", "regex": "matches"}


def read(parameters: Any, reader: Reader) -> str | None:
    """Return the CEL of a filter of version 2 or a bag of conditions of version 1; None when a part of it cannot be said."""
    held = parameters.get("conditions") if isinstance(parameters, dict) else None
    if isinstance(held, dict) and isinstance(held.get("conditions"), list):
        return new(held, reader)
    return old(parameters, reader)


def new(held: dict[str, Any], reader: Reader) -> str | None:
    """Return the CEL of a filter as n8n writes it since version 2."""
    sign = " || " if held.get("combinator") == "or" else " && "
    options = held.get("options") if isinstance(held.get("options"), dict) else {}
    folds = options.get("caseSensitive") is False if isinstance(options, dict) else False
    parts = [_one(each, reader, folds=folds) for each in held.get("conditions") or [] if isinstance(each, dict)]
    return _together(parts, sign)


def old(parameters: Any, reader: Reader) -> str | None:
    """Return the CEL of the conditions of version 1: a list for each kind."""
    if not isinstance(parameters, dict):
        return None
    sign = " || " if parameters.get("combineOperation") == "any" else " && "
    held = parameters.get("conditions")
    parts: list[str | None] = []
    for kind, conditions in (held if isinstance(held, dict) else {}).items():
        for each in conditions if isinstance(conditions, list) else []:
            if isinstance(each, dict):
                usual = "smaller" if kind == "number" else "equal"
                parts.append(of_words(kind, str(each.get("operation", usual)), each.get("value1", ""), each.get("value2", ""), reader))
    return _together(parts, sign)


def of_words(kind: str, operation: str, left: Any, right: Any, reader: Reader) -> str | None:
    """Return the CEL of one condition in the words of version 1."""
    operator = {"type": kind, "operation": OLD.get(operation, operation)}
    return _one({"leftValue": left, "rightValue": right, "operator": operator}, reader)


def _together(parts: list[str | None], sign: str) -> str | None:
    if not parts or any(part is None for part in parts):
        return None
    return sign.join(str(part) for part in parts)


def _one(condition: dict[str, Any], reader: Reader, *, folds: bool = False) -> str | None:
    operator = condition.get("operator")
    operator = operator if isinstance(operator, dict) else {}
    kind, operation = KINDS.get(str(operator.get("type")), TEXT), str(operator.get("operation") or "equals")
    left = reader.cel(condition.get("leftValue"), kind)
    if left is None:
        return None
    if operation in ("exists", "notExists", "empty", "notEmpty"):
        return _there(left, operation, reader)
    if operation in ("true", "false"):
        return left.text if operation == "true" else f"!({left.text})"
    right = reader.cel(condition.get("rightValue"), NUMBER if operation.startswith("length") else kind)
    if right is None:
        return None
    said = _compared(left, right, kind, operation, folds=folds)
    if said is None:
        reader.found.kept.append(f"{operator.get('type')} {operation}")
    return said


def _there(left: Cel, operation: str, reader: Reader) -> str | None:
    if left.item is None:
        reader.found.kept.append(f"{left.text} {operation}")
        return None
    there = left.item.present(left.keys)
    if operation.endswith("xists"):
        said = f"({there} && {left.text} != null)"
    else:
        said = f'({there} && !({left.text} in [null, dyn(""), dyn([]), dyn({{}})]))'
    return said if operation in ("exists", "notEmpty") else f"!{said}"


def _compared(left: Cel, right: Cel, kind: str, operation: str, *, folds: bool) -> str | None:
    if kind == TEXT:
        one, other = (_text(each, folds=folds) for each in (left, right))
        plain = operation.removeprefix("not").removeprefix("Not")
        if operation in ("equals", "notEquals"):
            return f"{one} {'==' if operation == 'equals' else '!='} {other}"
        name = plain[:1].lower() + plain[1:]
        if name in TEXTS:
            said = f"{one}.{TEXTS[name]}({other})"
            return f"!{said}" if operation.startswith("not") else said
        return None
    if kind in (NUMBER, MOMENT) and operation in (*ORDER, "equals", "notEquals"):
        sign = ORDER.get(operation) or ("==" if operation == "equals" else "!=")
        if kind == NUMBER:
            return f"{as_number(left)} {sign} {as_number(right)}"
        return f"timestamp({left.text}) {sign} timestamp({right.text})"
    if kind == TRUTH and operation in ("equals", "notEquals"):
        return f"dyn({left.text}) {'==' if operation == 'equals' else '!='} dyn({right.text})"
    if kind == "list":
        if operation in ("contains", "notContains"):
            said = f"(dyn({right.text}) in {left.text})"
            return f"!{said}" if operation == "notContains" else said
        sizes = {"lengthEquals": "==", "lengthNotEquals": "!=", "lengthGt": ">", "lengthLt": "<", "lengthGte": ">=", "lengthLte": "<="}
        if operation in sizes:
            return f"double(size({left.text})) {sizes[operation]} {as_number(right)}"
    return None


def _text(cel: Cel, *, folds: bool) -> str:
    text = cel.text if cel.kind == TEXT else f"string({cel.text})"
    return f"{text}.lowerAscii()" if folds else text

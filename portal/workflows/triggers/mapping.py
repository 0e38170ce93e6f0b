"""What came in → the inputs of a run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.core.errors import Invalid
from portal.workflows import expressions, inputs


def read(declared: list[dict[str, Any]], config: Mapping[str, Any], arrived: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """Return the typed inputs: those with a text in the settings from it, the others from the body by their names.

    Args:
        arrived: what `${ input… }` reads.
        body: its parts are taken by name when it is an object.

    Raises:
        Invalid: `.problems` names each wrong input by its key.
    """
    texts = config.get("inputs") or {}
    named = body if isinstance(body, Mapping) else {}
    given: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for each in declared:
        key = each["key"]
        try:
            value = expressions.compile_template(texts[key]).evaluate({"input": arrived}) if key in texts else named.get(key)
            given[key] = value
        except expressions.ExpressionError as wrong:
            problems[key] = wrong.message
    try:
        values = inputs.read(declared, given)
    except Invalid as wrong:
        problems = {**wrong.problems, **problems}
    if problems:
        raise Invalid({key: str(text) for key, text in problems.items()})
    return values

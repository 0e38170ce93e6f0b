"""What came in → the inputs of a run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.core.errors import Invalid
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import expressions, inputs

NOT_ASKED = _l("The workflow asks for no such input. See how it is written.")


def read(
    declared: list[dict[str, Any]], config: Mapping[str, Any], arrived: Mapping[str, Any], body: Any, *, is_strict: bool = False
) -> dict[str, Any]:
    """Return the typed inputs: those with a text in the settings from it, the others from the body by their names.

    Args:
        arrived: what `${ input… }` reads.
        body: its parts are taken by name when it is an object.
        is_strict: a part that no input is called by is wrong; else it is left out.

    Raises:
        Invalid: `.problems` names each wrong input by its key.
    """
    texts = config.get("inputs") or {}
    named = body if isinstance(body, Mapping) else {}
    given: dict[str, Any] = {}
    known = {each["key"] for each in declared}
    problems: dict[str, Any] = {key: NOT_ASKED for key in list(named)[:100] if key not in known} if is_strict else {}
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

"""The inputs that a workflow declares: read what a person gave into typed values. Pure."""

from __future__ import annotations

import math
import re
from typing import Any

from portal.core.digits import read_number
from portal.core.errors import Invalid
from portal.i18n import dates
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.expressions import as_text

EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>]+\.[^@\s,;<>]{2,}\Z")
MAX_NUMBER = 10**15  # as many digits as one that is typed may have
MAX_TEXT = 1_000
MAX_LONG_TEXT = 20_000
NO_SUCH_CONNECTION = _l("This connection is not there, or not for this workflow. Choose another one.")
MAY_NOT_USE = _l("You may not use connections. Ask somebody who may to choose it.")
NO_SUCH_TABLE = _l("This data table does not exist any more. Choose another one.")


def read(declared: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """Return key → typed value for every declared input; what was not declared is left out.

    Args:
        given: key → text from a form, or a JSON value.

    Raises:
        Invalid: `.problems` names each wrong input by its key.
    """
    values, problems = {}, {}
    for each in declared:
        try:
            values[each["key"]] = _value(each, given.get(each["key"]))
        except ValueError as wrong:
            problems[each["key"]] = str(wrong)
    if problems:
        raise Invalid(problems)
    return values


def _value(declared: dict[str, Any], given: Any) -> Any:
    kind = declared["type"]
    if kind == "boolean":
        return _boolean(given)
    if kind == "number" and isinstance(given, int | float) and not isinstance(given, bool):
        return _typed_number(given)
    if isinstance(given, dict | list) and kind not in ("text", "long_text"):
        raise ValueError(_l("Send a text, a number, true or false."))
    text = as_text(given).replace("\x00", "").strip()
    if not text:
        if declared.get("required"):
            raise ValueError(_l("Fill this in."))
        return None
    return _READ[kind](text, declared)


def _boolean(given: Any) -> bool:
    """Read what forms and programs send for yes and no; nothing at all is no."""
    if isinstance(given, str):
        given = given.strip().casefold()
    if given in (True, "true", "on", "1", "y", "yes"):
        return True
    if given in (None, False, "", "false", "off", "0", "n", "no"):
        return False
    raise ValueError(_l("Send a text, a number, true or false."))


def _typed_number(number: float) -> int | float:
    if not math.isfinite(number) or abs(number) >= MAX_NUMBER:
        raise ValueError(_l("Enter a number, for example 12 or 1.5."))
    return number


def _text(text: str, declared: dict[str, Any]) -> str:
    limit = MAX_LONG_TEXT if declared["type"] == "long_text" else MAX_TEXT
    if len(text) > limit:
        raise ValueError(_l("Use at most %(num)d characters.", num=limit))
    return text


def _number(text: str, _declared: dict[str, Any]) -> int | float:
    number = read_number(text)
    if number is None:
        raise ValueError(_l("Enter a number, for example 12 or 1.5."))
    return number


def _date(text: str, _declared: dict[str, Any]) -> str:
    day = dates.read(text)
    if day is None:
        raise ValueError(_l("Enter a date as year-month-day, for example 2026-12-31 or 1448-07-22."))
    return day.isoformat()


def _email(text: str, _declared: dict[str, Any]) -> str:
    if len(text) > 320 or not EMAIL.match(text):
        raise ValueError(_l("Enter an e-mail address, for example name@example.com."))
    return text


def _choice(text: str, declared: dict[str, Any]) -> str:
    if text not in declared.get("choices", []):
        raise ValueError(_l("Choose one of the values."))
    return text


_READ = {"text": _text, "long_text": _text, "number": _number, "date": _date, "email": _email, "choice": _choice}

"""A file → the JSON in it, with the place of what is wrong, and cleaned of what no text of ours may hold. Pure."""

from __future__ import annotations

import json
from typing import Any

from portal.core.forms import CONTROLS
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.exchange.errors import FileRefused

LARGEST = 5 * 1024 * 1024
DEEPEST = 100
SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def read(content: bytes | str) -> Any:
    """Return the JSON value of a file.

    Raises:
        FileRefused: it is empty, too large, no UTF-8, no JSON, or nested too deeply.
    """
    text = _text(content)
    if not text.strip():
        raise FileRefused(_l("The file is empty."))
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as wrong:
        raise FileRefused(_wrong_place(wrong)) from None
    except RecursionError:
        raise FileRefused(_too_deep()) from None
    except ValueError:
        raise FileRefused(_l("The file holds a number that is none, or has too many digits.")) from None
    return _clean(value, 0)


def _text(content: bytes | str) -> str:
    size = len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))
    if size > LARGEST:
        raise FileRefused(_l("The file is larger than 5 MB. Take out what was pinned or kept with it, or import its workflows one by one."))
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise FileRefused(_l("The file is not written in UTF-8: line %(line)d holds other bytes.", line=line)) from None


def _wrong_place(wrong: json.JSONDecodeError) -> Any:
    return _l(
        "This is no JSON: line %(line)d, column %(column)d is wrong. Export the workflow again.", line=wrong.lineno, column=wrong.colno
    )


def _too_deep() -> Any:
    return _l("The file holds values more than %(num)d deep inside each other.", num=DEEPEST)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _clean(value: Any, depth: int) -> Any:
    """Drop control characters and halves of characters, which neither a page nor the database may hold."""
    if depth > DEEPEST:
        raise FileRefused(_too_deep())
    if isinstance(value, str):
        return value.translate(SURROGATES).translate(CONTROLS)
    if isinstance(value, list):
        return [_clean(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {_clean(key, depth): _clean(each, depth + 1) for key, each in value.items()}
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise FileRefused(_l("The file holds a number that is none, or has too many digits."))
    return value

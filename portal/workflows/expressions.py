"""Values in a step's settings: text with `${ CEL }`. Compiled once, bounded in time and size. Pure.

Variables are `input`, `steps` and `run`. A text that is one single `${ … }` gives the value itself (a number stays a
number); otherwise each value is written into the text.
"""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings
from flask_babel import lazy_gettext as _l

MAX_EXPRESSION = 2_000
MAX_TEMPLATE = 20_000
MAX_EXPRESSIONS = 50
MAX_RESULT = 256 * 1024
VARIABLES = ("input", "steps", "run")
NAME = re.compile(r"\b(input|steps|run)((?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*)")
STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'")


class ExpressionError(Exception):
    """An expression that cannot be compiled or worked out; `.message` is a translated sentence."""

    def __init__(self, message: Any, expression: str = "") -> None:
        super().__init__(str(message))
        self.message = message
        self.expression = expression


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text: plain pieces and expressions in turn."""

    parts: tuple[Any, ...]

    def evaluate(self, context: dict[str, Any]) -> Any:
        """Work the text out; a JSON value.

        Raises:
            ExpressionError: a value is missing, of the wrong kind, or too large.
        """
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return _checked(_evaluate(self.parts[0], context))
        pieces = [part if isinstance(part, str) else _written(_evaluate(part, context)) for part in self.parts]
        return _checked("".join(pieces))


@dataclass(frozen=True, slots=True)
class _Compiled:
    source: str
    program: Any


@lru_cache(maxsize=2048)
def compile_template(text: str) -> Template:
    """Compile a text with `${ … }`; `$${` writes `${` itself.

    Raises:
        ExpressionError: a bracket does not close, an expression is wrong, or there is too much of it.
    """
    return Template(tuple(part if isinstance(part, str) else _compiled(part[0]) for part in _split(text)))


def names_used(text: str) -> set[tuple[str, ...]]:
    """Return the variables that a text reads, as paths: ("input", "days"), ("steps", "ask", "body").

    Raises:
        ExpressionError: the text does not compile.
    """
    names = set()
    for part in _split(text):
        if isinstance(part, str):
            continue
        _compiled(part[0])
        for found in NAME.finditer(STRING.sub('""', part[0])):
            if found.start() and part[0][found.start() - 1] == ".":
                continue
            names.add((found[1], *(each.strip() for each in found[2].split(".")[1:])))
    return names


def _split(text: str) -> list[Any]:
    """Cut a text into plain pieces (str) and expressions (a tuple with the source)."""
    if len(text) > MAX_TEMPLATE:
        raise ExpressionError(_l("A text with values has at most %(num)d characters.", num=MAX_TEMPLATE))
    parts: list[Any] = []
    plain, position, count = "", 0, 0
    while position < len(text):
        if text.startswith("$${", position):
            plain, position = plain + "${", position + 3
        elif text.startswith("${", position):
            end = _closing(text, position + 2)
            parts += [plain, (text[position + 2 : end].strip(),)] if plain else [(text[position + 2 : end].strip(),)]
            plain, position, count = "", end + 1, count + 1
        else:
            plain, position = plain + text[position], position + 1
    if count > MAX_EXPRESSIONS:
        raise ExpressionError(_l("A text holds at most %(num)d values.", num=MAX_EXPRESSIONS))
    if plain or not parts:
        parts.append(plain)
    return parts


def _closing(text: str, position: int) -> int:
    """Find the bracket that closes an expression, past nested brackets and quoted text."""
    depth = 0
    while position < len(text):
        quoted = STRING.match(text, position)
        if quoted:
            position = quoted.end()
            continue
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            if depth == 0:
                return position
            depth -= 1
        position += 1
    raise ExpressionError(_l("“${” is not closed: add a “}” after the value."))


@lru_cache(maxsize=1)
def _environment() -> Any:
    return cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN), extensions=[ext_strings.ExtStrings()])


@lru_cache(maxsize=2048)
def _compiled(source: str) -> _Compiled:
    if not source:
        raise ExpressionError(_l("“${ }” is empty: write a value between the brackets."))
    if len(source) > MAX_EXPRESSION:
        raise ExpressionError(_l("A value has at most %(num)d characters.", num=MAX_EXPRESSION), source)
    try:
        return _Compiled(source, _environment().compile(source))
    except RuntimeError as wrong:
        raise ExpressionError(_syntax(str(wrong)), source) from None


def _syntax(said: str) -> Any:
    """Say in plain words what the compiler found."""
    if unknown := re.search(r"undeclared reference to '([^']+)'", said):
        return _l("“%(name)s” is not known. Values begin with input., steps. or run.", name=unknown[1])
    if "no matching overload" in said:
        return _l("The kinds of values do not fit together: numbers, texts and true/false do not mix.")
    place = re.search(r"<input>:(\d+):(\d+)", said)
    return _l("The expression is not written correctly, near character %(num)s.", num=place[2] if place else "1")


def _evaluate(compiled: _Compiled, context: dict[str, Any]) -> Any:
    try:
        value = compiled.program.eval(data={name: context.get(name) or {} for name in VARIABLES})
    except (RuntimeError, TypeError, ValueError, OverflowError):
        raise ExpressionError(_l("The value could not be worked out."), compiled.source) from None
    if value.type() == cel.Type.ERROR:
        raise ExpressionError(_failure(str(value.value())), compiled.source)
    return _plain(value.plain_value())


def _failure(said: str) -> Any:
    if missing := re.search(r"[Kk]ey not found in map : \"?([^\"]+)\"?", said):
        return _l("There is no value “%(name)s”.", name=missing[1])
    if "no matching overload" in said.lower() or "no_matching_overload" in said.lower() or "No matching overloads" in said:
        return _l("The kinds of values do not fit together. Whole numbers and decimals do not mix: write double(…) around the whole one.")
    if "divide by zero" in said or "modulus by zero" in said:
        return _l("It divides by zero.")
    if "iteration budget" in said.lower() or "budget" in said.lower():
        return _l("It takes too much work to compute.")
    return _l("The value could not be worked out.")


def _plain(value: Any) -> Any:
    """Turn a CEL value into JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError(_l("The result is not a finite number."))
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ExpressionError(_l("The result is not a value that can be stored."))


def _written(value: Any) -> str:
    """Write a value into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _checked(value: Any) -> Any:
    if isinstance(value, str | list | dict) and len(json.dumps(value, ensure_ascii=False)) > MAX_RESULT:
        raise ExpressionError(_l("The result is larger than 256 kB."))
    return value

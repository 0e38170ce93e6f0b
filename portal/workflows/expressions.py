"""Values in a step's settings: text with `${ CEL }`. Compiled once, bounded in time and size. Pure: no clock, no chance.

Variables are `input`, `steps` and `run`; inside a for-each `item` and `index`, inside a repeat `round` and `previous`, behind
an error `error`. A text that is one single `${ … }` gives the value itself; otherwise each value is
written into the text. Values are JSON: a moment becomes ISO text, a duration its seconds, bytes base64. Whole numbers and
decimals keep their kind (`2.0 * 3.0` is the decimal 6.0), and only lose the empty `.0` when they are written into a text.
A whole number beyond 64 bits reaches an expression as text, so that no digit is lost.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from portal.core.cel import errors
from portal.core.cel.cost import SCALAR, Shape, TooDeep, TooMuch, check_cost, made_fit, shape_of
from portal.core.cel.errors import ExpressionError
from portal.core.cel.tree import Path, Select, Tree, path_of, read_tree, reads
from portal.i18n.words import lazy_gettext as _l

__all__ = ["ExpressionError", "Template", "as_text", "compile_template", "evaluate_config", "names_used", "rename_steps"]

MAX_EXPRESSION = 2_000
MAX_TEMPLATE = 20_000
MAX_EXPRESSIONS = 50
MAX_RESULT = 4 * 1024 * 1024
_TOO_DEEP = _l("The value holds too many values inside each other.")
VARIABLES = ("input", "steps", "run", "item", "index", "round", "previous", "error")
QUOTED = re.compile(
    r"(?i:[rb]{0,2})(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')", re.DOTALL
)
RAW = re.compile(r"(?i:r|br|rb)(?:\"\"\".*?\"\"\"|'''.*?'''|\"[^\"\n]*\"|'[^'\n]*')", re.DOTALL)


# A step that an expression names: `steps.ask` or `steps["ask"]`; what is quoted, and what follows `//`, is passed over.
STEP = re.compile(
    rf"(?P<passed>{RAW.pattern}|{QUOTED.pattern}|//[^\n]*)"
    r"|(?<![\w.])(?P<before>steps\s*(?:\.\s*|\[\s*(?P<mark>[\"'])))(?P<key>[a-z][a-z0-9_]*)(?![A-Za-z0-9_])(?P<after>(?(mark)(?P=mark)\s*\]))",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Program:
    """One compiled expression, what it reads, and its tree; `path` when it is nothing but one path."""

    source: str
    runnable: Any
    tree: Tree
    reads: frozenset[Path]
    path: Path | None


@dataclass(frozen=True, slots=True)
class _Part:
    """An expression and where its source begins in the text."""

    program: _Program
    position: int


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text: plain pieces and expressions in turn."""

    parts: tuple[str | _Part, ...]

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Work the text out; a JSON value of at most 4 MB.

        Raises:
            ExpressionError: a value is missing, of the wrong kind, too large, or takes too much work.
        """
        if len(self.parts) == 1 and not isinstance(self.parts[0], str):
            return _evaluate(self.parts[0], context)
        pieces = [part if isinstance(part, str) else as_text(_evaluate(part, context)) for part in self.parts]
        return _checked("".join(pieces))


@lru_cache(maxsize=1_024)
def compile_template(text: str) -> Template:
    """Compile a text with `${ … }`; `$${` writes `${` itself.

    Raises:
        ExpressionError: a bracket does not close, an expression is wrong, or there is too much of it.
    """
    return Template(tuple(part if isinstance(part, str) else _part(*part) for part in _split(text)))


def evaluate_config(config: Any, context: Mapping[str, Any]) -> Any:
    """Work out every text inside settings, through maps and lists; keys and other values stay.

    Raises:
        ExpressionError: the first text that cannot be worked out.
    """
    if isinstance(config, str):
        return compile_template(config).evaluate(context) if "${" in config else config
    if isinstance(config, dict):
        return {key: evaluate_config(value, context) for key, value in config.items()}
    if isinstance(config, list):
        return [evaluate_config(value, context) for value in config]
    return config


def names_used(text: str) -> set[Path]:
    """Return the variables that a text reads, as paths: ("input", "days"), ("steps", "ask", "body").

    `input["days"]` is the same path as `input.days`; a path ends where it depends on another value.

    Raises:
        ExpressionError: the text does not compile.
    """
    return {path for part in compile_template(text).parts if not isinstance(part, str) for path in part.program.reads}


def rename_steps(text: str, new: Mapping[str, str], *, is_bare: bool = False) -> str:
    """Write a text for steps under other keys (old → new); steps that are not named there stay, and a text that is broken stays whole.

    Args:
        is_bare: the text is one expression, without `${ }` around it.
    """

    def rename(found: re.Match[str]) -> str:
        return found[0] if found["passed"] else f"{found['before']}{new.get(found['key'], found['key'])}{found['after']}"

    if is_bare:
        return STEP.sub(rename, text)
    made, place = "", 0
    while (found := text.find("${", place)) >= 0:
        if found > place and text[found - 1] == "$":
            made, place = made + text[place : found + 2], found + 2
            continue
        try:
            end = _closing(text, found + 2)
        except ExpressionError:
            break
        made, place = made + text[place : found + 2] + STEP.sub(rename, text[found + 2 : end]), end
    return made + text[place:]


def as_text(value: Any) -> str:
    """Write a value as it stands in a text: nothing for none, true or false, plain numbers, JSON for lists and maps."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _split(text: str) -> list[str | tuple[str, int]]:
    """Cut a text into plain pieces and expressions (the source and where it begins)."""
    if len(text) > MAX_TEMPLATE:
        raise ExpressionError(_l("A text with values has at most %(num)d characters.", num=MAX_TEMPLATE), code="too_long")
    parts: list[str | tuple[str, int]] = []
    plain, place, count = "", 0, 0
    while (found := text.find("${", place)) >= 0:
        if found and text[found - 1] == "$" and found > place:
            plain, place = plain + text[place : found - 1] + "${", found + 2
            continue
        plain += text[place:found]
        end = _closing(text, found + 2)
        parts += [plain] if plain else []
        parts.append(_trimmed(text, found + 2, end))
        plain, place, count = "", end + 1, count + 1
    if count > MAX_EXPRESSIONS:
        raise ExpressionError(_l("A text holds at most %(num)d values.", num=MAX_EXPRESSIONS), code="too_long")
    plain += text[place:]
    if plain or not parts:
        parts.append(plain)
    return parts


def _trimmed(text: str, begin: int, end: int) -> tuple[str, int]:
    source = text[begin:end]
    return source.strip(), begin + len(source) - len(source.lstrip())


def _closing(text: str, begin: int) -> int:
    """Find the bracket that closes an expression, past nested brackets and quoted text."""
    depth, place = 0, begin
    while place < len(text):
        if quoted := RAW.match(text, place) or QUOTED.match(text, place):
            place = quoted.end()
            continue
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            if depth == 0:
                return place
            depth -= 1
        place += 1
    raise ExpressionError(
        _l("“${” is not closed: add a “}” after the value."), code="unclosed", expression=text[begin : begin + 100], position=begin - 2
    )


def _part(source: str, position: int) -> _Part:
    try:
        return _Part(_program(source), position)
    except ExpressionError as wrong:
        raise wrong.at(position) from None


@lru_cache(maxsize=1)
def _environment() -> Any:
    return cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN), extensions=[ext_strings.ExtStrings()])


@lru_cache(maxsize=1_024)
def _program(source: str) -> _Program:
    if not source:
        raise ExpressionError(_l("“${ }” is empty: write a value between the brackets."), code="empty")
    if len(source) > MAX_EXPRESSION:
        raise ExpressionError(_l("A value has at most %(num)d characters.", num=MAX_EXPRESSION), code="too_long", expression=source)
    try:
        runnable = _environment().compile(source)
        tree = read_tree(runnable.serialize())
    except (RuntimeError, ValueError, RecursionError) as wrong:
        raise errors.of_syntax(str(wrong), source) from None
    read = frozenset(path for path in reads(tree) if path[0] in VARIABLES)
    path = None if isinstance(tree, Select) and tree.tests else path_of(tree)
    return _Program(source, runnable, tree, read, path if path in read else None)


def _evaluate(part: _Part, context: Mapping[str, Any]) -> Any:
    try:
        return _checked(_worked_out(part.program, context))
    except ExpressionError as wrong:
        raise wrong.at(part.position, part.program.source) from None


def _worked_out(program: _Program, context: Mapping[str, Any]) -> Any:
    if program.path:
        # Most expressions are a path: what stands there is passed on untouched, with every digit and in its order.
        depth, found = errors.follow(program.path, context)
        if depth == len(program.path):
            return found
    try:
        given, shapes = _read(program.reads, context)
        check_cost(program.tree, shapes)
        value = program.runnable.eval(data=given)
        if value.type() == cel.Type.ERROR:
            raise errors.of_evaluation(str(value.value()), program.reads, context)
        return _plain(value.plain_value())
    except (TooMuch, MemoryError):
        raise ExpressionError(errors.TOO_MUCH, code="too_much") from None
    except (TooDeep, RecursionError):
        raise ExpressionError(_TOO_DEEP, code="too_deep") from None
    except (RuntimeError, TypeError, ValueError, OverflowError) as wrong:
        raise errors.of_evaluation(str(wrong), program.reads, context) from None


def _read(paths: Iterable[Path], context: Mapping[str, Any]) -> tuple[dict[str, Any], dict[Path, Shape]]:
    """Copy out only what an expression reads, measured: CEL converts all that it is given, at each evaluation."""
    given: dict[str, Any] = {name: {} for name in VARIABLES}
    shapes: dict[Path, Shape] = {}
    whole: set[Path] = set()
    for path in sorted(paths, key=len):
        shapes[path] = _bring(given, whole, context, path)
    return given, shapes


def _bring(given: dict[str, Any], whole: set[Path], context: Mapping[str, Any], path: Path) -> Shape:
    """Copy one path out of the context, as far as it goes; a part that is missing stays missing, and is CEL's to tell."""
    source: Any = {name: _known(name, context) for name in VARIABLES}
    into: dict[str, Any] | None = given
    for depth, key in enumerate(path, start=1):
        if not isinstance(source, dict) or key not in source:
            return SCALAR
        source = source[key]
        if path[:depth] in whole:
            into = None  # a shorter path brought all of it
        if depth == len(path) or not isinstance(source, dict):
            value, shape = _fit(source)
            if into is not None:
                into[key] = value
                whole.add(path[:depth])
            return shape
        into = None if into is None else into.setdefault(key, {})
    return SCALAR


def _known(name: str, context: Mapping[str, Any]) -> Any:
    """Return a variable; what is missing is empty, but an item or a result that is nothing stays nothing."""
    value = context.get(name)
    return {} if value is None and (name not in context or name in ("input", "steps", "run")) else value


def _fit(value: Any) -> tuple[Any, Shape]:
    try:
        return value, shape_of(value)
    except ValueError:
        fit = made_fit(value)
        return fit, shape_of(fit)


def _plain(value: Any) -> Any:
    """Turn a CEL value into JSON."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value
    if isinstance(value, dict):
        # CEL keeps no order. Sorted, so that a call that is repeated after a crash has the same body.
        return dict(sorted((key if isinstance(key, str) else as_text(key), _plain(each)) for key, each in value.items()))
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise ExpressionError(_l("The result is not a value that can be stored."), code="not_storable")


def _checked(value: Any) -> Any:
    """Refuse a result that is no JSON, or larger than a step may keep."""
    if value is None or isinstance(value, bool | int):
        return value
    try:
        size = len(value.encode()) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except RecursionError:
        raise ExpressionError(_TOO_DEEP, code="too_deep") from None
    except UnicodeEncodeError:
        return _checked(made_fit(value))
    except ValueError:
        raise ExpressionError(_l("The result is not a finite number."), code="not_finite") from None
    except TypeError:
        raise ExpressionError(_l("The result is not a value that can be stored."), code="not_storable") from None
    if size > MAX_RESULT:
        raise ExpressionError(_l("The result is larger than 4 MB."), code="too_large")
    return value

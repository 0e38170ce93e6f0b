"""Why an expression does not work, in plain words: what CEL says to programmers, said to the author of a workflow. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from portal.core.cel.tree import Path
from portal.core.words import lazy_gettext as _l

TOO_MUCH = _l("This would take too much work: the text or list is too long, or is copied too often.")
FAILED = _l("The value could not be worked out.")
KINDS: dict[str, Any] = {
    "int": _l("a whole number"),
    "uint": _l("a whole number"),
    "double": _l("a decimal"),
    "string": _l("a text"),
    "bytes": _l("bytes"),
    "bool": _l("true or false"),
    "list": _l("a list"),
    "map": _l("a group of values"),
    "null": _l("nothing"),
    "timestamp": _l("a moment"),
    "duration": _l("a duration"),
}
NUMBERS = {"int", "uint", "double"}
OVERLOAD = re.compile(
    r"[Nn]o matching overloads? (?:found : (?P<run>\S+)\s*\((?P<run_kinds>.*)\)|for '(?P<compile>[^']+)' applied to '(?P<compile_kinds>[^\n]*)')"
)
PLACE = re.compile(r"<input>:(\d+):(\d+)")
MISSING = re.compile(r'[Kk]ey not found in map : "?(.*?)"?\Z', re.DOTALL)
INDEX = re.compile(r"[Ii]ndex error: index=(-?\d+) size=(\d+)")


class ExpressionError(Exception):
    """An expression that cannot be compiled or worked out.

    Args:
        message: a translated sentence for the author; lazy, so it is written in the language of whoever reads it.
        code: a stable word: syntax, unknown_name, kinds, missing, no_parts, index, zero, overflow, conversion, pattern,
            not_finite, not_storable, too_long, too_large, too_much, too_deep, unclosed, empty or failed.
        expression: the source between `${` and `}`.
        position: where in the text, counted from 0; None when unknown.
    """

    def __init__(self, message: Any, *, code: str, expression: str = "", position: int | None = None) -> None:
        super().__init__(code)
        self.message = message
        self.code = code
        self.expression = expression
        self.position = position

    def __str__(self) -> str:
        return str(self.message)

    def at(self, begin: int, expression: str = "") -> ExpressionError:
        """Return the same error, its position counted from the beginning of the text that holds the expression."""
        return ExpressionError(
            self.message, code=self.code, expression=expression or self.expression, position=begin + (self.position or 0)
        )


def of_syntax(said: str, source: str) -> ExpressionError:
    """Explain what the compiler found."""
    position = _position(said, source)
    if unknown := re.search(r"undeclared reference to '([^']+)'", said):
        name = unknown[1]
        message = _l("“%(name)s” is not known. Values begin with input., steps. or run.", name=name)
        return ExpressionError(message, code="unknown_name", expression=source, position=position)
    if kinds := OVERLOAD.search(said):
        return ExpressionError(_kinds(kinds), code="kinds", expression=source, position=position)
    if "operand of a select" in said:
        message = _l("A “.” reads a part of a group of values; what stands before it has no parts.")
        return ExpressionError(message, code="no_parts", expression=source, position=position)
    if "recursion" in said or "nest" in said:
        return ExpressionError(
            _l("The expression has too many brackets or signs: split it into several steps."), code="too_deep", expression=source
        )
    message = _l("The expression is not written correctly, near character %(num)s.", num=position + 1)
    return ExpressionError(message, code="syntax", expression=source, position=position)


def of_evaluation(said: str, paths: Iterable[Path], context: Mapping[str, Any]) -> ExpressionError:
    """Explain what CEL found at work.

    Args:
        paths: what the expression reads, to tell which part of which value is missing.
    """
    if missing := MISSING.search(said.removesuffix(" [NOT_FOUND]")):
        return _missing(missing[1], paths, context)
    if "Applying SELECT" in said:
        return _no_parts(paths, context)
    if index := INDEX.search(said):
        message = _l("The list has %(size)s values, so [%(index)s] is not in it; the first one is [0].", size=index[2], index=index[1])
        return ExpressionError(message, code="index")
    if "jump_condition" in said:
        return ExpressionError(_l("What stands before “?” must be true or false."), code="kinds")
    if kinds := OVERLOAD.search(said):
        return ExpressionError(_kinds(kinds), code="kinds")
    return next(
        (ExpressionError(message, code=code) for words, code, message in _SAID if words(said.lower())),
        ExpressionError(FAILED, code="failed"),
    )


def _any(*words: str) -> Callable[[str], bool]:
    return lambda said: any(word in said for word in words)


_SAID: tuple[tuple[Callable[[str], bool], str, Any], ...] = (
    (_any("divide by zero", "modulus by zero", "division by zero"), "zero", _l("It divides by zero.")),
    (_any("budget", "recursion limit"), "too_much", TOO_MUCH),
    (_any("overload"), "kinds", _l("These kinds of values do not fit together.")),
    (_any("overflow", "out of range", "out_of_range", "out of int64", "out of uint64"), "overflow", _l("A number, moment or duration is outside its range.")),
    (_any("regular expression", "regex"), "pattern", _l("The pattern is not a valid regular expression.")),
    (_any("convert", "conversion", "malformed", "parse"), "conversion", _l("A text cannot be read as a number, a moment or a duration.")),
)  # fmt: skip


def _position(said: str, source: str) -> int:
    found = PLACE.search(said)
    if not found or int(found[1]) < 1:
        return 0
    before = source.split("\n")[: int(found[1]) - 1]
    return min(sum(len(line) + 1 for line in before) + int(found[2]) - 1, len(source))


def _missing(name: str, paths: Iterable[Path], context: Mapping[str, Any]) -> ExpressionError:
    for path in sorted(paths):
        depth, _stands = follow(path, context)
        if depth < len(path) and path[depth] == name:
            if depth == 1 and path[0] == "steps":
                message = _l(
                    "The step “%(name)s” has no result here: it is not in this workflow, or was not carried out before.", name=name
                )
            else:
                message = _l("“%(name)s” is not in “%(where)s”.", name=name, where=".".join(path[:depth]))
            return ExpressionError(message, code="missing")
    return ExpressionError(_l("There is no value “%(name)s”.", name=name), code="missing")


def _no_parts(paths: Iterable[Path], context: Mapping[str, Any]) -> ExpressionError:
    for path in sorted(paths):
        depth, stands = follow(path, context)
        if depth < len(path) and not isinstance(stands, dict):
            where = ".".join(path[:depth])
            if stands is None:
                message = _l("“%(where)s” is empty, so “%(name)s” is not in it.", name=path[depth], where=where)
            else:
                message = _l("“%(where)s” is %(kind)s, so “%(name)s” is not in it.", name=path[depth], where=where, kind=_kind_of(stands))
            return ExpressionError(message, code="no_parts")
    return ExpressionError(_l("A “.” reads a part of a group of values; what stands before it has no parts."), code="no_parts")


def follow(path: Path, context: Mapping[str, Any]) -> tuple[int, Any]:
    """Follow a path through the values as far as it goes: return how far that is, and what stands there."""
    value: Any = context
    for depth, key in enumerate(path):
        if not isinstance(value, Mapping) or key not in value:
            return depth, value
        value = value[key]
    return len(path), value


def _kinds(found: re.Match[str]) -> Any:
    function = found["run"] or found["compile"] or ""
    kinds = [_kind(each) for each in re.split(r",\s*(?![^(<]*[)>])", (found["run_kinds"] or found["compile_kinds"] or "").strip("() "))]
    operator = function.strip("_").replace("_", " ") if function.startswith("_") else function
    if function.startswith("_") and len(kinds) == 2:
        if len({*kinds} & NUMBERS) == 2:
            return _l(
                "“%(operator)s” does not take a whole number and a decimal together: write double(…) around the whole number.",
                operator=operator,
            )
        if all(each in KINDS for each in kinds):
            return _l(
                "“%(operator)s” does not fit between %(left)s and %(right)s.",
                operator=operator,
                left=KINDS[kinds[0]],
                right=KINDS[kinds[1]],
            )
    return _l("“%(name)s” does not work with these kinds of values.", name=operator or function)


def _kind(said: str) -> str:
    name = said.lower().split(".")[-1].split("(")[0].split("<")[0].strip()
    return {"int64": "int", "uint64": "uint", "null_type": "null", "float64": "double"}.get(name, name)


def _kind_of(value: Any) -> Any:
    names = {bool: "bool", int: "int", float: "double", str: "string", list: "list", dict: "map"}
    return KINDS[names.get(type(value), "null")]

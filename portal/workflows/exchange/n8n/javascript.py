"""The part of JavaScript that expressions of n8n mostly are: read into a tree, never carried out. Pure.

Values, paths, calls, arithmetic, comparisons, `? :`, `??`, `||`, `&&` and texts with `${ }`. All else (functions, assignments, `new`,
regular expressions, spreads) is refused, so that whoever asks keeps it as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

LONGEST = 2_000
DEEPEST = 40
BINARY = {
    "??": 1, "||": 2, "&&": 3, "==": 4, "!=": 4, "===": 4, "!==": 4, "<": 5, ">": 5, "<=": 5, ">=": 5, "+": 6, "-": 6, "*": 7, "/": 7,
    "%": 7,
}  # fmt: skip
TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<text>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')|(?P<mark>===|!==|==|!=|<=|>=|&&|\|\||\?\?|\?\.(?!\d)|[()\[\]{}.,?:<>+\-*/%!`])",
    re.ASCII,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)


class NotSafe(Exception):
    """The source is more than a value: it is kept as text."""


@dataclass(frozen=True, slots=True)
class Value:
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Part:
    """`of.key` or `of[key]`; the key is a tree where it is worked out."""

    of: Any
    key: Any


@dataclass(frozen=True, slots=True)
class Called:
    what: Any
    given: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    of: Any


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Choice:
    when: Any
    then: Any
    otherwise: Any


@dataclass(frozen=True, slots=True)
class Text:
    """A text with values in it: plain pieces and trees."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Any, ...]


def read(source: str) -> Any:
    """Return the tree of an expression.

    Raises:
        NotSafe: it is too long, too deep, or holds anything else than values.
    """
    if len(source) > LONGEST:
        raise NotSafe
    reader = _Reader(source)
    tree = reader.expression(0, 0)
    if reader.peek() != ("end", ""):
        raise NotSafe
    return tree


def read_fields(source: str) -> dict[str, Any]:
    """Return the trees of an object's fields; of an item of n8n (`{json: {…}}`) those inside it.

    Raises:
        NotSafe: it is too long or too deep, or holds anything else than names and values.
    """
    if len(source) > LONGEST:
        raise NotSafe
    reader = _Reader(source)
    found = reader.fields(is_whole=True)
    if reader.peek() != ("end", ""):
        raise NotSafe
    return found


class _Reader:
    def __init__(self, source: str) -> None:
        self._source, self._place = source, 0

    def peek(self) -> tuple[str, str]:
        """Return the kind and text of what comes next, without taking it."""
        place = self._place
        found = self._next()
        self._place = place
        return found

    def _next(self) -> tuple[str, str]:
        while self._place < len(self._source):
            found = TOKEN.match(self._source, self._place)
            if found is None:
                raise NotSafe
            self._place = found.end()
            if found.lastgroup != "space":
                return str(found.lastgroup), found[0]
        return "end", ""

    def _take(self, mark: str) -> bool:
        if self.peek() == ("mark", mark):
            self._next()
            return True
        return False

    def _must(self, mark: str) -> None:
        if not self._take(mark):
            raise NotSafe

    def expression(self, least: int, depth: int) -> Any:
        """Read an expression whose operators bind at least so strongly."""
        if depth > DEEPEST:
            raise NotSafe
        left = self._unary(depth)
        while True:
            kind, mark = self.peek()
            if kind != "mark":
                return left
            if mark == "?" and least == 0:
                self._next()
                then = self.expression(0, depth + 1)
                self._must(":")
                return Choice(left, then, self.expression(0, depth + 1))
            strength = BINARY.get(mark)
            if strength is None or strength < max(least, 1):
                return left
            self._next()
            left = Binary(mark, left, self.expression(strength + 1, depth + 1))

    def _unary(self, depth: int) -> Any:
        kind, mark = self.peek()
        if kind == "mark" and mark in ("!", "-", "+"):
            if depth > DEEPEST:
                raise NotSafe
            self._next()
            return Unary(mark, self._unary(depth + 1))
        return self._tail(self._atom(depth), depth)

    def _tail(self, of: Any, depth: int) -> Any:
        for _ in range(100):
            if self._take(".") or self._take("?."):
                if self.peek() == ("mark", "["):
                    continue
                kind, name = self._next()
                if kind != "name":
                    raise NotSafe
                of = Part(of, Value(name))
            elif self._take("["):
                of = Part(of, self.expression(0, depth + 1))
                self._must("]")
            elif self._take("("):
                of = Called(of, self._listed(")", depth))
            else:
                return of
        raise NotSafe

    def _atom(self, depth: int) -> Any:
        kind, text = self._next()
        if kind == "number":
            return Value(float(text) if re.search(r"[.eE]", text) else int(text[:300]))
        if kind == "text":
            return Value(unescaped(text[1:-1]))
        if kind == "name":
            known = {"true": True, "false": False, "null": None, "undefined": None}
            return Value(known[text]) if text in known else Name(text)
        if text == "(":
            inner = self.expression(0, depth + 1)
            self._must(")")
            return inner
        if text == "[":
            return Items(self._listed("]", depth))
        if text == "`":
            return self._template(depth)
        raise NotSafe

    def _listed(self, end: str, depth: int) -> tuple[Any, ...]:
        found: list[Any] = []
        while not self._take(end):
            if found:
                self._must(",")
                if self._take(end):
                    break
            found.append(self.expression(0, depth + 1))
        return tuple(found)

    def fields(self, *, is_whole: bool) -> dict[str, Any]:
        """Read `{name: value, …}`; around the fields of an item may stand `{json: … }` and nothing else."""
        self._must("{")
        found: dict[str, Any] = {}
        while not self._take("}"):
            if found:
                self._must(",")
                if self._take("}"):
                    break
            kind, name = self._next()
            if kind not in ("name", "text"):
                raise NotSafe
            name = unescaped(name[1:-1]) if kind == "text" else name
            self._must(":")
            if name == "json" and is_whole and not found and self.peek() == ("mark", "{"):
                inner = self.fields(is_whole=False)
                self._take(",")
                self._must("}")
                return inner
            if name in found or (name == "json" and is_whole):
                raise NotSafe
            found[name] = self.expression(0, 0)
        return found

    def _template(self, depth: int) -> Text:
        parts: list[Any] = []
        plain = ""
        while self._place < len(self._source):
            here = self._source[self._place]
            if here == "`":
                self._place += 1
                return Text((*parts, Value(unescaped(plain))) if plain else tuple(parts))
            if here == "\\":
                plain += self._source[self._place : self._place + 2]
                self._place += 2
            elif self._source.startswith("${", self._place):
                self._place += 2
                parts += [Value(unescaped(plain))] if plain else []
                plain = ""
                parts.append(self.expression(0, depth + 1))
                self._must("}")
            else:
                plain += here
                self._place += 1
        raise NotSafe


def unescaped(text: str) -> str:
    """Return what a quoted text says."""

    def said(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        if code is None:
            return "" if found[4] == "\n" else ESCAPES.get(found[4], found[4])
        number = int(code, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise NotSafe
        return chr(number)

    return ESCAPE.sub(said, text)


def pieces(template: str) -> list[tuple[bool, str]]:
    """Cut a text of n8n into its pieces: (is it an expression, its source). A `{{` that does not close is plain text."""
    found: list[tuple[bool, str]] = []
    place = 0
    while (begin := template.find("{{", place)) >= 0:
        end = _closing(template, begin + 2)
        if end < 0:
            break
        found += [(False, template[place:begin])] if begin > place else []
        found.append((True, template[begin + 2 : end].strip()))
        place = end + 2
    return [*found, (False, template[place:])] if place < len(template) or not found else found


def _closing(text: str, place: int) -> int:
    """Find the `}}` that ends an expression, past quoted texts and brackets of its own; -1 when there is none."""
    depth, quote = 0, ""
    while place < len(text):
        here = text[place]
        if quote:
            if here == "\\":
                place += 1
            elif here == quote:
                quote = ""
        elif here in "\"'`":
            quote = here
        elif here == "{":
            depth += 1
        elif here == "}":
            if depth == 0 and text.startswith("}}", place):
                return place
            depth = max(depth - 1, 0)
        place += 1
    return -1

"""Expressions of n8n → CEL, as far as both surely mean the same; all else stays text and is named. Nothing is ever carried out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portal.workflows import expressions as ours
from portal.workflows.exchange.n8n import javascript as js
from portal.workflows.exchange.n8n.cel import escaped, literal, quoted
from portal.workflows.exchange.n8n.sight import ANY, LIST, Cel, Found, Sight, as_text, kind_of
from portal.workflows.exchange.n8n.turning import Turning
from portal.workflows.exchange.n8n.values import NUMBER, TEXT, TRUTH, Unsure

MOST_TURNED = 5_000  # in one workflow: more would take a request too long, and stay text


@dataclass(slots=True)
class Reader:
    """Turns the values of one node into ours and remembers what it could not turn."""

    sight: Sight
    found: Found = field(default_factory=Found)

    def text(self, value: Any) -> str:
        """Return a value of a node as a text of ours with `${ … }`."""
        if not isinstance(value, str):
            return escaped(_plain(value))
        if not value.startswith("="):
            return escaped(value)
        made = []
        for is_expression, source in js.pieces(value[1:]):
            if not is_expression:
                made.append(escaped(source))
                continue
            cel = self._turned(source)
            made.append(escaped(f"{{{{ {source} }}}}") if cel is None else f"${{ {cel.text} }}")
        text = "".join(made)
        if len(text) > ours.MAX_TEMPLATE or text.count("${") > ours.MAX_EXPRESSIONS:
            self.found.kept.append(value[1:])
            return escaped(value[1:])
        return text

    def expression(self, value: Any, kind: str = ANY) -> str | None:
        """Return a value of a node as bare CEL; None when it cannot be said so, which is remembered."""
        cel = self.cel(value, kind)
        return cel.text if cel is not None else None

    def cel(self, value: Any, kind: str = ANY) -> Cel | None:
        """Do what `expression` does, with the kind of the result."""
        if not isinstance(value, str):
            return Cel(literal(value), kind_of(value)) if not isinstance(value, list | dict) else self._listed(value)
        if not value.startswith("="):
            return _read_as(value, kind)
        pieces = js.pieces(value[1:])
        if len(pieces) == 1 and pieces[0][0]:
            cel = self._turned(pieces[0][1])
            if cel is not None and kind in (NUMBER, TRUTH):
                self.sight.declared.suppose(cel.text, kind)
            return cel
        parts = [self._turned(source) if is_expression else Cel(quoted(source), TEXT) for is_expression, source in pieces]
        if any(part is None for part in parts):
            return None
        return Cel("(" + " + ".join(as_text(part) for part in parts if part) + ")", TEXT)

    def _listed(self, value: Any) -> Cel | None:
        if isinstance(value, list) and all(not isinstance(each, list | dict) for each in value):
            return Cel("[" + ", ".join(f"dyn({literal(each)})" for each in value) + "]", LIST)
        self.found.kept.append(_plain(value)[:200])
        return None

    def _turned(self, source: str) -> Cel | None:
        """Turn one expression; None, remembered, when it is not surely the same or does not compile with us."""
        self.sight.declared.turned += 1
        try:
            if self.sight.declared.turned > MOST_TURNED:
                raise js.NotSafe
            cel = Turning(self.sight, self.found).turn(js.read(source))
            ours.names_used(f"${{ {cel.text} }}")
        except (js.NotSafe, Unsure, ours.ExpressionError):
            self.found.kept.append(source)
            return None
        return cel


def _plain(value: Any) -> str:
    return ours.as_text(value)


def _read_as(text: str, kind: str) -> Cel:
    if kind == NUMBER:
        try:
            number = float(text)
        except ValueError:
            return Cel(quoted(text), TEXT)
        return Cel(literal(int(number) if number.is_integer() and abs(number) < 2**53 else number), NUMBER)
    if kind == TRUTH and text.lower() in ("true", "false"):
        return Cel(text.lower(), TRUTH)
    return Cel(quoted(text), TEXT)

"""Expressions of n8n → CEL, as far as both surely mean the same; all else stays text and is named. Nothing is ever carried out. Pure.

JavaScript turns kinds into each other without a word and CEL never does, so the kind of each part is written out where it matters:
a sum with a number is one of decimals, a sum with a text joins texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from portal.workflows import expressions as ours
from portal.workflows.exchange.n8n import javascript as js
from portal.workflows.exchange.n8n.cel import escaped, literal, quoted
from portal.workflows.exchange.n8n.values import NUMBER, TEXT, TRUTH, At, Declared, Item, Nowhere, Unsure

MOST_TURNED = 5_000  # in one workflow: more would take a request too long, and stay text
ANY, NOTHING, LIST = "any", "nothing", "list"
COMPARES = {"<", ">", "<=", ">="}
SAME = {"==": "==", "===": "==", "!=": "!=", "!==": "!="}
# Ways of a text that both have: name → (CEL, how many values it takes, the kind of the result, the kinds that may be given)
WAYS = {
    "toUpperCase": ("upperAscii", 0, TEXT), "toLowerCase": ("lowerAscii", 0, TEXT), "trim": ("trim", 0, TEXT),
    "includes": ("contains", 1, TRUTH), "startsWith": ("startsWith", 1, TRUTH), "endsWith": ("endsWith", 1, TRUTH),
    "split": ("split", 1, LIST),
}  # fmt: skip
RUN = {("$execution", "id"): "run.id", ("$workflow", "name"): "run.workflow"}
BARRED = frozenset({"__proto__", "constructor", "prototype"})


@dataclass(frozen=True, slots=True)
class Node:
    """What another node of n8n gives, where it stands in a run of ours."""

    item: Item
    items: str | None = None  # CEL of the list of all its items, where it gives many


@dataclass(frozen=True, slots=True)
class Sight:
    """What an expression at one node can see."""

    here: Node
    nodes: dict[str, Node]
    declared: Declared
    is_each: bool = False


@dataclass(frozen=True, slots=True)
class Cel:
    """A piece of CEL and the kind of its result; `keys` and `item` where it is a path and nothing else."""

    text: str
    kind: str = ANY
    item: Item | None = None
    keys: tuple[str | int, ...] = ()
    is_decimal: bool = False


@dataclass(slots=True)
class Found:
    """What was noticed on the way: (code, the source it is about)."""

    kept: list[str] = field(default_factory=list)  # sources that stayed text
    changed: list[str] = field(default_factory=list)  # codes of small differences


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
            return Cel(literal(value), _kind_of(value)) if not isinstance(value, list | dict) else self._listed(value)
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
        return Cel("(" + " + ".join(_as_text(part) for part in parts if part) + ")", TEXT)

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
            cel = _Turning(self).turn(js.read(source))
            ours.names_used(f"${{ {cel.text} }}")
        except (js.NotSafe, Unsure, ours.ExpressionError):
            self.found.kept.append(source)
            return None
        return cel


def _plain(value: Any) -> str:
    return ours.as_text(value)


def _kind_of(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return TRUTH
    return NUMBER if isinstance(value, int | float) else TEXT


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


def _as_text(cel: Cel) -> str:
    if cel.kind == TEXT:
        return cel.text
    return f"string({cel.text})"


def as_number(cel: Cel) -> str:
    """Return CEL whose result is a decimal."""
    if cel.kind == NUMBER and re.fullmatch(r"-?\d+", cel.text):
        return f"{cel.text}.0"
    return cel.text if cel.is_decimal or re.fullmatch(r"-?\d+\.\d+", cel.text) else f"double({cel.text})"


def _decimal(text: str) -> Cel:
    return Cel(text, NUMBER, is_decimal=True)


class _Turning:
    """One expression on its way."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.sight = reader, reader.sight

    def turn(self, tree: Any) -> Cel:
        match tree:
            case js.Value(value=value):
                return Cel(literal(value), _kind_of(value))
            case js.Items(items=items):
                return Cel("[" + ", ".join(f"dyn({self.turn(each).text})" for each in items) + "]", LIST)
            case js.Text(parts=parts):
                return Cel("(" + " + ".join(_as_text(self.turn(each)) for each in parts) + ")" if parts else '""', TEXT)
            case js.Unary(sign="!", of=of):
                return Cel(f"!({self.truth(of)})", TRUTH)
            case js.Unary(sign=sign, of=of):
                number = self.number(of)
                return _decimal(f"(-{number})" if sign == "-" else number)
            case js.Choice(when=when, then=then, otherwise=otherwise):
                first, second = self.turn(then), self.turn(otherwise)
                kind = first.kind if first.kind == second.kind else ANY
                return Cel(f"({self.truth(when)} ? dyn({first.text}) : dyn({second.text}))", kind)
            case js.Binary():
                return self.binary(tree)
            case js.Called() | js.Part() | js.Name():
                return self.path(tree)
        raise js.NotSafe

    def number(self, tree: Any) -> str:
        cel = self.turn(tree)
        if cel.kind not in (NUMBER, ANY):
            raise js.NotSafe
        self.sight.declared.suppose(cel.text, NUMBER)
        return as_number(cel)

    def truth(self, tree: Any) -> str:
        """Return what is true where JavaScript takes a value for true."""
        cel = self.turn(tree)
        if cel.kind == TRUTH:
            return cel.text
        if cel.kind == NUMBER:
            return f"{as_number(cel)} != 0.0"
        if cel.kind == TEXT:
            return f'{cel.text} != ""'
        if cel.item is None:
            raise js.NotSafe
        return self.given(cel)

    def given(self, cel: Cel) -> str:
        """Return what says that a path is there and is neither nothing, empty, nought nor false."""
        if cel.item is None:
            raise js.NotSafe
        there = cel.item.present(cel.keys)
        return f'({there} && !({cel.text} in [null, dyn(""), dyn(0), dyn(0.0), dyn(false)]))'

    def binary(self, tree: js.Binary) -> Cel:
        sign = tree.sign
        if sign in ("&&", "||", "??"):
            return self.chosen(tree)
        if sign in COMPARES:
            return self.compared(tree)
        if sign in SAME:
            return self.same(tree)
        if sign == "+":
            left, right = self.turn(tree.left), self.turn(tree.right)
            if TEXT in (left.kind, right.kind):
                return Cel(f"({_as_text(left)} + {_as_text(right)})", TEXT)
            if NUMBER not in (left.kind, right.kind):
                self.reader.found.changed.append("plus")
        if sign == "%":
            return _decimal(f"double(int({self.number(tree.left)}) % int({self.number(tree.right)}))")
        return _decimal(f"({self.number(tree.left)} {sign} {self.number(tree.right)})")

    def chosen(self, tree: js.Binary) -> Cel:
        """Turn `&&`, `||` and `??`: truth of both, or a value in the place of one that is missing."""
        left, right = self.turn(tree.left), self.turn(tree.right)
        if tree.sign == "??":
            if left.item is None:
                raise js.NotSafe
            return Cel(f"({left.item.present(left.keys)} && {left.text} != null ? dyn({left.text}) : dyn({right.text}))")
        if tree.sign == "||" and left.kind != TRUTH:
            return Cel(f"({self.truth(tree.left)} ? dyn({left.text}) : dyn({right.text}))")
        if left.kind == TRUTH and (right.kind == TRUTH or right.item is not None):
            return Cel(f"({left.text} {tree.sign} {self.truth(tree.right)})", TRUTH)
        if left.item is not None and right.kind == TRUTH:
            return Cel(f"({self.truth(tree.left)} && {right.text})", TRUTH)
        raise js.NotSafe

    def compared(self, tree: js.Binary) -> Cel:
        left, right = self.turn(tree.left), self.turn(tree.right)
        if TEXT in (left.kind, right.kind) and {left.kind, right.kind} <= {TEXT, ANY}:
            return Cel(f"({_as_text(left)} {tree.sign} {_as_text(right)})", TRUTH)
        if NUMBER not in (left.kind, right.kind):
            self.reader.found.changed.append("compare")
        return Cel(f"({self.number(tree.left)} {tree.sign} {self.number(tree.right)})", TRUTH)

    def same(self, tree: js.Binary) -> Cel:
        left, right = self.turn(tree.left), self.turn(tree.right)
        sign = SAME[tree.sign]
        if NOTHING in (left.kind, right.kind):
            path = left if left.item is not None else right
            if path.item is None:
                raise js.NotSafe
            there = f"({path.item.present(path.keys)} && {path.text} != null)"
            return Cel(there if sign == "!=" else f"!{there}", TRUTH)
        for one, other in ((left, right), (right, left)):
            if one.kind in (NUMBER, TRUTH) and other.kind == ANY:
                self.sight.declared.suppose(other.text, one.kind)
        if NUMBER in (left.kind, right.kind) and {left.kind, right.kind} <= {NUMBER}:
            return Cel(f"({as_number(left)} {sign} {as_number(right)})", TRUTH)
        return Cel(f"(dyn({left.text}) {sign} dyn({right.text}))", TRUTH)

    def path(self, tree: Any) -> Cel:
        """Turn a path of parts and calls, from its root outwards."""
        chain: list[Any] = []
        while isinstance(tree, js.Part | js.Called):
            chain.append(tree)
            tree = tree.of if isinstance(tree, js.Part) else tree.what
        if not isinstance(tree, js.Name):
            cel = self.turn(tree)
            return self.ways(cel, chain[::-1])
        return self.rooted(tree.name, chain[::-1])

    def rooted(self, name: str, chain: list[Any]) -> Cel:
        sight = self.sight
        if name == "$json":
            return self.below(sight.here.item, chain)
        if name in ("$input", "$items") and not (name == "$items" and _given(chain)):
            return self.of_node(sight.here, chain[1:] if name == "$items" else chain, all_at_once=name == "$items")
        if name == "$items":
            return self.of_node(self.node(_given(chain)), chain[1:], all_at_once=True)
        if name == "$" and chain and isinstance(chain[0], js.Called):
            return self.of_node(self.node(_given(chain)), chain[1:])
        if name == "$node" and chain and isinstance(chain[0], js.Part):
            key = chain[0].key
            return self.of_node(self.node(key.value if isinstance(key, js.Value) else None), chain[1:])
        if name in ("$execution", "$workflow") and (said := RUN.get((name, str(_names(chain[:1])[0]) if chain else ""))):
            return self.ways(Cel(said, TEXT), chain[1:])
        if name == "$itemIndex" and sight.is_each:
            return self.ways(Cel("index", NUMBER), chain)
        if name in ("$now", "$today") and (not chain or (_names(chain[:1]) == ["toISO"] and len(chain) == 2)):
            self.reader.found.changed.append("now")
            return Cel("run.started_at" if name == "$now" else 'run.started_at.split("T")[0]', TEXT)
        if name == "JSON" and _names(chain[:1]) == ["stringify"] and len(chain) == 2 and chain[1].given:
            self.reader.found.changed.append("json")
            return self.turn(chain[1].given[0])
        if chain and isinstance(chain[0], js.Called) and chain[0].given:
            return self.ways(self.made(name, chain[0].given[0]), chain[1:])
        raise js.NotSafe

    def made(self, name: str, of: Any) -> Cel:
        """Turn `Number(…)`, `String(…)` and their like."""
        if name == "String":
            return Cel(_as_text(self.turn(of)), TEXT)
        if name == "Boolean":
            return Cel(self.truth(of), TRUTH)
        if name in ("Number", "parseFloat", "parseInt"):
            number = f"double({self.turn(of).text})"
            return _decimal(f"double(int({number}))" if name == "parseInt" else number)
        raise js.NotSafe

    def node(self, name: Any) -> Node:
        found = self.sight.nodes.get(name) if isinstance(name, str) else None
        if found is None:
            raise Unsure("no_node")
        return found

    def of_node(self, node: Node, chain: list[Any], *, all_at_once: bool = False) -> Cel:
        """Turn what follows `$('Node')`: `.item.json.x`, `.first().json`, `.all()`, the old `.json.x`."""
        names = _names(chain[:2])
        if all_at_once or names[:1] == ["all"]:
            rest = chain if all_at_once else chain[2:]
            items = node.items if node.items is not None else f"[{node.item.read(())}]"
            if rest and isinstance(rest[0], js.Part) and isinstance(rest[0].key, js.Value) and isinstance(rest[0].key.value, int):
                if _names(rest[1:2]) != ["json"]:
                    raise js.NotSafe
                return self.below_cel(f"{items}[{rest[0].key.value}]", rest[2:])
            return self.ways(Cel(items, LIST), rest)
        if names[:1] == ["item"] and _names(chain[1:2]) == ["json"]:
            return self.below(node.item, chain[2:])
        if names[:1] in (["first"], ["last"]) and _names(chain[2:3]) == ["json"]:
            if node.items is None:
                return self.below(node.item, chain[3:])
            which = "0" if names[0] == "first" else f"size({node.items}) - 1"
            return self.below_cel(f"{node.items}[{which}]", chain[3:])
        if names[:1] == ["json"]:
            return self.below(node.item, chain[1:])
        raise js.NotSafe

    def below_cel(self, base: str, chain: list[Any]) -> Cel:
        return self.below(At(base), chain)

    def below(self, item: Item, chain: list[Any]) -> Cel:
        """Turn the path below an item, as far as it is one, and what is done with its value."""
        keys: list[str | int] = []
        for place, each in enumerate(chain):
            key = each.key.value if isinstance(each, js.Part) and isinstance(each.key, js.Value) else None
            follows = chain[place + 1] if place + 1 < len(chain) else None
            if not isinstance(key, str | int) or isinstance(key, bool) or isinstance(follows, js.Called) or (key == "length" and keys):
                return self.ways(self._read(item, tuple(keys)), chain[place:])
            if key in BARRED or (isinstance(key, int) and key < 0):
                raise js.NotSafe
            keys.append(key)
        return self._read(item, tuple(keys))

    def _read(self, item: Item, keys: tuple[str | int, ...]) -> Cel:
        return Cel(item.read(keys), ANY, item, keys)

    def ways(self, cel: Cel, chain: list[Any]) -> Cel:
        """Turn what is done with a value: `.length`, `.trim()`, `[0]`."""
        while chain:
            first, second = chain[0], chain[1] if len(chain) > 1 else None
            name = first.key.value if isinstance(first, js.Part) and isinstance(first.key, js.Value) else None
            if isinstance(second, js.Called) and isinstance(name, str):
                cel, chain = self.way(cel, name, second.given), chain[2:]
            elif name == "length":
                cel, chain = _decimal(f"double(size({cel.text}))"), chain[1:]
            elif isinstance(name, int) and not isinstance(name, bool) and name >= 0 and cel.kind in (LIST, ANY):
                cel, chain = Cel(f"{cel.text}[{name}]"), chain[1:]
            else:
                raise js.NotSafe
        return cel

    def way(self, cel: Cel, name: str, given: tuple[Any, ...]) -> Cel:
        values = [self.turn(each) for each in given]
        if name == "toString" and not values:
            return Cel(_as_text(cel), TEXT)
        if name == "join" and len(values) <= 1 and cel.kind in (LIST, ANY):
            return Cel(f"{cel.text}.join({values[0].text if values else quoted(',')})", TEXT)
        if name == "includes" and cel.kind == LIST and len(values) == 1:
            return Cel(f"({values[0].text} in {cel.text})", TRUTH)
        if name == "replace" and len(values) == 2 and {each.kind for each in values} == {TEXT}:
            return Cel(f"{_as_text(cel)}.replace({values[0].text}, {values[1].text}, 1)", TEXT)
        if name == "replaceAll" and len(values) == 2 and {each.kind for each in values} == {TEXT}:
            return Cel(f"{_as_text(cel)}.replace({values[0].text}, {values[1].text})", TEXT)
        if name not in WAYS or cel.kind not in (TEXT, ANY):
            raise js.NotSafe
        said, count, kind = WAYS[name]
        if len(values) != count:
            raise js.NotSafe
        if name.startswith("to"):
            self.reader.found.changed.append("ascii")
        return Cel(f"{_as_text(cel)}.{said}({', '.join(_as_text(each) for each in values)})", kind)


def _given(chain: list[Any]) -> Any:
    """Return the text that a call names, as in `$('Node')`."""
    if chain and isinstance(chain[0], js.Called) and len(chain[0].given) >= 1 and isinstance(chain[0].given[0], js.Value):
        return chain[0].given[0].value
    return None


def _names(chain: list[Any]) -> list[Any]:
    return [each.key.value if isinstance(each, js.Part) and isinstance(each.key, js.Value) else None for each in chain]


def nothing_seen() -> Sight:
    """Return the sight of a place that sees nothing, for what must be plain."""
    return Sight(Node(Nowhere()), {}, Declared())

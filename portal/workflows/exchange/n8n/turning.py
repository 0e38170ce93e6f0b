"""The tree of an expression of n8n → CEL. Pure.

JavaScript turns kinds into each other without a word and CEL never does, so the kind of each part is written out where it matters:
a sum with a number is one of decimals, a sum with a text joins texts.
"""

from __future__ import annotations

from typing import Any

from portal.workflows.exchange.n8n import javascript as js
from portal.workflows.exchange.n8n.cel import literal, quoted
from portal.workflows.exchange.n8n.sight import ANY, LIST, NOTHING, Cel, Found, Node, Sight, as_number, as_text, decimal, kind_of
from portal.workflows.exchange.n8n.values import NUMBER, TEXT, TRUTH, At, Item, Unsure

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


class Turning:
    """One expression on its way."""

    def __init__(self, sight: Sight, found: Found) -> None:
        self.sight, self.found = sight, found

    def turn(self, tree: Any) -> Cel:
        match tree:
            case js.Value(value=value):
                return Cel(literal(value), kind_of(value))
            case js.Items(items=items):
                return Cel("[" + ", ".join(f"dyn({self.turn(each).text})" for each in items) + "]", LIST)
            case js.Text(parts=parts):
                return Cel("(" + " + ".join(as_text(self.turn(each)) for each in parts) + ")" if parts else '""', TEXT)
            case js.Unary(sign="!", of=of):
                return Cel(f"!({self.truth(of)})", TRUTH)
            case js.Unary(sign=sign, of=of):
                number = self.number(of)
                return decimal(f"(-{number})" if sign == "-" else number)
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
                return Cel(f"({as_text(left)} + {as_text(right)})", TEXT)
            if NUMBER not in (left.kind, right.kind):
                self.found.changed.append("plus")
        if sign == "%":
            return decimal(f"double(int({self.number(tree.left)}) % int({self.number(tree.right)}))")
        return decimal(f"({self.number(tree.left)} {sign} {self.number(tree.right)})")

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
            return Cel(f"({as_text(left)} {tree.sign} {as_text(right)})", TRUTH)
        if NUMBER not in (left.kind, right.kind):
            self.found.changed.append("compare")
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
            self.found.changed.append("now")
            return Cel("run.started_at" if name == "$now" else 'run.started_at.split("T")[0]', TEXT)
        if name == "JSON" and _names(chain[:1]) == ["stringify"] and len(chain) == 2 and chain[1].given:
            self.found.changed.append("json")
            return self.turn(chain[1].given[0])
        if chain and isinstance(chain[0], js.Called) and chain[0].given:
            return self.ways(self.made(name, chain[0].given[0]), chain[1:])
        raise js.NotSafe

    def made(self, name: str, of: Any) -> Cel:
        """Turn `Number(…)`, `String(…)` and their like."""
        if name == "String":
            return Cel(as_text(self.turn(of)), TEXT)
        if name == "Boolean":
            return Cel(self.truth(of), TRUTH)
        if name in ("Number", "parseFloat", "parseInt"):
            number = f"double({self.turn(of).text})"
            return decimal(f"double(int({number}))" if name == "parseInt" else number)
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
                cel, chain = decimal(f"double(size({cel.text}))"), chain[1:]
            elif isinstance(name, int) and not isinstance(name, bool) and name >= 0 and cel.kind in (LIST, ANY):
                cel, chain = Cel(f"{cel.text}[{name}]"), chain[1:]
            else:
                raise js.NotSafe
        return cel

    def way(self, cel: Cel, name: str, given: tuple[Any, ...]) -> Cel:
        values = [self.turn(each) for each in given]
        if name == "toString" and not values:
            return Cel(as_text(cel), TEXT)
        if name == "join" and len(values) <= 1 and cel.kind in (LIST, ANY):
            return Cel(f"{cel.text}.join({values[0].text if values else quoted(',')})", TEXT)
        if name == "includes" and cel.kind == LIST and len(values) == 1:
            return Cel(f"({values[0].text} in {cel.text})", TRUTH)
        if name == "replace" and len(values) == 2 and {each.kind for each in values} == {TEXT}:
            return Cel(f"{as_text(cel)}.replace({values[0].text}, {values[1].text}, 1)", TEXT)
        if name == "replaceAll" and len(values) == 2 and {each.kind for each in values} == {TEXT}:
            return Cel(f"{as_text(cel)}.replace({values[0].text}, {values[1].text})", TEXT)
        if name not in WAYS or cel.kind not in (TEXT, ANY):
            raise js.NotSafe
        said, count, kind = WAYS[name]
        if len(values) != count:
            raise js.NotSafe
        if name.startswith("to"):
            self.found.changed.append("ascii")
        return Cel(f"{as_text(cel)}.{said}({', '.join(as_text(each) for each in values)})", kind)


def _given(chain: list[Any]) -> Any:
    """Return the text that a call names, as in `$('Node')`."""
    if chain and isinstance(chain[0], js.Called) and len(chain[0].given) >= 1 and isinstance(chain[0].given[0], js.Value):
        return chain[0].given[0].value
    return None


def _names(chain: list[Any]) -> list[Any]:
    return [each.key.value if isinstance(each, js.Part) and isinstance(each.key, js.Value) else None for each in chain]

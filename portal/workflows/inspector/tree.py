"""The values that a step can use, as a tree with samples: what the picker shows. Pure."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.i18n.words import lazy_gettext as _l

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# Words of CEL: a part with such a name is read as `x["in"]`.
TAKEN = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "false",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "namespace",
        "null",
        "package",
        "return",
        "true",
        "var",
        "void",
        "while",
    ]
)
KINDS: dict[str, Any] = {
    "text": _l("Text"),
    "number": _l("Number"),
    "boolean": _l("Yes or no"),
    "list": _l("List of values"),
    "group": _l("Group of values"),
    "nothing": _l("Nothing"),
}
MAX_DEPTH = 6
MAX_PARTS = 40  # of one group of values
MAX_NODES = 150  # of one source
LONGEST = 60


@dataclass(slots=True)
class Value:
    """One value: where it stands, what it is called, what it is in the sample."""

    path: str
    name: str
    label: Any = None  # what the kind of step, or the author, calls it
    kind: str = ""
    sample: str | None = None
    count: int = 0  # of a list
    parts: list[Value] = field(default_factory=list)
    more: int = 0  # parts that are not shown

    @property
    def id(self) -> str:
        return f"pk-{zlib.crc32(self.path.encode()):x}"

    @property
    def kind_label(self) -> Any:
        return KINDS.get(self.kind, "")


def values_in(path: str, sample: Any, labels: Iterable[tuple[str, Any]]) -> list[Value]:
    """Return the values of a source: those that have a label first, then what else the sample holds.

    Args:
        path: of the source, as an expression: `input`, `steps.ask`.
        sample: its value; a name without one has no sample.
        labels: name → label, in order.
    """
    known, room = dict(labels), [MAX_NODES]
    if not isinstance(sample, Mapping):
        return (
            [_value(path, path, sample, room, 0)]
            if sample is not None
            else [Value(step(path, name), name, label) for name, label in known.items()]
        )
    names = [*known, *(str(name) for name in sample if str(name) not in known)]
    made = []
    for name in names[:MAX_PARTS]:
        has = name in sample and not (name in known and sample[name] is None)
        each = _value(step(path, name), name, sample[name], room, 0) if has else Value(step(path, name), name)
        each.label = known.get(name)
        made.append(each)
    return made


def step(path: str, name: str) -> str:
    """Write the part of a value as CEL."""
    return f"{path}.{name}" if NAME.match(name) and name not in TAKEN else f"{path}[{json.dumps(name, ensure_ascii=False)}]"


def value_at(path: str, name: str, sample: Any) -> Value:
    """Return one value with what is inside it."""
    return _value(path, name, sample, [MAX_NODES], 0)


def _value(path: str, name: str, sample: Any, room: list[int], depth: int) -> Value:
    room[0] -= 1
    made = Value(path, name, kind=kind_of(sample))
    if isinstance(sample, Mapping):
        names = list(sample)
        shown = names[:MAX_PARTS] if depth < MAX_DEPTH else []
        for each in shown:
            if room[0] <= 0:
                break
            made.parts.append(_value(step(path, str(each)), str(each), sample[each], room, depth + 1))
        made.more = len(names) - len(made.parts)
        made.count = len(names)
    elif isinstance(sample, list):
        made.count = len(sample)
        if sample and depth < MAX_DEPTH and room[0] > 0:
            made.parts.append(_value(f"{path}[0]", "[0]", sample[0], room, depth + 1))
    else:
        made.sample = short(sample)
    return made


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value, as `KINDS` names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "group" if isinstance(value, Mapping) else "text"


def short(value: Any, longest: int = LONGEST) -> str:
    """Write a value on one line, cut with "…"."""
    text = value[: longest * 4] if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[:longest]}…"

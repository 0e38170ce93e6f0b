"""Put what was found in order: best first, in groups of a kind. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from portal.core.palette import Entry, Kind
from portal.i18n.search import fold

ORDER = {kind: place for place, kind in enumerate(Kind)}
Groups = list[tuple[Kind, list[Entry]]]


def ranked(entries: Iterable[Entry], text: str, *, each: int) -> Groups:
    """Return the entries that hold every word of a folded text, the best of a kind first and the kind of the best first.

    Args:
        text: a folded text; with an empty one every entry fits, in the order given.
        each: how many of one kind at most.
    """
    scored = [(score(entry, text), entry) for entry in entries]
    groups: dict[Kind, list[tuple[int, Entry]]] = {}
    for points, entry in sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0]):
        groups.setdefault(entry.kind, []).append((points, entry))
    kinds = sorted(groups, key=lambda kind: (-groups[kind][0][0], ORDER[kind]))
    return [(kind, [entry for _points, entry in groups[kind][:each]]) for kind in kinds]


def score(entry: Entry, text: str) -> int:
    """Say how well an entry fits: 0 not at all, 100 its very name."""
    if not text:
        return 1
    label, names = fold(entry.label), [fold(each) for each in entry.words]
    if not all(any(word in name for name in (label, *names)) for word in text.split()):
        return 0
    return max(_closeness(name, text) for name in (label, *names))


def _closeness(name: str, text: str) -> int:
    if name == text:
        return 100
    if name.startswith(text):
        return 80
    if f" {text}" in f" {name}":
        return 60
    return 40 if text in name else 20

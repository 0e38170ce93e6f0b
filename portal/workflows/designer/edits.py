"""Edits of a draft's steps: each takes the list of nodes and returns a new one, always in reading order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.core.errors import NotFound
from portal.workflows.definition import ERROR, UNDO, Node, lanes_of

MAIN = (None, None)
EXTRA = (ERROR, UNDO)
Line = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step can stand: in which lane (None: the main line) and after which neighbour (None: first)."""

    parent: str | None = None
    lane: str | None = None
    after: str | None = None

    @property
    def line(self) -> Line:
        return self.parent, self.lane


@dataclass(slots=True)
class Lane:
    """One lane of a step, with the steps on it."""

    name: str
    cards: list[Card]
    first: Place
    is_taken: bool | None = None  # in a run, once it is decided
    label: str = ""
    icon: str = "arrow-down"


@dataclass(slots=True)
class Card:
    """A step as pages show it; `number` counts in reading order from 1, over the whole workflow."""

    key: str
    kind: str
    name: str
    name_ar: str | None
    number: int
    place: Place
    node: Node
    lanes: list[Lane] = field(default_factory=list)
    label: Any = ""  # of its kind
    summary: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Any] = field(default_factory=list)
    state: Any = None
    is_pinned: bool = False  # a sample stands for its result
    crowd: Any = None  # in a run, of a step that ran more than once: how often, by state

    @property
    def lane_groups(self) -> list[list[Lane]]:
        """The lanes as they are drawn: those that the kind gives, then those for an error and for taking it back."""
        extra = [lane for lane in self.lanes if lane.name in EXTRA]
        return [group for group in ([lane for lane in self.lanes if lane.name not in EXTRA], extra) if group]

    @property
    def inside(self) -> int:
        """How many steps stand in its lanes, at any depth."""
        return sum(1 + card.inside for lane in self.lanes for card in lane.cards)

    @property
    def next(self) -> Place:
        """The place directly behind this step."""
        return Place(self.place.parent, self.place.lane, self.key)


def new_key(nodes: list[Node], kind: str) -> str:
    """Return a free key made from the kind: `email`, then `email_2`, `email_3`."""
    taken = {node["key"] for node in nodes}
    if kind not in taken:
        return kind
    return next(key for number in range(2, len(nodes) + 3) if (key := f"{kind}_{number}") not in taken)


def find(nodes: list[Node], key: str) -> Node:
    """Return a step.

    Raises:
        NotFound: there is none with this key.
    """
    found = next((node for node in nodes if node["key"] == key), None)
    if found is None:
        raise NotFound
    return found


def insert(nodes: list[Node], node: Node, place: Place) -> list[Node]:
    """Put a step at a place.

    Raises:
        NotFound: there is no such place.
    """
    lines = lines_of(nodes)
    put(lines, node, place)
    return list(flat(lines))


def change(nodes: list[Node], key: str, **new: Any) -> list[Node]:
    """Replace settings of a step, e.g. `name` or `config`; its key, kind and place stay.

    Raises:
        NotFound: there is no such step.
    """
    find(nodes, key)
    kept = {name: value for name, value in new.items() if name not in ("key", "kind", "parent", "lane")}
    return [{**node, **kept} if node["key"] == key else node for node in nodes]


def drop_case(nodes: list[Node], key: str, number: int) -> list[Node]:
    """Take away the lane of a switch's case that goes, with its steps; the lanes behind it move up.

    Args:
        number: of the case, from 1.
    """
    gone: set[str] = set()
    kept: list[Node] = []
    for node in nodes:
        lane = str(node.get("lane") or "")
        place = int(lane[5:]) if node.get("parent") == key and lane.startswith("case_") else 0
        if place == number or node.get("parent") in gone:
            gone.add(node["key"])
            continue
        kept.append({**node, "lane": f"case_{place - 1}"} if place > number else node)
    return kept


def move(nodes: list[Node], key: str, place: Place) -> list[Node]:
    """Put a step, with everything in its lanes, at another place.

    Raises:
        NotFound: there is no such step, or the place is not there (or inside the step itself).
    """
    node = find(nodes, key)
    lines = _without(nodes, key)
    put(lines, node, place)
    return list(flat(lines))


def shift(nodes: list[Node], key: str, by: int) -> list[Node]:
    """Move a step one place up (`by=-1`) or down (`by=1`) in reading order, into and out of lanes; at the end it stays.

    Raises:
        NotFound: there is no such step.
    """
    target = shifted_place(nodes, key, by)
    return move(nodes, key, target) if target else nodes


def shifted_place(nodes: list[Node], key: str, by: int) -> Place | None:
    """Return the place one up or down from where a step stands, or None at either end."""
    free = places(nodes, without=key)
    position = free.index(place_of(nodes, key)) + by
    return free[position] if 0 <= position < len(free) else None


def delete(nodes: list[Node], key: str) -> list[Node]:
    """Take a step away, with everything in its lanes.

    Raises:
        NotFound: there is no such step.
    """
    find(nodes, key)
    return list(flat(_without(nodes, key)))


def beside(nodes: list[Node], key: str) -> str | None:
    """Return the step that takes the focus when this one goes: the one behind it, before it, or around it."""
    line = lines_of(nodes)[line_of(nodes, key)]
    position = next(index for index, node in enumerate(line) if node["key"] == key)
    if position + 1 < len(line):
        return str(line[position + 1]["key"])
    return str(line[position - 1]["key"]) if position else line_of(nodes, key)[0]


def place_of(nodes: list[Node], key: str) -> Place:
    """Return where a step stands.

    Raises:
        NotFound: there is no such step.
    """
    find(nodes, key)
    parent, lane = line_of(nodes, key)
    before = None
    for node in lines_of(nodes)[parent, lane]:
        if node["key"] == key:
            break
        before = node["key"]
    return Place(parent, lane, before)


def places(nodes: list[Node], *, without: str | None = None) -> list[Place]:
    """Return every place where a step can stand, in reading order.

    Args:
        without: a step that is about to move; the places inside it are left out.
    """
    return list(_places(_without(nodes, without) if without else lines_of(nodes), MAIN))


def places_in(lines: dict[Line, list[Node]]) -> Iterator[Place]:
    """Go through every place of lines, in reading order."""
    return _places(lines, MAIN)


def is_undoing(nodes: list[Node], key: str) -> bool:
    """Say whether a step stands in an undo lane, at any depth."""
    line = line_of(nodes, key)
    while line[0]:
        if line[1] == UNDO:
            return True
        line = line_of(nodes, line[0])
    return False


def surely_before(nodes: list[Node], key: str) -> list[Node]:
    """Return the steps that have ended whenever this one begins: those before it on its line, and on the lines around it.

    Steps in a lane of an earlier step are left out: the run may have gone the other way. In an undo lane, the step itself is sure.
    """
    lines = lines_of(nodes)
    sure: set[str] = set()
    inside: str | None = key
    while inside:
        line = line_of(nodes, inside)
        keys = [str(node["key"]) for node in lines[line]]
        sure.update(keys[: keys.index(inside)])
        inside = line[0]
        sure.update([inside] if inside else [])
    return [node for node in flat(lines) if node["key"] in sure]


def tree(nodes: list[Node]) -> list[Card]:
    """Return the main line as cards, with their lanes inside them."""
    lines = lines_of(nodes)
    numbers = {node["key"]: number for number, node in enumerate(flat(lines), 1)}
    return _cards(lines, MAIN, numbers)


def every_card(cards: list[Card]) -> Iterator[Card]:
    """Go through cards in reading order, lanes included."""
    for card in cards:
        yield card
        for lane in card.lanes:
            yield from every_card(lane.cards)


def _cards(lines: dict[Line, list[Node]], line: Line, numbers: dict[str, int]) -> list[Card]:
    cards: list[Card] = []
    before = None
    for node in lines.get(line, []):
        key = node["key"]
        card = Card(key, node["kind"], node.get("name") or "", node.get("name_ar"), numbers[key], Place(*line, before), node)
        card.lanes = [Lane(side, _cards(lines, (key, side), numbers), Place(key, side)) for side in lanes_of(node)]
        cards.append(card)
        before = key
    return cards


def lines_of(nodes: Iterable[Node]) -> dict[Line, list[Node]]:
    """Sort the nodes into their lines; one that lost its place is shown on the main line, and the check names it."""
    lines: dict[Line, list[Node]] = {MAIN: []}
    for node in nodes:
        line = node.get("parent"), node.get("lane")
        lines.setdefault(line if line in lines else MAIN, []).append(node)
        lines.update({(node["key"], side): [] for side in lanes_of(node)})
    return lines


def _without(nodes: list[Node], key: str) -> dict[Line, list[Node]]:
    """Return the lines with a step unhooked: it and its lanes are no longer reached from the main line."""
    lines = lines_of(nodes)
    line = line_of(nodes, key)
    lines[line] = [node for node in lines[line] if node["key"] != key]
    return lines


def line_of(nodes: list[Node], key: str) -> Line:
    """Return the line on which a step is shown."""
    return next(line for line, members in lines_of(nodes).items() if any(node["key"] == key for node in members))


def put(lines: dict[Line, list[Node]], node: Node, place: Place) -> None:
    """Put a step at a place of these lines.

    Raises:
        NotFound: there is no such place.
    """
    if place not in set(_places(lines, MAIN)):
        raise NotFound
    line = lines[place.line]
    position = 0 if place.after is None else 1 + next(index for index, each in enumerate(line) if each["key"] == place.after)
    line.insert(position, {**node, "parent": place.parent, "lane": place.lane})
    for side in lanes_of(node):
        lines.setdefault((node["key"], side), [])


def _places(lines: dict[Line, list[Node]], line: Line) -> Iterator[Place]:
    yield Place(*line)
    for node in lines[line]:
        for side in lanes_of(node):
            yield from _places(lines, (node["key"], side))
        yield Place(*line, node["key"])


def flat(lines: dict[Line, list[Node]], line: Line = MAIN) -> Iterator[Node]:
    """Go through the steps of lines in reading order."""
    for node in lines[line]:
        yield node
        for side in lanes_of(node):
            yield from flat(lines, (node["key"], side))

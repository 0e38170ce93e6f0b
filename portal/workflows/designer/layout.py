"""Where the steps of a flow stand on a picture: each line runs down, lanes stand side by side and meet again. Pure.

Lengths are pixels. The picture is laid out from left to right and mirrored for who reads from right to left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from portal.workflows.definition import BLOCKS, ERROR, UNDO
from portal.workflows.designer.edits import Card, Lane

WIDE, HIGH = 216, 60
DOWN, ASIDE = 36, 28  # between two steps, between two lanes
LABEL = 26
NARROW = 88  # a lane with nothing in it
EDGE = 24
PAD = 14  # around the lanes of a block
ENDS = frozenset({"stop", "goto"})  # nothing comes directly after these
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A step: its left upper corner; `card` is None for the start and the end."""

    x: float
    y: float
    card: Card | None
    what: str = "step"
    wide: float = WIDE
    high: float = HIGH


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a lane, about its middle."""

    x: float
    y: float
    lane: Lane


@dataclass(frozen=True, slots=True)
class Frame:
    """What a block holds."""

    x: float
    y: float
    wide: float
    high: float


@dataclass(frozen=True, slots=True)
class Wire:
    """A way from one place to another: solid, or dashed for a failure and a jump."""

    points: tuple[Point, ...]
    kind: str = "way"  # way, error or jump
    has_head: bool = True


@dataclass(slots=True)
class Picture:
    """Everything that is drawn."""

    wide: float = 0
    high: float = 0
    boxes: list[Box] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)


def lay_out(cards: list[Card]) -> Picture:
    """Lay out a flow from its start to its end."""
    wide = max(_line_width(cards), WIDE)
    picture = Picture()
    middle = EDGE + wide / 2
    picture.boxes.append(Box(middle - 60, EDGE, None, "start", 120, 40))
    bottom = _draw_line(picture, cards, middle, EDGE + 40)
    goes_on = not cards or cards[-1].kind not in ENDS
    if goes_on:
        picture.wires.append(Wire(((middle, bottom), (middle, bottom + DOWN)), has_head=False))
    picture.boxes.append(Box(middle - 10, bottom + DOWN, None, "end", 20, 20))
    right = _draw_jumps(picture, EDGE + wide)
    picture.wide, picture.high = right + EDGE, bottom + DOWN + 20 + EDGE
    return picture


def mirrored(picture: Picture) -> Picture:
    """Return the picture as who reads from right to left sees it."""
    wide = picture.wide
    return Picture(
        wide,
        picture.high,
        [replace(box, x=wide - box.x - box.wide) for box in picture.boxes],
        [replace(label, x=wide - label.x) for label in picture.labels],
        [replace(frame, x=wide - frame.x - frame.wide) for frame in picture.frames],
        [replace(wire, points=tuple((wide - x, y) for x, y in wire.points)) for wire in picture.wires],
    )


def _line_width(cards: Iterable[Card]) -> float:
    return max((_card_width(card) for card in cards), default=0)


def _card_width(card: Card) -> float:
    if not card.lanes:
        return WIDE
    lanes = sum(_lane_width(lane) for lane in card.lanes) + ASIDE * (len(card.lanes) - 1)
    return max(WIDE, lanes + (2 * PAD if card.kind in BLOCKS else 0))


def _lane_width(lane: Lane) -> float:
    return max(_line_width(lane.cards), NARROW)


def _draw_line(picture: Picture, cards: list[Card], middle: float, top: float) -> float:
    """Draw steps one under the other, below `top`, where a way comes in; return where it goes on."""
    before = None
    for card in cards:
        came = before is None or before.kind not in ENDS
        y = top + DOWN
        if came:
            picture.wires.append(Wire(((middle, top), (middle, y))))
        picture.boxes.append(Box(middle - WIDE / 2, y, card))
        top = _draw_lanes(picture, card, middle, y + HIGH) if card.lanes else y + HIGH
        before = card
    return top


def _draw_lanes(picture: Picture, card: Card, middle: float, top: float) -> float:
    wide = sum(_lane_width(lane) for lane in card.lanes) + ASIDE * (len(card.lanes) - 1)
    left = middle - wide / 2
    is_block = card.kind in BLOCKS
    bus, label = top + DOWN / 2, top + DOWN + LABEL / 2
    ends: list[tuple[float, float, Lane]] = []
    for lane in card.lanes:
        aside = left + _lane_width(lane) / 2
        kind = "error" if lane.name in (ERROR, UNDO) else "way"
        picture.wires.append(Wire(_bent((middle, top), (aside, label - LABEL / 2), bus), kind, has_head=False))
        picture.labels.append(Label(aside, label, lane))
        ends.append((aside, _draw_line(picture, lane.cards, aside, label + LABEL / 2), lane))
        left += _lane_width(lane) + ASIDE
    bottom = max(y for _x, y, _lane in ends)
    if is_block:
        frame_top = top + DOWN / 4
        picture.frames.append(Frame(middle - wide / 2 - PAD, frame_top, wide + 2 * PAD, bottom + PAD - frame_top))
        bottom += PAD
    else:
        bottom += DOWN / 2
    for aside, y, lane in ends:
        if lane.name != UNDO and not (lane.cards and lane.cards[-1].kind in ENDS):
            kind = "error" if lane.name == ERROR else "way"
            picture.wires.append(
                Wire(_bent((aside, y), (middle, bottom), bottom - DOWN / 4 if not is_block else bottom), kind, has_head=False)
            )
    if all(lane.name in (ERROR, UNDO) for lane in card.lanes):
        return _passed_by(picture, middle, top, bottom, wide)
    return bottom


def _passed_by(picture: Picture, middle: float, top: float, bottom: float, wide: float) -> float:
    """A step whose only lanes are for an error or for taking back goes on beside them when all is well."""
    aside = middle - wide / 2 - ASIDE / 2
    points = ((middle, top), (middle, top + DOWN / 4), (aside, top + DOWN / 4), (aside, bottom), (middle, bottom))
    picture.wires.append(Wire(points, has_head=False))
    return bottom


def _bent(start: Point, end: Point, height: float) -> tuple[Point, ...]:
    """Go down, aside at a height, and down again."""
    if start[0] == end[0]:
        return (start, end)
    return (start, (start[0], height), (end[0], height), end) if height != end[1] else (start, (start[0], height), end)


def _draw_jumps(picture: Picture, right: float) -> float:
    """Lead every go-to around the right side to its step; return how far that reaches."""
    boxes: Mapping[str, Box] = {box.card.key: box for box in picture.boxes if box.card}
    for box in list(boxes.values()):
        assert box.card is not None
        target = boxes.get(str((box.card.node.get("config") or {}).get("to") or "")) if box.card.kind == "goto" else None
        if target is None:
            continue
        right += 16
        out, back = box.y + box.high / 2, target.y + target.high / 2
        picture.wires.append(
            Wire(((box.x + box.wide, out), (right, out), (right, back), (target.x + target.wide, back)), "jump"),
        )
    return right

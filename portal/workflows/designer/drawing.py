"""The map of a flow as SVG: in a page with links and the page's colours, or as a file that stands alone; and as PNG.

Every text stands in an isolate of its own and is anchored by side, so that Arabic reads right wherever the file is opened. All of it
is `Markup`, put together by `format` alone: whatever comes in from outside is escaped on its way.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import typst
from markupsafe import Markup, escape

from portal.core.config import current_settings
from portal.core.render import manifest
from portal.i18n.locale import plain_name
from portal.i18n.words import gettext as _
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.designer.edits import Card
from portal.workflows.designer.layout import Box, Frame, Label, Picture, Point, Wire

FONTS = Markup(
    "'Nasij Sans', 'IBM Plex Sans Arabic', 'Segoe UI', 'Noto Sans Arabic', 'Noto Naskh Arabic', 'Naskh Latin', Tahoma, sans-serif"
)
LINE = 24  # letters that fit beside the icon
ROUND = 10
MAX_PIXELS = 24_000_000
# What the Arabic face has no letters for: where one text holds both, each part names its own face, since not every program looks for another.
LATIN = re.compile(r"([&<>]|[!-~\u00a1-\u024f\u2010-\u2026]+)")
SYMBOL = re.compile(r'<symbol id="([a-z0-9-]+)"([^>]*)>(.*?)</symbol>')
SHAPE = re.compile(r"<([a-z]+)([^>]*)/>")
PROPERTY = re.compile(r' ([A-Za-z0-9-]+)="([^"]*)"')
USUAL = "#5266d0"
COLOURS = {
    "email": "#007bac", "database": "#22864a", "notification": "#c37902", "condition": "#8a4fb8", "switch": "#8a4fb8", "goto": "#8a4fb8",
    "parallel": "#22864a", "foreach": "#22864a", "repeat": "#22864a", "group": "#22864a", "subworkflow": "#c37902", "stop": "#c92e3b",
    "wait": "#c92e3b", "set": "#767169",
}  # fmt: skip
INKS = {"way": "#aea8a0", "error": "#c92e3b", "jump": "#8a4fb8"}


def draw(picture: Picture, *, title: str, is_rtl: bool, link: str = "") -> Markup:
    """Write a picture as SVG.

    Args:
        link: the address that a step's key is put behind, for a page; "" for a file.
    """
    used = {ACTIONS[box.card.kind].icon for box in picture.boxes if box.card and box.card.kind in ACTIONS} | {"play"}
    ground = Markup('<rect width="{:g}" height="{:g}" fill="#fdfbf8"/>').format(picture.wide, picture.high)
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="flow-map" id="flow-map" width="{wide:g}" height="{high:g}"'
        ' viewBox="0 0 {wide:g} {high:g}" direction="ltr" font-family="{fonts}" font-size="14"'
        ' role="group" aria-labelledby="flow-map-title"><title id="flow-map-title">{title}</title>'
        "<defs>{symbols}</defs>{ground}{drawn}</svg>"
    ).format(
        wide=picture.wide,
        high=picture.high,
        fonts=FONTS,
        title=_words(title),
        symbols=_joined(_symbols()[icon] for icon in sorted(used) if icon in _symbols()),
        ground="" if link else ground,
        drawn=_joined(
            [
                *map(_frame, picture.frames),
                *map(_wire, picture.wires),
                *(_label(each, link) for each in picture.labels),
                *(_box(each, is_rtl=is_rtl, link=link) for each in picture.boxes),
            ]
        ),
    )


def rasterised(svg: str, picture: Picture) -> bytes:
    """Return the picture as PNG, twice as fine as a page shows it, and coarser where it would be too large."""
    scale = min(2.0, (MAX_PIXELS / (picture.wide * picture.high)) ** 0.5)
    size = f"width: {picture.wide:g}pt, height: {picture.high:g}pt"
    with tempfile.TemporaryDirectory(prefix="nasij-map-") as folder:
        # Typst reads inside this folder and nowhere else; the picture is no markup of it.
        root = Path(folder)
        (root / "map.svg").write_text(svg, "utf-8")
        (root / "map.typ").write_text(f'#set page({size}, margin: 0pt)\n#image("map.svg", {size})\n', "utf-8")
        fonts = [str(current_settings().static_path / "fonts")]
        made = typst.compile(str(root / "map.typ"), root=folder, font_paths=fonts, ignore_system_fonts=True, format="png", ppi=72 * scale)
    return made if isinstance(made, bytes) else made[0]


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup().join(parts)


def _frame(frame: Frame) -> Markup:
    return Markup(
        '<rect class="map-frame" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="14"'
        ' fill="#f9f7f6" stroke="#e2dfdb" stroke-dasharray="2 4"/>'
    ).format(frame.x, frame.y, frame.wide, frame.high)


def _wire(wire: Wire) -> Markup:
    return Markup('<path class="map-wire is-{}" d="{}" fill="none" stroke="{}" stroke-width="1.75"{}/>{}').format(
        wire.kind,
        _path(wire.points),
        INKS[wire.kind],
        "" if wire.kind == "way" else Markup(' stroke-dasharray="5 5"'),
        _head(wire) if wire.has_head else "",
    )


def _head(wire: Wire) -> Markup:
    (before_x, before_y), (x, y) = wire.points[-2:]
    way_x, way_y = _sign(x - before_x), _sign(y - before_y)
    back_x, back_y = x - 8 * way_x, y - 8 * way_y
    side_x, side_y = 4.5 * way_y, 4.5 * way_x
    corners = f"{x:g},{y:g} {back_x + side_x:g},{back_y + side_y:g} {back_x - side_x:g},{back_y - side_y:g}"
    return Markup('<polygon class="map-head is-{}" points="{}" fill="{}"/>').format(wire.kind, corners, INKS[wire.kind])


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def _path(points: tuple[Point, ...]) -> str:
    """Write a way with round corners."""
    made = f"M{points[0][0]:g} {points[0][1]:g}"
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        room = min(ROUND, _apart(before, here) / 2, _apart(here, after) / 2)
        enter, leave = _towards(here, before, room), _towards(here, after, room)
        made += f"L{enter[0]:g} {enter[1]:g}Q{here[0]:g} {here[1]:g} {leave[0]:g} {leave[1]:g}"
    return f"{made}L{points[-1][0]:g} {points[-1][1]:g}"


def _apart(one: Point, other: Point) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: Point, end: Point, far: float) -> Point:
    return start[0] + far * _sign(end[0] - start[0]), start[1] + far * _sign(end[1] - start[1])


def _label(label: Label, link: str) -> Markup:
    words = _cut(str(label.lane.label), 16)
    wide = max(56, 8 * len(words) + 24)
    return Markup(
        '<g class="map-label" data-lane="{lane}"><rect x="{left:g}" y="{top:g}" width="{wide:g}"'
        ' height="26" rx="13" fill="#ffffff" stroke="#aea8a0" stroke-width="1.5"/>'
        '<text x="{x:g}" y="{y:g}" text-anchor="middle" font-size="12" font-weight="600" fill="#201e1a">{words}</text></g>'
    ).format(
        lane=label.lane.name,
        left=label.x - wide / 2,
        top=label.y - 13,
        wide=wide,
        x=label.x,
        y=label.y + 4.5,
        words=_text(words, link),
    )


def _box(box: Box, *, is_rtl: bool, link: str) -> Markup:
    if box.what == "end":
        return Markup('<circle class="map-end" cx="{:g}" cy="{:g}" r="7" fill="#ffffff" stroke="#aea8a0" stroke-width="4"/>').format(
            box.x + 10, box.y + 10
        )
    if box.card is None:
        return _linked(_start(box, is_rtl=is_rtl, link=link), link, "start", str(_("Start")))
    card = box.card
    name = plain_name(card.node) or str(card.label)
    ink = COLOURS.get(card.kind, USUAL)
    tile = box.x + box.wide - 44 if is_rtl else box.x + 12
    drawn = Markup(
        '<g class="map-box" data-kind="{kind}"{marked}>'
        '<rect class="map-card" x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="10" fill="#ffffff" stroke="{edge}"/>'
        '<rect class="map-tile" x="{tile:g}" y="{tile_top:g}" width="32" height="32" rx="8" fill="{ink}" fill-opacity="0.13"/>{icon}{name}</g>'
    ).format(
        kind=card.kind,
        marked=Markup(' data-problem=""') if card.problems else "",
        x=box.x,
        y=box.y,
        wide=box.wide,
        high=box.high,
        edge="#c37902" if card.problems else "#cdc8c2",
        tile=tile,
        tile_top=box.y + 14,
        ink=ink,
        icon=_icon(card, tile + 7, box.y + 21, ink),
        name=_name(box, name, is_rtl=is_rtl, link=link),
    )
    return _linked(drawn, link, card.key, f"{name} · {card.label}")


def _name(box: Box, name: str, *, is_rtl: bool, link: str) -> Markup:
    edge, anchor = (box.x + box.wide - 54, "end") if is_rtl else (box.x + 54, "start")
    lines = _lines(name)
    first = box.y + box.high / 2 + 5 - 9 * (len(lines) - 1)
    return _joined(
        Markup('<text class="map-name" x="{:g}" y="{:g}" text-anchor="{}" font-weight="600" fill="#201e1a">{}</text>').format(
            edge, first + 18 * number, anchor, _text(line, link)
        )
        for number, line in enumerate(lines)
    )


def _start(box: Box, *, is_rtl: bool, link: str) -> Markup:
    return Markup(
        '<g class="map-box" data-kind="start"><rect class="map-card" x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}"'
        ' rx="20" fill="#ffffff" stroke="#cdc8c2"/><g class="map-icon" color="#767169"><use href="#map-play" x="{icon:g}" y="{icon_top:g}" width="18"'
        ' height="18"/></g><text class="map-name" x="{middle:g}" y="{foot:g}" text-anchor="middle"'
        ' font-weight="600" fill="#201e1a">{words}</text></g>'
    ).format(
        x=box.x,
        y=box.y,
        wide=box.wide,
        high=box.high,
        icon=box.x + box.wide - 34 if is_rtl else box.x + 16,
        icon_top=box.y + 11,
        middle=box.x + box.wide / 2 + (-8 if is_rtl else 8),
        foot=box.y + 25,
        words=_text(str(_("Start")), link),
    )


def _icon(card: Card, x: float, y: float, ink: str) -> Markup:
    if card.kind not in ACTIONS:
        return Markup()
    return Markup('<g class="map-icon" color="{}"><use href="#map-{}" x="{:g}" y="{:g}" width="18" height="18"/></g>').format(
        ink, ACTIONS[card.kind].icon, x, y
    )


def _linked(drawn: Markup, link: str, key: str, label: str) -> Markup:
    if not link:
        return drawn
    return Markup('<a href="{}?step={}#inspector" aria-label="{}">{}</a>').format(link, key, _isolated(label), drawn)


def _isolated(text: str) -> str:
    """Put a text into an isolate that takes its direction from its letters."""
    inside = "".join(letter for letter in text if letter.isprintable() and letter not in "\u2066\u2067\u2068\u2069")
    return f"\u2068{inside}\u2069"


def _words(text: str) -> Markup:
    return _unquoted(_isolated(text))


def _unquoted(text: str) -> Markup:
    """Escape a text that stands between tags, where quotes mean nothing."""
    return escape(text).replace("&#39;", Markup("'")).replace("&#34;", Markup('"'))


def _text(text: str, link: str) -> Markup:
    """Write a text; in a file, parts in Latin letters name their face."""
    if link or text.isascii():
        return _words(text)
    parts = LATIN.split(_isolated(text))
    return _joined(
        Markup("<tspan font-family=\"'Nasij Sans', 'Naskh Latin', sans-serif\">{}</tspan>").format(_unquoted(part))
        if number % 2
        else _unquoted(part)
        for number, part in enumerate(parts)
    )


def _lines(text: str) -> list[str]:
    """Break a name into at most two lines."""
    words, lines = text.split(), [""]
    for word in words:
        grown = f"{lines[-1]} {word}".strip()
        if len(grown) <= LINE or not lines[-1]:
            lines[-1] = grown
        else:
            lines.append(word)
    if len(lines) > 2:
        lines = [lines[0], " ".join(lines[1:])]
    return [_cut(line, LINE) for line in lines]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


@lru_cache(maxsize=1)
def _sprite(path: str) -> dict[str, Markup]:
    found = SYMBOL.finditer(Path(path).read_text("utf-8"))
    return {
        name: Markup('<symbol id="map-{}"{}>{}</symbol>').format(
            name, _properties(own), _joined(Markup("<{}{}/>").format(shape, _properties(its)) for shape, its in SHAPE.findall(inside))
        )
        for name, own, inside in (each.groups() for each in found)
    }


def _properties(written: str) -> Markup:
    return _joined(Markup(' {}="{}"').format(name, value) for name, value in PROPERTY.findall(written))


def _symbols() -> dict[str, Markup]:
    name = manifest().get("sprite.svg")
    return _sprite(str(current_settings().static_path / name)) if name else {}

"""Small grey pictures of components: what a reader would see go wrong, and not what another browser version draws a little differently.

A picture of one gallery page holds one tile for each sample: a sixth of its size, in 32 greys, with their places in the PNG's text.
Two tiles are compared after a slight blur and a shift of up to one point, area by area: text that moves by a hair changes an area a little; a part that is gone,
turned round, of another colour or out of place changes some area much. Measured: half a pixel's shift, other hinting or a font
0.3 % larger change no area by more than 27 of 255, the planted faults of the test by 41 and more.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter
from PIL.PngImagePlugin import PngInfo

SCALE = 6
GREYS = 8  # every eighth of 256 greys is kept: 32 of them
AREA = 3  # points of a tile in each direction that are looked at together
FAR = 32  # of 255: how far the mean of an area may be from what it was
TALL = 1  # points: how much taller or wider a component may become


@dataclass(frozen=True)
class Box:
    """Where a sample stands on a page, in CSS pixels."""

    name: str
    x: float
    y: float
    width: float
    height: float


def tiles_of(shot: bytes, boxes: list[Box]) -> dict[str, Image.Image]:
    """Cut a screenshot into the tiles of its samples."""
    page = Image.open(io.BytesIO(shot)).convert("L")
    return {box.name: _tile(page.crop((round(box.x), round(box.y), round(box.x + box.width), round(box.y + box.height)))) for box in boxes}


def _tile(part: Image.Image) -> Image.Image:
    size = max(1, round(part.width / SCALE)), max(1, round(part.height / SCALE))
    return part.resize(size, Image.Resampling.BOX).point(lambda grey: grey // GREYS * GREYS)


def write(path: Path, tiles: dict[str, Image.Image]) -> None:
    """Keep the tiles as one picture."""
    width, height = max(each.width for each in tiles.values()), sum(each.height for each in tiles.values())
    sheet, places, top = Image.new("L", (width, height)), {}, 0
    for name, tile in tiles.items():
        sheet.paste(tile, (0, top))
        places[name] = [top, tile.width, tile.height]
        top += tile.height
    about = PngInfo()
    about.add_text("tiles", json.dumps(places, separators=(",", ":")))
    path.parent.mkdir(exist_ok=True)
    sheet.quantize(256 // GREYS).save(path, pnginfo=about, optimize=True)


def read(path: Path) -> dict[str, Image.Image]:
    """Return the tiles that were kept."""
    with Image.open(path) as kept:
        places: dict[str, list[int]] = json.loads(kept.info["tiles"])
        sheet = kept.convert("L")
    return {name: sheet.crop((0, top, width, top + height)) for name, (top, width, height) in places.items()}


def difference(was: Image.Image, now: Image.Image) -> str:
    """Say how two tiles differ so that a reader would see it; nothing when they do not."""
    grown = now.height - was.height, now.width - was.width
    if max(map(abs, grown)) > TALL:
        return f"{grown[0] * SCALE:+} px in height, {grown[1] * SCALE:+} px in width"
    far = farthest(was, now)
    return f"an area differs by {far} of 255" if far > FAR else ""


def farthest(was: Image.Image, now: Image.Image) -> int:
    """Return how far the area is that differs most, at the best of the places that differ by one point."""
    size = max(was.width, now.width) + 2, max(was.height, now.height) + 2
    before = _laid(was, size, 1, 1)
    return min(_far(before, _laid(now, size, 1 + x, 1 + y)) for x in (-1, 0, 1) for y in (-1, 0, 1))


def _laid(tile: Image.Image, size: tuple[int, int], x: int, y: int) -> Image.Image:
    """Lay a tile on a ground of its own edge's colour, so that what is missing at an edge is nothing but ground."""
    ground = Image.new("L", size, tile.getpixel((0, 0)))
    ground.paste(tile, (x, y))
    return ground


def _far(was: Image.Image, now: Image.Image) -> int:
    blurred = [each.filter(ImageFilter.BoxBlur(AREA // 2)) for each in (was, now)]
    return int(ImageChops.difference(*blurred).getextrema()[1])

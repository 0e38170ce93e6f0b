"""Colours in OKLCH: read, written, compared, and moved in lightness until they can be read. Pure.

Sources: OKLab by Björn Ottosson; relative luminance and contrast by WCAG 2.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

HEX = re.compile(r"#[0-9a-f]{6}\Z")
WHITE, INK = "#ffffff", "#15120f"
STEP = 0.005
# Repaired colours get a little more than is asked for, so that rounding to eight bits cannot take it away again.
SPARE = 0.1


def channels(colour: str) -> tuple[float, float, float]:
    """Return red, green and blue of `#rrggbb` from 0 to 1."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance, from 0 to 1."""
    red, green, blue = map(_linear, channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def oklch(colour: str) -> tuple[float, float, float]:
    """Return lightness (0 to 1), chroma and hue (degrees)."""
    red, green, blue = map(_linear, channels(colour))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def from_oklch(lightness: float, chroma: float, hue: float) -> str:
    """Return `#rrggbb`; what screens cannot show loses chroma, never its lightness or hue."""
    lightness = min(1.0, max(0.0, lightness))
    for _ in range(60):
        parts = _to_rgb(lightness, chroma, hue)
        if all(-0.0005 <= part <= 1.0005 for part in parts):
            break
        chroma *= 0.93
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, part))):02x}" for part in parts)


def lighter(colour: str, by: float) -> str:
    """Return the colour with its lightness moved by `by`; negative is darker."""
    lightness, chroma, hue = oklch(colour)
    return from_oklch(lightness + by, chroma, hue)


def readable(colour: str, against: Iterable[tuple[str, float]]) -> str | None:
    """Return the colour nearest in lightness that has each wanted contrast, itself if it has; None where no lightness does.

    Args:
        against: pairs of another colour and the contrast that is wanted with it.
    """
    wanted = list(against)
    if all(contrast(colour, other) >= ratio for other, ratio in wanted):
        return colour
    lightness, chroma, hue = oklch(colour)
    for distance in range(1, int(1 / STEP) + 1):
        for way in (-1, 1):
            moved = lightness + way * distance * STEP
            if not 0 <= moved <= 1:
                continue
            found = from_oklch(moved, chroma, hue)
            if all(contrast(found, other) >= ratio + SPARE for other, ratio in wanted):
                return found
    return None


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _curved(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _to_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _curved(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _curved(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _curved(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )

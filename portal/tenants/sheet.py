"""The stylesheet of a theme: custom properties in the tenant's layer, only those that differ from the usual ones. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from portal.tenants.colours import from_oklch, lighter, oklch
from portal.tenants.theme import COLOURS, FAMILIES, RAMP, STANDARD, USUAL, Columns, palette

SIZES = {"xs": 0.75, "sm": 0.875, "base": 1, "md": 1.125, "lg": 1.25, "xl": 1.5, "2xl": 1.875, "3xl": 2.25}
SPACES = (2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64)
SHADOWS = {
    "none": ("none", "none", "none"),
    "strong": ("0 1px 3px rgb(32 30 26 / 16%)", "0 6px 20px rgb(32 30 26 / 20%)", "0 16px 48px rgb(32 30 26 / 28%)"),
}
STAND_INS = ("Arial", "Roboto", "Noto", "DejaVu")  # devkit/fonts.py makes them for every family that is not the product's own
# Who asks the device for more contrast, or for colours of their own, gets the product's: they are made for it.
QUIET = "(not (prefers-contrast:more)) and (forced-colors:none)"


def stylesheet(columns: Columns) -> str:
    """Return the tenant's layer: custom properties that differ from the usual ones, and nothing else; empty if none does."""
    fine = {"--control": "2rem", "--control-small": "1.75rem"} if _of(columns, "spacing", "density") == "compact" else {}
    body = "".join(
        [
            _block(":root", {**_shape_rules(columns), **_type_rules(columns)}),
            _block(":root:lang(ar)", _arabic_rules(columns)),
            _when("(pointer:fine)", _block(":root", fine)),
            _when(QUIET, _block(":root", _colour_rules(columns))),
        ]
    )
    return f"@layer tenant{{{body}}}" if body else ""


def fingerprint(css: str) -> str:
    """Return the part of the stylesheet's address that changes with every byte of it."""
    return hashlib.sha256(css.encode()).hexdigest()[:24]


def _block(selector: str, rules: Mapping[str, str]) -> str:
    return f"{selector}{{{';'.join(f'{name}:{value}' for name, value in rules.items())}}}" if rules else ""


def _when(condition: str, block: str) -> str:
    return f"@media {condition}{{{block}}}" if block else ""


def _of(columns: Columns, column: str, key: str) -> Any:
    return columns.get(column, {}).get(key, USUAL[column].get(key))


def _colour_rules(columns: Columns) -> dict[str, str]:
    if not columns.get("colors"):
        return {}
    light, dark = palette(columns, "light"), palette(columns, "dark")
    rules = {
        f"--{key.replace('_', '-')}": f"light-dark({light[key]},{dark[key]})"
        for key in COLOURS
        if (light[key], dark[key]) != (STANDARD["light"][key], STANDARD["dark"][key])
    }
    if "--primary" in rules:
        rules["--primary-hover"] = f"light-dark({lighter(light['primary'], -0.09)},{lighter(dark['primary'], 0.09)})"
        rules["--viz-1"] = rules["--primary"]
        rules |= _ramp(light["primary"])
    if viz := columns["colors"].get("viz"):
        rules |= {f"--viz-{place}": colour for place, colour in enumerate(viz, 1)}
    return rules


def _ramp(brand: str) -> dict[str, str]:
    """Return the steps of the product's hue in the brand's: as light and, at most, as colourful as they were, so what is read stays so."""
    _lightness, chroma, hue = oklch(brand)
    usual = oklch(RAMP["600"])[1]
    steps = {name: oklch(colour) for name, colour in RAMP.items()}
    return {f"--nila-{name}": from_oklch(step[0], step[1] * min(1, chroma / usual), hue) for name, step in steps.items()}


def _shape_rules(columns: Columns) -> dict[str, str]:
    rules = {}
    for key in ("s", "m", "l"):
        if (value := _of(columns, "border_radius", key)) != USUAL["border_radius"][key]:
            rules[f"--radius-{key}"] = f"{value:g}px"
            rules |= {"--radius-xs": f"{value * 2 / 3:g}px"} if key == "s" else {}
    if not _of(columns, "border_radius", "pill"):
        rules["--radius-pill"] = f"{_of(columns, 'border_radius', 'm'):g}px"
    if (level := _of(columns, "shadows", "level")) in SHADOWS:
        rules |= dict(zip(("--e1", "--e2", "--e3"), SHADOWS[level], strict=True))
    if (unit := _of(columns, "spacing", "unit_px")) != 4:
        rules |= {f"--space-{space}": _rem(space * unit / 64) for space in SPACES}
    if (container := _of(columns, "spacing", "container_rem")) != USUAL["spacing"]["container_rem"]:
        rules["--container"] = f"{container:g}rem"
    return rules


def _type_rules(columns: Columns) -> dict[str, str]:
    rules = {}
    if (family := _of(columns, "typography", "family")) != "plex":
        rules["--font"] = _font(family)
    if (base := _of(columns, "typography", "base_px")) != 16:
        rules["--root-size"] = f"{base * 6.25:g}%"
    if (scale := _of(columns, "typography", "chart-column")) != USUAL["typography"]["chart-column"]:
        rules |= {f"--size-{name}": _rem(_scaled(size, scale)) for name, size in SIZES.items()}
    latin = columns.get("typography", {}).get("line_height", {}).get("latin")
    return {**rules, "--line-body": f"{latin:g}"} if latin and latin != 1.5 else rules


def _font(family: str) -> str:
    name = FAMILIES[family]
    own = [f'"{each}"' for each in (name, *(f"{name} {stand_in}" for stand_in in STAND_INS))] if name else []
    return ",".join([*own, "system-ui", "sans-serif"])


def _arabic_rules(columns: Columns) -> dict[str, str]:
    scale, bump = _of(columns, "typography", "chart-column"), _of(columns, "typography", "arabic_bump")
    rules = {}
    if (scale, bump) != (USUAL["typography"]["chart-column"], USUAL["typography"]["arabic_bump"]):
        rules = {f"--size-{name}": _rem(_scaled(size, scale) * bump) for name, size in SIZES.items()}
    heights = columns.get("typography", {}).get("line_height", {})
    if heights.get("arabic", 1.75) != 1.75 or heights.get("latin", 1.5) != 1.5:  # a line of Latin pages must not become one of Arabic pages
        rules["--line-body"] = f"{heights.get('arabic', 1.75):g}"
    return rules


def _scaled(size: float, scale: float) -> float:
    """Return a size of the ladder when its ratio is not 1.2: the steps stay where they are, their height changes."""
    return float(scale ** (math.log(size) / math.log(1.2)))


def _rem(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") + "rem"

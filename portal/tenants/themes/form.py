"""The editor's form: flat fields to the nested columns of a theme and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.core.digits import ascii_digits, read_number
from portal.tenants.theme import COLOURS, MODES, USUAL, VIZ, Columns

NUMBERS = (
    "typography.scale", "typography.base_px", "typography.arabic_bump", "typography.line_height.latin", "typography.line_height.arabic",
    "spacing.unit_px", "spacing.container_rem", "border_radius.s", "border_radius.m", "border_radius.l", "branding.week_start",
)  # fmt: skip
CHOICES = (
    "typography.family", "spacing.density", "shadows.level", "branding.default_locale", "branding.numerals", "branding.calendar",
)  # fmt: skip
TEXTS = (
    "branding.name.ar", "branding.name.en", "branding.login_text.ar", "branding.login_text.en", "branding.mail_footer.ar",
    "branding.mail_footer.en", "branding.support_url",
)  # fmt: skip
PICTURES = ("logo", "favicon")
HUES = tuple(f"colors.{mode}.{key}" for mode in MODES for key in COLOURS)
CHART = tuple(f"colors.viz.{place}" for place in range(6))


def field(path: str) -> str:
    """Return the name of the field of a dotted path."""
    return path.replace(".", "-")


def read(form: Mapping[str, str], kept: Columns) -> Columns:
    """Return the columns that a form asks for; what cannot be read stays as it was written, so that the rules can say so.

    Args:
        kept: the theme as it is: its pictures, for which the form has no field, come from there.
    """
    columns: Columns = {column: {} for column in USUAL}
    for path in (*HUES, *NUMBERS, *CHOICES, *TEXTS):
        written = form.get(field(path), "").replace("\r\n", "\n").strip()
        if not written:
            continue
        number = read_number(written) if path in NUMBERS else None
        value: Any = written if number is None else number
        if path in HUES:
            value = _hue(written)
        if value != _usual(path):
            _put(columns, path, value)
    if form.get("pill-shown") and not form.get("border_radius-pill"):
        columns["border_radius"]["pill"] = False
    hues = [_hue(form.get(field(path), "")) for path in CHART]
    if any(hues) and hues != list(VIZ["light"]):
        columns["colors"]["viz"] = [hue or usual for hue, usual in zip(hues, VIZ["light"], strict=True)]
    columns["branding"] |= {key: value for key, value in kept.get("branding", {}).items() if key in PICTURES}
    return columns


def written(columns: Columns) -> dict[str, str]:
    """Return field → text, as the form shows a theme; colours that follow from others stay empty."""
    texts = {}
    for path in (*HUES, *NUMBERS, *CHOICES, *TEXTS):
        value = _get(columns, path)
        value = _usual(path) if value is None else value
        texts[field(path)] = "" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)
    viz = columns.get("colors", {}).get("viz") or [""] * 6
    texts |= {field(path): hue for path, hue in zip(CHART, viz, strict=True)}
    return {**texts, "border_radius-pill": "1" if columns.get("border_radius", {}).get("pill", True) else ""}


def differences(mine: Columns, theirs: Columns) -> list[tuple[str, str, str]]:
    """Return field, their text and mine for each field in which two states of a theme differ."""
    ours, other = written(mine), written(theirs)
    return [(name, other[name], ours[name]) for name in ours if ours[name] != other[name]]


def _hue(written: str) -> str:
    """Accept what people paste: with or without #, three or six digits, capitals, Arabic digits."""
    plain = ascii_digits(written.strip()).lower()
    plain = plain if plain.startswith("#") or not plain else f"#{plain}"
    return "#" + "".join(2 * each for each in plain[1:]) if len(plain) == 4 else plain


def _usual(path: str) -> Any:
    return _get(USUAL, path)


def _get(columns: Columns, path: str) -> Any:
    found: Any = columns
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _put(columns: Columns, path: str, value: Any) -> None:
    place: dict[str, Any] = columns
    *groups, last = path.split(".")
    for part in groups:
        place = place.setdefault(part, {})
    place[last] = value

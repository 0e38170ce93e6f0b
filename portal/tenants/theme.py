"""The rules of a theme: what its six columns may hold, what follows from a brand colour, and what can be read. Pure."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from portal.i18n import formats
from portal.i18n.preferences import CALENDARS, DAYS, NUMERALS
from portal.i18n.words import gettext as _
from portal.tenants.colours import HEX, INK, WHITE, contrast, from_oklch, oklch, readable

Columns = dict[str, dict[str, Any]]

COLUMNS = ("colors", "typography", "spacing", "border_radius", "shadows", "branding")
MODES = ("light", "dark")
# The look of the product itself; a test compares it with static/css/tokens.css.
STANDARD: dict[str, dict[str, str]] = {
    "light": {
        "primary": "#5266d0", "on_primary": "#ffffff", "primary_soft": "#eaeffe", "on_soft": "#3f4fb1", "canvas": "#fdfbf8",
        "surface": "#ffffff", "sunken": "#f9f7f6", "border": "#e2dfdb", "text": "#201e1a", "muted": "#69645c", "focus": "#6a82ef",
        "success": "#006e36", "warning": "#804e01", "danger": "#c92e3b", "info": "#03628a",
    },
    "dark": {
        "primary": "#8ca3fe", "on_primary": "#15120f", "primary_soft": "#1e2769", "on_soft": "#b6c6ff", "canvas": "#15120f",
        "surface": "#201e1a", "sunken": "#0e0c09", "border": "#49443e", "text": "#f9f7f6", "muted": "#cdc8c2", "focus": "#b6c6ff",
        "success": "#98dcaa", "warning": "#fabb76", "danger": "#ffb2ae", "info": "#8bd3fd",
    },
}  # fmt: skip
COLOURS = tuple(STANDARD["light"])
VIZ = {
    "light": ("#5266d0", "#c37902", "#22864a", "#c92e3b", "#007bac", "#767169"),
    "dark": ("#8ca3fe", "#e39633", "#68bf82", "#fe7b7b", "#53b5e9", "#aea8a0"),
}
HOVER = {"light": "#3f4fb1", "dark": "#b6c6ff"}
# Words, not decoration: a red "succeeded" would lie. Degrees of the OKLCH hue, from … to (over 360 where they pass it).
FAMILIES_OF_HUE = {"success": (120, 180), "warning": (40, 112), "danger": (335, 405), "info": (195, 285)}
# Steps of the product's hue for ornaments and selections; of the brand's hue where a theme has one.
RAMP = {
    "50": "#f5f8ff", "200": "#d5dffe", "300": "#b6c6ff", "400": "#8ca3fe", "500": "#6a82ef", "600": "#5266d0", "700": "#3f4fb1",
    "800": "#2d3a8e", "900": "#1e2769",
}  # fmt: skip
# Only what the build ships (devkit/fonts.py): a family that is not there would silently be another one.
FAMILIES = {"plex": "IBM Plex Sans Arabic", "readex": "Readex Pro", "cairo": "Cairo", "vazirmatn": "Vazirmatn", "system": ""}
USUAL: Columns = {
    "colors": {},
    "typography": {
        "family": "plex",
        "chart-column": 1.2,
        "base_px": 16,
        "arabic_bump": 1.0625,
        "line_height": {"latin": 1.5, "arabic": 1.75},
    },
    "spacing": {"unit_px": 4, "density": "comfortable", "container_rem": 76},
    "border_radius": {"s": 6, "m": 10, "l": 16, "pill": True},
    "shadows": {"level": "soft"},
    "branding": {},
}
TEXT, PART = 4.5, 3.0
# What must be read on what, with the contrast that it needs.
PAIRS = (
    ("text", "canvas", TEXT), ("text", "surface", TEXT), ("text", "sunken", TEXT), ("muted", "canvas", TEXT), ("muted", "surface", TEXT),
    ("muted", "sunken", TEXT), ("on_primary", "primary", TEXT), ("primary", "canvas", TEXT), ("primary", "surface", TEXT),
    ("on_soft", "primary_soft", TEXT), ("focus", "canvas", PART), ("focus", "surface", PART), ("success", "surface", TEXT),
    ("warning", "surface", TEXT), ("danger", "surface", TEXT), ("info", "surface", TEXT),
)  # fmt: skip
GROUNDS = ("canvas", "surface", "sunken")


@dataclass(frozen=True, slots=True)
class Pair:
    """One colour on another in one mode: its contrast, and what it needs."""

    mode: str
    front: str
    back: str
    front_colour: str
    back_colour: str
    ratio: float
    wanted: float

    @property
    def passes(self) -> bool:
        return self.ratio >= self.wanted


def check(given: Mapping[str, Any]) -> tuple[Columns, dict[str, str]]:
    """Return the columns as they may be kept, and what is wrong: dotted path → sentence. Nothing unknown is kept."""
    kept: Columns = {column: {} for column in COLUMNS}
    problems: dict[str, str] = {name: _unknown(name) for name in given if name not in COLUMNS}
    for column in COLUMNS:
        value = given.get(column) or {}
        if not isinstance(value, Mapping):
            problems[column] = _("This must be a group of values.")
            continue
        rules = _RULES[column]
        for key, each in value.items():
            _check_one(kept[column], problems, f"{column}.{key}", str(key), each, rules.get(str(key)))
    return kept, problems


def _check_one(kept: dict[str, Any], problems: dict[str, str], path: str, key: str, value: Any, rule: Any) -> None:
    if rule is None:
        problems[path] = _unknown(key)
        return
    if isinstance(rule, dict):
        if not isinstance(value, Mapping):
            problems[path] = _("This must be a group of values.")
            return
        group: dict[str, Any] = {}
        for name, each in value.items():
            _check_one(group, problems, f"{path}.{name}", str(name), each, rule.get(str(name)))
        if group:
            kept[key] = group
        return
    if value is None or value == "":
        return
    problem = rule(value)
    if problem:
        problems[path] = problem
    else:
        kept[key] = value.lower() if isinstance(value, str) and HEX.match(value.lower()) else value


def _unknown(name: object) -> str:
    return _("A theme has no “%(name)s”.", name=str(name)[:40])


def _colour(value: Any) -> str:
    return (
        "" if isinstance(value, str) and HEX.match(value.lower()) else _("Write a colour as # and six digits or letters a to f: #5266d0.")
    )


def _status(name: str) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if wrong := _colour(value):
            return wrong
        _lightness, chroma, hue = oklch(value.lower())
        low, high = FAMILIES_OF_HUE[name]
        if chroma >= 0.03 and (low <= hue <= high or low <= hue + 360 <= high):
            return ""
        sentences = {
            "success": _("Success stays a green: people read the colour."),
            "warning": _("Warning stays an orange or yellow: people read the colour."),
            "danger": _("Danger stays a red: people read the colour."),
            "info": _("Information stays a blue: people read the colour."),
        }
        return sentences[name]

    return rule


def _viz(value: Any) -> str:
    if isinstance(value, list) and len(value) == 6 and not any(map(_colour, value)):
        return ""
    return _("Charts have six colours, each written as # and six digits or letters a to f.")


def _between(low: float, high: float) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if type(value) in (int, float) and low <= value <= high:
            return ""
        return _("Choose a number from %(low)s to %(high)s.", low=formats.number(low), high=formats.number(high))

    return rule


def _one_of(*choices: str) -> Callable[[Any], str]:
    return lambda value: "" if value in choices else _("Choose one of: %(choices)s.", choices=", ".join(choices))


def _day(value: Any) -> str:
    return "" if type(value) is int and value in DAYS else _("Choose a day of the week.")


def _yes_or_no(value: Any) -> str:
    return "" if isinstance(value, bool) else _("Choose yes or no.")


def _words(longest: int, *, lines: int = 1) -> Callable[[Any], str]:
    def rule(value: Any) -> str:
        if not isinstance(value, str):
            return _("This must be a text.")
        if len(value) > longest:
            return _("Use %(num)s characters at most.", num=formats.number(longest))
        if value.count("\n") >= lines:
            return _("Use one line.") if lines == 1 else _("Use %(num)s lines at most.", num=formats.number(lines))
        if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co") and each not in "\n\u200c\u200d" for each in value):
            return _("Take out the invisible control or direction characters.")
        return ""

    return rule


def _link(value: Any) -> str:
    if wrong := _words(300)(value):
        return wrong
    parts = urlsplit(value)
    return "" if parts.scheme == "https" and parts.netloc and " " not in value else _("Write a whole address that begins with https://.")


def _asset(value: Any) -> str:
    return (
        ""
        if isinstance(value, str) and len(value) <= 80 and value.isascii() and value.replace(".", "").isalnum()
        else _("Upload a picture.")
    )


_MODE = {each: _status(each) if each in FAMILIES_OF_HUE else _colour for each in COLOURS}
_BOTH = {"ar": _words(60), "en": _words(60)}
_LONG = {"ar": _words(300, lines=5), "en": _words(300, lines=5)}
_RULES: dict[str, dict[str, Any]] = {
    "colors": {"light": _MODE, "dark": _MODE, "viz": _viz},
    "typography": {
        "family": _one_of(*FAMILIES), "chart-column": _between(1.1, 1.35), "base_px": _between(15, 18), "arabic_bump": _between(1, 1.15),
        "line_height": {"latin": _between(1.3, 1.9), "arabic": _between(1.5, 2.2)},
    },
    "spacing": {"unit_px": _between(3, 5), "density": _one_of("comfortable", "compact"), "container_rem": _between(60, 110)},
    "border_radius": {"s": _between(0, 24), "m": _between(0, 24), "l": _between(0, 24), "pill": _yes_or_no},
    "shadows": {"level": _one_of("none", "soft", "strong")},
    "branding": {
        "name": _BOTH, "logo": {"light": _asset, "dark": _asset}, "favicon": _asset, "login_text": _LONG,
        "mail_footer": _LONG, "support_url": _link, "default_locale": _one_of("ar", "en"), "numerals": _one_of(*NUMERALS),
        "calendar": _one_of(*CALENDARS), "week_start": _day,
    },
}  # fmt: skip


def palette(columns: Columns, mode: str) -> dict[str, str]:
    """Return every colour of a mode: those that were chosen, those that follow from the brand colour, and the usual ones."""
    colours = columns.get("colors", {})
    chosen = colours.get(mode, {})
    brand = colours.get("light", {}).get("primary") or (colours.get("dark", {}).get("primary") if mode == "dark" else None)
    derived = _derived(brand, mode) if brand else {}
    return {**STANDARD[mode], **derived, **chosen}


def _derived(brand: str, mode: str) -> dict[str, str]:
    lightness, chroma, hue = oklch(brand)
    if mode == "light":
        soft = from_oklch(0.955, min(chroma, 0.025), hue)
        on_soft = readable(from_oklch(min(lightness, 0.47), chroma, hue), [(soft, TEXT)]) or INK
        return {"primary": brand, "on_primary": WHITE, "primary_soft": soft, "on_soft": on_soft, "focus": _focus(0.63, chroma, hue, mode)}
    grounds = [(STANDARD["dark"][each], TEXT) for each in ("canvas", "surface")]
    primary = readable(from_oklch(0.74, min(chroma, 0.13), hue), [*grounds, (INK, TEXT)]) or STANDARD["dark"]["primary"]
    soft = from_oklch(0.29, min(chroma, 0.1), hue)
    on_soft = readable(from_oklch(0.84, min(chroma, 0.09), hue), [(soft, TEXT)]) or WHITE
    return {"primary": primary, "on_primary": INK, "primary_soft": soft, "on_soft": on_soft, "focus": _focus(0.84, chroma, hue, mode)}


def _focus(lightness: float, chroma: float, hue: float, mode: str) -> str:
    grounds = [(STANDARD[mode][each], PART) for each in ("canvas", "surface")]
    return readable(from_oklch(lightness, min(chroma, 0.16), hue), grounds) or STANDARD[mode]["focus"]


def pairs(columns: Columns) -> list[Pair]:
    """Return the contrast of every pair in both modes."""
    found = []
    for mode in MODES:
        colours = palette(columns, mode)
        for front, back, wanted in PAIRS:
            ratio = contrast(colours[front], colours[back])
            found.append(Pair(mode, front, back, colours[front], colours[back], ratio, wanted))
    return found


def failing(columns: Columns) -> list[Pair]:
    """Return the pairs that cannot be read well enough; a theme with one is not published."""
    return [each for each in pairs(columns) if not each.passes]


def repaired(columns: Columns, *, mode: str = "", front: str = "") -> Columns:
    """Return the columns with colours moved in lightness until what fails can be read; hue and, where it can be shown, chroma stay.

    Args:
        mode, front: only the pairs with this colour in front; empty repairs all. The brand colour moves itself, not what stands on it.
    """
    colours = {each: dict(columns.get("colors", {}).get(each, {})) for each in MODES}
    for each in MODES:
        if mode not in ("", each):
            continue
        for _round in range(3):  # grounds that became the usual ones again may need what was repaired before them once more
            wrong = [pair for pair in failing({"colors": colours}) if pair.mode == each and front in ("", pair.front)]
            for key in dict.fromkeys("primary" if pair.front == "on_primary" else pair.front for pair in wrong):
                _repair_one(colours, each, key)
    return {**columns, "colors": {**columns.get("colors", {}), **{each: kept for each, kept in colours.items() if kept}}}


def _repair_one(colours: dict[str, dict[str, str]], mode: str, key: str) -> None:
    found = _readable(colours, mode, key)
    if found is None:
        # Nothing can be read on grounds that are far apart in lightness, or beside a label of middle grey: those become the usual ones.
        for each in (*GROUNDS, "on_primary", "primary_soft"):
            colours[mode].pop(each, None)
        found = _readable(colours, mode, key) or STANDARD[mode][key]
    colours[mode][key] = found


def _readable(colours: dict[str, dict[str, str]], mode: str, key: str) -> str | None:
    now = palette({"colors": colours}, mode)
    wanted = [(now[back], ratio) for front, back, ratio in PAIRS if front == key]
    if key == "primary":
        wanted += [(now[front], ratio) for front, back, ratio in PAIRS if back == key]
    return readable(now[key], wanted)


def accent(columns: Columns) -> str:
    """Return the brand colour as mails wear it: on white, and under white letters."""
    brand = palette(columns, "light")["primary"]
    return readable(brand, [(WHITE, TEXT)]) or STANDARD["light"]["primary"]


def defaults(columns: Columns) -> dict[str, Any]:
    """Return the preferences that a theme gives to people who chose nothing themselves, by the names of `i18n.preferences`."""
    branding, names = columns.get("branding", {}), {"numerals": "numerals", "calendar": "calendar", "week_start": "first_day"}
    return {name: branding[key] for key, name in names.items() if key in branding}


def revision(columns: Columns) -> str:
    """Return what tells two states of a draft apart, without its pictures: those are changed one by one, never by the form."""
    branding = {key: value for key, value in columns.get("branding", {}).items() if key not in ("logo", "favicon")}
    told = json.dumps({**columns, "branding": branding}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:16]

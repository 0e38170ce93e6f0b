"""What the lanes of a step are called, in the reader's language. Pure."""

from __future__ import annotations

from typing import Any

from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.definition import Node

NAMES: dict[str, Any] = {
    "then": _l("Yes"),
    "else": _l("No"),
    "otherwise": _l("Otherwise"),
    "do": _l("Together"),
    "error": _l("If it fails"),
    "undo": _l("To take it back"),
}
ICONS = {"then": "check", "else": "x", "otherwise": "corner-down-right", "error": "triangle-alert", "undo": "undo-2"}


def lane_name(node: Node, lane: str) -> str:
    """Return the short name of a lane: Yes, a case's own name, Lane 2."""
    if lane in NAMES:
        return str(NAMES[lane])
    if lane == "each":
        return _("Each round") if node.get("kind") == "repeat" else _("Each item")
    kind, _underscore, number = lane.rpartition("_")
    if kind == "case":
        cases = (node.get("config") or {}).get("cases") or ()
        position = int(number) - 1 if number.isdecimal() else -1
        named = str(cases[position].get("name") or "") if 0 <= position < len(cases) else ""
        return named or _("Case %(number)s", number=number)
    return _("Lane %(number)s", number=number)


def lane_icon(lane: str) -> str:
    """Return the icon of a lane."""
    return ICONS.get(lane) or ("repeat" if lane == "each" else "arrow-down")

"""What the lanes of a step are called, in the reader's language. Pure."""

from __future__ import annotations

from typing import Any

from portal.i18n.locale import plain_name
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.approval import WAYS
from portal.workflows.actions.task import DONE
from portal.workflows.definition import ASKING, EXPIRED, Node

NAMES: dict[str, Any] = {
    "then": _l("Yes"),
    "else": _l("No"),
    "otherwise": _l("Otherwise"),
    "do": _l("Together"),
    "error": _l("If it fails"),
    "undo": _l("To take it back"),
    EXPIRED: _l("If the time is up"),
}
ICONS = {
    "then": "check",
    "else": "x",
    "otherwise": "corner-down-right",
    "error": "triangle-alert",
    "undo": "undo-2",
    "approve": "check",
    "return": "corner-down-right",
    "reject": "x",
    EXPIRED: "hourglass",
}


def lane_name(node: Node, lane: str) -> str:
    """Return the short name of a lane: Yes, a case's own name, Lane 2."""
    if lane in NAMES:
        return str(NAMES[lane])
    if lane == "each":
        return _("Each round") if node.get("kind") == "repeat" else _("Each item")
    if node.get("kind") in ASKING:
        ways = WAYS if node["kind"] == "approval" else (node.get("config") or {}).get("outcomes") or (DONE,)
        found = next((each for each in ways if each.get("key") == lane), {"key": lane, "label": lane})
        return str(plain_name({"name": found.get("label") or found.get("label_ar") or lane, "name_ar": found.get("label_ar")}))
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

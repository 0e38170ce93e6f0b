"""Lanes in words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.i18n.words import lazy_gettext as _l

LANE_LABELS: dict[str, Any] = {
    "fast": _l("Quick steps"),
    "io": _l("Calls to other systems"),
    "ai": _l("AI"),
    "bulk": _l("Bulk work"),
}
SPANS: dict[str, tuple[int, Any]] = {"hour": (1, _l("The last hour")), "day": (24, _l("The last day"))}
Tab = tuple[Any, str, bool]


def spans_of(asked: str, url: Callable[[str], str]) -> tuple[int, list[Tab]]:
    """Return how many hours are shown, and the tabs that lead to the others."""
    chosen = asked if asked in SPANS else "hour"
    return SPANS[chosen][0], [(label, url(name), name == chosen) for name, (_hours, label) in SPANS.items()]

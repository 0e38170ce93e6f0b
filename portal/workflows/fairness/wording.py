"""Lanes in words. Pure."""

from __future__ import annotations

from typing import Any

from portal.i18n.words import lazy_gettext as _l

LANE_LABELS: dict[str, Any] = {
    "fast": _l("Quick steps"),
    "io": _l("Calls to other systems"),
    "ai": _l("AI"),
    "bulk": _l("Bulk work"),
}
SPANS: dict[str, tuple[int, Any]] = {"hour": (1, _l("The last hour")), "day": (24, _l("The last day"))}

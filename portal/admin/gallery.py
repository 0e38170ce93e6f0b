"""The gallery: its groups, and what each component says of itself."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from portal.core.config import ROOT
from portal.i18n.words import lazy_gettext as _l

FOLDER = ROOT / "templates" / "components"
ABOUT = re.compile(r"\A\{#\s*(.*?)\s*#\}", re.DOTALL)

# One page each: short enough to read, and no id stands twice.
GROUPS: dict[str, Any] = {
    "text": _l("Text and status"),
    "actions": _l("Buttons and menus"),
    "forms": _l("Forms"),
    "data": _l("Data"),
    "lists": _l("Lists"),
    "messages": _l("Messages and overlays"),
    "shell": _l("Page frame"),
    "flow": _l("Flow of steps"),
}

# Components that only serve others, and the sample in which each is seen.
INSIDE = {
    "amount": "money", "bulk_bar": "list_table", "column_boxes": "column_menu", "cron_said": "cron_field", "list_range": "list_pages", "order_field": "filter_panel",
    "row_check": "list_table", "settings_nav": "", "tenant_state": "", "stored_value": "", "value_tree": "", "th_sort": "list_table", "announce": "", "attributes": "button", "chart_axis": "chart_line", "chart_frame": "chart_line", "chart_ground": "chart_line",
    "chart_marker": "chart_line", "chart_patterns": "chart_stacked", "chart_table": "chart_line", "csrf": "post_button", "described": "text",
    "hx": "flow", "legend": "chart_line", "page_header": "", "palette": "palette_group", "status_parts": "status", "theme_switch": "user_menu",
}  # fmt: skip


def names() -> list[str]:
    """Return every component: one file each."""
    return sorted(path.stem for path in FOLDER.glob("*.html"))


@lru_cache(maxsize=1)
def descriptions() -> dict[str, str]:
    """Return what the comment at the head of each component says: how it is called, and what it is."""
    found = {}
    for name in names():
        about = ABOUT.match((FOLDER / f"{name}.html").read_text("utf-8"))
        found[name] = about[1] if about else ""
    return found

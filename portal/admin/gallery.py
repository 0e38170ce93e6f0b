"""The gallery: its groups, and what each component says of itself."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.core.config import ROOT

FOLDER = ROOT / "templates" / "components"
ABOUT = re.compile(r"\A\{#\s*(.*?)\s*#\}", re.DOTALL)

# One page each: short enough to read, and no id stands twice.
GROUPS: dict[str, Any] = {
    "text": _l("Text and status"),
    "actions": _l("Buttons and menus"),
    "forms": _l("Forms"),
    "data": _l("Data"),
    "messages": _l("Messages and overlays"),
    "shell": _l("Page frame"),
    "flow": _l("Flow of steps"),
}


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

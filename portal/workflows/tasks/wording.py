"""Tasks in the words of the reader. Pure."""

from __future__ import annotations

from typing import Any

from portal.i18n.locale import current
from portal.i18n.words import lazy_gettext as _l

STATES: dict[str, Any] = {"open": _l("Open"), "decided": _l("Decided"), "expired": _l("Expired"), "cancelled": _l("Cancelled")}


def title_of(task: Any) -> str:
    """Return the headline of a task in the reader's language, else in the other."""
    return str((task.title_ar if current().tag == "ar" else task.title) or task.title)


def outcome_of(task: Any, key: str | None) -> str:
    """Return the words of an outcome in the reader's language."""
    found: dict[str, Any] = next((each for each in task.outcomes if each["key"] == key), {})
    return str(
        (found.get("label_ar") if current().tag == "ar" else found.get("label")) or found.get("label") or found.get("label_ar") or key or ""
    )

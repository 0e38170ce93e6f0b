"""How many runs of a workflow may go on at once, how urgent they are, and in which lane: a part of the start card."""

from __future__ import annotations

from typing import Any

from portal.core.digits import ascii_digits
from portal.core.forms import clean
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import checks
from portal.workflows.checks import MAX_AT_ONCE, WHEN_FULL
from portal.workflows.definition import Settings

WHEN_FULL_LABELS = {
    "queue": _l("They wait for their turn"),
    "refuse": _l("They are refused"),
    "cancel": _l("They take the place of the oldest"),
}
PRIORITY_LABELS = {1: _l("Urgent"), 2: _l("High"), 3: _l("Normal"), 4: _l("Low"), 5: _l("Can wait")}


def shown(settings: Settings, typed: dict[str, Any]) -> dict[str, Any]:
    """Return what this part of the card shows: what was typed, else what the draft says."""
    stands = settings.get("concurrency") or {}
    return {
        "most": typed.get("most", stands.get("limit", "")),
        "gate_key": typed.get("gate_key", stands.get("key", "")),
        "when_full": typed.get("when_full", stands.get("when_full", "queue")),
        "priority": typed.get("priority", settings.get("priority", 3)),
        "is_bulk": typed.get("is_bulk", settings.get("lane") == "bulk"),
        "when_full_labels": list(WHEN_FULL_LABELS.items()),
        "priority_labels": list(PRIORITY_LABELS.items()),
    }


def read(settings: Settings, form: Any) -> tuple[Settings, dict[str, Any], dict[str, Any]]:
    """Read this part of the posted card: (the settings with it, what is wrong, what was typed)."""
    if "most" not in form:
        return settings, {}, {}
    most = ascii_digits(clean(form["most"]))
    key, when_full = clean(form.get("gate_key", ""))[:300], form.get("when_full", "queue")
    priority = int(text) if (text := form.get("priority", "3")) in ("1", "2", "3", "4", "5") else 3
    is_bulk = form.get("is_bulk") == "1"
    new = {name: value for name, value in settings.items() if name not in ("concurrency", "priority", "lane")}
    errors: dict[str, Any] = {}
    if most and not (most.isdecimal() and 1 <= int(most[:9]) <= MAX_AT_ONCE):
        errors["most"] = _("At once is a whole number between 1 and %(num)d; empty means no limit.", num=MAX_AT_ONCE)
    elif most:
        new["concurrency"] = {"limit": int(most), "key": key, "when_full": when_full if when_full in WHEN_FULL else "queue"}
        if message := checks.wrong_key(key, {each["key"] for each in settings.get("inputs", [])}):
            errors["gate_key"] = message
    if priority != 3:
        new["priority"] = priority
    if is_bulk:
        new["lane"] = "bulk"
    return new, errors, {"most": most, "gate_key": key, "when_full": when_full, "priority": priority, "is_bulk": is_bulk}

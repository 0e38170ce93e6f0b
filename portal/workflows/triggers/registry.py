"""Every kind of trigger, in the order of the picker."""

from __future__ import annotations

from portal.workflows.triggers.api import Api
from portal.workflows.triggers.base import Kind
from portal.workflows.triggers.event import Event
from portal.workflows.triggers.form import Form
from portal.workflows.triggers.manual import Manual
from portal.workflows.triggers.schedule import VARIANTS
from portal.workflows.triggers.webhook import Webhook

BUILT_IN: tuple[Kind, ...] = (Manual(), Api())
OFFERED: tuple[Kind, ...] = (*VARIANTS, Webhook(), Form(), Event())
_BY_NAME: dict[str, Kind] = {f"{each.kind}-{each.variant}".rstrip("-"): each for each in (*BUILT_IN, *OFFERED)}


def name_of(kind: Kind) -> str:
    """Return the name of a kind in addresses: `webhook`, `schedule-cron`."""
    return f"{kind.kind}-{kind.variant}".rstrip("-")


def find(name: str) -> Kind | None:
    """Return the kind of this name that can be added."""
    found = _BY_NAME.get(name)
    return found if found in OFFERED else None


def of(kind: str, mode: str = "") -> Kind:
    """Return the kind of a stored trigger."""
    return _BY_NAME[f"{kind}-{mode}".rstrip("-")]

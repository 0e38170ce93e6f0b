"""Triggers and receipts as pages show them: titles, outcomes and reasons in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.core import clock
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.triggers.base import Kind
from portal.workflows.triggers.models import WorkflowTrigger
from portal.workflows.triggers.registry import of

# Outcome → (words, tone).
OUTCOMES: dict[str, tuple[Any, str]] = {
    "started": (_l("Started a run"), "success"),
    "waiting": (_l("Is dealt with"), "info"),
    "queued": (_l("Waits for the run before"), "info"),
    "refused": (_l("Refused"), "danger"),
    "filtered": (_l("Condition did not hold"), "neutral"),
    "skipped": (_l("Left out"), "neutral"),
    "missed": (_l("Missed"), "warning"),
    "limited": (_l("Too many in a minute"), "warning"),
    "too_deep": (_l("Too many runs one after the other"), "danger"),
    "unpublished": (_l("No live version"), "danger"),
}
REASONS: dict[str, Any] = {
    "inputs": _l("An input was missing or wrong."),
    "gate_full": _l("As many runs of the workflow went on as may at once."),
    "overlap": _l("The run before it had not ended."),
    "off": _l("It was switched off in the meantime."),
    "type": _l("The event is of another type."),
    "not_boolean": _l("The condition gave something other than true or false."),
    "unsigned": _l("The request was not signed. Whether others came as well is not noted one by one."),
    "odd_header": _l("A header of the signature could not be read."),
    "wrong_time": _l("The time of the signature was more than five minutes off."),
    "wrong_signature": _l("The signature did not fit."),
    "wrong_secret": _l("The secret in the header was missing or wrong."),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One way of starting in the list."""

    id: UUID | None
    kind: str
    icon: str
    title: Any
    note: Any
    is_enabled: bool
    next_at: datetime | None
    last_at: datetime | None
    last_outcome: tuple[Any, str] | None
    last_run: UUID | None


@dataclass(frozen=True, slots=True)
class Titled:
    """A name in both languages, for who shows names."""

    name: str
    name_ar: str | None


@dataclass(frozen=True, slots=True)
class Start:
    """By which way a run started."""

    id: UUID
    workflow_id: UUID
    icon: str
    kind: Any
    title: Any


def start(row: Any) -> Start:
    """Return the trigger that a run came from, as the page of the run names it."""
    kind = of(row.kind, (row.config or {}).get("mode", ""))
    return Start(row.id, row.workflow_id, kind.icon, kind.label, Titled(row.name, row.name_ar) if row.name or row.name_ar else None)


def title_of(trigger: WorkflowTrigger) -> Any:
    """Return what a trigger is called: its name, else what it does."""
    if trigger.name or trigger.name_ar:
        return Titled(trigger.name, trigger.name_ar)
    label = str(of(trigger.kind, trigger.config.get("mode", "")).label)
    return Titled(label, label)


def row(trigger: WorkflowTrigger, last: Mapping[UUID, Any]) -> Row:
    """Return a trigger that was added, as a line of the list."""
    kind = of(trigger.kind, trigger.config.get("mode", ""))
    return _row(kind, trigger, title_of(trigger), " ".join(str(each) for each in kind.words(trigger.config)), last)


def built_in_row(kind: Kind, trigger: WorkflowTrigger | None, last: Mapping[UUID, Any]) -> Row:
    """Return a trigger that each workflow has; it is on until somebody switches it off."""
    label = str(kind.label)
    return _row(kind, trigger, Titled(label, label), kind.description, last)


def _row(kind: Kind, trigger: WorkflowTrigger | None, title: Any, note: Any, last: Mapping[UUID, Any]) -> Row:
    seen = last.get(trigger.id) if trigger else None
    is_enabled = trigger.is_enabled if trigger else True
    return Row(
        id=trigger.id if trigger else None,
        kind=kind.kind,
        icon=kind.icon,
        title=title,
        note=note,
        is_enabled=is_enabled,
        next_at=trigger.next_fire_at if trigger and is_enabled else None,
        last_at=seen.received_at if seen else None,
        last_outcome=OUTCOMES[seen.outcome] if seen else None,
        last_run=seen.execution_id if seen else None,
    )


def secrets(trigger: WorkflowTrigger) -> list[dict[str, Any]]:
    """Return the secrets of a webhook that count now: their last letters, and until when the old ones count."""
    now = clock.now()
    found = [
        {"shown": each["shown"], "until": datetime.fromisoformat(each["until"]) if each["until"] else None} for each in trigger.secrets
    ]
    return [each for each in found if each["until"] is None or each["until"] > now]


def readable(kind: Kind, config: Mapping[str, Any], events: Mapping[str, list[str]]) -> list[str]:
    """Return what texts and conditions of this trigger may read."""
    if kind.kind == "webhook":
        return ["input.body", "input.headers", "input.query", "input.event"]
    if kind.kind == "schedule":
        return ["input.at", "input.local", "input.day"]
    if kind.kind == "event":
        return [f"input.{field}" for field in events.get(str(config.get("event")), [])]
    return []


def reason(code: str | None) -> Any:
    """Return a reason as a sentence; a condition that broke says how."""
    if not code:
        return ""
    if code.startswith("condition: "):
        return _("The condition could not be worked out: %(why)s", why=code.removeprefix("condition: "))
    return REASONS.get(code, code)

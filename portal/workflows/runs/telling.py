"""Events of a run as sentences in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.core.ids import as_uuid
from portal.i18n import formats
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.explain import REASONS, UNKNOWN

SAID: dict[str, Any] = {
    "step.succeeded": _l("Succeeded"),
    "step.failed": _l("Failed"),
    "step.skipped": _l("Passed over: the run took another way"),
    "step.cancelled": _l("Cancelled"),
    "step.waiting": _l("Began to wait"),
    "step.rescued": _l("Its worker was lost; it is taken up again"),
    "step.in_doubt": _l("Cut off on its way out: somebody has to decide"),
    "step.undoing": _l("Began to take back what it did"),
    "step.hurried": _l("Sent on at once"),
    "frame.succeeded": _l("One of its rounds succeeded"),
    "frame.failed": _l("One of its rounds failed"),
    "frame.cancelled": _l("One of its rounds was cancelled"),
}
TONES = {"step.succeeded": "success", "step.failed": "danger", "step.in_doubt": "warning", "step.retried": "warning", "step.rescued": "warning",
         "frame.failed": "danger"}  # fmt: skip
ICONS = {"step.succeeded": "circle-check", "step.failed": "circle-x", "step.in_doubt": "circle-question-mark", "step.retried": "rotate-ccw",
         "step.rescued": "rotate-ccw", "step.waiting": "hourglass", "step.skipped": "circle-minus", "step.cancelled": "ban",
         "step.undoing": "undo-2", "frame.failed": "circle-x"}  # fmt: skip
DECIDED: dict[str, Any] = {"done": _l("it happened"), "repeat": _l("do it again"), "fail": _l("stop as failed")}
OUTCOMES: dict[str, Any] = {
    "succeeded": _l("Succeeded"),
    "failed": _l("Failed"),
    "ready": _l("Failed, to be tried again"),
    "waiting": _l("Began to wait"),
    "in_doubt": _l("Cut off: nobody knows whether it happened"),
    "cancelled": _l("Cancelled"),
}
EFFECTS: dict[str, tuple[Any, Any]] = {
    "pure": (_l("None"), _l("It only works values out; nothing leaves the portal.")),
    "db": (_l("Exactly once"), _l("It writes into the portal's own tables, together with its result.")),
    "idempotent": (_l("Once, by its key"), _l("The other system knows the key and does the same thing only once.")),
    "at_least_once": (_l("At least once"), _l("After a break it may happen a second time.")),
    "unsafe": (_l("At most once by itself"), _l("After a break somebody decides whether it is done again.")),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One event as a log shows it; `after_ms` counts from when the step came up."""

    at: datetime
    after_ms: int
    title: str
    text: str
    tone: str
    icon: str


def tell(events: Sequence[Any], names: Mapping[Any, str], *, since: datetime) -> list[Told]:
    """Return events of a step as sentences.

    Args:
        since: when the step came up.
        names: of the people among their actors, by id.
    """
    return [
        Told(
            each.at,
            max(0, round((each.at - since) / timedelta(milliseconds=1))),
            _title(each.kind, each.data or {}),
            _text(each, names),
            TONES.get(each.kind, "neutral"),
            ICONS.get(each.kind, "circle-dot"),
        )
        for each in events
    ]


def actors(events: Sequence[Any]) -> set[Any]:
    """Return the ids of the people who did something among these events."""
    return {found for each in events if each.actor.startswith("person:") and (found := as_uuid(each.actor.removeprefix("person:")))}


def outcome(code: str) -> Any:
    """Return how an attempt ended."""
    return OUTCOMES.get(code, code)


def reason(code: str | None) -> Any:
    """Return why an attempt failed, as a sentence; empty where it did not."""
    return REASONS.get(code, UNKNOWN) if code else ""


def _title(kind: str, data: Mapping[str, Any]) -> str:
    special: dict[str, Callable[[Mapping[str, Any]], str]] = {"step.retried": _retried, "step.decided": _decided}
    return special[kind](data) if kind in special else str(SAID.get(kind, kind))


def _retried(data: Mapping[str, Any]) -> str:
    delay = formats.duration(round(float(data.get("delay_s") or 0) * 1000))
    return _("Failed; tried again after %(time)s", time=delay)


def _decided(data: Mapping[str, Any]) -> str:
    return _("Decided: %(decision)s", decision=DECIDED.get(str(data.get("decision")), data.get("decision")))


def _text(event: Any, names: Mapping[Any, str]) -> str:
    data = event.data or {}
    parts = [str(reason(data["code"]))] if data.get("code") else []
    if data.get("detail"):
        parts.append(formats.isolate(str(data["detail"])))
    if event.actor.startswith("person:"):
        parts.append(
            _("By %(person)s", person=formats.isolate(names.get(as_uuid(event.actor.removeprefix("person:")), "") or _("somebody")))
        )
    return " ".join(parts)

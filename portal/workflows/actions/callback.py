"""Wait until another system answers to an address that was given to it before, once."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import limits
from portal.workflows.actions.base import Call, Outcome, SignalWait
from portal.workflows.actions.signal import wait
from portal.workflows.definition import Field
from portal.workflows.signals.callbacks import SIGNAL


class Callback:
    kind: ClassVar[str] = "callback"
    icon: ClassVar[str] = "phone-incoming"
    label: ClassVar[Any] = _l("Wait for a callback")
    description: ClassVar[Any] = _l("Give another system an address of its own, and pause until it sends JSON there")
    fields: ClassVar[tuple[Field, ...]] = (
        limits.AMOUNT,
        limits.UNIT,
        limits.CALENDAR,
        limits.if_late(_l("Go on, with the outcome “timeout”")),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("outcome", _l("received or timeout")),
        ("payload", _l("What was sent with it")),
        ("sent_at", _l("When it was sent")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "db"

    def perform(self, call: Call) -> Outcome:
        return wait(call, SignalWait(SIGNAL, call.idem_key))

    def check(self, config: dict[str, Any], deadline_s: int) -> list[tuple[str, Any]]:
        """Return what is wrong with the settings beyond their fields: (field, sentence)."""
        return limits.problems_of(config, deadline_s)

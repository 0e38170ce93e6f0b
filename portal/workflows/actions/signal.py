"""Wait until something is told by name: by another run, a program, or a person on the page of the run."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import limits
from portal.workflows.actions.base import Call, Failed, Outcome, SignalWait, Waiting
from portal.workflows.definition import Field
from portal.workflows.expressions import as_text
from portal.workflows.signals.kept import LONGEST_KEY, NAME

NAME_WRONG = _l("Use letters, digits and _ . : - in the name of a signal, at most 80.")


class Signal:
    kind: ClassVar[str] = "signal"
    icon: ClassVar[str] = "radio-receiver"
    label: ClassVar[Any] = _l("Wait for a signal")
    description: ClassVar[Any] = _l("Pause until another run, a program or a person tells that something happened")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("signal", "text", _l("Name of the signal"), _l("Such as invoice.paid; who sends it uses the same name."), required=True),
        Field("corr_key", "text", _l("Key"), _l("What tells one from another, e.g. the invoice's number; empty for none.")),
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
        name, key = as_text(call.config["signal"]).strip(), as_text(call.config["corr_key"]).strip()
        if not NAME.match(name) or len(key) > LONGEST_KEY:
            return Failed("signal_name", detail=name[:100])
        return wait(call, SignalWait(name, key))

    def check(self, config: dict[str, Any], deadline_s: int) -> list[tuple[str, Any]]:
        """Return what is wrong with the settings beyond their fields: (field, sentence)."""
        return name_problems(config) + limits.problems_of(config, deadline_s)


def name_problems(config: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what is wrong with the name of a signal, as far as it is known before the run."""
    name = str(config.get("signal") or "").strip()
    return [("signal", NAME_WRONG)] if name and "${" not in name and not NAME.match(name) else []


def wait(call: Call, wanted: SignalWait) -> Outcome:
    """Return the wait for a signal, with its limit and what happens then."""
    until = limits.moment(call, "limit", call.config["limit_unit"])
    if isinstance(until, Failed):
        return until
    fails_with = "signal_timeout" if call.config["if_late"] == "fail" else None
    return Waiting(until, output={"outcome": "timeout", "payload": None}, fails_with=fails_with, signal=wanted)

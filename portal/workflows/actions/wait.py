"""Wait for a while or until a moment; holds no worker meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Failed, Outcome, Waiting
from portal.workflows.definition import Field

MAX_S = 30 * 86400
UNITS = (("seconds", _l("Seconds")), ("minutes", _l("Minutes")), ("hours", _l("Hours")), ("days", _l("Days")))
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


class Wait:
    kind: ClassVar[str] = "wait"
    icon: ClassVar[str] = "timer"
    label: ClassVar[Any] = _l("Wait")
    description: ClassVar[Any] = _l("Pause for a while, or until a moment")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("mode", "choice", _l("Wait"), choices=(("for", _l("for a while")), ("until", _l("until a moment"))), default="for"),
        Field("amount", "number", _l("How long"), required=True, default=5, show_when=("mode", ("for",))),
        Field("unit", "choice", _l("Unit"), choices=UNITS, default="minutes", show_when=("mode", ("for",))),
        Field(
            "until",
            "datetime",
            _l("Until"),
            _l("Date and time, e.g. 2026-12-01T09:00:00+03:00"),
            required=True,
            show_when=("mode", ("until",)),
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("waited_s", _l("Seconds waited")), ("until", _l("When the wait ended")))

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        if call.config["mode"] == "until":
            return self._until(str(call.config["until"]))
        try:
            seconds = float(call.config["amount"]) * SECONDS[call.config["unit"]]
        except (TypeError, ValueError):
            return Failed("wait_not_a_number", detail=str(call.config["amount"])[:100])
        if not 0 <= seconds <= MAX_S:
            return Failed("wait_too_long")
        return Waiting(after_s=seconds, output={"waited_s": seconds})

    def _until(self, text: str) -> Outcome:
        try:
            until = datetime.fromisoformat(text)
        except ValueError:
            return Failed("wait_not_a_moment", detail=text[:100])
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        return Waiting(until, output={"until": until.isoformat()})

"""Stop: ends the run here, well or badly, with a message."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Outcome
from portal.workflows.actions.base import Stop as Stops
from portal.workflows.definition import Field

MAX_MESSAGE = 500


class Stop:
    kind: ClassVar[str] = "stop"
    icon: ClassVar[str] = "octagon-x"
    label: ClassVar[Any] = _l("Stop")
    description: ClassVar[Any] = _l("End the run here, as succeeded or failed")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "outcome",
            "choice",
            _l("The run has"),
            choices=(("failed", _l("failed")), ("succeeded", _l("succeeded"))),
            default="failed",
        ),
        Field("message", "text", _l("Message")),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        return Stops(call.config["outcome"], str(call.config["message"] or "")[:MAX_MESSAGE])

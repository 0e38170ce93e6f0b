"""Tell other runs that something happened, in the transaction that ends the step: exactly once."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.core import db
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.actions.signal import name_problems
from portal.workflows.definition import Field
from portal.workflows.expressions import as_text
from portal.workflows.signals import kept as signals

UNHEARD = (("keep", _l("Keep it for whoever waits next")), ("drop", _l("Nobody hears it")))


class SendSignal:
    kind: ClassVar[str] = "send_signal"
    icon: ClassVar[str] = "radio-tower"
    label: ClassVar[Any] = _l("Send a signal")
    description: ClassVar[Any] = _l("Tell a run that waits, now or later, that something happened")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "signal", "text", _l("Name of the signal"), _l("Such as invoice.paid; the step that waits uses the same name."), required=True
        ),
        Field("corr_key", "text", _l("Key"), _l("The same as of the step that waits; empty for none.")),
        Field("values", "pairs", _l("Values to send along"), _l("Name and value of each"), default=()),
        Field("unheard", "choice", _l("If nobody waits for it yet"), choices=UNHEARD, default="keep"),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("id", _l("Id of the signal; none if nobody heard it")),)

    def effect(self, config: dict[str, Any]) -> str:
        return "db"

    def perform(self, call: Call) -> Outcome:
        name, key = as_text(call.config["signal"]).strip(), as_text(call.config["corr_key"]).strip()
        payload = {str(pair["name"]): pair["value"] for pair in call.config["values"] if pair["name"]}
        if not signals.NAME.match(name) or len(key) > signals.LONGEST_KEY:
            return Failed("signal_name", detail=name[:100])
        if len(db.to_json(payload)) > signals.MAX_PAYLOAD_BYTES:
            return Failed("signal_too_large")
        is_passing = call.config["unheard"] == "drop"
        if is_passing and not signals.is_awaited(call.tenant_id, name, key):
            return Done({"id": None})
        signal_id, _is_new = signals.keep(
            call.tenant_id, name, key=key, payload=payload, source="run", dedup_key=f"run:{call.idem_key}",
            kept_s=signals.PASSING_S if is_passing else signals.KEPT_S,
        )  # fmt: skip
        return Done({"id": str(signal_id)})

    def check(self, config: dict[str, Any], _deadline_s: int) -> list[tuple[str, Any]]:
        """Return what is wrong with the settings beyond their fields: (field, sentence)."""
        return name_problems(config)

"""Write into a channel of Slack. Unsafe: Slack has no key for messages, so one that may have arrived is not sent again."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import messaging
from portal.workflows.actions.base import Call, Outcome
from portal.workflows.definition import Field
from portal.workflows.expressions import as_text


class Slack:
    kind: ClassVar[str] = "slack"
    icon: ClassVar[str] = "hash"
    label: ClassVar[Any] = _l("Slack message")
    description: ClassVar[Any] = _l("Write into a channel of Slack, in one language or both")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("connection", "connection", _l("Connection"), required=True, choices=(("slack", ""),)),
        Field("channel", "text", _l("Channel"), _l("Its id, e.g. C0123456789; a connection by webhook has its own")),
        *messaging.TEXTS,
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("channel", _l("Channel")), ("ts", _l("Message id")))

    def effect(self, config: dict[str, Any]) -> str:
        return "unsafe"

    def perform(self, call: Call) -> Outcome:
        return messaging.post(call, "slack", channel=as_text(call.config.get("channel")).strip())

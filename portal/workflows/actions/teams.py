"""Write into a channel of Microsoft Teams. Unsafe: a card that may have arrived is not sent again."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import messaging
from portal.workflows.actions.base import Call, Outcome
from portal.workflows.definition import Field


class Teams:
    kind: ClassVar[str] = "teams"
    icon: ClassVar[str] = "messages-square"
    label: ClassVar[Any] = _l("Teams message")
    description: ClassVar[Any] = _l("Write into a channel of Teams, in one language or both")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("connection", "connection", _l("Connection"), required=True, choices=(("teams", ""),)),
        *messaging.TEXTS,
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = ()

    def effect(self, config: dict[str, Any]) -> str:
        return "unsafe"

    def perform(self, call: Call) -> Outcome:
        return messaging.post(call, "teams")

"""What the kinds that write into channels share: the message in both languages, and posting it. Their receivers drop no doubles."""

from __future__ import annotations

from typing import Any

from portal.connections import service as connections
from portal.connections.errors import Unusable
from portal.core.config import current_settings
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import connected
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field
from portal.workflows.expressions import as_text

TEXTS = (
    Field("title", "text", _l("Title")),
    Field("title_ar", "text", _l("Title in Arabic")),
    Field("text", "long_text", _l("Text")),
    Field("text_ar", "long_text", _l("Text in Arabic")),
    Field("links", "boolean", _l("A button that leads to this run"), default=False),
)


def post(call: Call, family: str, *, channel: str = "") -> Outcome:
    """Post the message of a step."""
    texts = {name: as_text(call.config.get(name)).strip() for name in ("title", "title_ar", "text", "text_ar")}
    if not any(texts.values()):
        return Failed("chat_empty")
    link = f"{current_settings().public_url}/runs/{call.run_id}" if call.config.get("links") else ""
    try:
        connection = connected.open_for(call, (family,), family)
        if connection is None:
            return Failed("connection_gone")
        if connection.kind == "slack_bot" and not channel:
            return Failed("chat_no_channel")
        message = connections.Message(**texts, link=link, link_text="فتح التشغيل · Open the run" if link else "")
        kept = connections.say(connection, message, channel=channel, message_id=call.idem_key)
    except Unusable as wrong:
        return connected.failed(wrong, "call")
    output: dict[str, Any] = connection.mask.value(kept)
    return Done(output)

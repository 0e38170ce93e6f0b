"""Slack and Teams: what they are sent, and what their answers mean."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from portal.connections import outgoing
from portal.connections.errors import Unusable
from portal.connections.vault import Opened
from portal.core.egress import Answer

MAX_TEXT = 3_000
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
# What Slack calls its passing troubles.
SLACK_AGAIN = frozenset({"ratelimited", "rate_limited", "service_unavailable", "internal_error", "fatal_error", "request_timeout"})
SLACK_ACCESS = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "no_service", "invalid_token"}
)


@dataclass(frozen=True, slots=True)
class Message:
    """What is said in a channel: a title and a text, each perhaps in both languages, and a link."""

    title: str
    text: str
    title_ar: str = ""
    text_ar: str = ""
    link: str = ""
    link_text: str = ""


def say(connection: Opened, message: Message, *, channel: str, message_id: str) -> dict[str, Any]:
    """Post a message and return what is worth keeping: channel and time of Slack, nothing for a webhook.

    Raises:
        Unusable: chat_refused, chat_access, chat_channel, or a code of egress; `.again` says whether trying again can help.
    """
    if connection.family == "teams":
        return _judge_plain(_post(connection, connection.secrets["webhook_url"], card_of(message), message_id))
    body = {"text": fallback_of(message), "blocks": blocks_of(message)}
    if connection.kind == "slack_webhook":
        return _judge_plain(_post(connection, connection.secrets["webhook_url"], body, message_id))
    url = f"{connection.settings['api_url'].rstrip('/')}/api/chat.postMessage"
    return _judge_bot(_post(connection, url, {"channel": channel, **body}, message_id))


def check(connection: Opened) -> None:
    """Find out whether Slack takes the secret, without saying anything in a channel; a workflow of Teams can only be posted to.

    Raises:
        Unusable: as `say`.
    """
    if connection.kind == "slack_bot":
        _judge_bot(_post(connection, f"{connection.settings['api_url'].rstrip('/')}/api/auth.test", {}, "test"))
    elif connection.kind == "slack_webhook":
        # Slack answers `no_text` to an empty message at a good address, and `no_service` at a bad one.
        answer = _post(connection, connection.secrets["webhook_url"], {}, "test")
        said = answer.body[:200].decode("utf-8", "replace").strip()
        if said not in ("no_text", "invalid_payload") and not 200 <= answer.status < 300:
            _judge_plain(answer)
    else:
        say(connection, Message("Nasij", "This is a test.", "نسيج", "هذه تجربة."), channel="", message_id="test")


def fallback_of(message: Message) -> str:
    """Return the text that notifications and screen readers get."""
    return "\n".join(each for each in (message.title_ar, message.title, message.text_ar, message.text) if each)[:MAX_TEXT]


def blocks_of(message: Message) -> list[dict[str, Any]]:
    """Return a message as blocks of Slack; text is plain, so that nothing in it pings anybody or becomes a link."""
    blocks: list[dict[str, Any]] = []
    if title := " · ".join(each for each in (message.title_ar, message.title) if each):
        blocks.append({"type": "header", "text": {"type": "plain_text", "text": title[:150], "emoji": False}})
    for text in (message.text_ar, message.text):
        if text:
            blocks.append({"type": "section", "text": {"type": "plain_text", "text": text[:MAX_TEXT], "emoji": False}})
    if message.link:
        button = {"type": "button", "text": {"type": "plain_text", "text": message.link_text[:75]}, "url": message.link}
        blocks.append({"type": "actions", "elements": [button]})
    return blocks


def card_of(message: Message) -> dict[str, Any]:
    """Return a message as the adaptive card that a workflow of Teams posts."""
    body: list[dict[str, Any]] = []
    for title, text, is_rtl in ((message.title_ar, message.text_ar, True), (message.title, message.text, False)):
        items: list[dict[str, Any]] = []
        if title:
            items.append({"type": "TextBlock", "text": plain(title), "weight": "Bolder", "size": "Medium", "wrap": True})
        if text:
            items.append({"type": "TextBlock", "text": plain(text[:MAX_TEXT]), "wrap": True})
        if items:
            body.append({"type": "Container", "rtl": is_rtl, "items": items})
    actions = [{"type": "Action.OpenUrl", "title": message.link_text, "url": message.link}] if message.link else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": body,
        "actions": actions,
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}],
    }


def plain(text: str) -> str:
    """Return a text in which a card of Teams sees no Markdown: no link hides another address."""
    for mark in "\\`*_[]()<>#":
        text = text.replace(mark, f"\\{mark}")
    return text


def host_of(url: str) -> str:
    """Return the host of an address, or nothing."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _post(connection: Opened, url: str, body: dict[str, Any], message_id: str) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": message_id}
    return outgoing.send(connection, "POST", url, headers=headers, body=json.dumps(body).encode(), message_id=message_id)


def _judge_plain(answer: Answer) -> dict[str, Any]:
    if 200 <= answer.status < 300:
        return {}
    if answer.status in (401, 403, 404, 410):
        raise Unusable("chat_access", str(answer.status))
    raise Unusable("chat_refused", str(answer.status), again=answer.status in AGAIN)


def _judge_bot(answer: Answer) -> dict[str, Any]:
    try:
        given = json.loads(answer.body)
    except ValueError:
        given = {}
    if not isinstance(given, dict) or answer.status >= 400:
        raise Unusable("chat_refused", str(answer.status), again=answer.status in AGAIN)
    if given.get("ok") is True:
        return {name: given[name] for name in ("channel", "ts") if isinstance(given.get(name), str)}
    said = str(given.get("error") or "")[:60]
    if said in SLACK_ACCESS:
        raise Unusable("chat_access", said)
    code = "chat_channel" if said in ("channel_not_found", "not_in_channel", "is_archived") else "chat_refused"
    raise Unusable(code, said, again=said in SLACK_AGAIN)

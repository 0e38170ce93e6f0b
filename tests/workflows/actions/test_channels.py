"""Slack and Teams: what they are sent in both languages, and what their refusals mean."""

from __future__ import annotations

import json

import pytest

from portal.connections import service as connections
from portal.core.access import SYSTEM
from tests.connections.systems import Reply, connect
from tests.workflows.actions.conftest import error_of, output_of, run_one

SAID = {"title": "Approved", "title_ar": "اعتُمد", "text": "Order <!channel> [x](https://evil)", "text_ar": "طلب"}


def hook(engine, other, kind="slack_webhook"):
    return str(connect(engine.house.id, kind, webhook_url=f"{other.url}/services/T000/canary-hook-3381"))


def bot(engine, other):
    return str(connect(engine.house.id, "slack_bot", token="xoxb-canary-bot-7734", api_url=other.url))


def test_slack_by_webhook_says_both_languages_as_plain_text(engine, other):
    other.answer = lambda asked: Reply(body="ok")
    output_of(engine, "slack", connection=hook(engine, other), links=True, **SAID)

    (asked,) = other.calls
    assert asked.path == "/services/T000/canary-hook-3381"
    kinds = [block["type"] for block in asked.json["blocks"]]
    assert kinds == ["header", "section", "section", "actions"]
    assert asked.json["blocks"][0]["text"]["text"] == "اعتُمد · Approved"
    assert {block["text"]["type"] for block in asked.json["blocks"][:3]} == {"plain_text"}


def test_slack_by_bot_names_its_channel_and_keeps_the_message_id(engine, other):
    other.answer = lambda asked: Reply(body={"ok": True, "channel": "C1", "ts": "17.1", "echo": asked.headers["authorization"]})
    assert output_of(engine, "slack", connection=bot(engine, other), channel="C1", **SAID) == {"channel": "C1", "ts": "17.1"}
    (asked,) = other.calls
    assert (asked.path, asked.json["channel"], asked.headers["authorization"]) == (
        "/api/chat.postMessage",
        "C1",
        "Bearer xoxb-canary-bot-7734",
    )


def test_teams_gets_a_card_with_each_language_in_its_direction(engine, other):
    other.answer = lambda asked: Reply(202)
    output_of(engine, "teams", connection=hook(engine, other, "teams"), **SAID)
    card = other.calls[0].json["attachments"][0]["content"]
    assert [each["rtl"] for each in card["body"]] == [True, False]
    assert "\\[x\\]\\(https://evil\\)" in json.dumps(card, ensure_ascii=False).replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("reply", "code", "attempts"),
    [
        (Reply(404, "no_service"), "chat_access", 1),
        (Reply(403, "invalid_token"), "chat_access", 1),
        (Reply(400, "invalid_blocks"), "chat_refused", 1),
        (Reply(503, "later"), "chat_refused", 2),
    ],
)
def test_refusals_of_a_webhook_say_whether_trying_again_helps(engine, other, reply, code, attempts):
    other.answer = lambda asked: reply
    row = run_one(engine, "slack", connection=hook(engine, other), attempts=2, **SAID)
    # One that is worth another attempt waits for it (a pump may have made it already).
    assert row.error["code"] == code and (row.state == "failed" or attempts == 2)
    assert "canary" not in json.dumps(row.error)


@pytest.mark.parametrize(
    ("error", "code"),
    [("invalid_auth", "chat_access"), ("channel_not_found", "chat_channel"), ("ratelimited", "chat_refused"), ("no_text", "chat_refused")],
)
def test_refusals_of_the_bot(engine, other, error, code):
    other.answer = lambda asked: Reply(body={"ok": False, "error": error})
    assert error_of(engine, "slack", connection=bot(engine, other), channel="C1", **SAID) == (code, error)


def test_what_is_missing_is_said_before_anything_is_sent(engine, other):
    assert error_of(engine, "slack", connection=bot(engine, other), **SAID)[0] == "chat_no_channel"
    assert error_of(engine, "slack", connection=hook(engine, other))[0] == "chat_empty"
    assert other.calls == []


def test_a_message_that_may_have_arrived_is_a_question(engine, other):
    import time

    other.answer = lambda asked: time.sleep(20) or Reply()
    row = run_one(engine, "slack", connection=hook(engine, other), timeout_s=30, attempts=3, **SAID)
    assert (row.state, len(other.calls)) == ("in_doubt", 1)


def test_tests_say_nothing_in_a_slack_channel(engine, other):
    def tested(connection_id):
        with engine.in_house():
            return connections.test_connection(engine.house.id, connection_id, by=SYSTEM)

    other.answer = lambda asked: Reply(400, "no_text") if asked.json == {} else Reply(body="ok")
    by_hook = connect(engine.house.id, "slack_webhook", webhook_url=f"{other.url}/services/T/B/secret-part")
    assert tested(by_hook) == "ok"
    other.answer = lambda asked: Reply(404, "no_service")
    assert tested(by_hook) == "chat_access"
    other.answer = lambda asked: Reply(body={"ok": asked.path == "/api/auth.test"})
    assert tested(connect(engine.house.id, "slack_bot", token="xoxb-canary-bot-7735", api_url=other.url)) == "ok"
    assert all(asked.json == {} for asked in other.calls)

"""Ours against other people's code: signatures against standardwebhooks and svix, events against the CloudEvents SDK."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import svix
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent as TheirEvent

from portal.workflows.triggers import cloudevents, signing
from tests.workflows.triggers.conftest import declared, step, values

THEIRS = {"standardwebhooks": standardwebhooks.Webhook, "svix": svix.Webhook}


def cases(number: int = 60):
    rng = random.Random(7)
    for each in range(number):
        text = json.dumps(
            {"n": each, "name": rng.choice(["نورة", "Lina", "", "\U0001f9f5"]), "x": rng.random()}, ensure_ascii=bool(each % 2)
        )
        yield f"msg_{rng.randrange(10**12)}", datetime.now(UTC) - timedelta(seconds=rng.randrange(-200, 200)), text


@pytest.mark.parametrize("name", THEIRS)
def test_they_verify_what_we_sign(name):
    for message_id, at, body in cases():
        secret = signing.new_secret()
        signature = signing.sign(secret, message_id=message_id, at=at, body=body.encode())
        theirs = THEIRS[name](secret)
        assert signature == theirs.sign(message_id, at, body)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": f"v1,AAAA v1a,b {signature}",
        }
        theirs.verify(body, headers)  # raises what it refuses


@pytest.mark.parametrize("name", THEIRS)
def test_we_verify_what_they_sign(name):
    for message_id, at, body in cases():
        secret = signing.new_secret()
        signature = THEIRS[name](secret).sign(message_id, at, body)
        headers = {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
        known = [signing.new_secret(), secret]
        assert signing.verify(headers, body.encode(), known, now=datetime.now(UTC)) == message_id
        for changed in ({**headers, "webhook-id": message_id + "x"}, {**headers, "webhook-timestamp": str(int(at.timestamp()) + 1)}):
            with pytest.raises(signing.SignatureRefused):
                signing.verify(changed, body.encode(), known, now=datetime.now(UTC))
        with pytest.raises(signing.SignatureRefused):
            signing.verify(headers, body.encode() + b" ", known, now=datetime.now(UTC))


@pytest.mark.parametrize(("seconds", "fits"), [(-299, True), (299, True), (-302, False), (302, False)])
def test_both_draw_the_line_of_time_at_five_minutes(seconds, fits):
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    secret = signing.new_secret()
    headers = {
        "webhook-id": "m",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signing.sign(secret, message_id="m", at=at, body=b"{}"),
    }

    def accepts(verify):
        try:
            verify()
        except (signing.SignatureRefused, standardwebhooks.WebhookVerificationError):
            return False
        return True

    assert accepts(lambda: signing.verify(headers, b"{}", [secret], now=datetime.now(UTC))) is fits
    assert accepts(lambda: standardwebhooks.Webhook(secret).verify("{}", headers)) is fits


DATA = [{"a": 1, "ب": [True, None]}, [1, 2], "text", 5]


def their_event(data, **more):
    attributes = {"id": "e-1 %\u00e9", "source": "/shop/ة", "type": "com.example.order", "subject": "x y", "tenantext": "v", **more}
    return TheirEvent({"datacontenttype": "application/json", **attributes, "time": datetime(2026, 11, 28, tzinfo=UTC)}, data)


@pytest.mark.parametrize("data", DATA, ids=str)
@pytest.mark.parametrize("write", [to_binary_event, to_structured_event], ids=["binary", "structured"])
def test_we_read_the_events_that_the_sdk_writes(write, data):
    # The SDK writes a text as it stands, whatever kind it says that it is.
    kind = "text/plain" if isinstance(data, str) else "application/json"
    sent = write(their_event(data, datacontenttype=kind))
    headers = {name.lower(): value for name, value in sent.headers.items()}
    event = cloudevents.read(headers["content-type"], headers, sent.body)

    assert event.data == data
    assert (event.attributes["id"], event.attributes["source"]) == ("e-1 %\u00e9", "/shop/ة")
    assert (event.attributes["type"], event.attributes["subject"], event.attributes["tenantext"]) == ("com.example.order", "x y", "v")


def test_bytes_travel_as_base64():
    body = json.dumps({"specversion": "1.0", "id": "1", "source": "s", "type": "t", "datacontenttype": "image/png",
                       "data_base64": base64.b64encode(b"\x89PNG\xff").decode()}).encode()  # fmt: skip

    assert cloudevents.read("application/cloudevents+json", {}, body).data == base64.b64encode(b"\x89PNG\xff").decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"id": ""}, "id"), ({"source": None}, "source"), ({"specversion": "0.3"}, "specversion"), ({"type": 5}, "type"), ({"time": "soon"}, "time"),
     ({"Bad_Name": "x"}, "Bad_Name"), ({"ext": {"deep": 1}}, "ext")],
)  # fmt: skip
def test_what_is_no_event_is_named(change, field):
    good = {"specversion": "1.0", "id": "1", "source": "s", "type": "t"}
    with pytest.raises(cloudevents.NotAnEvent) as refused:
        cloudevents.read("application/cloudevents+json", {}, json.dumps({**good, **change}).encode())
    assert refused.value.field == field


def test_the_same_event_starts_one_run_and_other_types_none(starts, caller):
    workflow_id = starts.publish_with(step("only", "set", **values(x="1")), inputs=[declared("a", "number"), declared("what")])
    trigger_id = starts.add(
        workflow_id, "webhook", proof="none", types="com.example.*, other", inputs={"what": "${ input.event.type } ${ input.event.source }"}
    )
    path = f"/hooks/{starts.token(trigger_id)}"
    answers = []
    for write in (to_binary_event, to_structured_event):
        sent = write(their_event({"a": 7}))
        answers.append(caller.post(path, data=sent.body, headers=dict(sent.headers)))
    sent = to_binary_event(their_event({"a": 7}, type="net.example.order"))
    filtered = caller.post(path, data=sent.body, headers=dict(sent.headers))
    batch = caller.post(path, data=b"[]", headers={"Content-Type": "application/cloudevents-batch+json"})

    assert [each.status_code for each in answers] == [202, 202] and answers[0].json == answers[1].json
    (run,) = starts.runs(workflow_id)
    assert run.input_data == {"a": 7, "what": "com.example.order /shop/ة"}
    assert (filtered.status_code, filtered.json) == (200, {"ignored": True})
    assert batch.status_code == 422
    allowed = caller.open(path, method="OPTIONS", headers={"WebHook-Request-Origin": "sender.example"})
    assert allowed.headers["WebHook-Allowed-Origin"] == "sender.example"

"""The address that other systems call."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from portal.core import db
from portal.core.access import SYSTEM
from portal.core.errors import Invalid
from portal.datatables import service as tables
from portal.i18n.preferences import Preferences
from portal.i18n.reader import of, reading
from portal.workflows.engine.store import following
from portal.workflows.triggers import service
from tests.workflows.engine.test_database_steps import COLUMNS, insert
from tests.workflows.triggers.conftest import declared, signed, step, values

BODY = json.dumps({"who": "نورة", "amount": 12}, ensure_ascii=False).encode()
INPUTS = [declared("who", required=True), declared("amount", "number")]
ANSWER = step("answer", "respond", status="201", body='{"hello": "${ input.who }"}', headers=[{"name": "X-Kind", "value": "greeting"}])


def post(caller, token, body=BODY, **headers):
    return caller.post(f"/hooks/{token}", data=body, headers={"Content-Type": "application/json", **headers})


@pytest.fixture
def workflow_id(starts):
    return starts.publish_with(step("only", "set", **values(x="${ input.who }")), inputs=INPUTS)


@pytest.fixture
def open_hook(starts, workflow_id):
    """A trigger without a proof."""
    return starts.add(workflow_id, "webhook", proof="none")


def test_a_signed_delivery_starts_one_run_however_often_it_comes(starts, workflow_id, caller):
    trigger_id = starts.add(workflow_id, "webhook")
    token, (secret,) = starts.token(trigger_id), starts.secrets(trigger_id)

    first = caller.post(f"/hooks/{token}", data=BODY, headers=signed(secret, BODY))
    again = caller.post(f"/hooks/{token}", data=BODY, headers=signed(secret, BODY))
    other = caller.post(f"/hooks/{token}", data=BODY, headers=signed(secret, BODY, message_id="msg_2"))

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json == again.json != other.json
    assert first.headers["Location"] == first.json["url"] == f"/api/v1/runs/{first.json['id']}"
    runs = starts.runs(workflow_id)
    assert [str(each.id) for each in runs] == [first.json["id"], other.json["id"]]
    assert runs[0].input_data == {"who": "نورة", "amount": 12}
    assert starts.outcomes(trigger_id) == ["started", "started"]
    assert "Set-Cookie" not in first.headers


def at_once(app, url, **headers):
    """Post the same eight times at once; return the answers."""
    answers = []

    def call():
        with app.test_client(use_cookies=False) as client:
            answers.append(client.post(url, data=BODY, headers=headers))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


def test_the_same_delivery_at_once_is_one_run(app, starts, workflow_id):
    trigger_id = starts.add(workflow_id, "webhook")
    token, (secret,) = starts.token(trigger_id), starts.secrets(trigger_id)

    answers = at_once(app, f"/hooks/{token}", **signed(secret, BODY, message_id="same"))

    assert {each.status_code for each in answers} == {202}
    assert len({each.json["id"] for each in answers}) == 1 == len(starts.runs(workflow_id))


def test_the_same_delivery_at_once_writes_its_row_once_and_answers_everybody(app, starts):
    column = {"key": "who", "type": "text", "label": "Who", "label_ar": None, "required": True}
    with starts.in_house():
        tables.create_table(starts.house.id, "guests", name="Guests", name_ar=None, columns=[column], by=SYSTEM)
    row = step("row", "database", table="guests", operation="insert", values=[{"name": "who", "value": "${ input.who }"}])
    workflow_id = starts.publish_with(row, ANSWER, inputs=INPUTS)
    token = starts.token(starts.add(workflow_id, "webhook", proof="none", reply="wait"))

    answers = at_once(app, f"/hooks/{token}", **{"Content-Type": "application/json", "webhook-id": "same"})

    assert {(each.status_code, each.data) for each in answers} == {(201, answers[0].data)}
    with starts.in_house():
        assert [each["who"] for each in tables.find_rows(starts.house.id, "guests", {})] == ["نورة"]
    assert len(starts.runs(workflow_id)) == 1


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("body", "wrong_signature"),
        ("secret", "wrong_signature"),
        ("old", "wrong_time"),
        ("new", "wrong_time"),
        ("none", "unsigned"),
        ("odd", "odd_header"),
    ],
)
def test_what_is_not_proven_is_refused_and_shown_to_the_builder(starts, workflow_id, caller, what, code):
    trigger_id = starts.add(workflow_id, "webhook")
    token, (secret,) = starts.token(trigger_id), starts.secrets(trigger_id)
    headers = signed(secret, BODY)
    body = BODY
    now = datetime.now(UTC)
    if what == "body":
        body = BODY + b" "
    elif what == "secret":
        headers = signed("whsec_" + "A" * 44, BODY)
    elif what in ("old", "new"):
        headers = signed(secret, BODY, at=now + timedelta(minutes=6 if what == "new" else -6))
    elif what == "none":
        headers = {"Content-Type": "application/json"}
    else:
        headers["webhook-timestamp"] = "١٢٣"

    for _ in range(3):
        answer = caller.post(f"/hooks/{token}", data=body, headers=headers)
        assert answer.status_code == 401 and answer.mimetype == "application/problem+json"
        assert code not in answer.text

    assert starts.runs(workflow_id) == []
    assert [(each.outcome, each.reason) for each in starts.receipts(trigger_id)] == [("refused", code)]


def test_a_rotated_secret_overlaps_and_then_ends(starts, workflow_id, caller):
    trigger_id = starts.add(workflow_id, "webhook")
    token, (old,) = starts.token(trigger_id), starts.secrets(trigger_id)
    with db.transaction(starts.house.id):
        new = service.rotate_secret(starts.house.id, trigger_id, overlap_h=24, by=starts.by)

    both = signed(old, BODY, message_id="a")
    for number, secret in enumerate((old, new)):
        assert caller.post(f"/hooks/{token}", data=BODY, headers=signed(secret, BODY, message_id=f"m{number}")).status_code == 202
    # A sender that signs with a secret that we do not know, and with one that we do.
    both["webhook-signature"] = (
        signed("whsec_" + "B" * 44, BODY, message_id="a")["webhook-signature"] + " v1a,zzz " + both["webhook-signature"]
    )
    assert caller.post(f"/hooks/{token}", data=BODY, headers=both).status_code == 202
    with db.transaction(starts.house.id):
        newest = service.rotate_secret(starts.house.id, trigger_id, overlap_h=0, by=starts.by)

    assert starts.secrets(trigger_id) == [newest]
    assert caller.post(f"/hooks/{token}", data=BODY, headers=signed(new, BODY, message_id="z")).status_code == 401
    assert caller.post(f"/hooks/{token}", data=BODY, headers=signed(newest, BODY, message_id="z")).status_code == 202


def test_a_secret_in_a_header(starts, workflow_id, caller):
    trigger_id = starts.add(workflow_id, "webhook", proof="header", header="X-Api-Key")
    token, (secret,) = starts.token(trigger_id), starts.secrets(trigger_id)

    assert post(caller, token, **{"X-Api-Key": secret}).status_code == 202
    assert post(caller, token, **{"X-Api-Key": secret + "x"}).status_code == 401
    assert post(caller, token).status_code == 401


def test_what_is_unknown_or_off_does_not_exist(starts, workflow_id, open_hook, caller):
    token = starts.token(open_hook)
    assert post(caller, "nothing").status_code == 404
    starts.switch(workflow_id, open_hook, on=False)
    assert post(caller, token).status_code == 404
    starts.switch(workflow_id, open_hook, on=True)
    with db.transaction(starts.house.id):
        service.move_address(starts.house.id, open_hook, by=starts.by)
    assert post(caller, token).status_code == 404
    assert post(caller, starts.token(open_hook)).status_code == 202
    form_id = starts.add(workflow_id, "form", who="everybody")
    starts.switch(workflow_id, form_id, on=True)
    assert post(caller, starts.token(form_id)).status_code == 404


def test_looking_changes_nothing(starts, workflow_id, open_hook, caller):
    answer = caller.get(f"/hooks/{starts.token(open_hook)}")

    assert answer.status_code == 405 and answer.headers["Allow"] in ("POST", "OPTIONS, POST", "POST, OPTIONS")
    assert starts.runs(workflow_id) == [] and starts.receipts(open_hook) == []


def test_what_a_program_was_told_is_said_to_the_builder_in_their_language(starts, workflow_id, open_hook, caller, as_role):
    post(caller, starts.token(open_hook), b'{"amount": "many"}', **{"webhook-id": "one"})
    with reading(of("ar", Preferences())):
        arrived = as_role("builder").get(f"/workflows/{workflow_id}/starts/{open_hook}").text_of("body//th/ul/li")

    assert len(arrived) == 2 and "حقل who: هذه الخانة مطلوبة." in arrived
    assert not any("Enter" in each for each in arrived)


def test_wrong_inputs_are_named_and_a_later_delivery_is_taken(starts, workflow_id, open_hook, caller):
    token = starts.token(open_hook)

    answer = post(caller, token, b'{"amount": "many"}', **{"webhook-id": "one"})

    assert answer.status_code == 422 and answer.mimetype == "application/problem+json"
    assert {each["field"] for each in answer.json["errors"]} == {"who", "amount"}
    assert starts.outcomes(open_hook) == ["refused"]
    assert post(caller, token, BODY, **{"webhook-id": "one"}).status_code == 202
    assert starts.outcomes(open_hook) == ["started"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"who": "x"}', "application/json", 202),
        (b'{"who": "x"}', "application/vnd.x+json; charset=utf-8", 202),
        (b"who=%D9%86&amount=3", "application/x-www-form-urlencoded", 202),
        (b"{", "application/json", 400),
        (b'{"who": NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"plain", "text/plain", 422),  # a text has no names: map it
        (b"<x/>", "application/xml", 415),
        (b"\x00\xff", "application/octet-stream", 415),
        (b"", "application/json", 422),
        (b'{"who": "' + b"x" * 1_000_000 + b'"}', "application/json", 413),
        (b'["who"]', "application/json", 422),
    ],
    ids=["json", "json-like", "form", "broken", "nan", "deep", "text", "xml", "bytes", "empty", "large", "list"],
)
def test_bodies(starts, open_hook, caller, body, kind, status):
    answer = caller.post(f"/hooks/{starts.token(open_hook)}", data=body, headers={"Content-Type": kind})

    assert answer.status_code == status, answer.text
    if status != 202:
        assert answer.mimetype == "application/problem+json"


def test_a_body_of_another_kind_is_told_what_is_read(open_hook, starts, caller):
    answer = caller.post(f"/hooks/{starts.token(open_hook)}", data=b"<x/>", headers={"Content-Type": "application/xml"})

    assert answer.json["detail"] == "Send JSON, a form, text or a CloudEvent."
    assert "JSON" not in answer.json["title"], "a form is taken, too"


def test_values_are_picked_from_what_came_in(starts, workflow_id, caller):
    texts = {"who": "${ input.body.person.name } (${ input.query.lang })", "amount": "${ size(input.body.items) }"}
    trigger_id = starts.add(workflow_id, "webhook", proof="none", inputs=texts)

    body = b'{"person": {"name": "Lina"}, "items": [1, 2, 3]}'
    answer = caller.post(f"/hooks/{starts.token(trigger_id)}?lang=ar", data=body, headers={"Content-Type": "application/json"})
    broken = post(caller, starts.token(trigger_id), b"{}")

    assert answer.status_code == 202
    assert starts.runs(workflow_id)[0].input_data == {"who": "Lina (ar)", "amount": 3}
    assert broken.status_code == 422 and {each["field"] for each in broken.json["errors"]} == {"who", "amount"}


def test_secrets_of_the_request_reach_no_run(starts, caller):
    workflow_id = starts.publish_with(step("only", "set", **values(x="1")), inputs=[declared("all", "long_text")])
    trigger_id = starts.add(workflow_id, "webhook", proof="header", header="X-Api-Key", inputs={"all": "${ input.headers }"})
    (secret,) = starts.secrets(trigger_id)

    post(caller, starts.token(trigger_id), b"{}", **{"X-Api-Key": secret, "Authorization": "Bearer canary-77", "X-Other": "seen"})

    kept = starts.runs(workflow_id)[0].input_data["all"]
    assert "seen" in kept and secret not in kept and "canary-77" not in kept


def test_a_caller_who_waits_hears_what_the_run_says(starts, caller):
    workflow_id = starts.publish_with(step("only", "set", **values(x="1")), ANSWER, inputs=INPUTS)
    trigger_id = starts.add(workflow_id, "webhook", proof="none", reply="wait")

    first = post(caller, starts.token(trigger_id), **{"webhook-id": "m"})
    again = post(caller, starts.token(trigger_id), **{"webhook-id": "m"})

    # Nobody pumps here: the request carried the run itself.
    assert (first.status_code, first.json) == (201, {"hello": "نورة"})
    assert (again.status_code, again.data) == (201, first.data)
    assert first.headers["X-Kind"] == "greeting" and first.headers["Cache-Control"] == "no-store"
    (run,) = starts.runs(workflow_id)
    assert run.status == "succeeded"
    assert starts.states(run.id) == {"only": "succeeded", "answer": "succeeded"}


def test_a_caller_who_waits_is_answered_here_however_many_commits_the_run_takes(starts, caller, monkeypatch):
    monkeypatch.setattr(following, "MAX_APPLIED", 0)
    with starts.in_house():
        tables.create_table(starts.house.id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)
    workflow_id = starts.publish_with(*(insert(f"row_{number}", str(number)) for number in range(4)), ANSWER, inputs=INPUTS)
    trigger_id = starts.add(workflow_id, "webhook", proof="none", reply="wait", wait_s=1)

    answer = post(caller, starts.token(trigger_id), **{"webhook-id": "m"})

    assert (answer.status_code, answer.json) == (201, {"hello": "نورة"})
    (run,) = starts.runs(workflow_id)
    assert (run.status, len(starts.states(run.id))) == ("succeeded", 5)


def test_a_run_that_needs_a_worker_is_waited_for_and_then_named(starts, caller, app):
    workflow_id = starts.publish_with(step("pause", "wait", mode="for", amount=1, unit="seconds"), ANSWER, inputs=INPUTS)
    trigger_id = starts.add(workflow_id, "webhook", proof="none", reply="wait", wait_s=1)
    slow = post(caller, starts.token(trigger_id), **{"webhook-id": "a"})

    assert slow.status_code == 202 and slow.json["id"] == str(starts.runs(workflow_id)[0].id)

    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while starts.run(slow.json["id"]).status != "succeeded" and datetime.now(UTC) < deadline:
        starts.sweep()
        starts.pump()
    assert post(caller, starts.token(trigger_id), **{"webhook-id": "a"}).status_code == 201


def test_a_run_that_fails_or_says_nothing_is_told_so(starts, caller):
    broken = starts.publish_with(step("only", "set", **values(x="${ int(input.who) }")), ANSWER, inputs=INPUTS)
    silent = starts.publish_with(step("only", "set", **values(x="1")), inputs=INPUTS)
    tokens = [starts.token(starts.add(each, "webhook", proof="none", reply="wait")) for each in (broken, silent)]

    failed, quiet = (post(caller, token) for token in tokens)

    assert failed.status_code == 500 and failed.mimetype == "application/problem+json"
    assert quiet.status_code == 200 and quiet.json["status"] == "succeeded"
    assert starts.runs(broken)[0].status == "failed"


def test_a_minute_takes_as_many_as_it_may(starts, workflow_id, caller):
    trigger_id = starts.add(workflow_id, "webhook", proof="none", per_minute=3)
    token = starts.token(trigger_id)

    answers = [post(caller, token) for _ in range(5)]
    counted = [each.status_code for each in answers]

    if counted != [202, 202, 202, 429, 429]:  # the minute turned in between
        counted = [post(caller, token).status_code for _ in range(5)]
        assert counted[-2:] == [429, 429]
    else:
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
        assert len(starts.runs(workflow_id)) == 3


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"proof": "x"}, "proof"), ({"proof": "header", "header": "Cookie"}, "header"), ({"proof": "header", "header": "a b"}, "header"),
        ({"wait_s": 26}, "wait_s"), ({"wait_s": "ten"}, "wait_s"), ({"per_minute": 0}, "per_minute"),
        ({"inputs": {"who": "${ steps.x }"}}, "in-who"), ({"inputs": {"who": "${ "}}, "in-who"),
        ({"inputs": {"amount": "input.body.amount"}}, "in-amount"),
    ],
)  # fmt: skip
def test_settings_are_checked_before_they_are_kept(starts, workflow_id, config, field):
    with pytest.raises(Invalid) as refused:
        starts.add(workflow_id, "webhook", **config)

    assert field in refused.value.problems


def test_an_answer_may_not_steer_a_browser(starts, caller):
    odd = step("answer", "respond", status="200", body="x", type="text/plain", headers=[{"name": "Set-Cookie", "value": "sid=1"}])
    moved = step("answer", "respond", status="302", body="x", type="text/plain")
    for each, code in ((odd, "respond_header"), (moved, "respond_status")):
        workflow_id = starts.publish_with(each, inputs=INPUTS)
        token = starts.token(starts.add(workflow_id, "webhook", proof="none", reply="wait"))
        assert post(caller, token).status_code == 500
        assert starts.runs(workflow_id)[0].error["code"] == code

"""HTTP calls: proofs, pages, forms, files, statuses, and secrets that stay with their servers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from portal.connections import service as connections
from portal.core import db
from portal.core.access import SYSTEM
from portal.workflows import stored
from tests.connections.systems import Reply, connect
from tests.workflows.actions.conftest import error_of, output_of, pairs, run_one
from tests.workflows.engine.conftest import step

SECRET = "canary-http-4471"
KEY = base64.b64encode(b"a key of twenty-four byte").decode()

KINDS = {
    "http_bearer": ({"token": SECRET}, lambda asked: asked.headers["authorization"] == f"Bearer {SECRET}"),
    "http_basic": (
        {"username": "sara", "password": SECRET},
        lambda asked: base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode() == f"sara:{SECRET}",
    ),
    "http_header": ({"header": "X-Api-Key", "key": SECRET}, lambda asked: asked.headers["x-api-key"] == SECRET),
    "http_query": ({"parameter": "api_key", "key": SECRET}, lambda asked: asked.query["api_key"] == [SECRET] and asked.query["a"] == ["1"]),
    "http_hmac": (
        {"header": "X-Signature", "algorithm": "sha256", "prefix": "sha256=", "signing_key": SECRET},
        lambda asked: asked.headers["x-signature"] == "sha256=" + hmac.new(SECRET.encode(), asked.body, hashlib.sha256).hexdigest(),
    ),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_proof_arrives(engine, other, kind):
    values, is_proven = KINDS[kind]
    chosen = connect(engine.house.id, kind, hosts=other.host, **values)

    output_of(engine, "webhook", url=f"{other.url}/x?a=1", connection=str(chosen), body='{"a": 1}')

    assert is_proven(other.calls[0])


def test_signed_calls_hold_before_the_standards_own_library_and_during_rotation(engine, other):
    standardwebhooks = pytest.importorskip("standardwebhooks")
    new = base64.b64encode(b"another key of 24 bytes.").decode()
    chosen = connect(engine.house.id, "http_signed", hosts=other.host, signing_key=f"whsec_{KEY}")
    output_of(engine, "webhook", url=f"{other.url}/x", connection=str(chosen), body='{"a": "ب"}')
    with db.transaction(engine.house.id):
        connections.rotate(engine.house.id, chosen, {"signing_key": new}, keep_hours=1, by=SYSTEM)
    output_of(engine, "webhook", url=f"{other.url}/x", connection=str(chosen), body='{"a": "ب"}')

    before, after = other.calls
    for key, asked in ((KEY, before), (KEY, after), (new, after)):
        assert standardwebhooks.Webhook(key).verify(asked.body.decode(), asked.headers) == {"a": "ب"}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(new).verify(before.body.decode(), before.headers)


def test_a_secret_never_goes_to_another_server(engine, other, elsewhere):
    chosen = connect(engine.house.id, "http_bearer", hosts=other.host, token=SECRET)

    code, detail = error_of(engine, "webhook", url=f"{elsewhere.url}/x", connection=str(chosen))

    assert code == "connection_bound" and elsewhere.host in detail
    assert elsewhere.calls == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_carries_a_secret_away(engine, other, elsewhere, status):
    other.answer = lambda asked: Reply(status, b"", {"Location": f"{elsewhere.url}/caught"})
    chosen = connect(engine.house.id, "http_bearer", hosts=other.host, token=SECRET)

    assert error_of(engine, "webhook", url=f"{other.url}/x", connection=str(chosen)) == ("call_status", str(status))
    assert elsewhere.calls == []


def test_a_page_on_another_server_is_not_followed(engine, other, elsewhere):
    other.answer = lambda asked: Reply(body=[1], headers={"Link": f'<{elsewhere.url}/2>; rel="next"'})

    code, _detail = error_of(
        engine, "webhook", method="GET", url=f"{other.url}/1", paging="link", headers=pairs(Authorization="Bearer typed-by-hand")
    )

    assert code == "call_elsewhere" and elsewhere.calls == []


def test_what_the_other_system_echoes_is_masked(engine, other):
    """Error pages repeat what they were sent; so do some that succeed."""
    other.answer = lambda asked: Reply(
        body={"you": asked.headers, "b64": base64.b64encode(SECRET.encode()).decode()}, headers={"X-Echo": SECRET}
    )
    chosen = connect(engine.house.id, "http_bearer", hosts=other.host, token=SECRET)

    output = output_of(engine, "webhook", url=f"{other.url}/x", connection=str(chosen))

    assert SECRET not in json.dumps(output) and base64.b64encode(SECRET.encode()).decode().rstrip("=") not in json.dumps(output)
    assert output["body"]["you"]["authorization"] == "Bearer •••"


def test_an_access_token_is_fetched_once_by_many_and_again_when_refused(engine, other):
    tokens = iter(f"access-token-{number}" for number in range(9))
    good = {"now": ""}
    lock = threading.Lock()

    def answer(asked):
        if asked.path == "/token":
            time.sleep(0.3)
            with lock:
                good["now"] = next(tokens)
            return Reply(body={"access_token": good["now"], "expires_in": 3600})
        return Reply(200 if asked.headers.get("authorization") == f"Bearer {good['now']}" else 401)

    other.answer = answer
    values = {"hosts": other.host, "token_url": f"{other.url}/token", "client_id": "us", "client_secret": SECRET}
    chosen = connect(engine.house.id, "http_oauth2", **values)

    def call(_number):
        opened = connections.open_connection(engine.house.id, chosen, families=("http",), workflow_id=None, step_kind="")
        return connections.send(opened, "GET", f"{other.url}/x", headers={}, body=None, message_id="m").status

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(call, range(6))) == [200] * 6
    assert len([asked for asked in other.calls if asked.path == "/token"]) == 1
    assert base64.b64decode(other.calls[0].headers["authorization"].removeprefix("Basic ")).decode() == f"us:{SECRET}"
    with db.transaction(engine.house.id) as session:
        assert b"access-token" not in bytes(session.scalar(text("select token from connections where id = :id"), {"id": chosen}))
    good["now"] = "revoked"

    assert call(0) == 200
    assert len([asked for asked in other.calls if asked.path == "/token"]) == 2


def test_a_refused_client_says_so_and_is_not_tried_again(engine, other):
    other.answer = lambda asked: Reply(401, {"error": "invalid_client", "echo": SECRET})
    values = {"hosts": other.host, "token_url": f"{other.url}/token", "client_id": "us", "client_secret": SECRET}
    row = run_one(engine, "webhook", attempts=3, url=f"{other.url}/x", connection=str(connect(engine.house.id, "http_oauth2", **values)))

    assert (row.state, row.error["code"], row.attempt) == ("failed", "connection_token", 1)
    assert SECRET not in json.dumps(row.error)


def test_query_form_and_files_arrive(engine, other):
    run_id = engine.start(
        engine.publish(
            step("file", "document", format="csv", name="قائمة", rows='[{"a": "=1+1"}]', language="ar"),
            step("send", "webhook", url=f"{other.url}/x?b=old", query=pairs(a="١ و٢", b="new"), send="parts", form=pairs(note='say "hi"'), file="${ steps.file.file }"),
            step("put", "webhook", method="PUT", url=f"{other.url}/put", send="file", file="${ steps.file.file }"),
            step("form", "webhook", url=f"{other.url}/form", send="form", form=pairs(a="1&2", b="ب")),
        )
    )  # fmt: skip
    assert engine.finish(run_id).status == "succeeded", engine.run(run_id).error

    parts, put, form = other.calls
    assert parts.query == {"a": ["١ و٢"], "b": ["new"]}
    assert b'filename="\xd9\x82' in parts.body and b"'=1+1" in parts.body and b'say "hi"' in parts.body
    assert put.headers["content-type"] == "text/csv" and b"'=1+1" in put.body
    assert form.body == b"a=1%262&b=%D8%A8" and form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert len({asked.headers["idempotency-key"] for asked in other.calls}) == 3


def test_pages_by_link_mark_and_number(engine, other):
    def answer(asked):
        page = int(asked.query.get("page", ["1"])[0])
        mark = int(asked.query.get("after", ["0"])[0])
        if asked.path == "/link":
            return Reply(body=[page], headers={"Link": f'<{other.url}/link?page={page + 1}>; rel="next"'} if page < 3 else {})
        if asked.path == "/mark":
            return Reply(body={"data": [mark], "meta": {"next": mark + 1 if mark < 2 else None}})
        return Reply(body={"data": [page] if page < 4 else []})

    other.answer = answer
    get = {"method": "GET"}
    assert output_of(engine, "webhook", url=f"{other.url}/link", paging="link", **get)["items"] == [1, 2, 3]
    by_mark = {"paging": "cursor", "items": "data", "cursor": "meta.next", "page_parameter": "after"}
    assert output_of(engine, "webhook", url=f"{other.url}/mark", **by_mark, **get)["items"] == [0, 1, 2]
    counted = output_of(engine, "webhook", url=f"{other.url}/number", paging="number", items="data", max_pages=2, **get)
    assert counted == {"status": 200, "items": [1, 2], "pages": 2, "truncated": True}
    assert output_of(engine, "webhook", url=f"{other.url}/number", paging="number", items="data", **get)["items"] == [1, 2, 3]
    assert error_of(engine, "webhook", url=f"{other.url}/number", paging="number", items="other", **get)[0] == "call_no_list"
    assert error_of(engine, "webhook", url=f"{other.url}/number", paging="number", items="[[[", **get)[0] == "call_path"


def test_pages_that_never_end_are_bounded(engine, other):
    other.answer = lambda asked: Reply(body=["x" * 200_000], headers={"Link": f'<{other.url}/{len(other.calls)}>; rel="next"'})

    assert error_of(engine, "webhook", method="GET", url=f"{other.url}/0", paging="link", max_pages=100)[0] == "call_too_large"
    assert len(other.calls) < 20


def test_a_file_is_fetched_kept_and_handed_out(engine, other, as_role, stranger):
    content = bytes(range(256)) * 1000
    other.answer = lambda asked: Reply(
        body=content,
        headers={
            "Content-Type": "text/html",
            "Content-Disposition": "attachment; filename*=UTF-8''..%2F%D8%AA%D9%82%D8%B1%D9%8A%D8%B1.html",
        },
    )

    file = output_of(engine, "webhook", method="GET", url=f"{other.url}/x", answer="file")["file"]

    assert (file["size"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert "/" not in file["name"] and file["name"].endswith("تقرير.html")
    answer = as_role("member").client.get(f"/files/{file['id']}/file")
    assert answer.data == content
    # What another system calls a page is saved, and never run as one of ours.
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment") and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert stranger.client.get(f"/files/{file['id']}/file").status_code == 404
    with db.transaction(engine.house.id) as session:
        session.execute(text("update workflow_files set expires_at = clock_timestamp()"))
    assert as_role("member").client.get(f"/files/{file['id']}/file").status_code == 404
    assert stored.sweep() >= 1


def test_twenty_megabytes_are_bounded(engine, other):
    other.answer = lambda asked: Reply(body=b"x" * (21 * 1024 * 1024))
    row = run_one(engine, "webhook", method="GET", url=f"{other.url}/x")
    assert row.state == "succeeded" and row.output["truncated"] and len(row.output["body"]) <= 3 * 1024 * 1024
    assert error_of(engine, "webhook", method="GET", url=f"{other.url}/x", answer="file")[0] == "file_too_large"


def test_a_slow_body_ends_with_the_time_of_the_step(engine, other):
    other.answer = lambda asked: time.sleep(3) or Reply()
    began = time.monotonic()
    assert error_of(engine, "webhook", method="GET", url=f"{other.url}/x", timeout_s=1)[0] == "call_timeout"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("status", "success", "again", "state", "attempts"),
    [
        (404, "200-299, 404", "", "succeeded", 1),
        (404, "", "", "failed", 1),
        (409, "2xx", "409", "failed", 2),
        (503, "", "408", "failed", 1),
        (200, "404", "", "failed", 1),
    ],
)
def test_the_author_says_what_success_is(engine, other, status, success, again, state, attempts):
    other.answer = lambda asked: Reply(status)
    workflow = engine.publish(step("it", "webhook", attempts=2, url=f"{other.url}/x", success=success, again=again))
    run_id = engine.start(workflow)
    for _attempt in range(attempts):
        engine.pump()
        with db.transaction(engine.house.id) as session:
            session.execute(text("update workflow_steps set available_at = clock_timestamp() where state = 'ready'"))
    assert (engine.steps(run_id)["it"].state, len(other.calls)) == (state, attempts)
    assert len({asked.headers["idempotency-key"] for asked in other.calls}) == 1


def test_a_run_keeps_two_hundred_megabytes_of_files_at_most(engine, monkeypatch):
    monkeypatch.setattr(stored, "MAX_RUN", 100)
    rows = [{"a": "x" * 60}]
    run_id = engine.start(
        engine.publish(*(step(f"s{number}", "document", format="csv", name="x", rows=json.dumps(rows)) for number in range(2)))
    )
    assert engine.finish(run_id).error["code"] == "file_run_full"

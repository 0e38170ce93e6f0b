"""I-19: secrets are planted in every kind of connection, used well and badly, echoed back, and then looked for everywhere."""

from __future__ import annotations

import base64
import io
import logging
import zipfile
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text

from portal.connections import service as connections
from portal.connections.kinds import KINDS
from portal.core import db
from portal.core.access import SYSTEM, Actor
from portal.core.config import current_settings
from portal.exports import service as exports
from portal.workflows.literals import looks_secret, warnings_of
from tests.connections.systems import Reply, connect
from tests.workflows.engine.conftest import step

CANARY = "canary"
SILENT = "mysql_silent"  # a server that waits for something else: no answer is one, too
DOTS = "•"
BEGINNING = 8  # characters of a secret by which the database finds the rows that are looked at
PLAIN = "canary-{kind}-5gH+/=9"  # with marks that are escaped in addresses, JSON and base64
B64 = base64.b64encode(b"canary-key-of-24-bytes.").decode()


def kind_of(planted: str) -> str:
    return "mysql" if planted == SILENT else planted


def forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    return {raw, base64.b64encode(raw).rstrip(b"="), quote(secret, safe="").encode(), raw.hex().encode()}


@pytest.fixture
def planted(engine, other, outside, mysql):
    """One connection of every kind, and one to where nobody speaks MySQL; returns kind → its id, and all the secrets."""
    values = {
        "http_bearer": {"token": PLAIN}, "http_basic": {"username": "sara", "password": PLAIN}, "http_header": {"key": PLAIN},
        "http_query": {"key": PLAIN}, "http_hmac": {"signing_key": PLAIN}, "http_signed": {"signing_key": f"whsec_{B64}"},
        "http_oauth2": {"token_url": f"{other.url}/token", "client_id": "us", "client_secret": PLAIN},
        "slack_webhook": {"webhook_url": "{other}/services/canary-{kind}-5g"}, "slack_bot": {"token": "xoxb-" + PLAIN, "api_url": other.url},
        "teams": {"webhook_url": "{other}/workflows/canary-{kind}-5g"}, "postgresql": {**outside, "read_only": ""},
        "mysql": {**mysql[0]},
        SILENT: {"host": "127.0.0.1", "port": str(other.port), "database": "d", "username": "u", "password": PLAIN, "tls": "none"},
    }  # fmt: skip
    assert set(values) == {*KINDS, SILENT}, "plant a canary in the new kind, too"
    found, secrets = {}, set()
    for kind, given in values.items():
        filled = {name: value.replace("{kind}", kind).replace("{other}", other.url) for name, value in given.items()}
        known = kind_of(kind)
        if KINDS[known].family == "http":
            filled["hosts"] = other.host
        found[kind] = str(connect(engine.house.id, known, **{"name": kind, **filled}))
        secrets |= {filled[each.name] for each in KINDS[known].secrets}
    secrets |= {secret.removeprefix(other.url) for secret in secrets if "/services/" in secret or "/workflows/" in secret}
    return found, secrets | {"sara:" + PLAIN.replace("{kind}", "http_basic"), "canary-access-token-1"}


def echo(status):
    """An answer that repeats all that it was sent, as error pages do."""

    def answer(asked):
        if asked.path == "/token":
            return Reply(body={"access_token": "canary-access-token-1", "expires_in": 60, "you": asked.body.decode()})
        return Reply(status, {"headers": asked.headers, "query": asked.query, "path": asked.path, "body": asked.body.decode("utf-8", "replace")},
                     {"X-Echo": asked.headers.get("authorization", "")})  # fmt: skip

    return answer


def steps_for(found, other):
    for kind, chosen in found.items():
        if KINDS[kind_of(kind)].family == "http":
            yield step(kind, "webhook", url=f"{other.url}/x", connection=chosen, body="hello", attempts=1)
            yield step(f"{kind}_file", "webhook", url=f"{other.url}/x", connection=chosen, answer="file", attempts=1)
        elif KINDS[kind_of(kind)].family == "slack":
            yield step(kind, "slack", connection=chosen, channel="C1", title="hello", attempts=1)
        elif kind == "teams":
            yield step(kind, "teams", connection=chosen, title="hello", attempts=1)
        else:
            yield step(
                kind, "sql", connection=chosen, statement="select current_user, 1 / 0", attempts=1, timeout_s=2 if kind == SILENT else 30
            )


def everything_kept(secrets):
    """Return of every table, as the owner of the database sees it, the rows that hold the beginning of a secret in any form, or dots."""
    beginnings = sorted({form[:BEGINNING].decode() for secret in secrets for form in forms(secret)} | {DOTS})
    in_text = " or ".join(["strpos(kept.line, %s) > 0"] * len(beginnings))
    in_file = " or ".join(["position(%s::bytea in kept.content) > 0"] * len(beginnings))
    with psycopg.connect(current_settings().database_owner_url) as owner:
        names = [row[0] for row in owner.execute("select table_name from information_schema.tables where table_schema = 'public'")]
        owner.execute("set row_security = off")
        kept = {name: _found(owner, f"select t::text as line, null::bytea as content from {name} t", in_text, beginnings) for name in names}
        files = "select t::text as line, content from workflow_files t"
        kept["workflow_files"] += _found(owner, files, in_file, [each.encode() for each in beginnings])
    return kept


def _found(owner, rows, where, values):
    # `offset 0`: each row is written as text once, not once for each beginning.
    found = owner.execute(f"select line, content from ({rows} offset 0) kept where {where}", values)
    return b"".join(line.encode() + (content or b"") + b"\n" for line, content in found)


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_no_secret_is_found_anywhere(engine, other, planted, post, settings, caplog, as_role, status):
    caplog.set_level(logging.DEBUG)
    settings(post.port)
    found, secrets = planted
    if status != 500:
        del found[SILENT]  # it says the same whatever the others answer, and it takes its time
    other.answer = echo(status)
    used = []
    for node in steps_for(found, other):
        run_id = engine.start(engine.publish(node))
        engine.pump()
        used.append((node, engine.steps(run_id)[node["key"]], run_id))
    for chosen in found.values():
        with db.transaction(engine.house.id):
            connections.test_connection(engine.house.id, chosen, by=SYSTEM)
    # What a step got is mailed on and written into documents.
    (_node, echoed, _run), *_rest = used
    more = engine.start(engine.publish(
        step("doc", "document", format="csv", name="x", rows=f"[{repr(str(echoed.output))[:1500]}]"),
        step("mail", "email", to="a@example.com", subject="s", body=str(echoed.output or echoed.error)[:3000].replace("${", "")),
    ))  # fmt: skip
    engine.pump()
    with db.transaction(engine.house.id) as session:
        by = Actor("person", engine.house.people["owner"])
        wanted = {"file_format": "xlsx", "locale": "en", "by": by}
        export_id = exports.request_export(engine.house.id, by.id, "workflows.runs", {}, **wanted)
    exports.make(engine.house.id, export_id)
    with db.transaction(engine.house.id) as session:
        content = session.scalar(text("select content from exports where id = :id"), {"id": export_id})
    browser = as_role("owner")
    pages = [browser.client.get(f"/runs/{run_id}").data for _node, _row, run_id in used]
    pages += [
        browser.client.get("/settings/connections").data,
        *(browser.client.get(f"/settings/connections/{each}").data for each in found.values()),
    ]

    places = everything_kept(secrets)
    places["logs"] = "\n".join(record.getMessage() + str(record.__dict__) for record in caplog.records).encode()
    places["mails"] = b"\n".join(base64_too(raw) for raw in post.raw)
    places["export"] = b"".join(
        zipfile.ZipFile(io.BytesIO(bytes(content))).read(name) for name in zipfile.ZipFile(io.BytesIO(bytes(content))).namelist()
    )
    places["pages"] = b"\n".join(pages)
    leaks = {(place, secret) for place, kept in places.items() for secret in secrets for form in forms(secret) if form in kept}
    assert leaks == set()
    # The proof is worth something only if the secrets were really used, and something came back.
    assert sum(CANARY in str(asked.headers) + str(asked.query) + asked.path for asked in other.calls) >= 8
    assert DOTS.encode() in places["workflow_steps"] or status != 200
    assert {row.state for _node, row, _run in used} <= ({"succeeded", "failed", "ready", "in_doubt"})
    assert engine.run(more).status in ("succeeded", "failed")


def base64_too(raw: bytes) -> bytes:
    """Return a mail with its encoded parts read, too."""
    from email import message_from_bytes

    parts = [part.get_payload(decode=True) or b"" for part in message_from_bytes(raw).walk() if not part.is_multipart()]
    return raw + b"\n".join(parts)


def test_the_search_finds_what_is_planted(engine, other, planted):
    """A search that cannot find anything proves nothing: an unmasked echo is found."""
    _found, secrets = planted
    with db.transaction(engine.house.id) as session:
        session.execute(text("update workflow_templates set name = :it"), {"it": "x"})
        from portal.audit import service as audit

        audit.record(engine.house.id, SYSTEM, "test.leak", what=PLAIN.replace("{kind}", "http_bearer"))
    kept = everything_kept(secrets)["audit_entries"]
    assert any(form in kept for secret in secrets for form in forms(secret))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", "Bearer abcdefgh12345678", True),
        ("X-Token", "supersecret1", True),
        ("password", "${ input.password }", False),
        ("note", "ghp_abcdefghijklmnopqrstuvwx1234", True),
        ("body", '{"key": "AKIAABCDEFGHIJKLMNOP"}', True),
        ("url", "https://hooks.slack.com/services/T0/B0/xyz", True),
        ("to", "finance@example.com", False),
        ("subject", "Your leave request was approved", False),
        ("x", "f3A9kLm2Qz8RtY7wXc5VbN1p", True),
        ("x", "aaaaaaaaaaaaaaaaaaaaaaaa1", False),
        ("كلمة المرور", "abc12345", True),
    ],
)  # fmt: skip
def test_a_literal_that_looks_like_a_secret_is_told(name, value, expected):
    assert looks_secret(name, value) is expected


def test_warnings_name_the_step_and_do_not_stop_publishing(engine, as_role):
    node = step("it", "webhook", url="https://api.example.com/x", headers=[{"name": "Authorization", "value": "Bearer abcdefgh12345678"}])
    assert [(each.step, each.field) for each in warnings_of([node])] == [("it", "headers")]
    workflow = engine.publish(node)
    page = as_role("builder").get(f"/workflows/{workflow}/design")
    assert "looks like a secret" in page.text

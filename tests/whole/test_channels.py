"""The walls beside the pages: forms, search, jobs, files, streams, caches, stored pictures, logs."""

from __future__ import annotations

import itertools
import json
import logging
import re
import threading
import time
from itertools import islice
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import text

from portal.core import db, jobs
from portal.core.access import Actor
from portal.core.ids import new_id
from portal.core.log import JsonFormatter
from portal.exports import service as exports
from portal.exports import sources
from portal.workflows import streams
from tests.conftest import PASSWORD
from tests.whole import evidence
from tests.whole.test_routes import CANARY, fingerprint, urls

FORM_FIELDS = ("person", "tenant", "session", "workflow", "run", "ids", "id", "role", "group", "theme", "table", "view", "token", "client", "provider",
               "workflow_id", "run_id", "member", "person_id", "export", "node", "invitation", "notification", "factor", "tool", "channel")  # fmt: skip
# They end what the stranger needs to go on; each has tests of its own.
ENDS = ("/sign-out", "/organisations/leave", "/settings/organisation/close", "/settings/devices", "/settings/password", "/locale")


def things(ours):
    return {name: value for name, value in ours.items() if isinstance(value, UUID) and value.int > 1}


def test_every_id_of_another_in_every_place_finds_nothing(app, tenant, ours, stranger, strangers_token):
    """With the id of every other kind of thing, not only of the one that the route is about."""
    before, found = fingerprint(tenant.id), things(ours)
    kinds = list(found)
    for number, rule in enumerate(app.url_map.iter_rules()):
        if len(rule.arguments) != 1 or rule.endpoint == "static" or not (rule.arguments <= set(found)):
            continue
        (name,) = rule.arguments
        # All of them for the report; otherwise two of them for each route, not always the same.
        others = kinds if evidence.IS_WHOLE else [kinds[(number + step) % len(kinds)] for step in (1, 7)]
        for other in others:
            path = rule.rule.replace(f"<uuid:{name}>", str(found[other]))
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                shown = strangers_token if path.startswith("/api/") else {}
                answer = stranger.client.open(path, method=method, headers=shown, **({"json": {}} if shown and method != "GET" else {}))
                assert answer.status_code in (401, 404), f"{method} {path} answered {answer.status_code}"
                assert CANARY not in answer.get_data(as_text=True)
                evidence.note("foreign ids in routes", f"{method} {rule.rule} ← {other}", answer.status_code)

    assert fingerprint(tenant.id) == before


def test_ids_of_another_in_forms_and_bodies_change_and_show_nothing(app, tenant, ours, stranger, strangers_token, sign_in, other_tenant):
    before, found = fingerprint(tenant.id), things(ours)
    rules = [rule for rule in app.url_map.iter_rules() if not rule.arguments and "POST" in rule.methods and not rule.rule.startswith(ENDS)]
    values = list(found.values()) if evidence.IS_WHOLE else list(found.values())[::4]
    for rule in rules:
        for value in values:
            shown = strangers_token if rule.rule.startswith("/api/") else {}
            sent = dict.fromkeys(FORM_FIELDS, str(value))
            answer = stranger.client.post(rule.rule, headers=shown, **({"json": sent} if shown else {"data": sent}))
            assert answer.status_code < 500, f"{rule.rule} answered {answer.status_code}"
            assert CANARY not in answer.get_data(as_text=True), rule.rule
            evidence.note("forms and bodies", f"POST {rule.rule}", answer.status_code)
        if stranger.client.get("/session").status_code != 204:
            stranger = sign_in(other_tenant, "owner")
    assert len(rules) > 20
    assert fingerprint(tenant.id) == before


def test_pages_show_nothing_of_who_opened_them_before(app, tenant, ours, as_role, stranger):
    """What a process keeps between requests (templates, words, fonts, looks) must not carry names across."""
    owner = as_role("owner")
    paths = [str(rule) for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in rule.methods and not rule.rule.startswith(("/static", "/api"))]  # fmt: skip
    seen = 0
    for path in paths:
        mine, theirs = owner.client.get(path), stranger.client.get(path)
        seen += CANARY in mine.get_data(as_text=True)
        shown = theirs.get_data(as_text=True)
        assert CANARY not in shown and str(tenant.id) not in shown, path
        evidence.note("lists", path, f"{theirs.status_code}, nothing of the other")
    assert seen >= 5, "the owner themselves see their things: otherwise this would prove nothing"


def test_search_finds_nothing_of_others_by_name_address_or_id(app, tenant, ours, as_role, stranger):
    owner = as_role("owner")
    assert CANARY in owner.get(f"/search?q={CANARY}").text
    recent = ",".join(f"/{place}/{ours[name]}" for place, name in (("workflows", "workflow_id"), ("runs", "run_id")))
    # Beside each, something of its kind that is nowhere: the answers must be the same but for the words themselves.
    asked = {
        "canary-5503": [CANARY],
        "owner-nobody@example.com": [tenant.email("owner")],
        str(new_id()): [str(each) for each in things(ours).values()],
    }
    pages = ["/search", "/workflows", "/runs", "/tables", "/settings/members", "/settings/groups", "/notifications", "/exports"]
    for page in pages:
        for (nowhere, wanted), fragment in itertools.product(asked.items(), (False, True)):

            def nothing(nowhere=nowhere, page=page, fragment=fragment):
                return _without(nowhere, stranger.get(page, query_string={"q": nowhere}, fragment=fragment).text)

            empty = nothing()  # whatever equals it is as valid as it
            for there in wanted:
                headers = {"HX-Request": "true"} if fragment else {}
                found = _without(there, stranger.client.get(page, query_string={"q": there}, headers=headers).get_data(as_text=True))
                if found != empty:  # a page may say how long ago something was: asked again in the same moment, both are the same
                    assert found == nothing(), (page, there)
        number = sum(len(each) for each in asked.values())
        evidence.note("search", f"{page}?q=… ({number} names, addresses and ids)", "the same as for what is nowhere")
    remembered = stranger.get("/search", query_string={"q": "", "recent": recent}, fragment=True).text
    assert CANARY not in remembered and str(ours["run_id"]) not in remembered
    assert str(ours["run_id"]) in owner.get("/search", query_string={"q": "", "recent": recent}, fragment=True).text
    evidence.note("search", "/search?recent=…", "nothing of the other")


def _without(words, shown):
    return re.sub(r'nonce="[^"]*"|nonce-[^\' ]*|"[\w-]+\.[\w-]{6}\.[\w-]{27}"', "", shown.replace(words, "…").replace(quote(words), "…"))


def test_jobs_of_one_tenant_do_nothing_to_another(app, tenant, other_tenant, ours):
    with_tenant = {name: each for name, each in jobs.registered().items() if each.run.__code__.co_varnames[:1] == ("tenant_id",)}
    assert set(with_tenant) == {"exports.make", "identity.check_domain", "lists.carry_out", "tokens.forget_child", "workflows.simulate"}, (
        "a new job: it is tried here by itself"
    )
    before, theirs = fingerprint(tenant.id), fingerprint(other_tenant.id)
    with app.app_context():
        for name, each in with_tenant.items():
            for kind, thing in things(ours).items():
                each.run(str(other_tenant.id), str(thing))
                evidence.note("jobs", f"{name}({kind})", "nothing changed")
    assert fingerprint(tenant.id) == before
    assert fingerprint(other_tenant.id) == theirs


def test_exports_hold_no_row_of_another(app, tenant, other_tenant, ours):
    person = other_tenant.people["owner"]
    wanted = {"file_format": "csv", "locale": "en", "by": Actor("person", person)}
    filters = [{}, {"workflow": [str(ours["workflow_id"])]}, {"by": [str(tenant.people["owner"])]}, {"q": [CANARY]}]
    with app.app_context():
        for key in sorted(sources._sources):
            for chosen in filters:
                with db.unit_of_work(other_tenant.id):
                    export_id = exports.request_export(other_tenant.id, person, key, chosen, **wanted)
                exports.make(other_tenant.id, export_id)
                with db.transaction(other_tenant.id) as session:
                    row = session.execute(text("select state, row_count, content from exports where id = :id"), {"id": export_id}).one()
                assert row.state == "done" and row.row_count == 0 and CANARY.encode() not in row.content
                evidence.note("exports", f"{key} {json.dumps(sorted(chosen))}", "no row")
        # Proof that there was something to find.
        with db.unit_of_work(tenant.id):
            mine = exports.request_export(tenant.id, tenant.people["owner"], "workflows.runs", {}, **wanted)
        exports.make(tenant.id, mine)
        with db.transaction(tenant.id) as session:
            assert CANARY.encode() in session.scalar(text("select content from exports where id = :id"), {"id": mine})


def test_no_stream_of_anothers_run(app, tenant, other_tenant, ours, stranger):
    run_id = ours["run_id"]
    for path in (f"/runs/{run_id}/stream", f"/runs/{run_id}/flow"):
        answer = stranger.client.get(path)
        assert answer.status_code == 404
        evidence.note("streams", path.replace(str(run_id), "…"), 404)
    with app.app_context():
        # Below the page: even a stream that was opened for another's run asks as its own tenant, and ends.
        bell = threading.Event()
        assert list(islice(streams.follow(other_tenant.id, run_id, bell, seen=-1), 5)) == ["retry: 2000\n\n"]
        ours_says = list(islice(streams.follow(tenant.id, run_id, bell, seen=-1), 2))
        assert "event: changed" in ours_says[1]
    evidence.note("streams", "follow(another tenant, run)", "ends without an event")


def test_a_fingerprint_of_anothers_page_opens_nothing(app, tenant, ours, as_role, stranger):
    owner, tried = as_role("owner"), 0
    paths = ["/home", "/workflows", "/runs", "/tables", "/settings/members", *(path for method, path in urls(app, ours) if method == "GET")]
    for path in paths:
        mine = owner.client.get(path)
        if not mine.headers.get("ETag"):
            continue
        answer = stranger.client.get(path, headers={"If-None-Match": mine.headers["ETag"]})
        assert answer.status_code in (200, 404), f"{path}: {answer.status_code}"
        assert CANARY not in answer.get_data(as_text=True)
        assert "private" in mine.headers["Cache-Control"] or "no-store" in mine.headers["Cache-Control"], path
        assert "Cookie" in mine.headers["Vary"], path
        tried += 1
        evidence.note("caches", f"If-None-Match on {re.sub(r'[0-9a-f-]{36}', '…', path)}", f"{answer.status_code}, not 304")
    assert tried > 15


def test_redis_holds_and_hears_only_names_of_jobs_and_ids(app, tenant, ours, as_role):
    heard, connection = [], jobs.connection()
    listener = connection.pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("*")
    listener.get_message(timeout=1)
    owner = as_role("owner")
    owner.post(f"/workflows/{ours['workflow_id']}/run", data={})
    owner.post("/exports", data={"source": "workflows.runs", "format": "csv"})
    owner.post("/settings/members/invite", data={"addresses": f"{CANARY}-2@example.com", "role": "member", "locale": "en"})
    time.sleep(0.3)
    while message := listener.get_message(timeout=0.2):
        heard.append((message["channel"], message["data"]))
    kept = [(key, _value(connection, key)) for key in connection.scan_iter("*")]
    assert kept and heard, "something was sent"
    for name, value in (*heard, *kept):
        shown = f"{name!r} {value!r}"
        assert CANARY not in shown and "example.com" not in shown and PASSWORD not in shown, shown[:300]
        assert re.match(rb"(rq:|nasij:)", name), name
        evidence.note("caches", f"Redis {re.sub(r'[0-9a-f-]{32,36}', '…', name.decode())}", "names of jobs and ids only")


def _value(connection, key):
    kind = connection.type(key)
    read = {b"string": connection.get, b"hash": connection.hgetall, b"set": connection.smembers,
            b"list": lambda name: connection.lrange(name, 0, -1), b"zset": lambda name: connection.zrange(name, 0, -1)}  # fmt: skip
    return read[kind](key) if kind in read else b""


def test_files_and_pictures_are_found_under_their_own_tenant_only(app, tenant, other_tenant, ours, as_role, stranger, visitor):
    with db.transaction(tenant.id) as session:
        session.execute(
            text(
                "insert into theme_assets (tenant_id, name, media_type, content, width, height) values (:t, 'abc.webp', 'image/webp', :c, 1, 1)"
            ),
            {"t": tenant.id, "c": CANARY.encode()},
        )
        session.execute(
            text("update exports set state = 'done', content = :c where id = :id"), {"c": CANARY.encode(), "id": ours["export_id"]}
        )
    assert visitor.client.get(f"/theme/{tenant.id}/picture/abc.webp").data == CANARY.encode(), "logos are public, under their own tenant"
    for path in (f"/theme/{other_tenant.id}/picture/abc.webp", f"/theme/{other_tenant.id}/../{tenant.id}/abc.webp", f"/exports/{ours['export_id']}/file",
                 f"/settings/themes/{ours['theme_id']}/draft.css"):  # fmt: skip
        answer = stranger.client.get(path)
        assert answer.status_code == 404 and CANARY not in answer.get_data(as_text=True), path
        evidence.note("stored files", re.sub(r"[0-9a-f-]{36}", "…", path), 404)
    assert as_role("admin").client.get(f"/exports/{ours['export_id']}/file").status_code == 404, (
        "a file is its owner's, also inside the organisation"
    )


@pytest.fixture
def lines():
    """Everything that is logged, at the most talkative level, as it would stand in the log."""
    kept, root = [], logging.getLogger()

    class Keep(logging.Handler):
        def emit(self, record):
            kept.append(JsonFormatter().format(record))

    handler, before = Keep(logging.DEBUG), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)  # `echo` is refused in production
    yield kept
    root.removeHandler(handler)
    root.setLevel(before)


def test_logs_say_no_names_addresses_or_secrets(app, tenant, ours, stranger, strangers_token, sign_in, lines):
    owner = sign_in(tenant, "owner")
    for method, path in urls(app, ours):
        stranger.client.open(path, method=method)
        if method == "GET" and not path.endswith("/stream"):
            owner.client.get(path)
    owner.get(f"/search?q={CANARY}")
    owner.client.get("/api/v1/workflows", headers=strangers_token)
    owner.client.get("/password/reset?token=s3cret-token-s3cret")
    app.test_client().post("/sign-in", data={"email": f"{CANARY}@example.com", "password": "hunter22-hunter22"})
    logging.getLogger("portal").info("the log is listened to")

    assert any("listened to" in each for each in lines)
    secret = strangers_token["Authorization"].split()[1]
    for each in lines:
        for word in (CANARY, "@example.com", PASSWORD, "hunter22", secret, "s3cret"):
            assert word not in each, each[:400]
    evidence.note("logs", f"{len(lines)} lines while both tenants opened every page", "no name, address or secret")

"""The interface: its resources, its refusals, and what hostile programs send."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.identity.tokens import scopes
from tests.identity.tokens.conftest import Program, make_client, make_token
from tests.workflows.engine.conftest import Engine, step, values


@pytest.fixture
def program(app, tenant):
    return Program(app, make_token(tenant, "member").secret)


@pytest.fixture
def engine(app, tenant):
    with app.app_context():
        yield Engine(tenant)


def test_a_run_from_start_to_end(engine, program):
    workflow_id = engine.publish(step("only", "set", **values(x="${ input.who }")), inputs=("who",))

    listed = program.get("/api/v1/workflows").json
    assert [(each["id"], each["version"], each["last_run"]) for each in listed["items"]] == [(str(workflow_id), 1, None)]
    shown = program.get(f"/api/v1/workflows/{workflow_id}").json
    assert [each["key"] for each in shown["inputs"]] == ["who"]
    started = program.post(f"/api/v1/workflows/{workflow_id}/runs", json={"input": {"who": "نورة"}})
    assert started.status_code == 202 and started.headers["Location"] == started.json["url"]
    engine.pump()
    run = program.get(started.json["url"]).json
    assert (run["status"], run["input"], run["steps"][0]["state"]) == ("succeeded", {"who": "نورة"}, "succeeded")
    assert run["created_at"].endswith("Z")


def test_the_same_key_starts_one_run(engine, program):
    workflow_id = engine.publish(step("only", "set", **values(x="1")))
    first, again, other = (
        program.post(f"/api/v1/workflows/{workflow_id}/runs", json={}, headers={"Idempotency-Key": key}) for key in ("k", "k", "l")
    )

    assert first.json["id"] == again.json["id"] != other.json["id"]
    assert (first.json["is_new"], again.json["is_new"]) == (True, False)


def test_pages_follow_each_other_without_gap_or_repetition(engine, program):
    made = {str(engine.publish(step("only", "set", **values(x="1")))) for _ in range(5)}
    seen, after = [], None
    while True:
        page = program.get("/api/v1/workflows", query_string={"limit": 2, **({"after": after} if after else {})}).json
        seen += [each["id"] for each in page["items"]]
        if (after := page["next"]) is None:
            break

    assert len(seen) == 5 and set(seen) == made


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=١", "after=x", "after=%00"])
def test_a_wrong_page_is_refused(program, query):
    assert program.get(f"/api/v1/workflows?{query}").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/api", 404, "not-found"),
        ("GET", "/api/", 404, "not-found"),
        ("GET", "/api/v1/workflows/not-an-id", 404, "not-found"),
        ("GET", "/api/v1/workflows/018f0000-0000-7000-8000-000000000000", 404, "not-found"),
        ("DELETE", "/api/v1/workflows", 405, "method-not-allowed"),
        ("GET", "/api/v1/token", 405, "method-not-allowed"),
        ("POST", "/api/v1/workflows/018f0000-0000-7000-8000-000000000000/runs", 404, "not-found"),
    ],
)
def test_every_refusal_is_a_problem(program, method, path, status, kind):
    for accept in ("text/html", "application/json", "*/*"):
        answer = program.open(path, method=method, headers={"Accept": accept})

        assert (answer.status_code, answer.json["status"]) == (status, status)
        assert answer.mimetype == "application/problem+json"
        assert answer.json["type"] == f"urn:nasij:problem:{kind}"
        assert answer.json["title"] and answer.json["detail"] and answer.json["instance"].startswith("urn:uuid:")
        assert "Set-Cookie" not in answer.headers


def test_each_refusal_has_an_id_of_its_own(program):
    assert len({program.get("/api/v1/nothing").json["instance"] for _ in range(3)}) == 3


def test_problems_speak_the_language_that_is_asked_for(program):
    arabic = program.get("/api/v1/nothing", headers={"Accept-Language": "ar-SA,ar;q=0.9"}).json
    english = program.get("/api/v1/nothing", headers={"Accept-Language": "en"}).json

    assert arabic["type"] == english["type"]
    assert any("\u0600" <= letter <= "\u06ff" for letter in arabic["title"]) and arabic["title"] != english["title"]


def test_an_input_that_nobody_asks_for_is_named_and_starts_nothing(engine, program):
    workflow_id = engine.publish(step("only", "set", **values(x="1")), inputs=("who",))

    answer = program.post(f"/api/v1/workflows/{workflow_id}/runs", json={"input": {"whom": "نورة"}})

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == ["input.whom"]
    assert program.get("/api/v1/workflows").json["items"][0]["last_run"] is None


def test_wrong_inputs_are_named(engine, program):
    workflow_id = engine.publish(step("only", "set", **values(x="1")), inputs=("who",))

    answer = program.post(f"/api/v1/workflows/{workflow_id}/runs", json={"input": {"who": {"deep": 1}}})

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == ["input.who"]


def test_what_is_not_published_does_not_run(engine, program, tenant):
    from portal.core import db
    from portal.workflows import service

    with db.transaction(tenant.id):
        workflow_id = service.create_workflow(tenant.id, name="Draft", name_ar=None, sample="blank", by=engine.by)

    assert program.post(f"/api/v1/workflows/{workflow_id}/runs", json={}).status_code == 409


def test_whatever_the_interface_asks_for_has_words(app):
    asked = {
        str(app.view_functions[rule.endpoint].guarded_by)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and hasattr(app.view_functions[rule.endpoint], "guarded_by")
    } - {"signed in"}

    assert asked == {str(code) for code in scopes.WORDS}


BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["input", "refresh_token", "client_id", "x"]), inner, max_size=4),
        max_leaves=10,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b'"\\ud800"', b'["\\ud800"]', b"1" * 5_000, b'{"input": {"who": "\\ud800\\u0000"}}',
                     b'{"refresh_token": "\\ud800", "client_id": "\\ud800"}', b"\xff\xfe", b"null", b"NaN"]),
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=BODIES,
    kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "", "x/"]),
)
def test_no_body_breaks_it(app, program, fuzzed, body, kind):
    # From a network of its own each time: many reports from one are refused.
    address = f"2001:db8:{hash(body) & 0xFFFF:x}::1"
    for path in (f"/api/v1/workflows/{fuzzed}/runs", "/api/v1/token", "/api/v1/leaked-tokens"):
        answer = program.client.open(
            path, method="POST", data=body, content_type=kind, headers=program.headers, environ_base={"REMOTE_ADDR": address}
        )

        assert answer.status_code < 500, (path, kind, body)
        assert answer.mimetype in ("application/json", "application/problem+json")


@pytest.fixture
def fuzzed(engine):
    return engine.publish(step("only", "set", **values(x="1")), inputs=("who",))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer  ", "Basic eA==", "Basic", "Bearer \x7f", "bearer a b", "Digest username=x", "Bearer " + "x" * 5000]
)
def test_no_header_breaks_it(app, header):
    assert app.test_client().get("/api/v1/me", headers={"Authorization": header}).status_code == 401


def test_a_client_may_name_itself_as_oauth_does(app, tenant):
    made = make_client(tenant)

    answer = app.test_client().post(
        "/api/v1/token", data={"grant_type": "refresh_token", "refresh_token": made.refresh}, auth=(str(made.id), made.secret)
    )

    assert answer.status_code == 200
    assert answer.json["token_type"] == "Bearer" and answer.headers["Cache-Control"] == "no-store"


def test_what_is_missing_is_named(app):
    answer = app.test_client().post("/api/v1/token", json={"grant_type": "password", "client_id": 5})

    assert answer.status_code == 422
    assert {each["field"] for each in answer.json["errors"]} == {"grant_type", "client_id", "refresh_token"}


def test_no_cookie_comes_and_none_is_needed(app, tenant):
    client = app.test_client()
    client.set_cookie("sid", "whatever")
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {make_token(tenant).secret}"})

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers and "Cookie" not in answer.headers.get("Vary", "")

"""The headers of every answer, seen from a tiny application."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest
from flask import Flask, Response, render_template_string, session
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect

from portal.core.config import current_settings
from portal.core.headers import init_headers

PAGE = '<meta content="{{ csrf_token() }}"><script src="/a.js" nonce="{{ csp_nonce() }}"></script><p>{{ words }}</p>'


def tiny_app(words: list[str]) -> Flask:
    app = Flask("tiny")
    app.config["SECRET_KEY"] = "only for this test, never served"
    CSRFProtect(app)
    init_headers(app)

    @app.get("/page")
    def page() -> str:
        return render_template_string(PAGE, words=words[0])

    @app.get("/program")
    def program() -> dict[str, str]:
        return {"words": words[0]}

    @app.get("/again")
    def again() -> str:
        session.clear()
        return "cleared"

    @app.get("/stream")
    def stream() -> Response:
        return Response((each for each in ("a", "b")), mimetype="text/html")

    @app.get("/broken")
    def broken() -> tuple[str, int]:
        return "<p>not here</p>", 404

    return app


@pytest.fixture
def words() -> list[str]:
    return ["hello"]


@pytest.fixture
def client(words: list[str]) -> FlaskClient:
    return tiny_app(words).test_client()


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings = current_settings().model_copy(update={"environment": "production"})
    monkeypatch.setattr("portal.core.headers.current_settings", lambda: settings)
    return


def nonce_of(text: str) -> str:
    found = re.search(r"nonce[-=\"]+([\w-]+)", text)
    assert found
    return found[1]


def test_the_policy_allows_only_our_own_scripts(client: FlaskClient) -> None:
    answer = client.get("/page")

    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "strict-dynamic" not in policy
    assert policy.startswith("default-src 'none'; script-src")
    assert "require-trusted-types-for 'script'; trusted-types htmx default" in policy
    assert nonce_of(policy) == nonce_of(answer.text)


def test_each_answer_has_a_nonce_of_its_own(client: FlaskClient) -> None:
    assert nonce_of(client.get("/page").text) != nonce_of(client.get("/page").text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ],
)
@pytest.mark.parametrize("path", ["/page", "/program", "/broken"])
def test_every_answer_carries(client: FlaskClient, path: str, name: str, value: str) -> None:
    assert client.get(path).headers[name] == value


def test_powerful_features_are_denied(client: FlaskClient) -> None:
    policy = client.get("/page").headers["Permissions-Policy"]

    assert "camera=()" in policy
    assert "clipboard-write" not in policy  # the copy buttons use it


def test_transport_security_only_in_production(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/page", base_url="https://nasij.example").headers


@pytest.mark.usefixtures("in_production")
def test_production_demands_https_for_a_year(words: list[str]) -> None:
    answer = tiny_app(words).test_client().get("/page", base_url="https://nasij.example")

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_an_unchanged_page_is_not_sent_again(client: FlaskClient) -> None:
    client.get("/page")  # begins the session
    first = client.get("/page")

    again = client.get("/page", headers={"If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert again.data == b""
    assert first.headers["Cache-Control"] == "private, no-cache"


def test_not_modified_leaves_the_nonce_of_the_kept_page_alone(
    client: FlaskClient,
) -> None:
    client.get("/page")
    first = client.get("/page")

    again = client.get("/page", headers={"If-None-Match": first.headers["ETag"]})

    assert "Content-Security-Policy" not in again.headers


def test_a_changed_page_is_sent(client: FlaskClient, words: list[str]) -> None:
    first = client.get("/page")
    words[0] = "changed"

    assert client.get("/page", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_page_of_another_session_is_never_confirmed(client: FlaskClient) -> None:
    client.get("/page")
    kept = client.get("/page").headers["ETag"]
    client.get("/again")
    client.get("/page")

    assert client.get("/page", headers={"If-None-Match": kept}).status_code == 200


def test_going_back_always_gets_a_nonce_of_its_own(client: FlaskClient) -> None:
    client.get("/page")
    kept = client.get("/page").headers["ETag"]

    again = client.get("/page", headers={"If-None-Match": kept, "HX-History-Restore-Request": "true"})

    assert again.status_code == 200
    assert "'nonce-" in again.headers["Content-Security-Policy"]


def test_pages_vary_by_what_makes_them(client: FlaskClient) -> None:
    assert {each.lower() for each in client.get("/page").vary} == {
        "accept-encoding",
        "cookie",
        "accept-language",
        "hx-request",
    }


@pytest.mark.parametrize("path", ["/program", "/stream", "/broken"])
def test_only_whole_good_pages_have_an_etag(client: FlaskClient, path: str) -> None:
    assert "ETag" not in client.get(path).headers


def test_a_page_comes_compressed_where_the_browser_takes_it(as_role):
    client = as_role("owner").client

    plain, packed = client.get("/workflows"), client.get("/workflows", headers={"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]
    assert int(packed.headers["Content-Length"]) == len(packed.get_data()) < len(plain.get_data()) / 2
    assert b"<h1" in gzip.decompress(packed.get_data())


def test_the_length_of_a_compressed_page_tells_nothing_exact(as_role):
    client = as_role("owner").client

    lengths = {len(client.get("/workflows", headers={"Accept-Encoding": "gzip"}).get_data()) for _each in range(12)}

    assert len(lengths) > 3


def test_an_unchanged_page_is_still_a_304_when_it_was_compressed(as_role):
    client = as_role("owner").client
    first = client.get("/workflows", headers={"Accept-Encoding": "gzip"})

    again = client.get("/workflows", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})

    assert again.status_code == 304
    assert again.get_data() == b"" and "Content-Encoding" not in again.headers


def test_small_answers_and_json_are_left_alone(visitor):
    answer = visitor.client.get("/health/live", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in answer.headers

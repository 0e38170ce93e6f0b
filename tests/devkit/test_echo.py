"""The webhook echo: it records, answers JSON, and misbehaves when it is told to."""

from __future__ import annotations

import json
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from portal.devkit.echo import Echo


@pytest.fixture
def echo():
    made = Echo(port=0, keep=3)
    made.start()
    yield made
    made.stop()


def call(echo: Echo, path: str, body: object = None, **headers: str) -> tuple[int, dict]:
    asked = Request(echo.url + path, data=json.dumps(body, ensure_ascii=False).encode(), headers=headers)
    try:
        with urlopen(asked, timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        return refused.code, json.load(refused)


def test_a_call_is_recorded_as_it_came(echo):
    status, answer = call(echo, "/suppliers?lang=ar", {"name": "شركة"}, **{"idempotency-key": "run-1"})

    assert (status, answer["received"]) == (200, {"name": "شركة"})
    (kept,) = echo.calls()
    assert (kept.method, kept.path, kept.key) == ("POST", "/suppliers?lang=ar", "run-1")
    assert json.loads(kept.body) == {"name": "شركة"}
    with urlopen(f"{echo.url}/calls", timeout=5) as answer:
        assert json.load(answer)[0]["headers"]["Idempotency-Key"] == "run-1"
    with urlopen(echo.url, timeout=5) as answer:
        assert "شركة" in answer.read().decode()


def test_a_status_can_be_ordered(echo):
    assert call(echo, "/status/503/anything")[0] == 503
    assert call(echo, "/status/201")[0] == 201


def test_flaky_fails_for_each_key_and_then_succeeds(echo):
    statuses = [call(echo, "/flaky/2", **{"Idempotency-Key": key})[0] for key in ("a", "a", "b", "a", "a")]

    assert statuses == [503, 503, 503, 200, 200]


def test_slow_waits(echo):
    began = time.monotonic()
    call(echo, "/slow/1")

    assert time.monotonic() - began >= 1


def test_only_the_newest_are_kept_until_they_are_forgotten(echo):
    for number in range(5):
        call(echo, f"/{number}")
    assert [each.path for each in echo.calls()] == ["/2", "/3", "/4"]

    urlopen(Request(f"{echo.url}/calls", method="DELETE"), timeout=5)
    assert echo.calls() == []

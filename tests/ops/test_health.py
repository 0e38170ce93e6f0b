"""Health: what the platform asks, with each part really away."""

from __future__ import annotations

from portal.core import db
from portal.ops import health


def test_a_live_process_answers_without_asking_anybody(visitor):
    answer = visitor.get("/health/live")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert "Set-Cookie" not in answer.headers


def test_everything_is_ready(visitor):
    answer = visitor.get("/health/ready")

    assert answer.status_code == 200
    assert {name: check["ok"] for name, check in answer.json["checks"].items()} == {"postgresql": True, "schema": True, "redis": True}
    assert answer.headers["Cache-Control"] == "no-store"


def test_redis_that_is_away_is_named(visitor, monkeypatch):
    monkeypatch.setattr(health.current_settings(), "__dict__", {**vars(health.current_settings()), "redis_url": "redis://127.0.0.1:1/0"})

    answer = visitor.get("/health/ready")

    assert answer.status_code == 503
    assert {name for name, check in answer.json["checks"].items() if not check["ok"]} == {"redis"}
    assert "127.0.0.1" not in answer.text


def test_a_schema_of_another_version_is_not_ready(visitor, monkeypatch):
    monkeypatch.setattr(health, "code_head", lambda: "9999")

    answer = visitor.get("/health/ready")

    assert answer.status_code == 503
    assert {name for name, check in answer.json["checks"].items() if not check["ok"]} == {"schema"}


def test_postgresql_that_is_away_is_one_answer_and_no_trace(app, visitor, monkeypatch):
    from sqlalchemy import create_engine

    dead = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    monkeypatch.setattr(db, "engine", lambda **_unused: dead)

    answer = visitor.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json["checks"]["postgresql"]["ok"] is False
    assert "Traceback" not in answer.text and "127.0.0.1" not in answer.text

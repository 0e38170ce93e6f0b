"""Settings: production refuses what is missing, short, guessable or copied from the documents, by name."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys

import pytest

from portal.core.config import ROOT, Settings, documented_values, findings

GOOD = {
    "environment": "production",
    "secret_key": secrets.token_urlsafe(48),
    "encryption_keys": secrets.token_urlsafe(48),
    "database_url": f"postgresql://nasij_app:{secrets.token_urlsafe(16)}@db.internal:5432/nasij",
    "database_owner_url": f"postgresql://nasij_owner:{secrets.token_urlsafe(16)}@db.internal:5432/nasij",
    "database_system_url": f"postgresql://nasij_system:{secrets.token_urlsafe(16)}@db.internal:5432/nasij",
    "redis_url": f"rediss://:{secrets.token_urlsafe(16)}@redis.internal:6379/0",
    "public_url": "https://flows.acme.test",
    "mail_host": "mail.acme.test",
    "mail_security": "starttls",
    "mail_from": "flows@acme.test",
}


def refused(**changed):
    return {each.variable for each in findings(Settings(**{**GOOD, **changed})) if not each.ok}


def test_a_good_environment_is_fine():
    assert refused() == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key", ""),
        ("secret_key", "short"),
        ("secret_key", "a" * 64),
        ("secret_key", "changeme-changeme-changeme-changeme-1234567890"),
        ("database_url", ""),
        ("database_url", "postgresql://nasij_app@db/nasij"),
        ("redis_url", "redis://redis:6379/0"),
        ("public_url", "http://flows.acme.test"),
        ("mail_security", "none"),
        ("egress_allow_http", True),
        ("egress_allow", "8.8.8.0/24"),
        ("egress_allow", "10.0.0.5:8080"),
        ("failpoint", "fence:before:kill:/tmp/marker"),
    ],
)
def test_a_bad_value_is_refused_by_name(name, value):
    assert refused(**{name: value}) == {name.upper()}


def test_every_value_of_the_template_is_refused():
    values = documented_values()
    lines = (ROOT / ".env.production.template").read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    settings = Settings(**{name.lower(): value for name, value in given.items() if value})

    names = {each.variable for each in findings(settings) if not each.ok}

    assert {"SECRET_KEY", "DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL", "REDIS_URL", "PUBLIC_URL", "MAIL_HOST"} <= names
    assert given["SECRET_KEY"] in values


def run_check(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    given = {name.upper(): str(value) for name, value in environment.items()}
    command = [sys.executable, "-m", "portal.cli", "check", *arguments]
    return subprocess.run(command, env={**clean, **given}, cwd=ROOT, capture_output=True, text=True, check=False)


def test_portal_check_prints_each_variable_and_exits_by_it():
    good, bad = run_check(**GOOD), run_check("--json", **{**GOOD, "secret_key": "short"})

    assert good.returncode == 0, good.stdout
    assert "SECRET_KEY: ok" in good.stdout
    assert bad.returncode == 1
    assert "shorter" in json.loads(bad.stdout)["SECRET_KEY"]


def test_a_value_of_the_wrong_shape_is_one_sentence_and_no_trace():
    answer = run_check(**{**GOOD, "mail_port": "twenty-five"})

    assert answer.returncode != 0
    assert "MAIL_PORT" in answer.stderr
    assert "Traceback" not in answer.stderr

"""Rules of the whole house that cost little and keep it together."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from pathlib import Path
from typing import get_type_hints
from uuid import UUID

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from portal import events
from portal.core import jobs
from portal.core.config import ROOT, Settings, current_settings
from portal.core.db import Base, driver_url
from portal.i18n import cli as strings

PACKAGES = sorted(path.name for path in (ROOT / "portal").iterdir() if (path / "__init__.py").exists())
# Anybody may use these directly: they own no rows, or own the rules that everybody shares.
OPEN = {"core", "i18n", "devkit"}
MAY_ENTER_ANY = {"app", "models", "devkit", "cli"}


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_other_packages_are_entered_by_their_doors():
    broken = []
    for path in (ROOT / "portal").rglob("*.py"):
        mine = path.relative_to(ROOT / "portal").parts[0].removesuffix(".py")
        if mine in MAY_ENTER_ANY:
            continue
        for name in imports_of(path):
            parts = name.split(".")
            if parts[0] != "portal" or len(parts) < 3 or parts[1] in (mine, *OPEN) or parts[1] not in PACKAGES:
                continue
            # A part of a package has a door of its own, in a folder of its own.
            door = parts[3] if len(parts) > 3 and (ROOT / "portal" / parts[1] / parts[2]).is_dir() else parts[2]
            if door not in ("service", "errors"):
                broken.append(f"{path.relative_to(ROOT)} → {name}")
    assert broken == []


def test_every_package_says_what_it_owns_and_holds_no_code_in_its_door():
    for path in (ROOT / "portal").rglob("__init__.py"):
        body = ast.parse(path.read_text("utf-8")).body
        assert len(body) == 1 and isinstance(body[0], ast.Expr), path


def test_queues_are_watched(app):
    assert {job.queue for job in jobs.registered().values()} <= set(jobs.QUEUES)
    assert "workflows.pump" in jobs.registered()


def test_jobs_are_never_pickled():
    text = "\n".join(path.read_text("utf-8") for path in [*(ROOT / "portal").rglob("*.py"), ROOT / "worker.py"])
    assert "pickle" not in text
    for call in re.findall(r"(?<!queue\.)\b(?:Queue|PoolWorker)\([^)]*\)", text):
        assert "serializer=JSONSerializer" in call or "class" in call or call == "PoolWorker(Worker)", call


def test_there_is_one_migration_head_and_models_agree_with_it(app):
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = create_engine(driver_url(current_settings().database_owner_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [each for each in compare_metadata(context, Base.metadata) if "fk_workflow_templates_published" not in str(each)]
    engine.dispose()
    assert differences == []


def test_every_setting_is_documented_in_the_template():
    documented = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.production.template").read_text("utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("tag", ["ar", "en"])
def test_every_string_is_in_both_languages(tag):
    assert strings.problems_of(strings.merged(strings.collect(), tag), tag) == []


def test_time_comes_from_the_clock_and_calls_leave_by_egress():
    allowed = {
        "datetime.now(": {"core/clock.py", "devkit"},
        "utcnow": set(),
        "import requests": set(),
        "urllib.request": {"devkit"},
        "httpx2": {"core/egress.py"},
        "httpcore2": {"core/egress.py", "core/lines.py"},
        "smtplib": {"mail/transports.py"},
    }
    for path in (ROOT / "portal").rglob("*.py"):
        place, text = str(path.relative_to(ROOT / "portal")), path.read_text("utf-8")
        for word, places in allowed.items():
            assert word not in text or any(place.startswith(each) for each in places), f"{place} uses {word}"


def test_pages_hold_no_inline_style_or_script():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text("utf-8")
        if "mail" in path.parts:
            continue
        text = re.sub(r"\{[#%{].*?[#%}]\}", "", text, flags=re.DOTALL)
        assert not re.search(r"\sstyle=", text), path
        assert not re.search(r"\son[a-z]+=", text), path
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path


def test_nothing_names_a_third_party_origin():
    for folder in ("templates", "static/css", "static/js"):
        for path in Path(ROOT / folder).rglob("*.*"):
            found = re.findall(r"(?:src|href|url\(|import)\s*=?\s*[\"'(]?https?://[^\s\"')]+", path.read_text("utf-8", errors="ignore"))
            assert not [each for each in found if "www.w3.org" not in each], path


def test_every_event_is_a_frozen_fact_of_plain_values_and_is_announced():
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "portal").rglob("*.py"))
    kinds = [each for each in vars(events).values() if inspect.isclass(each) and each.__module__ == events.__name__]
    assert kinds
    for kind in kinds:
        assert dataclasses.is_dataclass(kind) and kind.__dataclass_params__.frozen and kind.__doc__, kind
        allowed = {UUID, str, int, bool, UUID | None, str | None, int | None}
        assert set(get_type_hints(kind).values()) <= allowed, f"{kind.__name__}: ids and plain values, never rows"
        assert f"announce(events.{kind.__name__}(" in source, f"{kind.__name__} is never announced"


# Addresses that people and other systems keep. One that goes needs a redirect from the old place to the new one.
ROUTES = Path(__file__).with_name("routes.txt")


def test_addresses_do_not_vanish(app):
    now = {str(rule) for rule in app.url_map.iter_rules() if "GET" in rule.methods and rule.endpoint != "static"}
    known = set(ROUTES.read_text("utf-8").split())

    assert known <= now, f"these addresses are gone: {sorted(known - now)}"
    assert now <= known, f"add the new addresses to {ROUTES.name}: {sorted(now - known)}"


def test_the_map_names_each_place_once_and_only_places_that_are_there():
    rows = re.findall(r"^\| (`portal/[^|]+`) \|", (ROOT / "docs" / "map.md").read_text("utf-8"), re.MULTILINE)
    places = [place for row in rows for place in re.findall(r"`([^`]+)`", row)]
    assert len(places) == len(set(places)), sorted({each for each in places if places.count(each) > 1})
    gone = [each for each in places if each.startswith("portal/") and not (ROOT / each).exists()]
    assert len(places) > 50 and gone == []

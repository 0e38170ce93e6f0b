"""Every commit of the engine, failed before and after: by an error, SIGKILL, SIGSTOP past the lease, a connection cut at the COMMIT."""

from __future__ import annotations

import re

import pytest

from portal.core.access import SYSTEM
from portal.core.config import ROOT, Settings, SettingsRefused, current_settings
from portal.core.failpoints import HOWS, SIDES, Failpoint, arm
from portal.datatables import service as tables
from tests.conftest import make_house
from tests.workflows.engine.conftest import put_aside_what_others_left
from tests.workflows.engine.plays import ALSO, COLUMNS, PLAYS, POINTS
from tests.workflows.engine.stage import Outside, Stage, strike

STATES = ("succeeded", "failed", "ready", "waiting", "in_doubt", "cancelled")


@pytest.fixture(scope="module")
def plays(app, servers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("failpoints")
    outside = Outside(folder)
    opened = pytest.MonkeyPatch()
    opened.setenv("EGRESS_ALLOW", f"127.0.0.1:{outside.receiver}")
    current_settings.cache_clear()
    with app.app_context():
        stage = Stage(make_house(), app, outside, folder)
        with stage.in_house():
            tables.create_table(stage.house.id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)
        made = {}

        def find(name):
            if name not in made:
                made[name] = PLAYS[name](stage)
            return made[name]

        yield find
    opened.undo()
    current_settings.cache_clear()
    outside.close()


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("move", "name"), [*POINTS.items(), *ALSO])
def test_nothing_is_lost_or_doubled(app, plays, move, name, side, how):
    with app.app_context():
        put_aside_what_others_left()
        play = plays(name)
        strike(play.stage, play, move, side, how)


def test_every_move_that_commits_has_a_point():
    named = set()
    for path in (ROOT / "portal").rglob("*.py"):
        for said in re.findall(r"db\.commits\((.+)\)\n", path.read_text("utf-8")):
            named |= {f"settle.{state}" for state in STATES} if said.startswith("f") else set(re.findall(r'"([a-z_.]+)"', said))
        named |= set(re.findall(r'each_by_itself\(.*move="([a-z_.]+)"', path.read_text("utf-8")))
    assert named - {"paused"} == set(POINTS)


def test_a_point_is_for_tests_only(monkeypatch, tmp_path):
    monkeypatch.setenv("FAILPOINT", f"fence:before:kill:{tmp_path}/marker")
    monkeypatch.setenv("ENVIRONMENT", "development")
    current_settings.cache_clear()
    try:
        with pytest.raises(SettingsRefused, match="FAILPOINT"):
            current_settings()
    finally:
        monkeypatch.undo()
        current_settings.cache_clear()
    with pytest.raises(RuntimeError):
        arm(Settings(environment="development", failpoint="fence:before:kill:/tmp/marker"))
    for wrong in ("fence", "fence:during:kill:/tmp/x", "fence:before:sleep:/tmp/x"):
        with pytest.raises(ValueError):
            Failpoint.read(wrong)

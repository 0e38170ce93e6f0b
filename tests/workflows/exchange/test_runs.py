"""Imported workflows run as they did in n8n: what they work out is what n8n's rules give for the same input."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from portal.core import db
from portal.workflows import queries, service
from portal.workflows.exchange import service as exchange
from portal.workflows.triggers import queries as triggers

HERE = Path(__file__).parent / "n8n"


def live(engine, name):
    """Import a file, publish its draft and switch it on, as a person would."""
    with db.transaction(engine.house.id):
        (arrived,) = exchange.bring_in(engine.house.id, (HERE / f"{name}.json").read_bytes(), may_use_connections=True, by=engine.by)
        service.publish_version(engine.house.id, arrived.id, by=engine.by)
        service.switch_workflow(engine.house.id, arrived.id, is_active=True, by=engine.by)
    return arrived.id


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "noura", "price": 30, "count": 4}, {"said": "Much: 120!", "who": "NOURA", "note": "none"}),
        ({"name": "noura", "price": 2.5, "count": 4, "note": "soon"}, {"said": "Little: 10!", "who": "NOURA", "note": "soon"}),
        ({"name": "nobody", "price": 300, "count": 4}, {"said": "Little: 1200!", "who": "NOBODY", "note": "none"}),
    ],
)
def test_forks_and_texts(engine, given, said):
    run = engine.go(live(engine, "56_runs"), **given)

    assert run.status == "succeeded", run.error
    assert engine.outputs(run.id)["end"] == said


def test_lists_and_loops(engine):
    run = engine.go(live(engine, "57_lists_run"))

    assert run.status == "succeeded", run.error
    assert engine.outputs(run.id)["all"] == {"data": [{"twice": 4, "of": "a"}, {"twice": 6, "of": "a"}]}


@pytest.mark.parametrize(
    ("name", "given", "last", "said"),
    [
        ("15_if_meets", {"kind": "big", "note": "x"}, "after", {"said": "BIG"}),
        ("15_if_meets", {"kind": "big"}, "after", {"said": "SMALL"}),
        ("17_switch_v3", {"kind": "a"}, "end", {"all": "a"}),
        ("17_switch_v3", {"kind": "bx"}, "end", {"all": "b"}),
        ("17_switch_v3", {"kind": "z"}, "end", {"all": "c"}),
        ("19_switch_no_fallback", {"n": 1}, "end", {"e": "1"}),
        ("20_filter", {"age": 20}, "after", {"ok": 20}),
        ("28_merge_choose", {}, "use", {"w": "b"}),
    ],
)
def test_the_last_step_says_what_it_said(engine, name, given, last, said):
    run = engine.go(live(engine, name), **given)

    assert run.status == "succeeded", run.error
    assert engine.outputs(run.id)[last] == said


@pytest.mark.parametrize(
    ("name", "given", "missing"),
    [("19_switch_no_fallback", {"n": 7}, "end"), ("20_filter", {"age": 3}, "after"), ("16_if_one_way", {"ok": False}, "go")],
)
def test_what_n8n_would_drop_goes_no_further(engine, name, given, missing):
    run = engine.go(live(engine, name), **given)

    assert run.status == "succeeded", run.error
    steps = engine.steps(run.id)
    assert missing not in steps or steps[missing].state == "skipped"


def test_nothing_of_an_import_is_switched_on(engine):
    with db.transaction(engine.house.id):
        arrived = [
            exchange.bring_in(engine.house.id, (HERE / f"{name}.json").read_bytes(), may_use_connections=True, by=engine.by)[0].id
            for name in ("06_webhook_respond", "34_schedules", "35_cron_old", "36_form", "38_two_starts")
        ]
        rows = [row for workflow_id in arrived for row in triggers.list_triggers(engine.house.id, workflow_id)]
        workflows = [queries.get_workflow(engine.house.id, workflow_id) for workflow_id in arrived]

    assert len(rows) == 11 and not any(row.is_enabled for row in rows)
    assert not any(each.is_active for each in workflows)
    with db.transaction(engine.house.id) as session:
        assert not session.scalar(text("select count(*) from workflow_triggers where is_enabled and kind not in ('manual','api')"))


def test_the_zone_of_a_schedule_is_that_of_the_file_or_of_the_organisation(engine):
    with db.transaction(engine.house.id):
        first, second = (
            exchange.bring_in(engine.house.id, (HERE / f"{name}.json").read_bytes(), may_use_connections=True, by=engine.by)[0].id
            for name in ("34_schedules", "35_cron_old")
        )
        zones = [{row.config["zone"] for row in triggers.list_triggers(engine.house.id, each)} for each in (first, second)]

    assert zones[0] == {"Asia/Riyadh"} and len(zones[1]) == 1 and "" not in zones[1]

"""Every control-flow pattern that is offered runs, and does what its trace says."""

from __future__ import annotations

import re

import pytest

from portal.core.config import ROOT
from portal.workflows.engine.store import following
from tests.workflows.engine.conftest import step, values
from tests.workflows.patterns.definitions import EXAMPLES, RECURSION

DIRECT = {*range(1, 8), *range(9, 17), *range(18, 27), 29, 30, 32, *range(34, 38), 39, 40, 42, 43}


@pytest.mark.parametrize("inline", [200, 0], ids=["at-once", "step-by-step"])
@pytest.mark.parametrize("number", EXAMPLES)
def test_the_pattern_does_what_it_says(engine, monkeypatch, number, inline):
    monkeypatch.setattr(following, "MAX_INLINE", inline)
    example = EXAMPLES[number]
    inputs = tuple(example.given)

    run = engine.go(engine.publish(*example.nodes, inputs=inputs), **example.given)

    found = engine.trace(run.id)
    assert run.status == example.status, run.error
    if example.ordered and inline:
        assert found == list(example.trace)
    else:
        assert sorted(found) == sorted(example.trace)
    engine.assert_sound(run.id)


def test_recursion(engine):
    """Pattern 22: a workflow runs itself, on what is left to do, until nothing is left."""
    again = step(
        "again", "subworkflow", parent="more", lane="then", workflow="", inputs=values(left="${ string(int(input.left) - 1) }")["values"]
    )
    nodes = [step("more", "condition", when="int(input.left) > 0"), again, step("work", "set", **values(x="${ input.left }"))]
    workflow_id = engine.publish(*nodes[:1], inputs=("left",))
    again["config"]["workflow"] = str(workflow_id)
    engine.publish_again(workflow_id, nodes)

    run = engine.go(workflow_id, left="3")

    assert run.status == "succeeded", run.error
    runs = engine.family(run.id)
    assert sorted((each.depth, each.input_data["left"]) for each in runs) == [(0, "3"), (1, "2"), (2, "1"), (3, "0")]
    assert {each.status for each in runs} == {"succeeded"}


def test_every_pattern_is_shown():
    assert {*EXAMPLES, RECURSION[0]} == DIRECT


def test_the_manual_names_every_pattern_in_both_languages():
    page = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
    rows = {
        int(number): (name, name_ar) for number, name, name_ar in re.findall(r"^\| (\d+) \| ([^|]+?) \| ([^|]+?) \|", page, re.MULTILINE)
    }

    wanted = {number: (each.name, each.name_ar) for number, each in EXAMPLES.items()} | {RECURSION[0]: RECURSION[1]}
    assert {number: rows.get(number) for number in wanted} == wanted

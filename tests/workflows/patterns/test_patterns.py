"""Every control-flow pattern that is offered runs, and does what its trace says."""

from __future__ import annotations

import re

import pytest

from portal.core.config import ROOT
from portal.workflows.engine.store import following
from tests.workflows.patterns.definitions import EXAMPLES, OPEN

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


def test_every_pattern_is_shown_or_listed_as_open():
    assert set(EXAMPLES) | set(OPEN) == DIRECT
    assert not set(EXAMPLES) & set(OPEN)


def test_the_manual_names_every_pattern_in_both_languages():
    page = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
    rows = {
        int(number): (name, name_ar) for number, name, name_ar in re.findall(r"^\| (\d+) \| ([^|]+?) \| ([^|]+?) \|", page, re.MULTILINE)
    }

    wanted = {number: (each.name, each.name_ar) for number, each in EXAMPLES.items()} | OPEN
    assert {number: rows.get(number) for number in wanted} == wanted

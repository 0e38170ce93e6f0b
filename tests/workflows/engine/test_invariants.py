"""The table of invariants names tests that are there."""

from __future__ import annotations

import re

import pytest

from portal.core.config import ROOT

ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", (ROOT / "docs" / "invariants.md").read_text("utf-8"), re.MULTILINE)
LATER = {20, 23}


def test_every_invariant_stands_there():
    assert [int(number) for number, _says, _tests in ROWS] == list(range(1, 25))


@pytest.mark.parametrize(("number", "tests"), [(int(number), tests) for number, _says, tests in ROWS])
def test_its_tests_exist(number, tests):
    named = re.findall(r"`([\w./]+)::(\w+)`", tests)
    assert named or number in LATER
    for place, name in named:
        folder = "tests/workflows" if (ROOT / "tests/workflows" / place).exists() else "tests"
        path = ROOT / folder / place
        assert f"\ndef {name}(" in path.read_text("utf-8"), (place, name)

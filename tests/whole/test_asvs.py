"""docs/asvs.json: no requirement of our chapters is left out, and what it names is there."""

from __future__ import annotations

import ast
import json
import re

import pytest

from portal.core.config import ROOT
from portal.devkit import asvs

BOOK = json.loads((ROOT / "docs" / "asvs.json").read_text("utf-8"))
FOUND = BOOK["requirements"]
# Levels 1 and 2 of ASVS 5.0.0: section → the last of its requirements, and those of level 3 in between or after that are not ours.
WANTED = {
    "6.1": range(1, 4), "6.2": range(1, 13), "6.3": range(1, 5), "6.4": range(1, 5), "6.5": range(1, 6), "6.6": range(1, 4), "6.8": range(1, 5),
    "7.1": range(1, 4), "7.2": range(1, 5), "7.3": range(1, 3), "7.4": range(1, 6), "7.5": range(1, 3), "7.6": range(1, 3),
    "8.1": range(1, 3), "8.2": range(1, 4), "8.3": range(1, 2), "8.4": range(1, 2), "9.1": range(1, 4), "9.2": range(1, 5),
    "10.1": range(1, 3), "10.2": range(1, 3), "10.3": range(1, 5), "10.4": range(1, 12), "10.5": range(1, 6), "10.6": range(1, 3), "10.7": range(1, 4),
}  # fmt: skip
STATES = {"tested", "document", "not applicable", "not met"}


def test_every_requirement_of_levels_1_and_2_has_its_line():
    wanted = {f"{section}.{number}" for section, numbers in WANTED.items() for number in numbers}
    assert len(wanted) == 35 + 18 + 7 + 7 + 29, "the counts of the standard"
    assert set(FOUND) == wanted


@pytest.mark.parametrize("wanted", FOUND)
def test_each_line_says_how_and_by_what(wanted):
    line = FOUND[wanted]
    assert line["state"] in STATES
    assert re.fullmatch(r"[A-Z0-9].{10,260}\.", line["how"], re.DOTALL), "one sentence, in our words"
    if line["state"] == "tested":
        assert line["tests"]
    if line["state"] == "document":
        assert line["document"]
    if line["state"] == "not applicable":
        assert not line.get("tests")
    if "document" in line:
        path, _mark, anchor = line["document"].partition("#")
        headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^a-z0-9-]", "", each.lower().replace(" ", "-")) for each in headings}, line["document"]


def test_each_named_test_is_there():
    there: dict[str, set[str]] = {}
    for test in asvs.named_tests(BOOK):
        path, _mark, name = test.partition("::")
        if path not in there:
            tree = ast.parse((ROOT / path).read_text("utf-8"))
            there[path] = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
        assert name in there[path], test


def test_the_last_run_passed_and_was_of_these_tests():
    assert BOOK["run"] and set(BOOK["run"]["tests"]) == {"passed"}, "run `make asvs`"
    assert {each["result"] for each in FOUND.values() if each.get("tests")} == {"passed"}


def test_one_failure_is_a_failure_and_what_did_not_run_is_no_success():
    assert asvs.result_of(["passed", "passed"]) == "passed"
    assert asvs.result_of(["passed", "failed", "untried"]) == "failed"
    assert asvs.result_of(["passed", "untried"]) == asvs.result_of([]) == "untried"

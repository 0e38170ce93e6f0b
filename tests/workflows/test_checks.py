"""What publishing refuses: each broken rule names its step and its field."""

from __future__ import annotations

import pytest

from portal.workflows.actions.registry import FIELDS
from portal.workflows.checks import check
from tests.workflows.engine.conftest import step, values


def do(key, at="", text="1", **more):
    parent, _dot, lane = at.partition(".")
    return step(key, "set", parent=parent or None, lane=lane or None, **values(x=text), **more)


def problems(*nodes, inputs=()):
    return [(each.step, each.field) for each in check(list(nodes), {"inputs": list(inputs)}, FIELDS)]


EACH = step("each", "foreach", source="list", list="[1]")
FORK = step("fork", "parallel", lanes=2)


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ((step("a", "magic"),), [("a", "kind")]),
        ((do("a", "gone.then"),), [("a", None)]),
        ((step("pick", "switch", cases=[{"name": "x", "value": "true"}]), do("a", "pick.case_2")), [("a", None)]),
        ((step("pick", "switch", cases=[]),), [("pick", "cases")]),
        ((step("pick", "switch", cases=[{"name": "x", "value": ""}]),), [("pick", "cases")]),
        ((step("pick", "switch", cases=[{"name": "x", "value": "1 +"}]),), [("pick", "cases")]),
        ((FORK, do("a", "fork.lane_1")), [("fork", "lanes")]),
        ((FORK,), [("fork", None)]),
        ((step("fork", "parallel", lanes=11), do("a", "fork.lane_1")), [("fork", "lanes"), ("fork", "lanes")]),
        (
            (step("fork", "parallel", lanes=2, join="some", need=3), do("a", "fork.lane_1"), do("b", "fork.lane_2")),
            [("fork", "need")],
        ),
        ((step("each", "foreach", source="list", list=""), do("a", "each.each")), [("each", "list")]),
        ((step("each", "foreach", source="times", times=100_001), do("a", "each.each")), [("each", "times")]),
        ((step("each", "foreach", source="list", list="[1]", at_once=51), do("a", "each.each")), [("each", "at_once")]),
        ((EACH,), [("each", None)]),
        ((step("r", "repeat", until="true", rounds=0), do("a", "r.each")), [("r", "rounds")]),
        ((step("r", "repeat", until="steps.later.x == 1"), do("a", "r.each"), do("later")), [("r", "until")]),
        ((do("a"), step("g", "goto", to="none")), [("g", "to")]),
        ((do("a"), step("g", "goto", to="g")), [("g", "to")]),
        ((EACH, do("a", "each.each"), step("g", "goto", to="a")), [("g", "to")]),
        ((do("a"), EACH, step("g", "goto", parent="each", lane="each", to="a")), [("g", "to")]),
        ((do("a", on_error="lane"),), [("a", "on_error")]),
        ((do("a", undo=True),), [("a", "undo")]),
        ((do("a", undo=True), do("b", "a.undo", undo=True), do("c", "b.undo")), [("b", "undo")]),
        ((do("a", undo=True), step("s", "stop", parent="a", lane="undo")), [("s", "kind")]),
        ((do("a", text="${ item }"),), [("a", "x_values")]),
        ((do("a", text="${ error.code }"),), [("a", "x_values")]),
        ((do("a", text="${ round }"),), [("a", "x_values")]),
        ((EACH, do("a", "each.each"), do("b", text="${ steps.a.x }")), [("b", "x_values")]),
        ((FORK, do("a", "fork.lane_1"), do("b", "fork.lane_2", text="${ steps.a.x }")), [("b", "x_values")]),
        ((step("sub", "subworkflow", workflow=""),), [("sub", "workflow")]),
    ],
)
def test_a_broken_rule_is_named_with_its_step_and_field(nodes, found):
    assert problems(*nodes) == [(key, "values" if name == "x_values" else name) for key, name in found]


@pytest.mark.parametrize(
    "nodes",
    [
        (FORK, do("a", "fork.lane_1"), do("b", "fork.lane_2"), do("c", text="${ steps.a.x }${ steps.b.x }")),
        (EACH, do("a", "each.each", text="${ item }${ index }"), do("b", "each.each", text="${ steps.a.x }")),
        (step("r", "repeat", until="steps.a.x == '3'"), do("a", "r.each", text="${ round }${ previous }")),
        (step("each", "foreach", source="list", list="[1]", result="steps.a.x + string(item)"), do("a", "each.each")),
        (do("a", on_error="lane"), do("b", "a.error", text="${ error.code }"), do("c", text="${ steps.b.x }")),
        (do("a", undo=True), do("b", "a.undo", text="${ steps.a.x }${ error.code }")),
        (do("a"), step("if", "condition", when="true"), step("g", "goto", parent="if", lane="then", to="a")),
        (step("if", "condition", when="true"), step("g", "goto", parent="if", lane="then", to="z"), do("z")),
    ],
    ids=str,
)
def test_what_is_right_is_accepted(nodes):
    assert problems(*nodes) == []


def test_a_circle_of_parents_is_refused_and_ends():
    assert problems(do("a", "b.then"), do("b", "a.then"))

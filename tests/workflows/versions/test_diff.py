"""The difference of two definitions: nothing for the same one, all of it for two, and as few moves as possible."""

from __future__ import annotations

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.workflows.differences import words
from portal.workflows.differences.diff import ABSENT, apply, compare
from tests.workflows.engine.conftest import step, values

QUIETLY = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
KEYS = [f"s{number}" for number in range(7)]
VALUES = st.one_of(st.none(), st.text(max_size=4), st.integers(0, 3), st.lists(st.integers(0, 2), max_size=2))


@st.composite
def definitions(draw):
    keys = draw(st.permutations(KEYS))[: draw(st.integers(0, len(KEYS)))]
    nodes, holders = [], []
    for key in keys:
        parent = draw(st.sampled_from([None, *holders]))
        kind = draw(st.sampled_from(["set", "condition"]))
        node = step(key, kind, parent=parent, lane=draw(st.sampled_from(["then", "else"])) if parent else None,
                    attempts=draw(st.integers(1, 3)), **draw(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)))  # fmt: skip
        nodes.append(node)
        if kind == "condition":
            holders.append(key)
    keys = draw(st.lists(st.sampled_from("xyz"), unique=True))
    inputs = [{"key": key, "type": draw(st.sampled_from(["text", "number"]))} for key in keys]
    others = draw(st.dictionaries(st.sampled_from(["deadline_s", "error_workflow"]), VALUES, max_size=2))
    return nodes, {**others, "inputs": inputs}


@QUIETLY
@given(definitions())
def test_a_definition_does_not_differ_from_itself(a):
    assert not compare(a, copy.deepcopy(a))


@QUIETLY
@given(definitions(), definitions())
def test_the_difference_makes_the_new_one_of_the_old_one(a, b):
    kept = copy.deepcopy(a)

    assert apply(a, compare(a, b)) == b
    assert a == kept, "nothing that was given is changed"


@QUIETLY
@given(definitions(), definitions())
def test_what_one_way_adds_the_other_way_removes(a, b):
    there, back = compare(a, b), compare(b, a)

    assert {node["key"] for node in there.added} == {node["key"] for node in back.removed}
    assert {each.key for each in there.changed} == {each.key for each in back.changed}
    assert bool(there) == bool(back)


def test_each_field_is_named_with_both_values():
    old, new = step("a", "set", **values(x="1")), {**step("a", "set", **values(x="2")), "timeout_s": 60}
    new["config"]["also"] = None

    (changed,) = compare(([old], {}), ([new], {})).changed

    assert {change.path: (change.old, change.new) for change in changed.changes} == {
        ("config", "values"): ([{"name": "x", "value": "1"}], [{"name": "x", "value": "2"}]),
        ("config", "also"): (ABSENT, None),
        ("timeout_s",): (30, 60),
    }


def test_one_step_that_was_carried_to_the_end_is_the_only_one_that_moved():
    old = [step(key, "set") for key in "abcd"]
    new = [old[1], old[2], old[3], old[0]]

    found = compare((old, {}), (new, {}))

    assert [each.key for each in found.moved] == ["a"]
    assert not found.changed


def test_a_step_in_another_lane_moved_and_a_new_one_before_it_moves_nobody():
    old = [step("c", "condition"), step("a", "set", parent="c", lane="then")]
    into, before = [old[0], step("a", "set", parent="c", lane="else")], [old[0], step("n", "set", parent="c", lane="then"), old[1]]

    assert [each.key for each in compare((old, {}), (into, {})).moved] == ["a"]
    assert not compare((old, {}), (before, {})).moved


def test_inputs_are_compared_one_by_one():
    old = {"inputs": [{"key": "a", "type": "text"}, {"key": "b", "type": "text"}]}
    new = {"inputs": [{"key": "b", "type": "number"}, {"key": "c", "type": "text"}], "deadline_s": 60}

    found = compare(([], old), ([], new))

    assert [each["key"] for each in found.inputs_added] == ["c"]
    assert [each["key"] for each in found.inputs_removed] == ["a"]
    assert [(each.key, each.changes[0].path) for each in found.inputs_changed] == [("b", ("type",))]
    assert [change.path for change in found.settings] == [("deadline_s",)]


def test_settings_that_a_file_left_out_are_told_one_by_one_and_not_where_they_are_the_usual_ones(app):
    bare = {each: value for each, value in step("a", "email", to="x@example.com").items() if each not in ("retry", "timeout_s")}
    usual = {**bare, "retry": {"attempts": 3, "on": ["transient", "timeout"]}, "timeout_s": 30}

    with app.test_request_context():
        assert not words.steps_of(compare(([bare], {}), ([usual], {})))
        found = words.steps_of(compare(([bare], {}), ([{**usual, "retry": {"attempts": 5}}], {})))
    assert [(str(line.label), line.old, line.new) for line in found[0].lines] == [("Attempts", None, "5")]


def test_what_a_new_step_is_set_to_do_is_told(app):
    with app.test_request_context():
        found = words.steps_of(compare(([], {}), ([step("a", "email", to="x@example.com", body="")], {})))

    assert [(str(line.label), line.old, line.new) for line in found[0].lines] == [("To", None, "x@example.com")]


def test_kinds_of_steps_are_told_as_they_are_called_and_one_that_is_no_more_by_its_code(app):
    with app.test_request_context():
        found = words.steps_of(compare(([step("a", "notification")], {}), ([step("a", "fax_machine")], {})))

    assert [(line.old, line.new) for line in found[0].lines if str(line.label) == "Kind of step"] == [("Notification", "fax_machine")]

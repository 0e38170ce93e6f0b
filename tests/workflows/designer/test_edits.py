"""Whatever edits are made in whatever order, the flow stays whole: every step in one place, conditions before their lanes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.errors import NotFound
from portal.workflows import checks, definition
from portal.workflows.designer import edits
from portal.workflows.designer.edits import Place

KINDS = ("email", "set", "condition")
wishes = st.lists(
    st.tuples(st.sampled_from(["add", "add", "move", "up", "down", "delete"]), st.integers(0, 999), st.integers(0, 999)), max_size=30
)


def node(kind, key=""):
    return {"key": key, "kind": kind, "name": kind, "name_ar": None, "config": {}, "retry": {"attempts": 3}, "timeout_s": 30}


def flow(*wanted):
    """Build steps from `key` or `key@parent.lane`; keys that begin with `if` are conditions."""
    nodes = []
    for text in wanted:
        key, _at, line = text.partition("@")
        parent, _dot, lane = line.partition(".")
        nodes.append({**node("condition" if key.startswith("if") else "set", key), "parent": parent or None, "lane": lane or None})
    return nodes


def keys(nodes):
    return [each["key"] + (f"@{each['parent']}.{each['lane']}" if each["parent"] else "") for each in nodes]


def obey(nodes, wish, first, second):
    if wish == "add" or not nodes:
        place = pick(edits.places(nodes), second)
        kind = pick(KINDS, first)
        return edits.insert(nodes, node(kind, edits.new_key(nodes, kind)), place)
    key = pick(nodes, first)["key"]
    if wish == "move":
        return edits.move(nodes, key, pick(edits.places(nodes, without=key), second))
    if wish == "delete":
        return edits.delete(nodes, key)
    return edits.shift(nodes, key, -1 if wish == "up" else 1)


def pick(choices, number):
    return choices[number % len(choices)]


def assert_whole(nodes):
    places = [problem for problem in checks.check(nodes, {"inputs": []}, dict.fromkeys(KINDS, ())) if problem.step]
    assert not places
    assert nodes == list(edits.flat(edits.lines_of(nodes))), "not in reading order"
    cards = list(edits.every_card(edits.tree(nodes)))
    assert [card.key for card in cards] == [each["key"] for each in nodes]
    assert [card.number for card in cards] == list(range(1, len(nodes) + 1))
    assert [edits.place_of(nodes, card.key) for card in cards] == [card.place for card in cards]
    assert len({edge["target"] for edge in definition.edges_of(nodes)}) == max(0, len(nodes) - 1), "a step is not reached"


@given(wishes)
@settings(max_examples=150, deadline=None)
def test_any_edits_keep_the_flow_whole(history):
    nodes = []
    for wish in history:
        before = nodes
        nodes = obey(nodes, *wish)
        assert before is not nodes or wish[0] in ("up", "down")
        assert_whole(nodes)


@given(wishes, st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_down_and_up_again_is_where_it_was(history, which):
    nodes = []
    for wish in history:
        nodes = obey(nodes, *wish)
    if nodes:
        key = pick(nodes, which)["key"]
        moved = edits.shift(nodes, key, 1)
        assert moved is nodes or edits.shift(moved, key, -1) == nodes


def test_moving_down_goes_through_the_lanes():
    nodes = flow("a", "if", "b@if.then", "c")

    seen = []
    for _each in range(5):
        nodes = edits.shift(nodes, "a", 1)
        seen.append(keys(nodes))

    assert seen == [
        ["if", "a@if.then", "b@if.then", "c"],
        ["if", "b@if.then", "a@if.then", "c"],
        ["if", "b@if.then", "a@if.else", "c"],
        ["if", "b@if.then", "a", "c"],
        ["if", "b@if.then", "c", "a"],
    ]


def test_a_condition_takes_its_lanes_along():
    nodes = flow("a", "if", "b@if.then", "c@if.else")

    assert keys(edits.move(nodes, "if", Place())) == ["if", "b@if.then", "c@if.else", "a"]
    assert keys(edits.delete(nodes, "if")) == ["a"]


@pytest.mark.parametrize(
    "place", [Place("if", "then"), Place("a", "then"), Place(None, None, "gone"), Place("if", "maybe"), Place(None, None, "if")], ids=str
)
def test_a_step_cannot_go_into_itself_or_nowhere(place):
    with pytest.raises(NotFound):
        edits.move(flow("a", "if", "b@if.then"), "if", place)


def test_an_unknown_step_is_refused():
    for edit in (edits.delete, edits.place_of, edits.find):
        with pytest.raises(NotFound):
            edit(flow("a"), "b")


def test_keys_count_up_from_the_kind():
    assert edits.new_key([], "email") == "email"
    assert edits.new_key([{"key": "email"}, {"key": "email_2"}], "email") == "email_3"


@pytest.mark.parametrize(("gone", "focus"), [("a", "if"), ("b", "c"), ("c", "b"), ("d", "if"), ("only", "if")])
def test_the_focus_goes_beside_a_deleted_step(gone, focus):
    nodes = flow("a", "if", "b@if.then", "c@if.then", "only@if.else", "d")

    assert edits.beside(nodes, gone) == focus


def test_values_come_from_steps_that_have_surely_ended():
    nodes = flow("a", "if", "b@if.then", "c@if.then", "d@if.else", "e")

    assert [each["key"] for each in edits.surely_before(nodes, "c")] == ["a", "if", "b"]
    assert [each["key"] for each in edits.surely_before(nodes, "d")] == ["a", "if"]
    assert [each["key"] for each in edits.surely_before(nodes, "e")] == ["a", "if"]


def test_a_step_that_lost_its_place_is_shown_and_can_be_moved():
    nodes = [*flow("a"), {**flow("b@gone.then")[0]}]

    assert [card.key for card in edits.tree(nodes)] == ["a", "b"]
    assert keys(edits.move(nodes, "b", Place())) == ["b", "a"]

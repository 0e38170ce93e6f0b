"""Several steps at once: whatever is chosen, the flow stays whole, copies have keys of their own and speak of themselves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.errors import NotFound
from portal.workflows import expressions
from portal.workflows.actions.registry import FIELDS
from portal.workflows.designer import clips, edits, several
from portal.workflows.designer.clips import ClipRefused
from portal.workflows.designer.edits import Place
from tests.workflows.designer.test_edits import assert_whole, flow, keys, obey, pick, wishes

numbers = st.lists(st.integers(0, 999), min_size=1, max_size=6)


def grown(history):
    nodes = []
    for wish in history:
        nodes = obey(nodes, *wish)
    return nodes


@given(wishes, numbers, st.sampled_from(["move", "up", "down", "delete", "duplicate", "paste"]), st.integers(0, 999))
@settings(max_examples=200, deadline=None)
def test_whatever_is_chosen_the_flow_stays_whole(history, which, verb, where):
    nodes = grown(history)
    if not nodes:
        return
    chosen = [pick(nodes, number)["key"] for number in which]
    part = several.part_of(nodes, chosen)
    if verb == "move":
        free = list(edits.places_in(several.without(nodes, several.tops(nodes, chosen))))
        after = several.move(nodes, chosen, pick(free, where))
    elif verb in ("up", "down"):
        after = several.shift(nodes, chosen, -1 if verb == "up" else 1)
    elif verb == "delete":
        after = several.delete(nodes, chosen)
    elif verb == "duplicate":
        after, _on_top = several.duplicate(nodes, chosen, FIELDS)
    else:
        after, _on_top = several.paste(nodes, part, pick(edits.places(nodes), where), FIELDS)
    assert_whole(after)
    before = {node["key"] for node in nodes}
    now = {node["key"] for node in after}
    if verb == "delete":
        assert now == before - {node["key"] for node in part}
    elif verb in ("duplicate", "paste"):
        assert before < now and len(after) == len(nodes) + len(part)
        assert [node for node in after if node["key"] in before] == nodes, "what was there stays as it was"
        fresh = [node for node in after if node["key"] not in before]
        assert [node["kind"] for node in fresh] == [node["kind"] for node in part]
        assert [node["lane"] for node in fresh if node["parent"] not in before and node["parent"]] == [
            node["lane"] for node in part if node["parent"]
        ]
    else:
        assert now == before
        shape = {node["key"]: (node["parent"], node["lane"]) for node in part if node["parent"]}
        assert {node["key"]: (node["parent"], node["lane"]) for node in after if node["key"] in shape} == shape, "lanes are kept"


@given(wishes, st.integers(0, 999), st.integers(0, 999))
@settings(max_examples=80, deadline=None)
def test_one_chosen_step_moves_as_it_does_alone(history, which, where):
    nodes = grown(history)
    if nodes:
        key = pick(nodes, which)["key"]
        place = pick(edits.places(nodes, without=key), where)
        assert several.move(nodes, [key], place) == edits.move(nodes, key, place)
        assert several.shift(nodes, [key], 1) == edits.shift(nodes, key, 1)
        assert several.delete(nodes, [key]) == edits.delete(nodes, key)


def test_a_parent_and_its_child_are_handled_once():
    nodes = flow("a", "if", "b@if.then", "c@if.else", "d")

    assert [node["key"] for node in several.tops(nodes, ["b", "if"])] == ["if"]
    assert keys(several.delete(nodes, ["b", "if"])) == ["a", "d"]
    assert keys(several.move(nodes, ["c", "if", "d"], Place())) == ["if", "b@if.then", "c@if.else", "d", "a"]
    assert keys(several.duplicate(nodes, ["if", "b"], FIELDS)[0]) == [
        "a", "if", "b@if.then", "c@if.else", "condition", "set@condition.then", "set_2@condition.else", "d",
    ]  # fmt: skip


def test_a_place_behind_a_chosen_step_is_behind_what_stays():
    nodes = flow("a", "b", "c", "d")

    assert keys(several.move(nodes, ["b", "d"], Place(None, None, "b"))) == ["a", "b", "d", "c"]
    with pytest.raises(NotFound):
        several.move(flow("if", "a@if.then"), ["if"], Place("if", "then"))
    with pytest.raises(NotFound):
        several.move(nodes, ["a", "nobody"], Place())


def test_what_copies_say_of_each_other_is_said_of_the_copies():
    nodes = flow("ask", "say", "back")
    nodes[0]["config"] = {"values": [{"name": "x", "value": "${ input.days }"}]}
    nodes[1]["config"] = {"values": [{"name": "steps.ask", "value": "${ steps.ask.x + steps['ask'].x } of “steps.ask” ${ steps.other.y }"}]}
    nodes[2] = {**nodes[2], "kind": "goto", "config": {"to": "ask"}}

    made, on_top = several.paste([], several.part_of(nodes, ["ask", "say", "back"]), Place(), FIELDS)
    again, more = several.paste(made, made, Place(None, None, "back"), FIELDS)

    assert on_top == ["ask", "say", "back"] and made[1]["config"] == nodes[1]["config"]
    assert more == ["set", "set_2", "goto"]
    copied = {node["key"]: node["config"] for node in again if node["key"] in more}
    assert copied["set_2"] == {
        "values": [{"name": "steps.ask", "value": "${ steps.set.x + steps['set'].x } of “steps.ask” ${ steps.other.y }"}]
    }
    assert copied["goto"] == {"to": "set"}


def test_a_copy_is_numbered_where_the_name_is_taken():
    nodes = [{**node, "name": "Tell", "name_ar": "إخبار"} for node in flow("a")]

    twice = several.duplicate(several.duplicate(nodes, ["a"], FIELDS)[0], ["a"], FIELDS)[0]

    assert sorted((node["name"], node["name_ar"]) for node in twice) == [("Tell", "إخبار"), ("Tell 2", "إخبار 2"), ("Tell 3", "إخبار 3")]


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("steps.a.x", "steps.b.x"), ("steps . a", "steps . b"), ('steps["a"].x + "steps.a"', 'steps["b"].x + "steps.a"'), ("steps.a_2", "steps.a_2"),
        ("steps.ab", "steps.ab"), ("input.steps.a", "input.steps.a"), ("mysteps.a", "mysteps.a"), ("'it''s steps.a' + steps.a", "'it''s steps.a' + steps.b"),
        ("r'\\' + steps.a", "r'\\' + steps.b"), ("steps['a'] // steps.a\n + steps.a", "steps['b'] // steps.a\n + steps.b"),
    ],
)  # fmt: skip
def test_only_steps_are_renamed_in_expressions(text, renamed):
    assert expressions.rename_steps(text, {"a": "b"}, is_bare=True) == renamed
    assert (
        expressions.rename_steps(f"steps.a $${{ steps.a }} ${{ {text} }} ${{ open", {"a": "b"})
        == f"steps.a $${{ steps.a }} ${{ {renamed} }} ${{ open"
    )


def test_a_clip_comes_back_as_it_was_copied():
    nodes = flow("if", "a@if.then", "b@if.else", "c")
    nodes[0]["config"] = {"when": "input.days > 5"}
    nodes[1]["config"] = {"values": [{"name": "x", "value": "${ input.days }"}]}
    nodes = [{**node, "name_ar": "خطوة", "note": "Why\nit is so", "undo": True, "on_error": "continue", "sensitive": []} for node in nodes]

    assert clips.read(clips.write(nodes)) == nodes


@pytest.mark.parametrize(
    "text",
    [
        "hello", "{}", "[1]", '{"nasij":"steps"}', '{"nasij":"steps","steps":[]}', '{"nasij":"steps","steps":[1]}', "[" * 100_000,
        '{"nasij":"steps","steps":[{"key":"a","kind":"rocket"}]}', '{"nasij":"steps","steps":[{"key":"A b","kind":"set"}]}',
        '{"nasij":"steps","steps":[{"key":"a","kind":"set"},{"key":"a","kind":"set"}]}', "x" * 1_000_001,
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_rubbish_is_refused_with_a_sentence(text):
    with pytest.raises(ClipRefused) as refused:
        clips.read(text)
    assert str(refused.value).endswith(".")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8
)  # fmt: skip


@given(st.sampled_from(sorted(FIELDS)), st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_a_pasted_setting_holds_the_check_and_the_cards_can_read_it(kind, data):
    import json

    from portal.workflows import checks
    from portal.workflows.designer.flow import draft_tree

    config = {field.name: data.draw(plain) for field in FIELDS[kind]}
    given = {
        "key": "a",
        "kind": kind,
        **{name: data.draw(plain) for name in ("name", "retry", "timeout_s", "note", "undo", "sensitive", "lane")},
    }
    nodes = clips.read(json.dumps({"nasij": "steps", "steps": [{**given, "config": config}]}))

    draft_tree(nodes, checks.check(nodes, {"inputs": []}, FIELDS))

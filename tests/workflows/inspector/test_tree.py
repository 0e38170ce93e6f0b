"""The picker's tree from odd values, and what CEL says of its paths."""

from __future__ import annotations

import json

import pytest

from portal.workflows.expressions import compile_template
from portal.workflows.inspector import functions, tree

ODD = {
    "plain": 1,
    "in": "a word of CEL",
    "with space": True,
    'quo"te': None,
    "ر": "عربي",
    "": "no name",
    "list": [{"id": 7, "tags": ["a", "b"]}, {"id": 8}],
    "empty_list": [],
    "empty_group": {},
    "deep": {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}},
}


def every(values):
    for each in values:
        yield each
        yield from every(each.parts)


def test_every_path_of_the_tree_is_an_expression_that_gives_its_sample():
    found = list(every(tree.values_in("steps.a", ODD, ())))
    context = {"input": {}, "run": {}, "steps": {"a": ODD}}

    assert len(found) > 15
    for each in found:
        value = compile_template(f"${{ {each.path} }}").evaluate(context)
        assert tree.kind_of(value) == each.kind, each.path
        if not each.parts and each.kind not in ("list", "group"):
            assert each.sample == tree.short(value)


def test_lists_show_their_first_value_and_long_things_are_cut():
    rows = {
        each.path: each
        for each in every(tree.values_in("x", {"list": [{"t": "y" * 500}] * 9, "many": dict.fromkeys(map(str, range(99)), 1)}, ()))
    }

    assert (rows["x.list"].count, [each.path for each in rows["x.list"].parts]) == (9, ["x.list[0]"])
    assert rows["x.list[0].t"].sample == "y" * tree.LONGEST + "…"
    assert (len(rows["x.many"].parts), rows["x.many"].more) == (tree.MAX_PARTS, 99 - tree.MAX_PARTS)


def test_what_is_declared_comes_first_and_stays_where_there_is_no_sample():
    labels = [("status", "Status"), ("body", "Body")]

    assert [(each.path, each.label, each.sample) for each in tree.values_in("steps.a", None, labels)] == [
        ("steps.a.status", "Status", None),
        ("steps.a.body", "Body", None),
    ]
    assert [(each.name, each.label, each.sample) for each in tree.values_in("steps.a", {"more": 1, "status": 200}, labels)] == [
        ("status", "Status", "200"),
        ("body", "Body", None),
        ("more", None, "1"),
    ]


def test_a_tree_is_bounded():
    wide = {str(a): {str(b): {str(c): c for c in range(30)} for b in range(30)} for a in range(30)}

    assert len(list(every(tree.values_in("x", wide, ())))) <= tree.MAX_NODES + tree.MAX_PARTS


@pytest.mark.parametrize(("name", "is_behind", "_help", "example"), functions.FUNCTIONS, ids=[each[0] for each in functions.FUNCTIONS])
def test_each_function_that_is_offered_is_there(name, is_behind, _help, example):
    value = compile_template(f"${{ {example} }}").evaluate({"input": {}, "steps": {}, "run": {}})

    assert name.rstrip(")") in example
    assert json.dumps(value) is not None
    assert (f".{name.rstrip(')')}" in example) is is_behind

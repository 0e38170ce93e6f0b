"""Code of n8n that only gives fields becomes a step that gives the same; all other code is kept, and nothing is ever carried out."""

from __future__ import annotations

import itertools
import json

import pytest

from portal.workflows.exchange import service
from portal.workflows.exchange.n8n.javascript import LONGEST


def node(name, kind, version=1, **parameters):
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "parameters": parameters,
    }


def imported(source, *, many=False, kind="code", **more):
    """Import `split or set → code`; `many` lets a list come to it."""
    before = (
        node("Before", "splitOut", fieldToSplitOut="rows")
        if many
        else node("Before", "set", 3.4, assignments={"assignments": [{"name": "a", "value": "1", "type": "string"}]})
    )
    names = ["Start", "Before", "Code"]
    nodes = [
        node("Start", "manualTrigger"),
        before,
        node("Code", kind, 2, **{"functionCode" if kind == "function" else "jsCode": source}, **more),
    ]
    wires = {one: {"main": [[{"node": two, "type": "main", "index": 0}]]} for one, two in itertools.pairwise(names)}
    (found,) = service.read(json.dumps({"name": "x", "nodes": nodes, "connections": wires}).encode())
    line = next(each for each in found.report.lines if each.name == "Code")
    step = next((each for each in found.steps if each["key"] == "code"), None)
    return step, [code for code, _about in line.words]


def pairs(step):
    return {each["name"]: each["value"] for each in step["config"].get("values") or step["config"]["fields"]}


@pytest.mark.parametrize(
    "source",
    [
        "return items.map(item => ({ json: { full: item.json.first + ' ' + item.json.last, n: 2 } }));",
        "const rows = $input.all();\nreturn rows.map((r) => ({json: {full: `${r.json.first} ${r.json.last}`, n: 2}}))",
        "// give the names\n/* and a number */ return $input.all().map((item) => { return { json: { 'full': item.json.first + ' ' + item.json.last, n: 2, } }; });",
    ],
)
def test_each_item_with_other_fields_is_a_transform(source):
    step, words = imported(source, many=True)

    assert (step["kind"], words) == ("transform", ["code_turned"])
    assert step["config"]["list"] == "steps.before.items"
    fields = pairs(step)
    assert fields["n"] == "2" and "item.first" in fields["full"] and "item.last" in fields["full"] and '" "' in fields["full"]
    assert step["note"] == source


@pytest.mark.parametrize("many", [True, False])
def test_a_node_that_runs_for_each_item(many):
    step, words = imported("return { json: { big: $json.a > 3, b: $input.item.json.a ?? 'none' } };", many=many, mode="runOnceForEachItem")

    assert words[0] == "code_turned" and set(pairs(step)) == {"big", "b"}
    assert step["kind"] == ("transform" if many else "set")


def test_one_item_is_a_step_that_sets():
    step, words = imported("return [{ json: { total: 12, name: $input.first().json.a } }];", many=True)

    assert (step["kind"], words) == ("set", ["code_turned"])
    assert pairs(step)["total"] == "${ 12 }" and "steps.before.items[0]" in pairs(step)["name"]


@pytest.mark.parametrize("source", ["return items;", "return $input.all();", "const all = $input.all();\nreturn all"])
def test_what_gives_on_what_came_is_no_step(source):
    assert imported(source) == (None, ["code_passes", "no_step"])


@pytest.mark.parametrize(
    "source",
    [
        "",
        "return\n[{json: {a: 1}}]",  # JavaScript gives nothing here
        "return [{json: {a: fetch('https://evil.example')}}]",
        "return items.map(item => ({json: {a: eval('1')}}));",
        "return items.map(item => ({json: {...item.json, a: 1}}));",
        "return items.map(item => ({json: {a: item}}));",
        "return items.map((item, index) => ({json: {a: index}}));",
        "return items.map(item => ({json: item.json}));",
        "return others.map(item => ({json: {a: item.json.a}}));",
        "return items.filter(item => item.json.a);",
        "return [{json: {a: 1}}, {json: {a: 2}}];",
        "return [{json: {a: 1}, binary: {}}];",
        "return [{json: {a: 1, a: 2}}];",
        "return [{json: {}}];",
        "items[0].json.a = 1;\nreturn items;",
        "for (const item of items) { item.json.a = 1 }\nreturn items;",
        "const x = $input.all(); x.pop();\nreturn x;",
        "return [{json: {a: this.constructor.constructor('return process')()}}];",
        "return [{json: {a: {b: 1}}}];",
        "return [{json: {a: /x/.test('x')}}];",
        "return [{json: {a: " + "(" * 60 + "1" + ")" * 60 + "}}];",
        "return [{json: {a: 1" + " " * LONGEST + "}}];",
    ],
)
def test_all_other_code_is_a_note(source):
    step, words = imported(source, many=True)

    assert (step["kind"], words) == ("group", ["code"])
    assert step.get("note", "") == source[: len(step.get("note", ""))]


def test_other_languages_and_old_nodes():
    assert imported("return items", language="python")[1] == ["code"]
    assert imported("return item;", kind="functionItem")[1] == ["code"]
    assert imported("return items.map(i => ({json: {a: i.json.a}}));", kind="function", many=True)[0]["kind"] == "transform"


def test_what_looks_like_a_secret_is_left_out_of_the_step():
    step, words = imported("return [{json: {api_key: 'sk_live_51HcanaryZZZZcanaryZZZZ', a: 1}}];")

    assert "secret" in words and "canary" not in json.dumps(step["config"])

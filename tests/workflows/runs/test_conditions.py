"""Conditions on values of runs: how they are written, and that SQL finds exactly the runs that they mean."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from portal.core import db
from portal.workflows import conditions, list_queries, redaction
from portal.workflows.conditions import Refused, made, read
from portal.workflows.list_queries import RunFilter
from portal.workflows.runs.trees import below, grow
from tests.workflows.engine.conftest import step, values
from tests.workflows.history.test_payloads import BIG, start


@pytest.mark.parametrize(
    ("written", "root", "key", "parts"),
    [
        ("input.amount gt 100", "input", "", ("amount",)),
        ("input exists", "input", "", ()),
        ("output.total is 3", "output", "", ("total",)),
        ("steps.first.id is x", "step_output", "first", ("id",)),
        ("steps.first.output.id is x", "step_output", "first", ("id",)),
        ("steps.first.output.output is x", "step_output", "first", ("output",)),
        ("steps.first.input.to is x", "step_input", "first", ("to",)),
        ('steps.first.rows[2]["a b"] contains y z', "step_output", "first", ("rows", 2, "a b")),
        ("input.المبلغ is ٣", "input", "", ("المبلغ",)),
    ],
)
def test_a_condition_is_read_and_written_the_same_way(written, root, key, parts):
    found = read(written)
    assert (found.root, found.step, found.parts) == (root, key, parts)
    assert str(found) == written and read(str(found)) == found


@pytest.mark.parametrize(
    ("path", "op", "value", "field"),
    [
        ("", "is", "x", "path"), ("amount", "is", "x", "path"), ("input..a", "is", "x", "path"), ("input.a[", "is", "x", "path"),
        ("steps", "is", "x", "path"), ("steps.First.a", "is", "x", "path"), ("input.a[-1]", "is", "x", "path"), ("input.$sealed", "is", "x", "path"),
        ('input["$sealed"]', "is", "x", "path"), ('input["\\ud800"]', "is", "x", "path"), ('input["a', "is", "x", "path"), ("input." + "a" * 300, "is", "x", "path"),
        ("input" + ".a" * 13, "is", "x", "path"), ("input.a b", "is", "x", "path"), ("input.a", "like", "x", "op"), ("input.a", "is", "", "value"), ("input.a", "gt", "many", "value"),
        ("input.a", "is", "x" * 201, "value"), ("input.a", "is", "a\x00b", "value"), ("input.a", "lt", '"5"', "value"), ("input.a'; drop table x", "is", "1", "path"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_by_its_field(path, op, value, field):
    with pytest.raises(Refused) as refused:
        made(path, op, value)
    assert refused.value.field == field


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_refused(given_text):
    try:
        found = read(given_text)
    except Refused:
        return
    assert read(str(found)) == found


GONE = object()


def found_at(value, parts):
    for part in parts:
        if isinstance(value, dict):
            value = value.get(str(part), GONE)
        elif isinstance(value, list) and re.fullmatch(r"\d+", str(part)) and int(part) < len(value):
            value = value[int(part)]
        else:
            return GONE
    return value


def meets(value, condition, *, root):
    """The oracle: what a condition says of a value, in Python."""
    value = found_at(value, condition.parts)
    is_kept = isinstance(root, dict) and "$payload" in root
    if value is GONE or is_kept or (isinstance(value, dict) and "$sealed" in value):
        return False
    if condition.op == "exists":
        return value is not None
    if condition.op in ("gt", "lt"):
        return is_beyond(value, condition)
    if condition.op == "is":
        return is_one(value, condition)
    if condition.op == "is_not":
        return (value is not None or condition.word == (None,)) and not is_one(value, condition)
    if isinstance(value, list):
        return any(is_one(each, condition) for each in value)
    return isinstance(value, str) and condition.text.lower() in value.lower()


def is_beyond(value, condition):
    if condition.day is not None:
        if not isinstance(value, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return False
        one, other = value[:10], condition.day
    else:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        one, other = Decimal(repr(value)), condition.number
    return one > other if condition.op == "gt" else one < other


def is_one(value, condition):
    if isinstance(value, str):
        return value == condition.text
    if isinstance(value, bool) or value is None:
        return condition.word == (value,)
    if isinstance(value, int | float):
        return condition.number is not None and Decimal(repr(value)) == condition.number
    return False


WORDS = st.sampled_from(
    ["a", "A b", "10", "10.0", "-3", "true", "null", "2026-11-29", "2026-11-29T10:00:00Z", "٣", "غير", "%", "_", "'", '"', "\\", "$payload", "x" * 50, "ÄÖ", "0", "007"]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.integers(-20, 20), st.sampled_from([0.5, 10.0, 1e6, 10**18]), st.booleans(), st.none())
SEALED = st.just({"$sealed": "YWJj"})
NAMES = st.sampled_from(["a", "b", "0", "a b", "$payload", "size", "'", "غير"])
VALUES = st.recursive(
    st.one_of(SCALARS, SEALED),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
PARTS = st.lists(st.one_of(NAMES.filter(lambda each: not each.startswith("$")), st.integers(0, 3)), max_size=3)


@pytest.fixture
def planted(app, tenant, engine):
    """A run of which the test sets the values."""
    return engine.start(engine.publish(step("only", "set", **values(x="1")), inputs=("a",)))


def write(session, run_id, value):
    session.execute(
        text("update workflow_executions set input_data = cast(:v as jsonb) where id = :id"), {"v": json.dumps({"a": value}), "id": run_id}
    )
    session.execute(
        text("update workflow_steps set output = cast(:v as jsonb) where execution_id = :id"), {"v": json.dumps(value), "id": run_id}
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES, parts=PARTS, op=st.sampled_from(conditions.OPERATORS), wanted=WORDS, quoted=st.booleans())
def test_sql_finds_what_python_finds(app, tenant, planted, value, parts, op, wanted, quoted):
    path = ""
    for part in parts:
        path = below(path, part)
    wanted = json.dumps(wanted, ensure_ascii=False) if quoted else wanted
    try:
        of_input, of_step = made(f"input.a{path}", op, wanted), made(f"steps.only.output{path}", op, wanted)
    except Refused:
        return
    with db.transaction(tenant.id) as session:
        write(session, planted, value)
        found = [list_queries.count_runs(tenant.id, wanted=RunFilter(values=(each,))) == 1 for each in (of_input, of_step)]
        session.rollback()

    root = {"a": value}
    expected = [meets(root, of_input, root=root), meets(value, of_step, root=value)]
    assert found == expected, (value, str(of_input), str(of_step))


@pytest.mark.parametrize(
    "condition", ["input.secret exists", "input.secret is_not x", "input.secret contains a", "input.secret is hush-5502"]
)
def test_a_sealed_value_never_matches(app, tenant, planted, condition):
    with db.transaction(tenant.id) as session:
        sealed = redaction.sealed(tenant.id, "hush-5502")
        session.execute(
            text("update workflow_executions set input_data = cast(:v as jsonb) where id = :id"),
            {"v": json.dumps({"secret": sealed}), "id": planted},
        )
        assert list_queries.count_runs(tenant.id, wanted=RunFilter(values=(read(condition),))) == 0


def test_a_value_that_is_kept_apart_is_not_looked_into(app, tenant, engine):
    workflow = engine.publish(step("only", "set", **values(x="${ input.given }")), inputs=("given",))
    run_id = start(engine, workflow, BIG)
    engine.pump()
    assert engine.run(run_id).status == "succeeded" and "$payload" in engine.outputs(run_id)["only"]

    with db.transaction(tenant.id):
        for condition in ("input.size gt 1", "input exists", "input.given exists", "steps.only exists", "steps.only.size gt 1"):
            assert list_queries.count_runs(tenant.id, wanted=RunFilter(values=(read(condition),))) == 0, condition


def test_the_runs_of_others_never_match(app, tenant, other_tenant, planted):
    with db.transaction(other_tenant.id):
        assert list_queries.count_runs(other_tenant.id, wanted=RunFilter(values=(read("input exists"),))) == 0


def test_every_path_of_a_tree_can_be_searched_by():
    tree = grow({"a": 1, "a b": [{"x": 2}], 'q"': None, "غير": {}, "0": 1}, "steps.first")
    paths = [part.path for part in walk(tree.root)]
    assert "steps.first" in paths and 'steps.first["a b"][0].x' in paths
    for path in paths:
        assert made(path, "exists", "").step == "first"


def walk(part):
    yield part
    for each in part.parts:
        yield from walk(each)


def test_a_tree_is_cut_and_says_so():
    tree = grow({f"n{i}": i for i in range(1_000)}, "output")
    assert tree.is_cut and len(tree.root.parts) < 300 and tree.root.is_cut
    assert not grow({"a": [1, 2]}, "output").is_cut
    deep = value = {}
    for _ in range(40):
        value["x"] = value = {}
    assert grow(deep, "output").is_cut

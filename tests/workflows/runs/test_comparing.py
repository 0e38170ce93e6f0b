"""Two runs of a workflow side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.ids import new_id
from portal.workflows.runs import comparing
from portal.workflows.runs.comparing import Side
from tests.workflows.engine.conftest import step, values

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text("ab", max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("ab .", min_size=1, max_size=2), inner, max_size=3)),
    max_leaves=8,
)


@given(JSON)
def test_a_value_does_not_differ_from_itself(value):
    assert list(comparing.fields(value, value, "input")) == []


@given(JSON, JSON)
def test_what_differs_is_named_on_both_sides_alike(old, new):
    there, back = list(comparing.fields(old, new, "input")), list(comparing.fields(new, old, "input"))
    assert {(each.path, each.old, each.new) for each in there} == {(each.path, each.new, each.old) for each in back}
    assert bool(there) == (strict(old) != strict(new))


def strict(value):
    """Python holds true and 1 for equal, JSON does not."""
    if isinstance(value, dict):
        return {key: strict(each) for key, each in value.items()}
    return [strict(each) for each in value] if isinstance(value, list) else (type(value).__name__, value)


def test_fields_are_named_by_their_paths():
    old, new = {"a": [1, {"b c": 2}], "gone": 1}, {"a": [1, {"b c": 3}, 4], "more": None}
    assert [(each.path, each.old, each.new) for each in comparing.fields(old, new, "steps.x")] == [
        ('steps.x.a[1]["b c"]', "2", "3"), ("steps.x.a[2]", None, "4"), ("steps.x.gone", "1", None), ("steps.x.more", None, "null"),
    ]  # fmt: skip


def test_a_step_that_was_passed_over_is_as_one_that_was_never_reached():
    (pair,) = comparing.pair_up(["a"], {"a": Side("skipped")}, {})
    assert pair.is_same and not pair.other_way
    (pair,) = comparing.pair_up(["a"], {"a": Side("skipped")}, {"a": Side("succeeded", "out", 5, 1)})
    assert pair.other_way and pair.delta_ms is None


def test_a_step_that_was_taken_over_differs_by_what_it_gave_alone():
    ran = Side("succeeded", "next", 9, 1, 1, {"x": "1"}, {"x": "1"})
    taken = Side("succeeded", "next", 0, 1, 0, None, {"x": "1"})

    (pair,) = comparing.pair_up(["a"], {"a": ran}, {"a": taken})
    assert pair.is_same
    (pair,) = comparing.pair_up(["a"], {"a": ran}, {"a": replace(taken, output={"x": "2"})})
    assert [each.path for each in pair.fields] == ["steps.a.x"]


@pytest.fixture
def two(engine):
    """Two runs of one workflow that went different ways."""
    workflow = engine.publish(
        step("check", "condition", when='input.who == "big"'),
        step("yes", "set", parent="check", lane="then", **values(x="1")),
        step("no", "set", parent="check", lane="else", **values(x="2")),
        step("last", "set", **values(who="${ input.who }", same="s")),
        inputs=("who",),
    )
    return workflow, engine.go(workflow, who="big"), engine.go(workflow, who="small")


def values_of(page, side):
    return page.text_of(f"body//tr/td[{side}]/bdi[@class='value']")


def test_the_page_says_which_way_each_took_and_what_differs(two, as_role):
    _workflow, one, other = two
    page = as_role("owner").get(f"/runs/{one.id}/compare/{other.id}")

    assert page.text.count("Went another way") == 3  # the fork and both lanes
    fork = next(each for each in page.text_of("body//tr") if each.startswith("check"))
    assert fork.index("Yes") < fork.index("No"), "each side names the lane that it took"
    assert "steps.last.who" in page.text and "steps.last.same" not in page.text
    assert set(values_of(page, 1)) == {"big", "true"} and set(values_of(page, 2)) == {"small", "false"}
    assert f"/runs/{other.id}/compare/{one.id}" in page.text


def test_the_sides_can_be_swapped(two, as_role):
    _workflow, one, other = two
    page = as_role("owner").get(f"/runs/{other.id}/compare/{one.id}")
    assert set(values_of(page, 1)) == {"small", "false"} and set(values_of(page, 2)) == {"big", "true"}


def test_a_run_differs_from_itself_in_nothing(two, as_role):
    _workflow, one, _other = two
    page = as_role("owner").get(f"/runs/{one.id}/compare/{one.id}")
    assert "Both went the same way" in page.text and values_of(page, 1) == []


def test_steps_of_the_same_name_are_told_apart_by_their_lanes(engine, as_role):
    workflow = engine.publish(
        step("check", "condition", when='input.who == "big"'),
        {**step("yes", "set", parent="check", lane="then", **values(x="1")), "name": "Tell them"},
        {**step("no", "set", parent="check", lane="else", **values(x="2")), "name": "Tell them"},
        {**step("last", "set", parent="check", lane="else", **values(x="2")), "name": "Only this"},
        inputs=("who",),
    )
    one, other = engine.go(workflow, who="big"), engine.go(workflow, who="small")
    owner = as_role("owner")

    for path in (f"/runs/{one.id}/compare/{other.id}", f"/runs/{one.id}"):
        names = owner.get(path).text_of("body//tr/th[@scope='row']")
        assert {"Tell them Yes", "Tell them No", "Only this"} <= set(names), path


def test_other_versions_are_said_and_led_to(engine, two, as_role):
    workflow, one, _other = two
    engine.publish_again(workflow, [step("check", "set", **values(x="1")), step("fresh", "set", **values(x="1"))])
    newer = engine.go(workflow)
    page = as_role("owner").get(f"/runs/{one.id}/compare/{newer.id}")

    assert f"/workflows/{workflow}/versions/compare?from=1&amp;to=2" in page.text
    assert "fresh" in page.text and "last" in page.text


def test_the_run_leads_to_the_one_before_and_to_the_last_that_succeeded(engine, two, as_role):
    _workflow, one, other = two
    browser = as_role("owner")
    page = browser.get(f"/runs/{other.id}")
    assert f"/runs/{one.id}/compare/{other.id}" in page.text
    assert f"/runs/{other.id}/compare" in page.text

    chosen = browser.get(f"/runs/{other.id}/compare")
    assert f"/runs/{one.id}/compare/{other.id}" in chosen.text
    alone = engine.go(engine.publish(step("a", "set", **values(x="1"))))
    assert "No other run yet" in browser.get(f"/runs/{alone.id}/compare").text


def test_runs_of_other_workflows_and_of_others_are_not_there(engine, two, as_role, stranger):
    _workflow, one, other = two
    elsewhere = engine.go(engine.publish(step("a", "set", **values(x="1"))))
    browser = as_role("owner")
    for pair in ((one.id, elsewhere.id), (one.id, new_id()), (new_id(), one.id)):
        assert browser.get(f"/runs/{pair[0]}/compare/{pair[1]}").status_code == 404
    assert stranger.get(f"/runs/{one.id}/compare/{other.id}").status_code == 404
    assert stranger.get(f"/runs/{one.id}/compare").status_code == 404

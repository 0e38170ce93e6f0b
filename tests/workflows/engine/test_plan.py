"""The planner on its own: edges arrive once, live or dead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.workflows.definition import edges_of
from portal.workflows.engine.plan import Graph, Stand, after


def node(key, kind="set", parent=None, lane=None):
    return {"key": key, "kind": kind, "parent": parent, "lane": lane, "config": {}}


def graph(*nodes):
    return Graph.of(list(nodes), edges_of(list(nodes)))


BRANCHED = (
    node("first"),
    node("check", "condition"),
    node("yes_a", parent="check", lane="then"),
    node("yes_b", parent="check", lane="then"),
    node("no_a", parent="check", lane="else"),
    node("last"),
)


def test_a_chain_goes_on_with_the_next_step():
    following = after(graph(node("a"), node("b")), {"a": Stand("succeeded", "out")}, "a")

    assert (following.begin, following.skip) == (["b"], [])


@pytest.mark.parametrize(
    ("port", "begins", "skips"),
    [("then", ["yes_a"], ["no_a"]), ("else", ["no_a"], ["yes_a", "yes_b"])],
)
def test_a_condition_begins_one_lane_and_skips_the_other(port, begins, skips):
    stands = {"first": Stand("succeeded", "out"), "check": Stand("succeeded", port)}

    following = after(graph(*BRANCHED), stands, "check")

    assert (following.begin, following.skip) == (begins, skips)


def test_an_empty_lane_leads_to_the_step_after_the_condition():
    nodes = (
        node("check", "condition"),
        node("yes", parent="check", lane="then"),
        node("last"),
    )

    following = after(graph(*nodes), {"check": Stand("succeeded", "else")}, "check")

    assert (following.begin, following.skip) == (["last"], ["yes"])


def test_a_step_that_failed_sends_nothing_on():
    assert after(graph(node("a"), node("b")), {"a": Stand("failed", None)}, "a").begin == []


@st.composite
def trees(draw, depth=3):
    nodes = []

    def fill(parent, lane, level):
        for _ in range(draw(st.integers(0 if parent else 1, 3))):
            key = f"n{len(nodes)}"
            is_fork = level < depth and draw(st.booleans())
            nodes.append(node(key, "condition" if is_fork else "set", parent, lane))
            if is_fork:
                fill(key, "then", level + 1)
                fill(key, "else", level + 1)

    fill(None, None, 0)
    return nodes


@given(trees(), st.randoms(use_true_random=False))
def test_every_step_of_any_workflow_ends_once_and_runs_end(nodes, choice):
    plan_graph = graph(*nodes)
    stands = {key: Stand("ready", None) for key in plan_graph.entries()}
    ready, begun = list(stands), list(stands)

    while ready:
        key = ready.pop(choice.randrange(len(ready)))
        port = choice.choice(["then", "else"]) if plan_graph.nodes[key]["kind"] == "condition" else "out"
        stands[key] = Stand("succeeded", port)
        following = after(plan_graph, stands, key)
        assert (
            after(
                plan_graph,
                {
                    **stands,
                    **dict.fromkeys(following.begin + following.skip, Stand("ready", None)),
                },
                key,
            ).begin
            == []
        )
        for each in following.skip:
            stands[each] = Stand("skipped", None)
        for each in following.begin:
            stands[each] = Stand("ready", None)
            begun.append(each)
            ready.append(each)

    assert len(begun) == len(set(begun))
    assert set(stands) == set(plan_graph.nodes)

"""Random programs on the real engine against a tiny interpreter: the same steps, in the same order, with the same end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.workflows.definition import children
from portal.workflows.engine.store import following
from tests.workflows.engine.conftest import step, values

FINE, BAD = values(x="1"), values(x="${ int('no number') }")


class Broken(Exception):
    """A step failed and nothing caught it."""


class Stopped(Exception):
    """A stop ended the run."""


class Interpreter:
    """Says what a program does, one step after another; `trace` is what `Engine.trace` must give."""

    def __init__(self, nodes: list[dict[str, Any]]) -> None:
        self.nodes, self.trace, self.undoable = nodes, [], []

    def run(self) -> str:
        try:
            self.line(None, None, "")
        except Broken:
            for key, scope in reversed(self.undoable):
                self.line(key, "undo", f"{scope}{'/' if scope else ''}{key}:undo")
            return "compensated" if self.undoable else "failed"
        except Stopped as stopped:
            return str(stopped)
        return "succeeded"

    def line(self, parent: str | None, lane: str | None, scope: str) -> None:
        for node in children(self.nodes, parent, lane):
            self.step(node, scope)

    def step(self, node: dict[str, Any], scope: str) -> None:
        key, kind, config = node["key"], node["kind"], node["config"]
        try:
            lane = self.body(node, scope)
        except Broken:
            self.end(key, scope, " failed")
            if node["on_error"] == "fail":
                raise
            if node["on_error"] == "lane":
                self.line(key, "error", scope)
            return
        if kind == "stop":
            self.end(key, scope, "")
            raise Stopped(config["outcome"])
        self.end(key, scope, "")
        if node["undo"]:
            self.undoable.append((key, scope))
        if lane:
            self.line(key, lane, scope)

    def body(self, node: dict[str, Any], scope: str) -> str | None:
        key, kind, config = node["key"], node["kind"], node["config"]
        inside = f"{scope}{'/' if scope else ''}{key}"
        if kind == "set" and config == BAD:
            raise Broken
        if kind == "condition":
            return "then" if config["when"] == "true" else "else"
        if kind == "switch":
            right = [number for number, case in enumerate(config["cases"], 1) if case["value"] == "true"]
            return f"case_{right[0]}" if right else "otherwise"
        if kind == "group":
            self.line(key, "do", f"{inside}:0")
        if kind == "repeat":
            for number in range(config["rounds"]):
                self.line(key, "each", f"{inside}:{number}")
        if kind == "foreach":
            self.items(node, inside)
        return None

    def items(self, node: dict[str, Any], inside: str) -> None:
        failed = 0
        for number in range(node["config"]["times"]):
            try:
                self.line(node["key"], "each", f"{inside}:{number}")
            except Broken:
                failed += 1
                if node["config"]["if_fails"] == "stop":
                    raise
        if failed and node["config"]["if_fails"] == "collect":
            raise Broken

    def end(self, key: str, scope: str, how: str) -> None:
        self.trace.append(f"{key}{'@' if scope else ''}{scope}{how}")


@st.composite
def programs(draw: Any) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []

    def fill(parent: str | None, lane: str | None, depth: int, *, undoing: bool = False) -> None:
        for _ in range(draw(st.integers(1, 3 if depth < 2 else 1))):
            add(parent, lane, depth, undoing=undoing)

    def add(parent: str | None, lane: str | None, depth: int, *, undoing: bool) -> None:
        key = f"n{len(nodes)}"
        kinds = ["set", "set", "set"] + (["condition", "switch", "group", "foreach", "repeat"] if depth < 3 and len(nodes) < 20 else [])
        kind = draw(st.sampled_from([*kinds, "stop"] if not undoing and draw(st.integers(0, 15)) == 0 else kinds))
        on_error = draw(st.sampled_from(["fail", "fail", "continue", "lane"])) if kind != "stop" else "fail"
        undo = not undoing and kind != "stop" and draw(st.integers(0, 3)) == 0
        config = {
            "set": BAD if not undoing and draw(st.integers(0, 5)) == 0 else FINE,
            "condition": {"when": draw(st.sampled_from(["true", "false"]))},
            "switch": {"cases": [{"name": str(n), "value": draw(st.sampled_from(["true", "false"]))} for n in range(2)]},
            "group": {},
            "foreach": {
                "source": "times",
                "times": draw(st.integers(0, 3)),
                "if_fails": draw(st.sampled_from(["stop", "continue", "collect"])),
            },
            "repeat": {"rounds": (rounds := draw(st.integers(1, 3))), "until": f"round >= {rounds}"},
            "stop": {"outcome": "succeeded", "message": ""},
        }[kind]
        nodes.append(step(key, kind, parent=parent, lane=lane, on_error=on_error, undo=undo, **config))
        lanes = {"condition": ("then", "else"), "switch": ("case_1", "case_2", "otherwise"), "group": ("do",)}
        for inner in lanes.get(kind, ("each",) if kind in ("foreach", "repeat") else ()):
            fill(key, inner, depth + 1, undoing=undoing)
        if on_error == "lane":
            fill(key, "error", depth + 1, undoing=undoing)
        if undo:
            fill(key, "undo", 3, undoing=True)

    fill(None, None, 0)
    return nodes


@pytest.mark.parametrize("inline", [200, 3, 0], ids=["all-at-once", "in-pieces", "each-alone"])
def test_programs_do_what_the_interpreter_says(engine, monkeypatch, inline):
    monkeypatch.setattr(following, "MAX_INLINE", inline)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(programs())
    def check(nodes: list[dict[str, Any]]) -> None:
        said = Interpreter(nodes)
        status = said.run()

        run = engine.go(engine.publish(*nodes))

        assert (run.status, engine.trace(run.id)) == (status, said.trace)
        engine.assert_sound(run.id)

    check()


def test_lanes_and_items_at_once_end_all_the_same_however_they_are_cut(engine, monkeypatch):
    nodes = (
        step("both", "parallel", lanes=3),
        *(step(f"each_{n}", "foreach", parent="both", lane=f"lane_{n}", source="times", times=7, at_once=3) for n in (1, 2, 3)),
        *(step(f"work_{n}", "set", parent=f"each_{n}", lane="each", **FINE) for n in (1, 2, 3)),
        step("last", "set", **values(n="${ steps.each_1.succeeded + steps.each_2.succeeded + steps.each_3.succeeded }")),
    )
    workflow = engine.publish(*nodes)
    for inline in (200, 5, 0):
        monkeypatch.setattr(following, "MAX_INLINE", inline)

        run = engine.go(workflow)

        assert (run.status, run.error, run.output_data, inline) == ("succeeded", None, {"n": 21}, inline)
        engine.assert_sound(run.id)

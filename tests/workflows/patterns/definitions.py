"""The control-flow patterns of Russell, ter Hofstede, van der Aalst and Mulyar (2006) that are offered: the smallest example of each.

A trace lists what ended, in order: `key`, `key@frame`, and its state where it did not succeed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.workflows.engine.conftest import step, values


@dataclass(frozen=True)
class Example:
    """One pattern: its names, its definition, what a run gets, and what must come out."""

    name: str
    name_ar: str
    nodes: tuple[dict[str, Any], ...]
    trace: tuple[str, ...]
    given: dict[str, str] = field(default_factory=dict)
    status: str = "succeeded"
    ordered: bool = True  # False: side by side, so only what happened counts, not in which order


def do(key: str, at: str = "", **more: Any) -> dict[str, Any]:
    parent, _dot, lane = at.partition(".")
    return step(key, "set", parent=parent or None, lane=lane or None, **values(x=key), **more)


def inside(key: str, kind: str, at: str = "", **config: Any) -> dict[str, Any]:
    parent, _dot, lane = at.partition(".")
    return step(key, kind, parent=parent or None, lane=lane or None, **config)


def tell(key: str, at: str, signal: str = "", **config: Any) -> dict[str, Any]:
    """Send a signal to this very run."""
    return inside(key, "send_signal", at, signal=signal or key, corr_key="${ run.id }", **config)


def hear(key: str, at: str, signal: str) -> dict[str, Any]:
    return inside(key, "signal", at, signal=signal, corr_key="${ run.id }")


def sleep(key: str, at: str, hours: int = 1) -> dict[str, Any]:
    return inside(key, "wait", at, mode="for", amount=hours, unit="hours")


def lanes(count: int, **config: Any) -> dict[str, Any]:
    return step("fork", "parallel", lanes=count, **config)


EXAMPLES: dict[int, Example] = {
    1: Example("Sequence", "التسلسل", (do("a"), do("b")), ("a", "b")),
    2: Example("Parallel split", "التفرع المتوازي", (lanes(2), do("a", "fork.lane_1"), do("b", "fork.lane_2")), ("a@fork:0", "b@fork:1", "fork"), ordered=False),
    3: Example("Synchronization", "التزامن", (lanes(2), do("a", "fork.lane_1"), do("b", "fork.lane_2"), do("c")), ("a@fork:0", "b@fork:1", "fork", "c")),
    4: Example("Exclusive choice", "الاختيار الحصري", (
        step("pick", "switch", cases=[{"name": "one", "value": "input.a == '1'"}, {"name": "two", "value": "input.a == '2'"}]),
        do("a", "pick.case_1"), do("b", "pick.case_2"), do("c", "pick.otherwise")), ("pick", "b"), {"a": "2"}),
    5: Example("Simple merge", "الدمج البسيط", (
        step("if", "condition", when="input.a == '1'"), do("a", "if.then"), do("b", "if.else"), do("c")), ("if", "a", "c"), {"a": "1"}),
    6: Example("Multi-choice", "الاختيار المتعدد", (
        lanes(2), inside("if_a", "condition", "fork.lane_1", when="input.a.contains('a')"), do("a", "if_a.then"),
        inside("if_b", "condition", "fork.lane_2", when="input.a.contains('b')"), do("b", "if_b.then")),
        ("if_a@fork:0", "if_b@fork:1", "b@fork:1", "fork"), {"a": "b"}, ordered=False),
    7: Example("Structured synchronizing merge", "الدمج المتزامن المهيكل", (
        lanes(2), inside("if_a", "condition", "fork.lane_1", when="input.a.contains('a')"), do("a", "if_a.then"),
        inside("if_b", "condition", "fork.lane_2", when="input.a.contains('b')"), do("b", "if_b.then"), do("c")),
        ("if_a@fork:0", "a@fork:0", "if_b@fork:1", "b@fork:1", "fork", "c"), {"a": "ab"}, ordered=False),
    9: Example("Structured discriminator", "المميِّز المهيكل", (
        lanes(2, join="any", rest="run"), do("a", "fork.lane_1"), sleep("b", "fork.lane_2", 0), do("c")), ("a@fork:0", "fork", "c", "b@fork:1")),
    10: Example("Arbitrary cycles", "الدورات الحرة", (
        do("a"), do("b"), step("back", "goto", to="a", most=1, if_spent="continue"), do("c")), ("a", "b", "back", "a", "b", "back", "c")),
    11: Example("Implicit termination", "الإنهاء الضمني", (
        lanes(2, join="any", rest="run"), do("a", "fork.lane_1"), sleep("b", "fork.lane_2", 0)), ("a@fork:0", "fork", "b@fork:1")),
    12: Example("Multiple instances without synchronization", "نسخ متعددة بلا تزامن", (
        lanes(2, join="any", rest="run"), do("start", "fork.lane_1"), inside("each", "foreach", "fork.lane_2", source="times", times=2, at_once=2),
        sleep("work", "each.each", 0), do("after")), ("start@fork:0", "fork", "after", "work@fork:1/each:0", "work@fork:1/each:1", "each@fork:1"), ordered=False),
    13: Example("Multiple instances with design-time knowledge", "نسخ متعددة بعدد معروف عند التصميم", (
        step("each", "foreach", source="times", times=3, at_once=3), do("work", "each.each"), do("after")),
        ("work@each:0", "work@each:1", "work@each:2", "each", "after"), ordered=False),
    14: Example("Multiple instances with run-time knowledge", "نسخ متعددة بعدد معروف عند التشغيل", (
        step("each", "foreach", source="list", list="input.a.split(',')"), do("work", "each.each"), do("after")),
        ("work@each:0", "work@each:1", "each", "after"), {"a": "x,y"}),
    15: Example("Multiple instances without run-time knowledge", "نسخ متعددة بعدد غير معروف مسبقًا", (
        step("more", "repeat", until="string(round) == input.a", rounds=9), do("work", "more.each"), do("after")),
        ("work@more:0", "work@more:1", "more", "after"), {"a": "2"}),
    16: Example("Deferred choice", "الاختيار المؤجل", (
        lanes(2, join="any"), sleep("first", "fork.lane_1", 0), do("a", "fork.lane_1"), sleep("second", "fork.lane_2"), do("b", "fork.lane_2")),
        ("first@fork:0", "a@fork:0", "fork", "second@fork:1 cancelled"), ordered=False),
    19: Example("Cancel task", "إلغاء مهمة", (
        lanes(2, join="any"), sleep("task", "fork.lane_1"), do("wins", "fork.lane_2"), do("after")),
        ("wins@fork:1", "task@fork:0 cancelled", "fork", "after"), ordered=False),
    20: Example("Cancel case", "إلغاء العملية", (do("a"), step("b", "stop", outcome="failed", message="m"), do("c")), ("a", "b"), status="failed"),
    21: Example("Structured loop", "الحلقة المهيكلة", (
        step("loop", "repeat", until="round == 3", rounds=5), do("work", "loop.each")), ("work@loop:0", "work@loop:1", "work@loop:2", "loop")),
    25: Example("Cancel region", "إلغاء منطقة", (
        lanes(2, join="any"), inside("region", "group", "fork.lane_1"), do("a", "region.do"), sleep("b", "region.do"), do("c", "region.do"),
        do("wins", "fork.lane_2")), ("a@fork:0/region:0", "b@fork:0/region:0 cancelled", "region@fork:0 cancelled", "wins@fork:1", "fork"), ordered=False),
    26: Example("Cancel multiple instance task", "إلغاء مهمة متعددة النسخ", (
        lanes(2, join="any"), inside("each", "foreach", "fork.lane_1", source="times", times=5, at_once=2), sleep("work", "each.each"),
        do("wins", "fork.lane_2")),
        ("work@fork:0/each:0 cancelled", "work@fork:0/each:1 cancelled", "each@fork:0 cancelled", "wins@fork:1", "fork"), ordered=False),
    29: Example("Cancelling discriminator", "المميِّز المُلغي", (
        lanes(2, join="any"), do("a", "fork.lane_1"), sleep("b", "fork.lane_2"), do("c")),
        ("a@fork:0", "b@fork:1 cancelled", "fork", "c"), ordered=False),
    30: Example("Structured partial join", "الالتقاء الجزئي المهيكل", (
        lanes(3, join="some", need=2, rest="run"), do("a", "fork.lane_1"), do("b", "fork.lane_2"), sleep("c", "fork.lane_3", 0), do("d")),
        ("a@fork:0", "b@fork:1", "fork", "d", "c@fork:2"), ordered=False),
    32: Example("Cancelling partial join", "الالتقاء الجزئي المُلغي", (
        lanes(3, join="some", need=2), do("a", "fork.lane_1"), do("b", "fork.lane_2"), sleep("c", "fork.lane_3"), do("d")),
        ("a@fork:0", "b@fork:1", "c@fork:2 cancelled", "fork", "d"), ordered=False),
    34: Example("Static partial join for multiple instances", "التقاء جزئي ثابت لنسخ متعددة", (
        step("each", "foreach", source="times", times=3, at_once=1, need=2, rest="run"), do("work", "each.each"), do("after")),
        ("work@each:0", "work@each:1", "each", "after")),
    35: Example("Cancelling partial join for multiple instances", "التقاء جزئي مُلغٍ لنسخ متعددة", (
        step("each", "foreach", source="times", times=3, at_once=3, need=1),
        inside("work", "wait", "each.each", mode="for", amount="${ index * 3600 }", unit="seconds"), do("after")),
        ("work@each:0", "work@each:1 cancelled", "work@each:2 cancelled", "each", "after"), ordered=False),
    36: Example("Dynamic partial join for multiple instances", "التقاء جزئي ديناميكي لنسخ متعددة", (
        step("each", "foreach", source="list", list="input.a.split(',')", need="${ input.a.size() > 4 ? 2 : 1 }"), do("work", "each.each"), do("after")),
        ("work@each:0", "work@each:1", "each", "after"), {"a": "x,y,z"}),
    37: Example("Local synchronizing merge", "الدمج المتزامن المحلي", (
        lanes(2), inside("if_a", "condition", "fork.lane_1", when="input.a == 'yes'"), inside("deeper", "group", "if_a.then"), do("a", "deeper.do"),
        do("b", "fork.lane_2"), do("c")), ("if_a@fork:0", "b@fork:1", "fork", "c"), {"a": "no"}, ordered=False),
    40: Example("Interleaved routing", "التوجيه المتداخل", (
        step("each", "foreach", source="list", list="['b', 'a']", at_once=1),
        inside("pick", "switch", "each.each", cases=[{"name": "a", "value": "item == 'a'"}]), do("a", "pick.case_1"), do("b", "pick.otherwise")),
        ("pick@each:0", "b@each:0", "pick@each:1", "a@each:1", "each")),
    42: Example("Thread split", "تقسيم المسار", (
        step("each", "foreach", source="times", times=2, at_once=2), do("a", "each.each"), do("b", "each.each")),
        ("a@each:0", "b@each:0", "a@each:1", "b@each:1", "each"), ordered=False),
    43: Example("Explicit termination", "الإنهاء الصريح", (
        lanes(2), sleep("slow", "fork.lane_1"), inside("end", "stop", "fork.lane_2", outcome="succeeded", message="m")), ("end@fork:1",)),
    18: Example("Milestone", "المَعلم المرحلي", (
        lanes(2), tell("reached", "fork.lane_1"), inside("before", "wait", "fork.lane_1", mode="for", amount=1, unit="hours"),
        hear("passed", "fork.lane_1", "reached"), hear("asks", "fork.lane_2", "reached"), do("allowed", "fork.lane_2"),
        inside("end", "stop", "fork.lane_2", outcome="succeeded", message="m")),
        ("reached@fork:0", "asks@fork:1", "allowed@fork:1", "end@fork:1"), ordered=False),
    23: Example("Transient trigger", "المُطلق العابر", (
        lanes(2, join="any"), tell("early", "fork.lane_2", "go", unheard="drop"), hear("waits", "fork.lane_1", "go"),
        sleep("later", "fork.lane_2", 0), tell("again", "fork.lane_2", "go", unheard="drop"), sleep("long", "fork.lane_2")),
        ("early@fork:1", "later@fork:1", "again@fork:1", "waits@fork:0", "long@fork:1 cancelled", "fork"), ordered=False),
    24: Example("Persistent trigger", "المُطلق الدائم", (
        tell("early", "", "go"), do("busy"), hear("waits", "", "go"), do("then")), ("early", "busy", "waits", "then")),
    39: Example("Critical section", "المقطع الحرج", (
        tell("free", "", "turn"), lanes(2), hear("enter_1", "fork.lane_1", "turn"), do("a", "fork.lane_1"), tell("leave_1", "fork.lane_1", "turn"),
        hear("enter_2", "fork.lane_2", "turn"), do("b", "fork.lane_2"), tell("leave_2", "fork.lane_2", "turn")),
        ("free", "enter_1@fork:0", "a@fork:0", "leave_1@fork:0", "enter_2@fork:1", "b@fork:1", "leave_2@fork:1", "fork"), ordered=False),
}  # fmt: skip

# Needs two versions of one workflow, so it stands by itself: `test_recursion`.
RECURSION = (22, ("Recursion", "الاستدعاء الذاتي"))

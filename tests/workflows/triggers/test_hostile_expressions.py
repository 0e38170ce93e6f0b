"""Hostile conditions: what is refused, why, and how long it took. The table stands in docs/expressions.md."""

from __future__ import annotations

import itertools
import sys
import time

import pytest

from portal.workflows.expressions import ExpressionError, compile_template

# Of the processor, so that a busy machine changes nothing; measured, they take a tenth of it.
LIMIT_S = 1.0
LIST = list(range(2_000))
TEXT = "a" * 100_000
NESTED: dict = {}
for _ in range(2_000):
    NESTED = {"x": NESTED}
NAMES = "abcdefgh"


def loops(depth: int) -> str:
    inner = "true"
    for name in NAMES[:depth]:
        inner = f"input.list.all({name}, {inner})"
    return inner


HOSTILE = {
    "three loops inside each other over 2,000 values": loops(3),
    "eight loops inside each other": loops(8),
    "a map of maps": "input.list.map(a, input.list.map(b, input.list.map(c, a + b + c)))",
    "a text that doubles itself": "input.text + input.text + input.text + input.text",
    "a text multiplied in a loop": "input.list.map(a, input.text)",
    "a regular expression that backtracks elsewhere": 'input.text.matches("(a+)+$b")',
    "a hundred closing brackets": "(" * 100 + "1" + ")" * 100,
    "a list inside lists": "[" * 200 + "]" * 200,
    "a sum of a thousand terms": "+".join(["1"] * 999),
    "longer than it may be": "1+" * 2_000 + "1",
    "a value nested 2,000 deep": "input.nested == input.nested",
    "replace that grows": 'input.text.replace("a", input.text)',
    "split and join": 'input.text.split("").join(input.text)',
    "division by zero": "1 / 0",
    "numbers that overflow": "9223372036854775807 + 1",
    "a name that is not there": "secrets.key",
    "python": "__import__('os').system('true')",
    "a private name": "input.__class__",
    "nothing": "",
}
# These are no attack on time: they are worked out, quickly.
HARMLESS = {"a regular expression that backtracks elsewhere", "a sum of a thousand terms", "a text that doubles itself"}


@pytest.mark.parametrize("what", HOSTILE)
def test_it_is_bounded(what):
    began = time.thread_time()
    try:
        compile_template(f"${{ {HOSTILE[what]} }}").evaluate({"input": {"list": LIST, "text": TEXT, "nested": NESTED}})
        code = "worked out"
    except ExpressionError as refused:
        code = refused.code
    took_s = time.thread_time() - began

    assert took_s < LIMIT_S
    assert code != "worked out" or what in HARMLESS, "nothing refused it"


SIZES = (500, 1_000, 2_000, 4_000, 8_000)
GROWING = {
    "a list walked once": "input.list.exists(a, a < 0)",
    "loops inside each other": "input.list.all(a, input.list.all(b, input.list.all(c, a + b + c >= 0)))",
    "a text that grows in a loop": "input.list.map(a, input.text)",
    "a regular expression": 'input.text.matches("(a+)+$b")',
    "a text taken apart": 'input.text.split("").join(input.text)',
    "a text that is replaced by itself": 'input.text.replace("a", input.text)',
    "a text compared": "input.text == input.text + input.text",
}


@pytest.mark.parametrize("what", GROWING)
def test_work_grows_no_faster_than_what_comes_in(what):
    """Counted in calls, not in seconds: twice as much may cost twice as much, and what is too much stays too much."""
    counts, refused = [], []
    for size in SIZES:
        values = {"input": {"list": list(range(size)), "text": "a" * size}}
        calls = 0

        def count(*_unused: object) -> None:
            nonlocal calls
            calls += 1

        template = compile_template(f"${{ {GROWING[what]} }}")
        sys.setprofile(count)
        try:
            template.evaluate(values)
            is_refused = False
        except ExpressionError:
            is_refused = True
        finally:
            sys.setprofile(None)
        counts.append(calls)
        refused.append(is_refused)

    assert refused == sorted(refused), "what is refused once is refused when there is more of it"
    assert all(after <= 2 * before + 500 for before, after in itertools.pairwise(counts)), counts


@pytest.mark.parametrize("opening", ["(", "[", "{'a':", "size(", "true ? "])
def test_depth_is_refused_before_anything_is_worked_out(opening):
    for depth in (100, 1_000, 100_000):
        with pytest.raises(ExpressionError):
            compile_template(f"${{ {opening * depth}1 }}").evaluate({"input": {}})

"""What an author may write between `${` and `}`, and what comes of it."""

from __future__ import annotations

import json
import resource
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.workflows.expressions import ExpressionError, Template, as_text, compile_template, evaluate_config, names_used

CONTEXT: dict[str, Any] = {
    "input": {
        "days": 3,
        "rate": 1.5,
        "employee": "سارة",
        "note": None,
        "urgent": True,
        "rows": [{"name": "أحمد", "days": 2}, {"name": "Lina", "days": 7}],
        "big": 2**70,
        "text": "x" * 20_000,
        "long": list(range(5_000)),
        "thousand": list(range(1_000)),
        "html": "<b>&</b>",
    },
    "steps": {"ask": {"status": 200, "body": {"approved": True, "by": {"name": "عمر"}}}},
    "run": {"id": "r1", "started_at": "2026-11-23T08:00:00+00:00", "workflow": "Leave"},
}


def value(text: str, context: dict[str, Any] | None = None) -> Any:
    return compile_template(text).evaluate(CONTEXT if context is None else context)


def refusal(text: str, context: dict[str, Any] | None = None) -> ExpressionError:
    with pytest.raises(ExpressionError) as refused:
        value(text, context)
    return refused.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${ input.days }", 3),
        ("${input.rate}", 1.5),
        ("${input.note}", None),
        ("${input.urgent}", True),
        ("${steps.ask.body}", {"approved": True, "by": {"name": "عمر"}}),
        ("${steps['ask'].body.by.name}", "عمر"),
        ("${input.rows[1].name}", "Lina"),
        ("${input.days > 5}", False),
        ("${input.days > 2.5 && steps.ask.status == 200}", True),
        ("${double(input.days) * input.rate}", 4.5),
        ("${2.0 * 3.0}", 6.0),
        ("${input.days / 2}", 1),
        ("${1u + 1u}", 2),
        ("${input.rows.map(row, row.days)}", [2, 7]),
        ("${input.rows.filter(row, row.days > 5).map(row, row.name)}", ["Lina"]),
        ("${input.rows.exists(row, row.name == 'أحمد')}", True),
        ("${has(input.missing) ? input.missing : 'none'}", "none"),
        ("${has(steps.later) && steps.later.ok}", False),
        ("${timestamp('2026-01-01T00:00:00Z') + duration('36h')}", "2026-01-02T12:00:00+00:00"),
        ("${timestamp('2026-01-01T21:00:00Z').getHours('Asia/Riyadh')}", 0),
        ("${duration('90s')}", 90),
        ("${duration('1500ms')}", 1.5),
        ("${b'ab\\xff'}", "YWL/"),
        ("${{'b': 1, 'a': {'x': [1, null]}}}", {"a": {"x": [1, None]}, "b": 1}),
        ("${{2: 'x', true: 'y'}}", {"2": "x", "true": "y"}),
        ("${input.employee.upperAscii() + '!'}", "سارة!"),
        ("${'a-b-c'.replace('-', '+')}", "a+b+c"),
        ("${'a,b'.split(',')}", ["a", "b"]),
        ("${input.rows.map(row, row.name).join('، ')}", "أحمد، Lina"),
        ("${'%s: %d'.format([input.employee, input.days])}", "سارة: 3"),
        ("${input.employee.matches('^سا')}", True),
        ("${input.employee.size()}", 4),
        ("${input.big}", 2**70),
        ("${input.big + '!'}", f"{2**70}!"),
        ("${ '}' }", "}"),
        ("${ \"${\" + '\\'}' }", "${'}"),
        ("${'''a}\n'''}", "a}\n"),
    ],
)
def test_one_expression_gives_the_value_itself(text, expected):
    found = value(text)

    assert found == expected and type(found) is type(expected)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${input.employee} asks for ${input.days} days.", "سارة asks for 3 days."),
        ("تطلب ${input.employee} إجازة ${ input.days } أيام؛ السبب: ${input.note}.", "تطلب سارة إجازة 3 أيام؛ السبب: ."),
        ("${input.urgent}/${!input.urgent}", "true/false"),
        ("${2.0 * 3.0} and ${input.rate}", "6 and 1.5"),
        ("${1e300} ", "1e+300 "),
        ("= ${steps.ask.body}", '= {"approved": true, "by": {"name": "عمر"}}'),
        ("= ${input.rows.map(row, row.name)}", '= ["أحمد", "Lina"]'),
        ("$${input.days}", "${input.days}"),
        ("$${a} ${input.days} $${b}", "${a} 3 ${b}"),
        ("cost: $5, ${input.days}$", "cost: $5, 3$"),
        ("{ ${input.days} }", "{ 3 }"),
        (" ${input.days}", " 3"),
        ("${input.html}${input.days}", "<b>&</b>3"),
    ],
)
def test_expressions_are_written_into_a_text(text, expected):
    assert value(text) == expected


def test_a_value_that_is_passed_on_keeps_its_order():
    assert list(value("${input.x}", {"input": {"x": {"b": 1, "a": 2}}})) == ["b", "a"]


def test_a_computed_map_is_written_the_same_each_time():
    assert value("= ${{'b': 1, 'c': 2, 'a': 3}}") == '= {"a": 3, "b": 1, "c": 2}'


def test_settings_are_worked_out_through_maps_and_lists():
    config = {"to": ["${input.employee}", "x"], "n": 5, "deep": {"${input.days}": "${input.days}"}, "none": None, "escaped": "$${x}"}

    assert evaluate_config(config, CONTEXT) == {
        "to": ["سارة", "x"], "n": 5, "deep": {"${input.days}": 3}, "none": None, "escaped": "${x}",
    }  # fmt: skip
    assert config["to"] == ["${input.employee}", "x"]


@pytest.mark.parametrize(
    ("written", "text"), [(None, ""), (True, "true"), (5, "5"), (5.0, "5"), (1.25, "1.25"), ("س", "س"), ([1, "س"], '[1, "س"]'), ({}, "{}")]
)
def test_values_are_written_plainly(written, text):
    assert as_text(written) == text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("no names", set()),
        ("${input.days} ${steps.ask.body.approved}", {("input", "days"), ("steps", "ask", "body", "approved")}),
        ("${steps['ask']['body'].x}", {("steps", "ask", "body", "x")}),
        ("${steps[input.which].body}", {("steps",), ("input", "which")}),
        ("${input.rows[0].name}", {("input", "rows")}),
        ("${'input.secret ' + run.id}", {("run", "id")}),
        ("${{'input': 1}.input}", set()),
        ("${input.rows.map(steps, steps.name)}", {("input", "rows")}),
        ("${input.rows.map(input, input.days + run.n)}", {("input", "rows"), ("run", "n")}),
        ("${has(input.a) ? input.b : int(run.c)}", {("input", "a"), ("input", "b"), ("run", "c")}),
        ("${[input.a, {'k': steps.b}]}", {("input", "a"), ("steps", "b")}),
        ("$${input.days}", set()),
        ("${input}", {("input",)}),
    ],
)
def test_the_names_that_a_text_reads(text, names):
    assert names_used(text) == names


@pytest.mark.parametrize(
    ("text", "code", "position", "words"),
    [
        ("${input.holiday}", "missing", 2, "“holiday” is not in “input”."),
        ("${input['holiday'] + 1}", "missing", 2, "“holiday” is not in “input”."),
        ("${steps.nope.body}", "missing", 2, "The step “nope” has no result here"),
        ("${steps.ask.body.nope.x}", "missing", 2, "“nope” is not in “steps.ask.body”."),
        ("${input.note.x}", "no_parts", 2, "“input.note” is empty, so “x” is not in it."),
        ("${input.employee.x}", "no_parts", 2, "“input.employee” is a text"),
        ("${[1].x}", "no_parts", 5, "has no parts"),
        ("${input.days * 1.5}", "kinds", 2, "write double(…) around the whole number"),
        ("${1 + 1.5}", "kinds", 4, "“+” does not take a whole number and a decimal together"),
        ("${input.days + input.employee}", "kinds", 2, "“+” does not fit between a whole number and a text."),
        ("${'a' - 'b'}", "kinds", 6, "“-” does not fit between a text and a text."),
        ("${input.days ? 1 : 2}", "kinds", 2, "must be true or false"),
        ("${input.employee.matches(3)}", "kinds", None, ""),
        ("${nope}", "unknown_name", 2, "“nope” is not known."),
        ("${now()}", "unknown_name", 5, "“now” is not known."),
        ("${input.rows[9]}", "index", 2, "The list has 2 values, so [9] is not in it"),
        ("${1 / 0}", "zero", 2, "It divides by zero."),
        ("${1 % 0}", "zero", 2, "It divides by zero."),
        ("${9223372036854775807 + 1}", "overflow", 2, "outside its range"),
        ("${int('x')}", "conversion", 2, "cannot be read as a number"),
        ("${timestamp('yesterday')}", "conversion", 2, "cannot be read"),
        ("${input.employee.matches('(')}", "pattern", 2, "not a valid regular expression"),
        ("${0.0 / 0.0}", "not_finite", 2, "not a finite number"),
        ("${type(1)}", "not_storable", 2, "not a value that can be stored"),
        ("${1 +}", "syntax", 5, "near character 4"),
        ("x ${ input.days ! } y", "syntax", 16, "near character 12"),
        ("${\n1 +\n+ 2 2}", "syntax", None, "near character"),
        ("${'a}", "unclosed", None, ""),
        ("${", "unclosed", 0, "is not closed"),
        ("a ${ {'x': 1}", "unclosed", 2, "is not closed"),
        ("${}", "empty", None, "is empty"),
        ("a ${   } b", "empty", None, "is empty"),
        ("${" + "a" * 2_001 + "}", "too_long", None, "at most 2000"),
        ("x" * 20_001, "too_long", None, "at most 20000"),
        ("${1}" * 51, "too_long", None, "at most 50"),
        ("${" + "(" * 60 + "1" + ")" * 60 + "}", "too_deep", None, "too many brackets"),
        ("${" + "1+" * 300 + "1}", "too_deep", None, "too many brackets"),
    ],
)
def test_an_error_says_in_plain_words_what_is_wrong_and_where(text, code, position, words):
    error = refusal(text)

    assert words in str(error.message)
    if text == "${'a}":
        return  # an open quotation mark: any of the two is right
    assert error.code == code
    assert position is None or error.position == position


def test_the_message_is_written_in_the_readers_language(app):
    from flask_babel import force_locale

    error = refusal("${input.days + input.employee}")

    with app.app_context(), force_locale("ar"):
        assert str(error.message) == "لا تصلح «+» بين عدد صحيح ونص."


ATTACKS = {
    "nested loops": "[" + ",".join("1" * 30) + "]",
    "doubling text": "['aaaaaaaa']" + ".map(a, a+a+a+a+a+a+a+a)" * 12 + "[0].size()",
    "doubling lists": "[[1]]" + ".map(a, a+a+a+a+a+a+a+a)" * 10 + "[0].size()",
    "nesting lists": "[[1,1]]" + ".map(a, [a,a,a,a,a,a,a,a,a])" * 14,
    "nesting maps": "[{'a': 1}]" + ".map(a, {'a': a, 'b': a, 'c': a, 'd': a})" * 14,
    "replacing": "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 20 + ".size()",
    "replacing nothing": "'aaaaaaaaaa'" + ".replace('', 'aaaaaaaaaa')" * 20 + ".size()",
    "joining": "input.text.split('').join(input.text).size()",
    "formatting": "'%s%s%s%s'.format([input.long, input.long, input.long, input.long])" + ".replace('1', '1111111111')" * 6,
    "quoting": "strings.quote(" * 25 + '\'"\'.replace(\'"\', \'""""""""""\')' + ")" * 25,
    "copying text in a loop": "input.long.map(a, input.text).size()",
    "copying a long list": "input.long.map(a, a)",
    "searching a list in a list": "input.long.filter(a, a in input.long).size()",
    "comparing lists": "input.long.all(a, input.long == input.long)",
    "unrolled pattern": "input.text.matches('(x|xx|xxx){1,900}y')",
    "pattern in a loop": "input.thousand.all(a, 'a'.matches('(a{1,100}){1,9}'))",
    "pattern from a value": "input.thousand.all(a, input.text.matches(input.text))",
}
ATTACKS["nested loops"] = "{0}.map(a,{0}.map(b,{0}.map(c,{0}.map(d,a+b+c+d))))".format(ATTACKS["nested loops"])


@pytest.mark.parametrize("expression", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_on_time_or_memory_is_refused_before_it_begins(expression):
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    error = refusal("${" + expression + "}")

    assert error.code in ("too_much", "too_deep", "too_large")
    assert time.monotonic() - began < 0.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


@pytest.mark.parametrize(
    "expression",
    [
        "input.thousand.map(a, string(a) + ': ' + input.employee).join('\\n').size()",
        "input.thousand.filter(a, a % 2 == 0).size()",
        "input.long.all(a, a >= 0)",
        "input.long.exists(a, a == 4999)",
        "input.text.replace('x', 'yy').size()",
        "input.text.matches('^[a-z0-9._%+-]+@[a-z0-9.-]+[.][a-z]{2,}$')",
        "input.text.split('').size()",
        "size(input.long) + size(input.text)",
    ],
)
def test_ordinary_work_on_large_values_is_not_refused(expression):
    began = time.monotonic()

    value("${" + expression + "}")

    assert time.monotonic() - began < 1


def test_a_result_larger_than_a_step_may_keep_is_refused():
    assert refusal("${input.x}", {"input": {"x": "س" * 2_200_000}}).code == "too_large"
    assert refusal("${input.x}${input.x}", {"input": {"x": "a" * 2_200_000}}).code == "too_large"


def test_a_value_nested_without_end_is_refused_not_followed():
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    assert refusal("${size(input.x)}", {"input": {"x": deep}}).code == "too_deep"
    assert refusal("${input.x}", {"input": {"x": deep}}).code == "too_deep"


@pytest.mark.parametrize("strange", [float("nan"), float("inf"), {1, 2}, object(), b"x", [object()]])
def test_a_value_that_is_no_json_is_an_error_of_the_expression(strange):
    assert refusal("${input.x}", {"input": {"x": strange}}).code in ("not_finite", "not_storable")


def test_half_a_character_does_not_stop_a_text():
    assert value("${input.x + '!'}", {"input": {"x": "a\ud800"}}) == "a\ufffd!"
    assert value("${input.x}", {"input": {"x": "a\ud800"}}) == "a\ufffd"


def test_one_value_too_large_for_cel_does_not_spoil_the_others():
    assert value("${input.a + 1}", {"input": {"a": 1, "b": 2**80, "c": {3}}}) == 2


def test_missing_variables_are_empty():
    assert refusal("${steps.a}", {}).code == "missing"
    assert value("${size(input) + size(steps) + size(run)}", {"input": None}) == 0


def test_compiled_texts_are_kept():
    assert compile_template("${input.kept}") is compile_template("${input.kept}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
PIECES = st.sampled_from(
    ["${", "}", "$${", "input", ".", "steps", "run", "a", "[", "]", "(", ")", "'", '"', "1", "1.5", " + ", " * ", "== ", "&&", "!", "?", ":",
     "map(x, x)", "size", "has(input.a)", "{", ",", " ", "س", "\\", "\n", "//", "r'", "'''", "matches", "0x", "u", "true", "null", "in "]
)  # fmt: skip


@settings(max_examples=400, deadline=2_000)
@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60).map(lambda text: "${" + text + "}"), JSON)
def test_any_text_is_a_value_or_an_error_that_can_be_shown(text, given_value):
    refused: list[ExpressionError] = []
    try:
        template = compile_template(text)
        assert isinstance(template, Template)
        found = template.evaluate({"input": {"a": given_value}, "steps": {"a": given_value}, "run": {}})
        json.dumps(found, allow_nan=False)
    except ExpressionError as error:
        refused.append(error)
    for error in refused:
        assert str(error.message) and error.code
        assert error.position is None or 0 <= error.position <= len(text)
    if "${" not in text:
        assert compile_template(text).evaluate({}) == text


@settings(max_examples=200, deadline=2_000)
@given(JSON)
def test_what_is_passed_on_does_not_change(given_value):
    assert value("${input.a}", {"input": {"a": given_value}}) == given_value


@settings(max_examples=200, deadline=2_000)
@given(st.text(max_size=200))
def test_a_text_without_expressions_stays_as_it_is(text):
    assert value(text.replace("${", "$${")) == text

"""What the inspector's forms mean."""

from __future__ import annotations

import pytest
from flask_babel import force_locale
from werkzeug.datastructures import MultiDict

from portal.core.config import ROOT
from portal.workflows import definition
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.designer import bidi, fields, summaries
from portal.workflows.inspector import words


@pytest.fixture(autouse=True)
def request_of_a_reader(app):
    with app.test_request_context("/"):
        yield


def step(kind, **config):
    return {"key": kind, "kind": kind, "name": kind, "name_ar": None, "config": config, "retry": {"attempts": 3}, "timeout_s": 30}


def read(kind, *given, **config):
    return fields.read_step(step(kind, **config), ACTIONS[kind], MultiDict([("name", "N"), ("name_ar", ""), *given]))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("12", 12), ("١٢", 12), ("1,250.5", 1250.5), ("${ input.days }", "${ input.days }"), ("", "")],
    ids=["latin", "arabic", "grouped", "value", "empty"],
)
def test_a_number_is_read_in_both_digit_sets(typed, stored):
    form = read("wait", ("c-mode", "for"), ("c-amount", typed), ("c-unit", "days"))

    assert not form.errors
    assert form.changes["config"]["amount"] == stored


def test_what_is_not_a_number_is_refused_and_kept():
    form = read("wait", ("c-amount", "many"))

    assert set(form.errors) == {"amount"}
    assert form.typed["config"]["amount"] == "many"


def test_fields_that_were_not_shown_keep_what_they_have():
    form = read("wait", ("c-mode", "until"), amount=7, unit="hours")

    assert form.changes["config"] == {"mode": "until", "amount": 7, "unit": "hours"}


def test_pairs_drop_empty_rows_and_the_one_to_be_removed():
    rows = [("c-values-name", name) for name in ("a", "", "c")] + [("c-values-value", value) for value in ("1", "", "3")]

    assert read("set", *rows).changes["config"]["values"] == [{"name": "a", "value": "1"}, {"name": "c", "value": "3"}]
    assert read("set", *rows, ("drop", "values:0")).changes["config"]["values"] == [{"name": "c", "value": "3"}]


@pytest.mark.parametrize("typed", ["0", "11", "x", "", "1.5"])
def test_attempts_have_bounds(typed):
    assert set(read("email", ("attempts", typed)).errors) == {"attempts"}


def test_limits_are_read():
    changes = read("email", ("attempts", "٥"), ("timeout_s", "60")).changes

    assert changes["retry"] == {"attempts": 5}
    assert changes["timeout_s"] == 60


def start(*given, inputs=()):
    rows = [("deadline", "2"), ("deadline_unit", "3600"), ("count", str(len(inputs)))]
    for number, each in enumerate(inputs):
        rows += [(f"i-{number}-{name}", value) for name, value in each.items()]
    return fields.read_start({"inputs": []}, MultiDict([*rows, *given]))


def names(form):
    return [each["key"] for each in form.settings["inputs"]]


def test_inputs_are_added_moved_and_removed_without_javascript():
    two = [{"key": "a", "type": "text"}, {"key": "b", "type": "date"}]

    assert names(start(("do", "add"), inputs=two)) == ["a", "b", "input"]
    assert names(start(("do", "up:1"), inputs=two)) == ["b", "a"]
    assert names(start(("do", "down:0"), inputs=two)) == ["b", "a"]
    assert names(start(("do", "remove:0"), inputs=two)) == ["b"]
    assert names(start(("do", "up:0"), inputs=two)) == ["a", "b"]
    assert names(start(("do", "remove:9"), inputs=two)) == ["a", "b"]


def test_a_key_follows_the_label_until_somebody_chooses_it():
    assert names(start(inputs=[{"key": "input", "label": "Budget (SAR)", "type": "number"}])) == ["budget_sar"]
    assert names(start(inputs=[{"key": "input", "label": "", "label_ar": "الميزانية", "type": "number"}])) == ["input"]
    assert names(start(inputs=[{"key": "cost", "label": "Budget", "type": "number"}])) == ["cost"]


def test_wrong_and_doubled_keys_are_refused():
    form = start(inputs=[{"key": "a b", "type": "text"}, {"key": "c", "type": "text"}, {"key": "c", "type": "text"}])

    assert set(form.errors) == {"0-key", "2-key"}


@pytest.mark.parametrize(("amount", "unit", "seconds"), [("2", "3600", 7200), ("٣٠", "60", 1800), ("30", "86400", 2592000)])
def test_the_time_limit_has_units(amount, unit, seconds):
    form = fields.read_start({}, MultiDict([("deadline", amount), ("deadline_unit", unit)]))

    assert not form.errors
    assert form.settings["deadline_s"] == seconds


@pytest.mark.parametrize("amount", ["", "x", "31", "0"])
def test_a_time_limit_out_of_bounds_is_refused(amount):
    assert set(fields.read_start({}, MultiDict([("deadline", amount), ("deadline_unit", "86400")])).errors) == {"deadline_s"}


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        ("condition", {"when": "input.days > 5"}, "input.days > 5"),
        ("webhook", {"method": "GET", "url": "https://example.com/${ input.id }"}, "GET https://example.com/ input.id"),
        ("wait", {"mode": "for", "amount": 1, "unit": "days"}, "1 day"),
        ("wait", {"mode": "for", "amount": "${ input.n }", "unit": "days"}, "input.n Days"),
        ("email", {"to": "${ input.boss }"}, "input.boss"),
        ("set", {"values": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]}, "a b"),
        ("database", {"table": "people", "operation": "find"}, "Find rows people"),
        ("email", {}, ""),
        ("unknown", {"x": 1}, ""),
    ],
)
def test_a_card_says_what_its_step_does(kind, config, said):
    assert " ".join(text for _kind, text in summaries.summary_of(step(kind, **config))) == said


@pytest.mark.parametrize(("given", "kept", "wrong"), [
    ({"base_s": "", "cap_s": ""}, {"attempts": 3}, {}),
    ({"base_s": "٥", "cap_s": "60"}, {"attempts": 3, "base_s": 5, "cap_s": 60}, {}),
    ({"base_s": "0", "cap_s": ""}, None, {"base_s"}),
    ({"base_s": "600", "cap_s": "60"}, None, {"cap_s"}),
    ({"base_s": "5", "cap_s": "a day"}, None, {"cap_s"}),
])  # fmt: skip
def test_how_long_a_step_waits_before_it_is_tried_again(app, given, kept, wrong):
    node = {"key": "call", "kind": "webhook", "config": {}, "retry": {"attempts": 3}}
    with app.test_request_context():
        form = fields.read_step(node, ACTIONS["webhook"], MultiDict({"name": "Call", "name_ar": "", **given}))

    assert set(form.errors) == set(wrong)
    if kept is not None:
        assert form.changes["retry"] == kept


def test_every_field_that_is_written_says_what_may_be_written():
    """A number says its unit or its bounds, a text that it may hold values, pairs what stands at either side."""
    chosen = {"choice", "boolean", "connection", "people", "table"}
    silent = set()
    for kind, action in ACTIONS.items():
        for each in action.fields:
            config = {each.show_when[0]: each.show_when[1][0]} if each.show_when else {}
            shown = fields.shown_fields(step(kind, **config), action, choices={}, errors={})
            silent |= {(kind, one.name) for one in shown if one.type not in chosen and not str(one.hint)}
    assert silent == set()


@pytest.mark.parametrize("policy", definition.ON_ERROR)
def test_each_policy_for_errors_says_what_it_does_in_both_languages(policy):
    said = []
    for tag in ("en", "ar"):
        with force_locale(tag):
            said.append(str(words.policy(policy)))
    assert said[0] != said[1] and said[0].startswith("Once it has failed") and said[1].startswith("إذا فشلت")


def test_the_bounds_of_a_number_stand_beside_it():
    shown = fields.shown_fields(step("repeat"), ACTIONS["repeat"], choices={}, errors={})

    assert next(str(each.hint) for each in shown if each.name == "c-rounds") == "From 1 to 1,000."


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("أمر ${ input.id }، شكرًا", "أمر \u2066${ input.id }\u2069، شكرًا"),
        ('أمر ${ {"a": "}"}.a } ثم', 'أمر \u2066${ {"a": "}"}.a }\u2069 ثم'),
        ('أمر ${ "مرحبًا" + input.name }', 'أمر \u2066${ "مرحبًا" + input.name }\u2069'),
        ("أمر ${ input.id ثم", "أمر \u2066${ input.id\u2069 ثم"),
        ("Order ${ input.id }", "Order ${ input.id }"),
        ("أمر بلا قيم", "أمر بلا قيم"),
    ],
    ids=["closed", "brackets", "arabic inside", "open", "latin", "none"],
)
def test_values_among_arabic_stand_apart_in_the_field_alone(stored, shown):
    pairs = step("set", values=[{"name": "x", "value": stored}])

    assert bidi.isolated(stored) == shown
    assert fields.shown_fields(pairs, ACTIONS["set"], choices={}, errors={})[0].value[0]["value"] == shown
    assert read("email", ("c-subject", shown)).changes["config"]["subject"] == stored
    assert read("set", ("c-values-name", "x"), ("c-values-value", shown)).changes["config"]["values"][0]["value"] == stored


@pytest.mark.parametrize(("tag", "said"), [("ar", "طلب"), ("en", "Order")])
@pytest.mark.parametrize("kind", ["approval", "task", "slack", "teams"])
def test_a_card_says_it_in_the_readers_language(kind, tag, said):
    with force_locale(tag):
        assert summaries.summary_of(step(kind, title="Order", title_ar="طلب")) == [("text", said)]


def test_the_browser_and_the_server_set_the_same_values_apart():
    script = (ROOT / "static" / "js" / "flow" / "bidi.js").read_text("utf-8")

    assert f"/{bidi.VALUE.pattern}/g" in script
    assert all(mark in script for mark in (r"\u2066", r"\u2069", r"/[\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc]/"))

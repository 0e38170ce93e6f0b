"""What each file of n8n becomes: its steps and lanes, its expressions, and how each node is reported.

The files in `n8n/` are ours, in the shapes of the real format, old and new. An outline writes a step as `key:kind`, its lanes in brackets;
the letters behind it are the levels of the report, in the order of the nodes: M taken over, C with changes, R to be looked at.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.workflows import checks, expressions
from portal.workflows.actions.registry import FIELDS
from portal.workflows.exchange import service
from portal.workflows.exchange.errors import FileRefused
from portal.workflows.exchange.n8n import graph, importing
from portal.workflows.exchange.wording import SAID

HERE = Path(__file__).parent / "n8n"
FILES = sorted(each.stem for each in HERE.glob("*.json"))
# fmt: off
BECOMES = {
    ("01_manual_set", 0): ('edit_fields:set', "MM"),
    ("02_clipboard", 0): ('edit_fields:set', "MM"),
    ("03_list", 0): ('', "M"),
    ("03_list", 1): ('stop:stop', "MM"),
    ("04_api_list", 0): ('', "M"),
    ("05_template", 0): ('', "MM"),
    ("06_webhook_respond", 0): ('check:condition(then: accept:respond | else: refuse:respond)', "CMMM"),
    ("07_webhook_v1_auth", 0): ('', "RM"),
    ("08_http_v4", 0): ('get:webhook post:webhook', "MRR"),
    ("09_http_v1", 0): ('old:webhook form:webhook', "MMM"),
    ("10_http_json_full", 0): ('send:webhook check:condition(else: bad:stop)', "MCMMM"),
    ("11_set_v1", 0): ('set:set use:set', "MMM"),
    ("12_set_v30", 0): ('set:set read:set', "MMM"),
    ("13_set_raw", 0): ('raw:set odd:group', "MMR"),
    ("14_if_v1", 0): ('if_step:condition(else: mail:email)', "MMMC"),
    ("15_if_meets", 0): ('if_step:condition(then: big:set | else: small:set) after:set', "MMMMC"),
    ("16_if_one_way", 0): ('if_step:condition(then: go:set more:set)', "MMMM"),
    ("17_switch_v3", 0): ('switch:switch(case_1: a:set | case_2: b:set | otherwise: other:set) end:set', "MMMMMM"),
    ("18_switch_v1", 0): ('switch:switch(case_2: others:set | otherwise: none:stop)', "MMMMM"),
    ("19_switch_no_fallback", 0): ('switch:switch(case_1: zero:set | case_2: one:set) fits:condition(then: end:set)', "MCMMM"),
    ("20_filter", 0): ('keep:condition(then: after:set)', "MCM"),
    ("21_lists", 0): ('fetch:sql only_big:filter sort:sort top:limit once:dedupe shape:transform all:set tell:webhook', "MRMMMMMMM"),
    ("22_implicit_each", 0): ('rows:sql each:foreach(each: mail:email) count:set', "MRCM"),
    ("23_split_out", 0): ('get:webhook split:transform each:foreach(each: call:webhook)', "MMMMM"),
    ("24_loop_v3", 0): ('get:webhook loop_step:foreach(each: call:webhook) done:transform', "MMMMM"),
    ("25_loop_v2", 0): ('loop_step:foreach(each: if_step:condition(then: small:set) pause:wait)', "MCMMMM"),
    ("26_loop_v1", 0): ('loop_step:foreach(each: call:webhook if_step:condition)', "MRMRM"),
    ("27_parallel_merge", 0): ('parallel:parallel(lane_1: a:webhook | lane_2: b:webhook) merge:transform use:transform', "MMMMM"),
    ("28_merge_choose", 0): ('parallel:parallel(lane_1: a:set | lane_2: b:set) use:set', "MMMMM"),
    ("29_merge_sql", 0): ('parallel:parallel(lane_1: passes:set | lane_2: b:set) merge:group use:set', "MMMRR"),
    ("30_if_merge", 0): ('if_step:condition(then: a:set) use:set', "MMMMM"),
    ("31_error_output", 0): ('call:webhook(error: wrong:set) worked:condition(then: fine:set) after:set', "MCMMM"),
    ("32_continue", 0): ('call:webhook again:webhook caught:webhook end:set', "MMMMM"),
    ("33_error_trigger", 0): ('mail:email', "CC"),
    ("34_schedules", 0): ('at:set', "RC"),
    ("35_cron_old", 0): ('pass:set', "CRM"),
    ("36_form", 0): ('if_step:condition(then: ask:approval | else: tell:email)', "CMRR"),
    ("37_sub_workflow", 0): ('call_other:subworkflow', "MR"),
    ("38_two_starts", 0): ('starts:switch(case_1: a:set | case_2: b:set) end:set', "RRMMM"),
    ("39_waits", 0): ('a_while:wait until:wait called:callback old:wait', "MMMCM"),
    ("40_code", 0): ('code:set python:group use:set', "MCRCR"),
    ("41_agent", 0): ('agent:group after:set', "MRRRRRR"),
    ("42_unknown", 0): ('slack:group ways:switch(case_3: y:set community:group)', "MRRMMRR"),
    ("43_disabled_notes", 0): ('off:condition(then: off_2:webhook) off_code:condition on:set', "MCCMMM"),
    ("44_postgres_old", 0): ('insert:sql each:foreach(each: ask:sql each_2:foreach(each: upsert:sql))', "MRRR"),
    ("45_expressions", 0): ('set:set', "MM"),
    ("46_hostile_expressions", 0): ('set:set', "MR"),
    ("47_prototype_names", 0): ('constructor:set for_step:webhook tostring:set', "MMMM"),
    ("48_cycles", 0): ('ask:webhook if_step:condition(else: pause:wait goto:goto) apart:condition(then: self:set goto_2:goto round_1:set round_2:set goto_3:goto)', "MCMMMRRR"),
    ("49_unstructured", 0): ('if_step:condition(then: a:set c:set | else: b:set parallel:parallel(lane_1: c_2:set | lane_2: d:set))', "MMMMCM"),
    ("50_odd_shapes", 0): ('bad_params:webhook apart:condition(then: twice_2:set step:group step_2:group no_type:group step_3:group)', "MMRRRRRRM"),
    ("51_empty", 0): ('', ""),
    ("54_arabic", 0): ('step:set step_2:webhook', "MMM"),
    ("55_many_ways", 0): ('parallel:parallel(lane_1: w0:set | lane_2: w1:set | lane_3: w2:set | lane_4: w3:set | lane_5: w4:set | lane_6: w5:set | lane_7: w6:set | lane_8: w7:set | lane_9: w8:set | lane_10: parallel_2:parallel(lane_1: w9:set | lane_2: w10:set | lane_3: w11:set)) join:transform end:limit', "MMMMMMMMMMMMMMM"),
    ("56_runs", 0): ('prepare:set big:condition(then: big_2:set | else: small:set) kind:switch(case_1: one:set | case_2: two:set) fits:condition(then: end:set)', "CCMMMCMMM"),
    ("57_lists_run", 0): ('make:set split:transform once:dedupe sort:sort keep:filter loop_step:foreach(each: twice:set) all:set', "MMMMMMMMM"),
}
# fmt: on


def imported(name, number=0):
    return service.read((HERE / f"{name}.json").read_bytes())[number]


def outline(steps, parent=None, lane=None):
    made = []
    for step in steps:
        if (step["parent"], step["lane"]) == (parent, lane):
            lanes = dict.fromkeys(each["lane"] for each in steps if each["parent"] == step["key"])
            inner = " | ".join(f"{name}: {outline(steps, step['key'], name)}" for name in lanes)
            made.append(f"{step['key']}:{step['kind']}" + (f"({inner})" if inner else ""))
    return " ".join(made)


def config(name, key):
    return next(step["config"] for step in imported(name).steps if step["key"] == key)


def line(name, node):
    return next(each for each in imported(name).report.lines if each.name == node)


def words(name, node):
    return [code for code, _about in line(name, node).words]


@pytest.mark.parametrize(("name", "number"), BECOMES, ids=lambda each: str(each))
def test_each_file_becomes(name, number):
    found = imported(name, number)

    assert (outline(found.steps), "".join(each.level[0].upper() for each in found.report.lines)) == BECOMES[name, number]


@pytest.mark.parametrize("name", FILES)
def test_every_problem_of_the_check_and_every_node_is_in_the_report(name):
    for number, found in enumerate(service.read((HERE / f"{name}.json").read_bytes())):
        document = graph.workflows_of(json.loads((HERE / f"{name}.json").read_text()))[number]
        assert len(found.report.lines) == len(document["nodes"])
        keys = {each["key"] for each in found.steps}
        assert all(each.step in keys | {None} for each in found.report.lines)
        assert {code for each in found.report.lines for code, _about in each.words} <= set(SAID)
        assert {code for code, _about in found.report.general} <= set(SAID)
        told = {each.step for each in found.report.lines if each.level == "review"}
        ours = {each["key"] for each in found.steps} - {each.step for each in found.report.lines}
        too_deep = {problem.step for problem in checks.check(found.steps, found.settings, FIELDS) if "deep" in str(problem.message)}
        wrong = {problem.step for problem in checks.check(found.steps, found.settings, FIELDS)} - {None}
        assert wrong <= told | ours | too_deep  # what is deep is named when the draft is kept


@pytest.mark.parametrize("name", FILES)
def test_nothing_of_a_file_is_ever_carried_out(name):
    """Each `${ … }` in a draft compiles, and came out of our own translation: what stood in the file so is escaped."""
    for found in service.read((HERE / f"{name}.json").read_bytes()):
        for text in texts([step["config"] for step in found.steps]):
            names = {path[0] for path in expressions.names_used(text)}
            assert names <= {"input", "steps", "run", "item", "index", "error"}


def texts(value):
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(each)


@pytest.mark.parametrize(
    ("name", "key", "place", "said"),
    [
        ("01_manual_set", "edit_fields", ("values", 0, "value"), "Hello ${ input.name }"),
        ("01_manual_set", "edit_fields", ("values", 1, "value"), "${ (double(input.price) * 1.15) }"),
        ("06_webhook_respond", "check", ("when",), "double(input.amount) > 100.0"),
        ("06_webhook_respond", "accept", ("body",), '{ "order": "${ input.id }" }'),
        ("06_webhook_respond", "accept", ("status",), 201),
        ("08_http_v4", "get", ("url",), "https://api.example.com/orders/${ input.id }"),
        ("08_http_v4", "get", ("headers", 1, "value"), "<left out: it looks like a secret>"),
        ("08_http_v4", "post", ("body",), '${ {"title": dyn(steps.get.body.customer.name), "source": dyn("n8n")} }'),
        ("09_http_v1", "old", ("body",), '{"a": "${ input.x_y }"}'),
        ("09_http_v1", "form", ("form", 0, "value"), "${ steps.old.body.id }"),
        ("10_http_json_full", "check", ("when",), "double(steps.send.status) == 200.0"),
        ("10_http_json_full", "send", ("success",), "100-599"),
        ("10_http_json_full", "bad", ("message",), "Status ${ steps.send.status }"),
        ("11_set_v1", "use", ("values", 0, "value"), "${ steps.set.city } ${ input.other }"),
        ("12_set_v30", "read", ("values", 0, "value"), "${ double(steps.set.n) }"),
        ("12_set_v30", "set", ("values", 1, "value"), "${ 5 }"),
        ("14_if_v1", "if_step", ("when",), 'string(input.status).contains("open") || double(input.count) >= 3.0 || dyn(input.ok) == dyn(true)'),
        ("15_if_meets", "after", ("values", 0, "value"), "${ string((steps.if_step.result ? dyn(steps.big.size) : dyn(steps.small.size))).upperAscii() }"),
        ("18_switch_v1", "switch", ("cases", 0, "value"), '(string(input.lang) == "ar")'),
        ("19_switch_no_fallback", "fits", ("when",), "steps.switch.number in [1, 2]"),
        ("21_lists", "fetch", ("statement",), "select * from orders where city = :p1 and day > :p2"),
        ("21_lists", "fetch", ("values", 1, "value"), "${ input.day }"),
        ("21_lists", "only_big", ("where",), "double(item.total) > 1000.0"),
        ("21_lists", "shape", ("fields", 1, "value"), "(double(item.total) * 1.15)"),
        ("21_lists", "once", ("by",), "[dyn(item.customer), dyn(item.city)]"),
        ("22_implicit_each", "mail", ("subject",), "Hello ${ item.name }"),
        ("22_implicit_each", "each", ("list",), "steps.rows.rows"),
        ("23_split_out", "split", ("list",), "steps.get.body.data.items"),
        ("24_loop_v3", "call", ("url",), "https://example.com/${ item.id }/${ item.slug }"),
        ("24_loop_v3", "loop_step", ("result",), "steps.call.body"),
        ("27_parallel_merge", "merge", ("list",), "[dyn(steps.a.body)] + [dyn(steps.b.body)]"),
        ("28_merge_choose", "use", ("values", 0, "value"), "${ steps.b.v }"),
        ("31_error_output", "wrong", ("values", 0, "value"), "${ error.detail }"),
        ("31_error_output", "worked", ("when",), "!has(steps.call.error)"),
        ("33_error_trigger", "mail", ("body",), "${ input.detail } in ${ input.step }"),
        ("34_schedules", "at", ("values", 0, "value"), "${ run.started_at }"),
        ("36_form", "tell", ("to",), "${ input.e_mail }"),
        ("37_sub_workflow", "call_other", ("inputs", 0, "value"), "${ (double(input.order_id) + 1.0) }"),
        ("38_two_starts", "end", ("values", 0, "value"), "${ (steps.starts.number == 1 ? dyn(steps.a.v) : dyn(steps.b.v)) }"),
        ("44_postgres_old", "ask", ("statement",), "select * from x where id = :v1 and n = :v2"),
        ("44_postgres_old", "upsert", ("statement",), 'insert into "public"."we""ird" ("id", "v") values (:v1, :v2) on conflict ("id") do update set "v" = :v2 returning *'),
        ("45_expressions", "set", ("values", 0, "value"), '${ ((string(input.a) + " ") + string(input.b)) }'),
        ("45_expressions", "set", ("values", 1, "value"), "${ (double(input.n) - (2.0 * 3.0)) }"),
        ("45_expressions", "set", ("values", 4, "value"), '${ ("Hi " + string(input.name) + "!") }'),
        ("45_expressions", "set", ("values", 7, "value"), '${ ((double(input.n) >= 3.0) && (dyn(input.m) != dyn("q"))) }'),
        ("45_expressions", "set", ("values", 11, "value"), "a {{ not }} $${ input.n } b"),
        ("46_hostile_expressions", "set", ("values", 0, "value"), "{{ $json.constructor.constructor('return process')() }}"),
        ("46_hostile_expressions", "set", ("values", 2, "value"), "{{ $env.SECRET }}"),
        ("46_hostile_expressions", "set", ("values", 5, "value"), "$${ input.secret } ={{ '}}' }}"),
        ("46_hostile_expressions", "set", ("values", 9, "value"), "{{ fetch('http://169.254.169.254/') }}"),
        ("47_prototype_names", "tostring", ("values", 0, "value"), '${ steps.for_step.body["in"] }'),
        ("48_cycles", "goto", ("to",), "ask"),
        ("54_arabic", "step_2", ("url",), 'https://example.com/${ steps.step["الاسم"] }'),
    ],
)  # fmt: skip
def test_values_are_said_in_ours(name, key, place, said):
    found = config(name, key)
    for part in place:
        found = found[part]

    assert found == said


@pytest.mark.parametrize(
    ("name", "node", "codes"),
    [
        ("06_webhook_respond", "Webhook", ["webhook_address"]),
        ("07_webhook_v1_auth", "Webhook", ["webhook_address", "connection", "webhook_method"]),
        ("08_http_v4", "Get", ["secret"]),
        ("08_http_v4", "Post", ["connection", "retry_wait"]),
        ("10_http_json_full", "Send", ["http_batches", "json"]),
        ("13_set_raw", "Odd", ["raw_json"]),
        ("19_switch_no_fallback", "Switch", ["nothing_fits"]),
        ("20_filter", "Keep", ["filter_one"]),
        ("22_implicit_each", "Mail", ["mail_sender"]),
        ("25_loop_v2", "Loop", ["batches"]),
        ("26_loop_v1", "Loop", ["old_loop"]),
        ("29_merge_sql", "Merge", ["merge"]),
        ("31_error_output", "Call", ["error_lane"]),
        ("34_schedules", "Schedule", ["start_off", "schedule"]),
        ("36_form", "Ask", ["people"]),
        ("36_form", "Tell", ["mail_html", "mail_sender"]),
        ("37_sub_workflow", "Call other", ["workflow", "waits"]),
        ("38_two_starts", "Hook", ["webhook_address", "several_starts"]),
        ("39_waits", "Called", ["callback"]),
        ("40_code", "Code", ["code_turned"]),
        ("41_agent", "Agent", ["agent"]),
        ("41_agent", "Model", ["helper"]),
        ("42_unknown", "Slack", ["unknown"]),
        ("42_unknown", "New trigger", ["unknown_start"]),
        ("43_disabled_notes", "Off", ["disabled"]),
        ("43_disabled_notes", "Note", ["sticky"]),
        ("43_disabled_notes", "Loose", ["sticky_loose"]),
        ("44_postgres_old", "Ask", ["connection", "sql_bound"]),
        ("48_cycles", "Ask", ["loop_back"]),
        ("48_cycles", "Self", ["loop_back", "apart"]),
        ("49_unstructured", "C", ["copied"]),
    ],
)
def test_the_report_says_why(name, node, codes):
    assert words(name, node) == codes


def test_the_source_of_code_and_the_settings_of_what_is_unknown_stand_in_the_note():
    steps = {step["key"]: step for step in imported("40_code").steps}
    assert steps["code"]["note"].startswith("const x = $input.all();") and steps["python"]["note"] == "return _items"
    (agent,) = [step for step in imported("41_agent").steps if step["key"] == "agent"]
    assert "gpt-4o" in agent["note"] and "You sort mail." in agent["note"] and "ai_memory: Memory" in agent["note"]
    slack = next(step for step in imported("42_unknown").steps if step["key"] == "slack")
    assert '"channel": "#general"' in slack["note"] and slack["was"] == "n8n: slack 2.2"
    assert "sk_live" not in json.dumps(imported("42_unknown").steps)


def test_notes_come_along():
    found = imported("43_disabled_notes")
    assert next(step["note"] for step in found.steps if step["key"] == "on") == "Careful\n## Read me"
    assert found.description == "About it all"


def test_starts_come_along_with_their_times_and_fields():
    assert [(each.kind, each.config.get("cron") or each.config.get("every")) for each in imported("34_schedules").starts] == [
        ("schedule-cron", "30 8 * * 0,1,2"), ("schedule-cron", "15 6 * * 1"), ("schedule-interval", 10), ("schedule-cron", "0 6 5 */3 *"),
    ]  # fmt: skip
    assert [(each.kind, each.config.get("cron") or each.config.get("every")) for each in imported("35_cron_old").starts] == [
        ("schedule-cron", "5 7 * * *"), ("schedule-cron", "0 0 1 * *"), ("schedule-interval", 6), ("schedule-interval", 2),
    ]  # fmt: skip
    asked = [(each["key"], each["type"], each["label"], each["required"]) for each in imported("36_form").settings["inputs"]]
    assert asked == [
        ("input", "text", "الاسم", True),
        ("days", "number", "Days", True),
        ("kind", "choice", "Kind", False),
        ("e_mail", "email", "E-mail", False),
    ]
    assert imported("34_schedules").settings["deadline_s"] == 600
    assert imported("06_webhook_respond").starts[0].config["inputs"] == {"amount": "${ input.body.amount }", "id": "${ input.body.id }"}


def test_settings_of_a_step_come_along():
    steps = {step["key"]: step for step in imported("08_http_v4").steps}
    assert (steps["get"]["timeout_s"], steps["get"]["retry"], steps["post"]["retry"]) == (10, {"attempts": 1}, {"attempts": 5})
    assert [step.get("on_error") for step in imported("32_continue").steps] == ["continue", "continue", "continue", None]


@pytest.mark.parametrize("name", ["52_deep", "53_grid"])
def test_what_is_too_deep_or_crosses_too_often_is_cut_and_named(name):
    began = time.process_time()
    found = imported(name)

    assert time.process_time() - began < 5
    assert len(found.steps) < 400
    assert any(code in ("deep", "goes_on") for each in found.report.lines for code, _about in each.words)
    cut = [step for step in found.steps if step["key"].startswith("goes_on")]
    assert cut and all(step["was"].startswith("n8n: → ") for step in cut)
    problems = {problem.step for problem in checks.check(found.steps, found.settings, FIELDS)}
    assert {step["key"] for step in cut} <= problems


def test_a_line_of_five_hundred_nodes_is_read_quickly():
    nodes = [{"name": f"N{number}", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "parameters": {}} for number in range(500)]
    wires = {f"N{number}": {"main": [[{"node": f"N{number + 1}", "type": "main", "index": 0}]]} for number in range(499)}
    began = time.process_time()
    (found,) = service.read(json.dumps({"nodes": nodes, "connections": wires}))

    assert time.process_time() - began < 5 and len(found.report.lines) == 500


def crossed(count, each_way):
    nodes = [{"name": f"N{number}", "type": "n8n-nodes-base.if", "typeVersion": 2} for number in range(count)]
    wires = {f"N{number}": {"main": [[{"node": f"N{other}"} for other in side] for side in each_way(number)]} for number in range(count)}
    return {"nodes": nodes, "connections": wires}


@pytest.mark.parametrize(
    "document",
    [
        crossed(50, lambda number: (range(number + 1, 50), range(number))),
        crossed(50, lambda number: (range(number + 1, 50), range(number + 1, 50))),
        crossed(500, lambda number: (range(number + 1, min(number + 4, 500)), [number // 2])),
        crossed(500, lambda number: (range(1, 500) if not number else [], [])),
    ],
    ids=["each leads to all", "forwards only", "long and crossed", "a star"],
)
def test_a_graph_that_crosses_itself_everywhere_is_cut_in_time(document):
    began = time.process_time()
    (found,) = service.read(json.dumps(document))

    assert time.process_time() - began < 5
    assert len(found.steps) < 1_300 and len(found.report.lines) == len(document["nodes"])
    assert all(each.step or each.level == "review" for each in found.report.lines)


def test_more_wires_than_can_be_read_are_refused_in_words():
    with pytest.raises(FileRefused) as refused:
        service.read(json.dumps(crossed(80, lambda _number: (range(80), []))))
    assert "more than 3000 wires" in str(refused.value.problems[0])


NAMES = st.sampled_from(["A", "B", "C", "D", "E", "__proto__", ""])
TYPES = st.sampled_from([f"n8n-nodes-base.{name}" for name in (
    "set", "if", "switch", "merge", "splitInBatches", "httpRequest", "noOp", "webhook", "manualTrigger", "filter", "splitOut", "aggregate",
    "postgres", "wait", "code", "stickyNote", "scheduleTrigger", "formTrigger", "executeWorkflow", "emailSend", "limit", "sort", "stopAndError")]
    + ["@n8n/n8n-nodes-langchain.agent", "x.y"])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
    | st.sampled_from(["={{ $json.a }}", "={{ $('A').item.json.b + 1 }}", "=x {{ [1].map(x => x) }} ${ y }", "={{ `${$json.a}` }}", "={{"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.sampled_from(
        ["conditions", "values", "rules", "options", "assignments", "operator", "leftValue", "string", "parameters", "rule", "interval"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip
NODE = st.fixed_dictionaries(
    {"name": NAMES, "type": TYPES},
    optional={
        "typeVersion": st.sampled_from([1, 2, 3, 3.4, "x", None]), "parameters": JSON, "disabled": st.booleans(), "position": JSON,
        "onError": st.sampled_from(["continueErrorOutput", "continueRegularOutput", None, 7]), "credentials": JSON, "notes": JSON,
        "executeOnce": st.booleans(), "retryOnFail": st.booleans(), "maxTries": JSON,
    },
)  # fmt: skip
SLOT = (
    st.none()
    | st.fixed_dictionaries({"node": NAMES | st.just("gone")}, optional={"type": st.just("main"), "index": st.integers(0, 2)})
    | JSON
)
WIRES = st.dictionaries(
    NAMES, st.dictionaries(st.sampled_from(["main", "ai_tool", "error"]), st.lists(st.none() | st.lists(SLOT, max_size=3), max_size=4), max_size=2), max_size=6
)  # fmt: skip
WHOLE = st.fixed_dictionaries(
    {"nodes": st.lists(NODE | JSON, max_size=7)}, optional={"connections": WIRES | JSON, "settings": JSON, "pinData": JSON, "tags": JSON, "name": JSON}
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(WHOLE)
def test_whatever_the_envelope_holds_every_node_is_reported(document):
    found = importing.build(document)

    assert len(found.report.lines) == len(document["nodes"])
    keys = [each["key"] for each in found.steps]
    assert len(keys) == len(set(keys))
    problems = checks.check(found.steps, found.settings, FIELDS)
    assert not [each for each in problems if "lost its place" in str(each.message) or "same key" in str(each.message)]
    json.dumps(found.report.kept(), allow_nan=False)
    for text in texts([step["config"] for step in found.steps]):
        expressions.compile_template(text)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_other_json_is_read_or_refused_in_words(document):
    for each in graph.workflows_of(document):
        importing.build(each)

"""Our own format: byte for byte the same again, held against its schema, without secrets and without ids."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from portal.connections import service as connections
from portal.connections.checking import read as read_connection
from portal.connections.kinds import KINDS
from portal.core import db
from portal.core.access import Actor
from portal.core.errors import NotFound
from portal.devkit import workflow_format
from portal.identity.groups import service as groups
from portal.workflows import service, stripping
from portal.workflows import service as workflows
from portal.workflows.calendars import service as calendars
from portal.workflows.calendars.service import Draft
from portal.workflows.exchange import own
from portal.workflows.exchange import service as exchange
from portal.workflows.exchange.errors import FileRefused
from portal.workflows.models import WorkflowTemplate
from portal.workflows.samples import catalogue
from tests.workflows.engine.conftest import step, values

SCHEMA = json.loads(own.SCHEMA.read_text(encoding="utf-8"))
LEAST = {"format": "nasij.workflow", "version": 1, "name": "A", "settings": {}, "steps": []}


@pytest.fixture
def by(app, tenant):
    with app.app_context():
        yield Actor("person", tenant.people["owner"])


def make(tenant, by, *nodes, **settings):
    with db.transaction(tenant.id) as session:
        workflow = WorkflowTemplate(tenant_id=tenant.id, name="سير", name_ar="سير", nodes=list(nodes), settings={"inputs": [], **settings})
        session.add(workflow)
        session.flush()
        return workflow.id


def send(tenant, by, workflow_id, version=None):
    with db.transaction(tenant.id):
        return exchange.send_out(tenant.id, workflow_id, version=version, by=by)[1]


def bring(tenant, by, content, *, may_use=True):
    with db.transaction(tenant.id):
        (arrived,) = exchange.bring_in(tenant.id, content, may_use_connections=may_use, by=by)
    return arrived


def draft(tenant, workflow_id):
    with db.transaction(tenant.id):
        return workflows.get_workflow(tenant.id, workflow_id)[0]


@pytest.mark.parametrize("slug", catalogue.SAMPLES)
def test_every_sample_comes_back_byte_for_byte(tenant, by, slug):
    with db.transaction(tenant.id):
        workflow_id = service.create_workflow(tenant.id, name=f"Sample {slug}", name_ar="مثال", sample=slug, by=by)
    first = send(tenant, by, workflow_id)
    arrived = bring(tenant, by, first)

    assert send(tenant, by, arrived.id) == first
    before, after = draft(tenant, workflow_id), draft(tenant, arrived.id)
    assert (after.nodes, after.settings, after.edges) == (before.nodes, before.settings, before.edges)
    assert not after.is_active and after.published_version_id is None
    Draft202012Validator(SCHEMA).validate(json.loads(first))


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
LEAF = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6).map(lambda each: round(each, 3) + 0.0) | TEXTS
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "values": st.lists(st.fixed_dictionaries({"name": TEXTS, "value": TEXTS}), max_size=3),
        "when": TEXTS | st.none(),
        "body": TEXTS,
        "amount": LEAF,
        "zeta": LEAF,
        "alpha": st.lists(LEAF, max_size=2),
    },
)


@st.composite
def definitions(draw):
    steps = []
    for number in range(draw(st.integers(0, 6))):
        holders = [each for each in steps if each["kind"] == "condition"]
        holder = draw(st.sampled_from([None, *holders]))
        made = {
            "key": f"s{number}",
            "kind": draw(st.sampled_from(["set", "condition", "wait", "email", "stop"])),
            "name": draw(TEXTS),
            "name_ar": draw(st.none() | TEXTS),
            "parent": holder["key"] if holder else None,
            "lane": draw(st.sampled_from(["then", "else"])) if holder else None,
            "config": draw(CONFIG),
        }
        steps.append(
            {**made, **draw(st.fixed_dictionaries({}, optional={"note": TEXTS, "timeout_s": st.integers(1, 60), "undo": st.just(False)}))}
        )
    return steps


def test_every_definition_comes_back_byte_for_byte(tenant, by):
    @settings(max_examples=40, deadline=None)
    @given(definitions())
    def comes_back(steps):
        first = send(tenant, by, make(tenant, by, *steps, deadline_s=600))
        assert send(tenant, by, bring(tenant, by, first).id) == first

    comes_back()


def test_a_version_is_sent_as_it_was_published(tenant, by):
    workflow_id = make(tenant, by, step("only", "set", **values(x="1")), deadline_s=600)
    with db.transaction(tenant.id) as session:
        workflows.publish_version(tenant.id, workflow_id, by=by)
        session.get_one(WorkflowTemplate, workflow_id).nodes = [step("only", "set", **values(x="2"))]

    assert json.loads(send(tenant, by, workflow_id, 1))["steps"][0]["config"]["values"] == [{"name": "x", "value": "1"}]
    assert json.loads(send(tenant, by, workflow_id))["steps"][0]["config"]["values"] == [{"name": "x", "value": "2"}]
    with pytest.raises(NotFound):
        send(tenant, by, workflow_id, 2)


def bearer(tenant, by, name="CRM"):
    given = MultiDict({"name": name, "scope": "tenant", "hosts": "api.example.com", "token": "canary-4711"})
    with db.transaction(tenant.id):
        return connections.add_connection(tenant.id, "http_bearer", read_connection(KINDS["http_bearer"], given), by=by)


def furnished(tenant, by):
    """Make things with ids, and a workflow that uses each of them."""
    connection = bearer(tenant, by)
    with db.transaction(tenant.id):
        group = groups.add_group(tenant.id, name="Finance team", name_ar="المالية", by=by)
        calendar = calendars.add_calendar(tenant.id, Draft("Office", None, "Asia/Riyadh", (5, 6), ((480, 1020),)), by=by)
    called = make(tenant, by)
    with db.transaction(tenant.id) as session:
        session.get_one(WorkflowTemplate, called).name = "Called"
    people = [f"group:{group}", f"person:{tenant.people['member']}", "role:admin"]
    nodes = [
        step("call", "webhook", url="https://api.example.com", connection=str(connection)),
        step("ask", "approval", title="T", candidates=people, calendar=str(calendar)),
        step("sub", "subworkflow", workflow=str(called)),
        step("rows", "database", operation="count", table="things"),
    ]
    return make(tenant, by, *nodes, error_workflow=str(called))


def test_things_are_named_and_found_again(tenant, by):
    workflow_id = furnished(tenant, by)
    first = send(tenant, by, workflow_id)
    steps = {each["key"]: each["config"] for each in json.loads(first)["steps"]}
    arrived = bring(tenant, by, first)

    assert steps["call"]["connection"] == "connection=http_bearer/CRM"
    assert steps["ask"]["candidates"] == ["group=Finance team", f"person={tenant.email('member')}", "role:admin"]
    assert (steps["ask"]["calendar"], steps["sub"]["workflow"], json.loads(first)["settings"]["error_workflow"]) == (
        "calendar=Office", "workflow=Called", "workflow=Called",
    )  # fmt: skip
    before, after = draft(tenant, workflow_id), draft(tenant, arrived.id)
    assert (after.nodes, after.settings) == (before.nodes, before.settings)
    ids = [str(tenant.id), *(str(each) for each in tenant.people.values())]
    assert not [each for each in ids if each in first.decode()] and "canary-4711" not in first.decode()
    assert send(tenant, by, arrived.id) == first


def test_elsewhere_they_stay_open_and_are_reported(app, tenant, other_tenant, by):
    first = send(tenant, by, furnished(tenant, by))
    there = Actor("person", other_tenant.people["owner"])
    arrived = bring(other_tenant, there, first)

    said = {line.step: [code for code, _about in line.words] for line in arrived.report.lines}
    assert (said["call"], said["rows"]) == (["no_connection", "check"], ["no_table", "check"])
    assert said["ask"] == ["no_people", "no_people", "no_calendar", "check"] or set(said["ask"]) == {"no_people", "no_calendar", "check"}
    assert ("no_workflow", "Called") in arrived.report.general
    assert {line.level for line in arrived.report.lines} == {"review"}
    assert send(other_tenant, there, arrived.id) == first


def test_who_may_use_no_connection_gets_none(tenant, by):
    arrived = bring(tenant, by, send(tenant, by, furnished(tenant, by)), may_use=False)

    assert draft(tenant, arrived.id).nodes[0]["config"]["connection"] == "connection=http_bearer/CRM"
    assert ("no_connection", "http_bearer/CRM") in arrived.report.lines[0].words


def test_of_two_with_one_name_none_is_chosen(tenant, by):
    workflow_id = furnished(tenant, by)
    first = send(tenant, by, workflow_id)
    twin = make(tenant, by)
    with db.transaction(tenant.id) as session:
        session.get_one(WorkflowTemplate, twin).name = "Called"
    arrived = bring(tenant, by, first)

    assert draft(tenant, arrived.id).nodes[2]["config"]["workflow"] == "workflow=Called"


def test_what_looks_like_a_secret_stays_behind(tenant, by):
    headers = [{"name": "Authorization", "value": "Bearer abcdefgh12345678"}, {"name": "Accept", "value": "text/plain"}]
    workflow_id = make(
        tenant, by, step("call", "webhook", url="https://x.example", headers=headers), step("mail", "email", to="a@b.co", subject="sk_live_abcdefghijkl", body="x")
    )  # fmt: skip
    first = send(tenant, by, workflow_id)
    steps = json.loads(first)["steps"]
    arrived = bring(tenant, by, first)

    assert [each["value"] for each in steps[0]["config"]["headers"]] == [stripping.LEFT_OUT, "text/plain"]
    assert steps[1]["config"]["subject"] == stripping.LEFT_OUT
    assert b"abcdefgh1234" not in first and b"sk_live" not in first
    assert send(tenant, by, arrived.id) == first
    assert [line.words[0][0] for line in arrived.report.lines] == ["secret", "secret"]


def test_the_schema_is_that_of_the_kinds_and_fields_there_are():
    """Written anew by `python -m portal.devkit.workflow_format`."""
    assert own.SCHEMA.read_text(encoding="utf-8") == workflow_format.text()
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", sorted(each.stem for each in (Path(__file__).parent / "n8n").glob("*.json")))
def test_what_n8n_brings_leaves_as_a_file_of_ours(app, name):
    for found in exchange.read((Path(__file__).parent / "n8n" / f"{name}.json").read_bytes()):
        content = own.write({"name": found.name or "x", "category": "general"}, found.steps, found.settings)
        (again,) = exchange.read(content)
        assert again.steps == json.loads(json.dumps(found.steps)) and again.settings == found.settings


def with_step(**more):
    return {**LEAST, "steps": [{"key": "a", "kind": "set", "name": "A", "parent": None, "lane": None, "config": {}, **more}]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({**LEAST, "version": 2}, "newer Nasij"),
        ({**LEAST, "version": "1"}, "“version” is none of the known values"),
        ({each: LEAST[each] for each in LEAST if each != "steps"}, "“steps” is missing in “nasij.workflow”"),
        ({each: LEAST[each] for each in LEAST if each not in ("name", "steps")}, "“steps” is missing in “nasij.workflow”"),
        ({**LEAST, "more": 1}, "holds a name that is not known"),
        ({**LEAST, "name": 5}, "“name” is of another kind"),
        ({**LEAST, "name": "x" * 201}, "“name” is longer or larger than 200"),
        ({**LEAST, "settings": {"priority": 9}}, "“settings.priority” is none of the known values"),
        ({**LEAST, "settings": {"inputs": [{"key": "A", "type": "text"}]}}, "“settings.inputs[0].key” is not written as it must be"),
        (with_step(config={"values": True}), "“steps[0].config.values” is of another kind"),
        (with_step(config={"values": ["x"]}), "“steps[0].config.values[0]” is of another kind"),
        (with_step(config={"values": [{"name": "a", "value": {}}]}), "“steps[0].config.values[0].value” is of another kind"),
        (with_step(kind="approval", config={"candidates": "role:x"}), "“steps[0].config.candidates” is of another kind"),
        (with_step(kind="condition", config={"when": {}}), "“steps[0].config.when” is of another kind"),
        (with_step(kind="fax"), "“steps[0].kind”: there is no kind of step “fax” here."),
        (with_step(kind=5), "“steps[0].kind” is none of the known values"),
        (with_step(parent="b", lane="then"), "The step “a” stands at a place that is not there"),
        (with_step(parent="a", lane="then"), "The step “a” stands at a place that is not there"),
        ({**with_step(), "steps": with_step()["steps"] * 2}, "Two steps have the key “a”"),
    ],
)
def test_a_wrong_file_is_refused_in_words(app, document, said):
    with app.test_request_context(), pytest.raises(FileRefused) as refused:
        exchange.read(json.dumps(document))
    told = [re.sub("[\u2068\u2069]", "", str(each)) for each in refused.value.problems]
    assert any(said in each for each in told), told


PATHS = [("version",), ("name",), ("settings",), ("settings", "inputs"), ("settings", "inputs", 0, "type"), ("settings", "deadline_s"), ("steps",),
         ("steps", 0, "kind"), ("steps", 0, "key"), ("steps", 0, "config"), ("steps", 0, "on_error"), ("steps", 0, "retry"), ("steps", 0, "lane")]  # fmt: skip
WHOLE = {
    **with_step(on_error="continue", retry={"attempts": 2}),
    "settings": {"inputs": [{"key": "a", "type": "text", "label": "A", "required": False, "choices": []}], "deadline_s": 60},
}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PATHS), LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(TEXTS, LEAF, max_size=2), st.booleans())
def test_the_reader_agrees_with_the_schema(path, value, drops):
    """jsonschema is the judge of both: what it refuses is refused in words, what it takes has steps that can be shown."""
    document = copy.deepcopy(WHOLE)
    place = document
    for part in path[:-1]:
        place = place[part]
    if drops and isinstance(place, dict):
        del place[path[-1]]
    else:
        place[path[-1]] = value
    is_valid = Draft202012Validator(SCHEMA).is_valid(document)
    try:
        (found,) = exchange.read(json.dumps(document))
    except FileRefused as refused:
        assert refused.problems and (not is_valid or "place" in refused.problems[0]._args[0] or "newer" in refused.problems[0]._args[0])
        return
    assert is_valid and found.steps == document["steps"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"  \n ", "The file is empty."),
        (b'{\n  "a": 1,\n  "b" 2\n}', "line 3, column 7"),
        (b"{}", "holds no workflow"),
        (b"[1, 2]", "holds no workflow"),
        (b"[" * 5000, "deep inside each other"),
        (b"[" * 200 + b"]" * 200, "more than 100 deep"),
        (b'{"a": NaN}', "a number that is none"),
        (b'{"a": 1e999}', "a number that is none"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'\xff\xfe{\x00"', "not written in UTF-8: line 1"),
        (b'{"a":\n"\xe9"}', "not written in UTF-8: line 2"),
        (b" " * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
        (json.dumps({"nodes": [{}] * 501}).encode(), "more than 500 nodes"),
        (json.dumps([{"nodes": []}] * 21).encode(), "more than 20 workflows"),
    ],
    ids=lambda each: each[:20] if isinstance(each, str) else None,
)  # fmt: skip
def test_what_is_no_file_is_refused_in_words(app, content, said):
    with app.test_request_context(), pytest.raises(FileRefused) as refused:
        exchange.read(content)
    assert said in str(refused.value.problems[0])


def test_marks_and_halves_of_characters_are_dropped(app):
    (found,) = exchange.read(b"\xef\xbb\xbf" + json.dumps({"name": "a\u0000b\ud800", "nodes": [{"name": "x\u0007"}]}).encode())

    assert (found.name, found.report.lines[0].name) == ("ab\ufffd", "x")


def test_it_is_audited_and_announced(tenant, by):
    workflow_id = make(tenant, by, step("only", "set", **values(x="1")))
    arrived = bring(tenant, by, send(tenant, by, workflow_id))
    with db.transaction(tenant.id) as session:
        rows = session.execute(
            text("select action, target_id, details from audit_entries where action like 'workflow.%ported' order by at")
        ).all()

    assert [(row.action, row.target_id) for row in rows] == [("workflow.exported", workflow_id), ("workflow.imported", arrived.id)]
    assert rows[1].details["counts"] == {"mapped": 1, "changed": 0, "review": 0}

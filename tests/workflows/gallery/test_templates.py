"""Every template of the house publishes as it stands and runs to an end, whatever people decide; both languages are whole."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from sqlalchemy import select, text

from portal.core import db
from portal.core.access import Access
from portal.datatables import service as tables
from portal.identity.roles import PERMISSIONS
from portal.workflows import queries as workflows
from portal.workflows import service
from portal.workflows.actions.registry import FIELDS
from portal.workflows.engine import runner
from portal.workflows.samples import catalogue
from portal.workflows.samples.parts import Both
from portal.workflows.tasks import service as tasks
from portal.workflows.tasks.models import WorkflowTask
from tests.conftest import make_house
from tests.connections.systems import Reply
from tests.workflows.engine.conftest import Engine

SLUGS = list(catalogue.SAMPLES)
CALLS_OUT = {"supplier_check"}
ARABIC = re.compile(r"[\u0621-\u064a]")
LATIN = re.compile(r"[A-Za-z]{3,}")
VALUE = re.compile(r"\$\{.*?\}", re.DOTALL)
ENGLISH_NAMES = re.compile(r"CVSS|ISO|ECC|PDPL|PDF|VAT|incident\.solved|asset\.returned|due|nasij\.example")
CONTROLS = re.compile(r"شركة الواحة|مؤسسة الإتقان")
# Rows that a loop of a template goes through.
ROWS = {
    "contracts": {"title": "Cleaning", "supplier": "Najd", "amount": 12000, "ends_on": "2027-01-31", "state": "due"},
    "keys": {"name": "signing", "system": "portal", "state": "due"},
    "accesses": {"system": "ERP", "person": "Layla", "reason": "invoices"},
    "calls": {"customer": "Najd Paper Mills", "phone": "+966 11 000 0000", "state": "due"},
}


@pytest.fixture(scope="module")
def engine(app):
    """One house for all templates: they stand beside each other, as in an organisation."""
    with app.app_context():
        yield Engine(make_house())


def given_for(declared):
    kinds = {"text": "نص", "long_text": "نص أطول", "number": "7", "date": "2026-12-01", "email": "somebody@example.com", "boolean": "on"}
    return {each["key"]: each["choices"][0] if each["type"] == "choice" else kinds[each["type"]] for each in declared}


def made(house, slug, by):
    sample = catalogue.get(slug)
    with db.transaction(house.id):
        workflow_id = service.create_workflow(house.id, name=sample.name, name_ar=sample.name_ar, sample=slug, by=by)
        for table in sample.tables:
            if table.slug in ROWS:
                tables.insert_row(house.id, table.slug, ROWS[table.slug])
    return workflow_id


def answer(engine, run_id, choose):
    """Let everybody who may decide every open task of a run and those it began; return how many there were."""
    house, family = engine.house, [run.id for run in engine.family(run_id)]
    with db.transaction(house.id) as session:
        found = session.scalars(select(WorkflowTask).where(WorkflowTask.execution_id.in_(family), WorkflowTask.state == "open"))
        open_tasks = [(row.id, row.form, row.outcomes) for row in found]
    for task_id, form, outcomes in open_tasks:
        for role in [each for each in ("admin", "builder", "member", "owner") if each in house.people]:
            here = Access(house.people[role], house.id, role, PERMISSIONS[role], role, house.name, None)
            try:
                if tasks.decide(here, task_id, outcome=choose(outcomes)["key"], given=given_for(form), note="لأن"):
                    break
            except Exception as refused:
                if "Invalid" in type(refused).__name__:
                    raise
    return len(open_tasks)


def carry_on(engine, run_id, choose):
    """Move a run on, answer what it asks, let the time of its waits pass, until it has ended."""
    answered = 0
    for _ in range(40):
        while runner.pump(worker="test", budget_s=20) + engine.sweep():
            pass
        if engine.run(run_id).status != "running":
            break
        asked = answer(engine, run_id, choose)
        answered += asked
        if not asked:
            with db.transaction(engine.house.id) as session:
                session.execute(text("update workflow_timers set due_at = clock_timestamp() where fired_at is null"))
    return answered


WAYS = {"hoped": lambda outcomes: outcomes[0], "last": lambda outcomes: outcomes[-1]}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("slug", [each for each in SLUGS if each not in CALLS_OUT])
def test_a_template_publishes_as_it_stands_and_runs_to_its_end(engine, slug, way, post, settings):
    settings(post.port)
    workflow_id = made(engine.house, slug, engine.by)
    with db.transaction(engine.house.id):
        service.publish_version(engine.house.id, workflow_id, by=engine.by)
        inputs = workflows.get_workflow(engine.house.id, workflow_id).settings["inputs"]

    run_id = engine.start(workflow_id, **given_for(inputs))
    answered = carry_on(engine, run_id, WAYS[way])

    run = engine.run(run_id)
    failed = {key: row.error for key, row in engine.steps(run_id).items() if row.state == "failed"}
    assert failed == {}
    assert run.status == "succeeded"
    asks = {node["kind"] for node in catalogue.get(slug).steps} & {"approval", "task"}
    assert bool(answered) == bool(asks)
    engine.assert_sound(run_id)


def test_there_are_enough_templates_in_every_category():
    by_category = Counter(sample.category for sample in catalogue.SAMPLES.values())

    assert len(catalogue.SAMPLES) >= 28
    assert set(by_category) == set(catalogue.CATEGORIES) - {"general"}
    assert min(by_category.values()) >= 3


def test_a_failed_retest_begins_the_workflow_again_as_a_run_of_its_own(engine, post, settings):
    settings(post.port)
    workflow_id = made(engine.house, "vulnerability", engine.by)
    with db.transaction(engine.house.id):
        service.publish_version(engine.house.id, workflow_id, by=engine.by)
    run_id = engine.start(workflow_id, title="CVE", system="ERP", cvss="9", round="1")

    carry_on(engine, run_id, lambda outcomes: next((each for each in outcomes if each["key"] in ("repaired", "there")), outcomes[0]))

    assert sorted(run.input_data["round"] for run in engine.family(run_id)) == [1, 2, 3]
    assert {run.status for run in engine.family(run_id)} == {"succeeded"}


def texts(value, place=""):
    """Every pair of texts in a template: (place, English, Arabic)."""
    if isinstance(value, Both):
        yield place, value.en, value.ar
    elif isinstance(value, dict):
        for name in ("name", "title", "label", "description"):
            # A name of a pair is a key; names of steps, tables and forms have a translation.
            if name in value and f"{name}_ar" in value:
                yield f"{place}.{name}", value[name], value[f"{name}_ar"]
        for key, each in value.items():
            if key == "language":  # of a document: a choice, not a text
                continue
            yield from texts(each, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from texts(each, f"{place}[{number}]")


@pytest.mark.parametrize("slug", [*SLUGS, "blank"])
def test_every_text_is_there_in_both_languages(slug):
    sample = catalogue.get(slug)
    found = list(texts({name: getattr(sample, name) for name in sample.__slots__}, slug))
    found += [pair for table in sample.tables for pair in texts({name: getattr(table, name) for name in table.__slots__}, table.slug)]

    assert sample.name and sample.description and (slug == "blank" or len(found) >= 5)
    for place, english, arabic in found:
        assert bool(english.strip()) == bool(arabic.strip()), place
        assert not ARABIC.search(VALUE.sub("", CONTROLS.sub("", english))), f"{place}: Arabic in the English text"
        said = VALUE.sub("", arabic)
        assert not said.strip() or ARABIC.search(said) or not re.search(r"[A-Za-z]", said), f"{place}: no Arabic in “{arabic}”"
        if not said.lstrip().startswith("[{"):
            assert not LATIN.search(ENGLISH_NAMES.sub("", said)), f"{place}: English words in “{arabic}”"


@pytest.mark.parametrize("slug", SLUGS)
def test_steps_ask_for_the_same_values_in_both_languages(slug):
    for place, english, arabic in texts(list(catalogue.get(slug).steps), slug):
        assert set(VALUE.findall(arabic)) <= set(VALUE.findall(english)) | {"${ steps.sign.outcome }"} or "?" in arabic, place


@pytest.mark.parametrize("slug", SLUGS)
def test_every_setting_of_a_step_is_one_that_its_kind_has(slug):
    for node in catalogue.get(slug).steps:
        assert set(node["config"]) <= {each.name for each in FIELDS[node["kind"]]}, node["key"]


@pytest.mark.parametrize(("status", "told"), [(200, "tell_accepted"), (202, "tell_refused")])
def test_the_supplier_check_asks_the_other_system_and_goes_by_what_it_answers(engine, other, status, told):
    other.answer = lambda asked: Reply(status=status, body={"known": True})
    workflow_id = made(engine.house, "supplier_check", engine.by)
    with db.transaction(engine.house.id):
        service.publish_version(engine.house.id, workflow_id, by=engine.by)

    run_id = engine.start(workflow_id, supplier="شركة الواحة", registration="1010")
    carry_on(engine, run_id, WAYS["hoped"])

    assert engine.run(run_id).status == "succeeded"
    assert {key for key, row in engine.steps(run_id).items() if row.state == "succeeded"} == {"ask_registry", "result", "accepted", told}
    (call,) = other.calls
    assert (call.method, call.path) == ("POST", "/suppliers")
    assert call.json == {"supplier": "شركة الواحة", "registration": "1010"}
    engine.assert_sound(run_id)


def test_a_template_that_calls_out_publishes_with_the_example_address_of_a_house_without_openings(engine):
    for slug in CALLS_OUT:
        workflow_id = made(engine.house, slug, engine.by)
        with db.transaction(engine.house.id):
            assert service.publish_version(engine.house.id, workflow_id, by=engine.by) == 1

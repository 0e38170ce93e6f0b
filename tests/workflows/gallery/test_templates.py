"""Every template of the house publishes as it stands and runs to an end, whatever people decide; both languages are whole."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, text

from portal.core import db
from portal.core.access import Access
from portal.datatables import service as tables
from portal.identity.roles import PERMISSIONS
from portal.workflows import queries as workflows
from portal.workflows import service
from portal.workflows.engine import runner
from portal.workflows.samples import catalogue
from portal.workflows.tasks import service as tasks
from portal.workflows.tasks.models import WorkflowTask
from tests.conftest import make_house
from tests.mail.conftest import post, settings  # noqa: F401 - fixtures
from tests.workflows.engine.conftest import Engine

SLUGS = list(catalogue.SAMPLES)
CALLS_OUT = {"supplier_check"}
ARABIC = re.compile(r"[\u0621-\u064a]")
LATIN = re.compile(r"[A-Za-z]{3,}")
VALUE = re.compile(r"\$\{.*?\}", re.DOTALL)
ENGLISH_NAMES = re.compile(r"CVSS|ISO|ECC|PDPL|PDF|VAT|incident\.solved|asset\.returned|due|nasij\.example")
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
        for role in ("admin", "builder", "member", "owner"):
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
def test_a_template_publishes_as_it_stands_and_runs_to_its_end(engine, slug, way, post, settings):  # noqa: F811
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

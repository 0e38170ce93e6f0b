"""The demo's past is a past that the house could have lived: its pages open, its open ends can be taken up."""

from __future__ import annotations

import time

import pyotp
import pytest
from sqlalchemy import text

from portal.core import db
from portal.datatables import service as tables
from portal.devkit import demo
from portal.identity import service as identity
from portal.tenants import service as tenants
from portal.workflows import queries, service
from portal.workflows.samples import catalogue
from tests.conftest import Browser
from tests.workflows.engine.conftest import Engine
from tests.workflows.gallery.test_templates import WAYS, carry_on, given_for


@pytest.fixture(scope="module")
def weavers(app):
    with app.app_context():
        began = time.process_time()  # what this process computes: what else the machine does is not measured
        demo.seed()
        computed_s = time.process_time() - began
        demo.seed()
        return tenants.add_tenant("weavers", name="", name_ar=None), computed_s


@pytest.fixture(scope="module")
def salma(app, weavers):
    client = app.test_client()
    client.set_cookie("locale", "ar")
    email = demo.PEOPLE[0][0]
    assert client.post("/sign-in", data={"email": email, "password": demo.PASSWORD}).headers["Location"] == "/sign-in/factor"
    assert client.post("/sign-in/factor", data={"code": pyotp.TOTP(demo.KEYS[email]).now()}).headers["Location"] == "/"
    return Browser(client)


def ids(weavers, where):
    with db.transaction(weavers[0]) as session:
        return session.scalars(text(f"select id from workflow_executions where {where} order by created_at desc")).all()


def test_the_past_is_two_months_long_and_quickly_written(weavers):
    assert weavers[1] < 10
    with db.transaction(weavers[0]) as session:
        runs, days = session.execute(text("select count(*), count(distinct created_at::date) from workflow_executions")).one()
    assert runs > 150 and days > 45


def test_undoing_the_first_edit_of_a_workflow_leaves_what_was_there(weavers):
    """What undo goes back to is the draft: some were only written beside their history, and lost every step to it."""
    with db.transaction(weavers[0]) as session:
        others = session.scalars(
            text(
                "select t.name from workflow_templates t join workflow_revisions r on r.template_id = t.id and r.number = t.draft_revision"
                " where r.nodes <> t.nodes or r.settings <> t.settings"
            )
        ).all()

    assert others == []


def test_the_home_page_is_alive(salma):
    page = salma.get("/home")

    for chart in ("runs", "failures", "shares", "durations", "hours"):
        assert f'id="chart-{chart}"' in page.text
    assert page.text.count("<li><svg") >= 3, "a decision, a failure, drafts"


def test_pages_of_the_past_open(salma, weavers):
    wanted = [
        *ids(weavers, "status = 'failed'")[:6],
        *ids(weavers, "replay_of is not null")[:3],
        *ids(weavers, "status = 'succeeded'")[:12],
    ]
    for run_id in wanted:
        assert salma.get(f"/runs/{run_id}").status_code == 200
    with db.transaction(weavers[0]) as session:
        workflows = session.scalars(text("select id from workflow_templates")).all()
    assert len(workflows) == 9
    for workflow_id in workflows:
        assert salma.get(f"/workflows/{workflow_id}").status_code == 200
        assert salma.get(f"/workflows/{workflow_id}/design").status_code == 200


def test_its_steps_are_as_the_engine_leaves_them(weavers):
    with db.transaction(weavers[0]) as session:
        odd = session.scalar(
            text(
                """
                select count(*) from workflow_executions e where e.status in ('succeeded', 'failed') and (
                  e.event_seq <> (select max(seq) from workflow_events v where v.execution_id = e.id)
                  or e.completed_at < e.started_at
                  or exists (select 1 from workflow_steps s where s.execution_id = e.id and s.state not in ('succeeded', 'failed', 'skipped'))
                  or (e.status = 'failed') <> exists (select 1 from workflow_steps s where s.execution_id = e.id and s.state = 'failed'))
                """
            )
        )
    assert odd == 0


def test_what_is_open_can_be_taken_up(salma, weavers):
    [doubtful] = ids(weavers, "status = 'running'")
    failed = ids(
        weavers, "status = 'failed' and not exists (select 1 from workflow_executions r where r.replay_of = workflow_executions.id)"
    )

    assert salma.post(f"/runs/{doubtful}/steps/ask_manager/decide", data={"decision": "done"}).status_code == 303
    assert salma.get(f"/runs/{doubtful}").status_code == 200
    if failed:
        assert salma.post(f"/runs/{failed[0]}/retry").status_code == 303


class Weavers:
    """The demo as a house: only the people who are there."""

    def __init__(self, tenant_id):
        self.id, self.name = tenant_id, "Weavers Trading"
        with db.transaction(tenant_id):
            self.people = {role: identity.member_ids(tenant_id, roles=(role,))[0] for _mail, _name, _ar, role, _locale in demo.PEOPLE}


def test_tables_are_filled_once_and_what_people_changed_stays(weavers):
    tenant_id = weavers[0]
    with db.transaction(tenant_id):
        assert {table.slug for sample in catalogue.SAMPLES.values() for table in sample.tables} <= tables.names(tenant_id).keys()
        before = {slug: tables.count_rows(tenant_id, slug, {}) for slug in ("contracts", "keys", "accesses", "calls")}
        assert all(before.values())
        tables.delete_rows(tenant_id, "contracts", {"title": "Internet lines"})
    demo.seed()
    with db.transaction(tenant_id):
        assert tables.count_rows(tenant_id, "contracts", {}) == before["contracts"] - 1
        assert tables.count_rows(tenant_id, "keys", {}) == before["keys"]


@pytest.mark.parametrize("slug", list(catalogue.SAMPLES))
def test_every_template_runs_in_the_demo_with_its_people_and_its_rows(weavers, salma, slug, post, settings, other):
    settings(post.port)
    engine, sample = Engine(Weavers(weavers[0])), catalogue.get(slug)
    with db.transaction(engine.house.id):
        workflow_id = service.create_workflow(engine.house.id, name=sample.name, name_ar=sample.name_ar, sample=slug, by=engine.by)
        service.publish_version(engine.house.id, workflow_id, by=engine.by)
        inputs = queries.get_workflow(engine.house.id, workflow_id).settings["inputs"]

    run_id = engine.start(workflow_id, **given_for(inputs))
    carry_on(engine, run_id, WAYS["hoped"])

    assert {key: row.error for key, row in engine.steps(run_id).items() if row.state == "failed"} == {}
    assert engine.run(run_id).status == "succeeded"
    with db.transaction(engine.house.id):
        ran = {row.scope_path.partition(":")[0] for row in queries.steps_of(engine.house.id, run_id) if row.scope_path}
    assert {node["key"] for node in sample.steps if node["kind"] == "foreach"} <= ran, "a loop had nothing to go through"
    assert salma.get(f"/runs/{run_id}").status_code == 200

"""Versions: they never change, get names, come back as drafts or as new versions, and are compared on a page."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.errors import NotFound
from portal.workflows import queries as workflows
from portal.workflows import service as verbs
from portal.workflows.designer import drafts
from portal.workflows.designer.drafts import DraftChanged
from portal.workflows.versions import queries, service
from tests.workflows.engine.conftest import step, values


@pytest.fixture
def workflow(engine):
    """A workflow with two versions: the second one says 2, waits, and has one step more."""
    workflow_id = engine.publish(step("say", "set", **values(x="1")))
    with engine.in_house():
        nodes = [step("say", "set", **values(x="2")), step("pause", "wait", mode="for", amount=1, unit="hours")]
        drafts.replace(
            engine.house.id, workflow_id, nodes, {"inputs": [], "deadline_s": 86400}, revision=0, label="step.changed", by=engine.by
        )
        assert verbs.publish_version(engine.house.id, workflow_id, by=engine.by) == 2
    return workflow_id


@pytest.mark.parametrize("change", ["nodes = '[]'", "settings = '{}'", "number = 9", "graph_hash = 'x'", "author_id = null"])
def test_a_published_version_never_changes(engine, workflow, change):
    with pytest.raises(DBAPIError, match=r"never change|permission denied"), engine.in_house() as session:
        session.execute(text(f"update workflow_versions set {change} where template_id = :id"), {"id": workflow})


def test_nobody_deletes_a_version_and_the_owner_of_the_tables_cannot_change_one(engine, workflow):
    import psycopg

    from portal.core.config import current_settings

    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("set row_security = off")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("update workflow_versions set nodes = '[]' where template_id = %s", (workflow,))
    with pytest.raises(DBAPIError), engine.in_house() as session:
        session.execute(text("delete from workflow_versions where template_id = :id"), {"id": workflow})


def test_a_version_gets_a_name_in_both_languages_and_stays_what_it_was(engine, workflow):
    tenant_id = engine.house.id
    with engine.in_house():
        before = queries.numbered(tenant_id, workflow, 1).graph_hash
        service.label_version(tenant_id, workflow, 1, name="First", name_ar="الأول", note="Before the holidays", by=engine.by)
        service.label_version(tenant_id, workflow, 1, name="The first", name_ar="الأول", note=None, by=engine.by)

    with engine.in_house() as session:
        row = queries.get_row(tenant_id, workflow, 1)
        told = session.scalar(text("select count(*) from audit_entries where action = 'workflow.version_named'"))
    assert (row.label, row.label_ar, row.note, row.graph_hash, told) == ("The first", "الأول", None, before, 2)


def test_a_version_comes_back_as_the_draft_and_undo_takes_that_back(engine, workflow):
    tenant_id = engine.house.id
    with engine.in_house():
        service.restore_to_draft(tenant_id, workflow, 1, revision=1, by=engine.by)
    with engine.in_house():
        draft = workflows.get_workflow(tenant_id, workflow)
        assert [node["key"] for node in draft.nodes] == ["say"]
        assert workflows.get_version(tenant_id, draft.published_version_id).number == 2
        drafts.undo(tenant_id, workflow, revision=2, by=engine.by)
        assert [node["key"] for node in workflows.get_workflow(tenant_id, workflow).nodes] == ["say", "pause"]


def test_nobody_overwrites_a_draft_that_somebody_else_changed(engine, workflow):
    with pytest.raises(DraftChanged), engine.in_house():
        service.restore_to_draft(engine.house.id, workflow, 1, revision=0, by=engine.by)


def test_rolling_back_publishes_anew_and_leaves_draft_and_runs_alone(engine, workflow):
    tenant_id = engine.house.id
    run_id = engine.start(workflow)
    engine.pump()

    with engine.in_house():
        assert service.roll_back(tenant_id, workflow, 1, by=engine.by) == 3
    with engine.in_house():
        assert service.roll_back(tenant_id, workflow, 3, by=engine.by) == 3, "it is live already"
        draft = workflows.get_workflow(tenant_id, workflow)
        live = workflows.get_version(tenant_id, draft.published_version_id)
        assert live.graph_hash == queries.numbered(tenant_id, workflow, 1).graph_hash
        assert len(draft.nodes) == 2
        assert queries.live_runs(tenant_id, workflow) == {queries.numbered(tenant_id, workflow, 2).id: 1}
    assert engine.run(run_id).status == "running"


def test_versions_of_others_are_not_there(engine, workflow, other_tenant):
    with pytest.raises(NotFound), db.transaction(other_tenant.id):
        service.label_version(other_tenant.id, workflow, 1, name="x", name_ar=None, note=None, by=engine.by)


def test_the_pages_list_name_compare_and_restore(engine, workflow, as_role):
    browser = as_role("owner")
    url = f"/workflows/{workflow}/versions"

    page = browser.get(url)
    assert "Version 2" in page.text and "Version 1" in page.text and "In use" in page.text

    different = browser.get(f"{url}/compare?from=1&to=2")
    assert "1 step added" in different.text and "1 step changed" in different.text
    assert any("Added" in each and "hours" in each.lower() for each in different.text_of("body//section")), "what a new step is set to do"
    assert "x: 1" in different.text_of(".break-anywhere")[0] and "x: 2" in different.text_of(".break-anywhere")[1]
    assert "No difference" in browser.get(f"{url}/compare").text

    assert browser.post(f"{url}/1/name", data={"name": "x" * 121}).status_code == 422
    assert browser.post(f"{url}/1/name", data={"name": "First", "name_ar": "الأول", "note": "n"}).status_code == 303
    assert "First" in browser.get(url).text
    assert browser.post(f"{url}/1/restore", data={"revision": "0"}).headers["Location"].endswith("/versions")
    assert browser.post(f"{url}/1/restore", data={"revision": "1"}).headers["Location"].endswith("/design")
    assert browser.post(f"{url}/1/publish").status_code == 303
    assert "Version 3" in browser.get(url).text
    for wrong in ("9", "x", "-1", "9" * 30):
        assert browser.get(f"{url}/compare?from={wrong}&to=draft").status_code == 404


def test_a_reader_compares_and_changes_nothing(engine, workflow, as_role):
    browser = as_role("auditor")
    url = f"/workflows/{workflow}/versions"

    assert browser.get(url).status_code == 200
    assert browser.get(f"{url}/compare").status_code == 200
    assert [browser.post(f"{url}/1/{verb}").status_code for verb in ("name", "restore", "publish")] == [403] * 3
    assert "Name it" not in browser.get(url).text

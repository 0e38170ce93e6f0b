"""A list asked for as a file: made by a job, told by the bell, fetched by its owner and nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db, jobs
from portal.core.access import Actor
from portal.exports import service, sources
from portal.notifications import queries as bell
from tests.workflows.engine.conftest import Engine, step, values


@pytest.fixture
def runs(app, tenant):
    """Three runs, one of them failed."""
    with app.app_context():
        engine = Engine(tenant)
        good = engine.publish(step("only", "set", **values(x="1")))
        bad = engine.publish(step("only", "set", **values(x="${ input.a.b }")), inputs=("a",))
        with db.transaction(tenant.id) as session:
            session.execute(text("update workflow_templates set name = '=1+1', name_ar = 'إجازة' where id = :id"), {"id": good})
        for workflow in (good, good, bad):
            engine.start(workflow)
        engine.pump()
        return good


@pytest.fixture
def work(app):
    """Do what the workers would: every job that waits in the outbox."""

    def do():
        with app.app_context():
            with db.transaction(system=True) as session:
                waiting = [str(each) for each in session.scalars(text("select id from outbox where name = 'exports.make'"))]
            for each in waiting:
                jobs.perform_outbox(each)

    return do


def ask(browser, file_format="csv", **filters):
    return browser.post("/exports", data={"source": "workflows.runs", "format": file_format, **filters})


def fetch(browser):
    page = browser.get("/exports")
    link = page.text.split("/exports/")[1].split("/file")[0]
    return browser.client.get(f"/exports/{link}/file"), link


def test_a_list_becomes_a_file_and_the_bell_says_so(app, tenant, runs, work, as_role):
    browser = as_role("auditor")

    asked = ask(browser)
    assert (asked.status_code, asked.headers["Location"]) == (303, "/runs")
    assert "Being made" in browser.get("/exports").text
    work()
    answer, _link = fetch(browser)

    rows = answer.get_data().decode("utf-8-sig").splitlines()
    assert rows[0] == "Workflow,Status,Started,Ended,Duration in seconds,Started by,Run"
    assert len(rows) == 4
    assert sum(row.startswith("'=1+1,Succeeded,") for row in rows) == 2
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=workflows-runs-")
    assert "no-store" in answer.headers["Cache-Control"]
    with app.app_context(), db.transaction(tenant.id):
        assert bell.unread_count(tenant.id, tenant.people["auditor"]) == 1
    assert "A file that you asked for is ready." in browser.get("/notifications").text


def test_the_file_holds_what_the_page_showed_in_the_readers_language(tenant, runs, work, sign_in):
    browser = sign_in(tenant, "owner", "ar")

    asked = ask(browser, status="succeeded", workflow=str(runs))
    work()
    answer, _link = fetch(browser)

    assert asked.headers["Location"] == f"/runs?status=succeeded&workflow={runs}"
    rows = answer.get_data().decode("utf-8-sig").splitlines()
    assert len(rows) == 3
    assert rows[1].startswith("إجازة,تم بنجاح,")


def test_a_sheet_comes_as_xlsx(runs, work, as_role):
    browser = as_role("owner")
    ask(browser, "xlsx")
    work()

    answer, _link = fetch(browser)

    assert answer.mimetype.endswith("spreadsheetml.sheet")
    assert answer.get_data()[:2] == b"PK"


def test_a_file_is_its_owners_alone(runs, work, as_role, stranger):
    owner = as_role("owner")
    ask(owner)
    work()
    _answer, link = fetch(owner)

    for browser in (as_role("member"), stranger):
        assert browser.client.get(f"/exports/{link}/file").status_code == 404
        assert link not in browser.get("/exports").text


@pytest.mark.parametrize("data", [{"source": "people.all", "format": "csv"}, {"source": "workflows.runs", "format": "exe"}, {}])
def test_what_cannot_be_exported_is_not_there(as_role, data):
    assert as_role("owner").post("/exports", data=data).status_code == 404


def test_filters_from_outside_are_read_as_the_page_reads_them(app, tenant, runs, work, as_role, stranger):
    browser = as_role("owner")
    ask(browser, status="' or 1=1", workflow="../../etc/passwd")
    work()

    answer, _link = fetch(browser)
    assert len(answer.get_data().decode("utf-8-sig").splitlines()) == 4
    ask(stranger, workflow=str(runs))
    work()
    theirs, _link = fetch(stranger)
    assert len(theirs.get_data().decode("utf-8-sig").splitlines()) == 1


def test_five_files_at_a_time(runs, as_role):
    browser = as_role("owner")
    for _each in range(5):
        assert ask(browser).headers["Location"] == "/runs"

    assert ask(browser).headers["Location"] == "/exports"
    assert "Five of your files are still being made." in browser.get("/exports").text


def test_making_twice_makes_once_and_a_broken_source_is_told(app, tenant, runs, work, as_role, monkeypatch):
    with app.app_context(), db.transaction(tenant.id):
        by = Actor("person", tenant.people["owner"])
        wanted = {"file_format": "csv", "locale": "en", "by": by}
        export = service.request_export(tenant.id, tenant.people["owner"], "workflows.runs", {}, **wanted)
    work()
    with app.app_context():
        service.make(tenant.id, export)

    def break_down(_tenant_id, _filters):
        raise RuntimeError("the list broke")
        yield

    source = sources.get("workflows.runs")
    monkeypatch.setitem(
        sources._sources, "workflows.runs", type(source)(**{**{f: getattr(source, f) for f in source.__slots__}, "rows": break_down})
    )
    browser = as_role("owner")
    ask(browser)
    work()

    page = browser.get("/exports")
    assert page.text.count("Ready") == 1 and "Not made" in page.text
    assert "could not be made" in browser.get("/notifications").text


def test_old_files_go(app, tenant, runs, work, as_role):
    ask(as_role("owner"))
    work()
    with app.app_context():
        assert service.sweep() == 0
        with db.transaction(tenant.id) as session:
            session.execute(text("update exports set created_at = created_at - interval '8 days'"))
        assert service.sweep() == 1

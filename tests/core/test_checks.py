"""Forms that are only checked: the same sentences, and nothing is carried out."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.checks import errors_of
from tests.conftest import PASSWORD
from tests.workflows.home.conftest import Ground

CHECK = {"X-Check-Only": "1"}


@pytest.fixture
def ground(app, tenant):
    return Ground(tenant)


def count_of(house, table):
    with db.transaction(house.id) as session:
        return session.execute(text(f"select count(*) from {table}")).scalar()


def check(browser, path, data):
    answer = browser.post(path, data=data, headers=CHECK)
    assert answer.status_code == 200
    return json.loads(answer.text)["errors"]


def test_a_form_says_the_sentence_that_it_says_when_it_is_sent(tenant, as_role):
    browser, before = as_role("builder"), count_of(tenant, "workflow_templates")
    given = {"name": " ", "name_ar": "x" * 121, "sample": "blank"}

    assert check(browser, "/workflows/new", given) == {
        "f-name-error": "Give the workflow a name.", "f-name_ar-error": "Use at most 120 characters.",
    }  # fmt: skip
    page = browser.post("/workflows/new", data=given)
    assert page.status_code == 422
    assert page.text_of("#f-name-error") == ["Error: Give the workflow a name."]
    assert page.tree().find("head/title").text.startswith("Error: ")
    assert count_of(tenant, "workflow_templates") == before


def test_a_form_that_is_right_is_not_carried_out(tenant, as_role):
    browser, before = as_role("builder"), count_of(tenant, "workflow_templates")

    assert check(browser, "/workflows/new", {"name": "Leave", "sample": "blank"}) == {}

    assert count_of(tenant, "workflow_templates") == before
    assert browser.post("/workflows/new", data={"name": "Leave", "sample": "blank"}).status_code == 303
    assert count_of(tenant, "workflow_templates") == before + 1


def test_what_only_the_verb_finds_is_found_and_taken_back(tenant, as_role):
    browser = as_role("owner")
    good = {"slug": "orders", "name": "Orders", "column-0-key": "a", "column-0-type": "text", "column-0-label": "A"}

    assert check(browser, "/tables/new", good) == {}
    assert count_of(tenant, "data_tables") == 0
    browser.post("/tables/new", data=good)
    assert check(browser, "/tables/new", good) == {"f-slug-error": browser.post("/tables/new", data=good).text_of("#f-slug-error")[0][7:]}
    assert count_of(tenant, "data_tables") == 1


@pytest.mark.parametrize("table", ["workflow_executions", "outbox", "audit_entries"])
def test_a_run_that_is_only_checked_does_not_start(tenant, as_role, ground, table):
    workflow, browser = ground.workflow("Alpha"), as_role("owner")
    before = count_of(tenant, table)

    assert check(browser, f"/workflows/{workflow}/run", {}) == {}
    assert count_of(tenant, table) == before


def test_a_verb_that_says_nothing_of_checks_is_not_tried(tenant, as_role, ground):
    workflow = ground.workflow("Alpha")
    with db.transaction(tenant.id) as session:
        was = session.execute(text("select is_active from workflow_templates")).scalar()

    assert check(as_role("owner"), "/bulk", {"list": "workflows", "verb": "off", "ids": [str(workflow)]}) is None
    assert count_of(tenant, "bulk_actions") == 0
    with db.transaction(tenant.id) as session:
        assert session.execute(text("select is_active from workflow_templates")).scalar() == was


@pytest.mark.parametrize("password", [PASSWORD, "not the password at all"])
def test_a_check_never_tells_whether_a_password_is_right(visitor, tenant, password):
    given = {"email": tenant.email("owner"), "password": password}

    answers = [visitor.post("/sign-in", data=given, headers=CHECK) for _unused in range(30)]

    assert {json.loads(answer.text)["errors"] == {} for answer in answers} == {True}
    assert all("sid" not in (answer.headers.get("Set-Cookie") or "") for answer in answers)
    assert visitor.get("/home").status_code != 200


def test_whoever_may_not_do_it_may_not_check_it(as_role, visitor, stranger, tenant, ground):
    workflow = ground.workflow("Alpha")
    assert check(as_role("auditor"), "/workflows/new", {"name": "", "sample": "blank"}) is None
    assert check(visitor, "/workflows/new", {"name": "", "sample": "blank"}) is None
    assert check(stranger, f"/workflows/{workflow}/describe", {"name": ""}) is None


def test_a_check_needs_the_token_against_forgery(app, as_role):
    browser = as_role("builder")
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        assert browser.post("/workflows/new", data={"name": "Leave", "sample": "blank"}, headers=CHECK).status_code == 400
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_the_errors_of_a_page_are_read_without_what_stands_around_them():
    page = """<form><div class="field has-error"><label for="a">A</label>
      <p class="error" id="a-error"><svg><use href="#x"></use></svg><span><span class="visually-hidden">Error:</span> Say &amp; <bdi>write</bdi> it.</span></p>
      <p class="hint" id="b-error">no</p><p class="error">nobody's</p></div>"""
    assert errors_of(page) == {"a-error": "Say & write it."}

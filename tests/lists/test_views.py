"""Saved views: kept, shared, opened first, deleted and brought back; nobody else's is there."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.ids import new_id
from portal.lists import queries, service
from tests.lists.conftest import access_of
from tests.lists.test_pages import run_ids


def save(browser, name="Failures", query="status=failed&sort=-duration", list_name="runs", **more):
    answer = browser.post("/views", data={"list": list_name, "name": name, "query": query, **more})
    if answer.status_code != 303:
        return answer
    return answer.headers["Location"].split("view=")[1]


def test_a_view_keeps_filters_sort_and_columns(as_role, many):
    browser = as_role("owner")

    view = save(browser, query="status=failed&sort=-duration&cols=&cols=status")
    page = browser.get(f"/runs?view={view}")

    assert sorted(run_ids(page)) == sorted([str(many[1]), str(many[2])])
    assert page.text_of("body//thead/tr/th") == ["Choose", "Workflow", "Status"]
    assert 'aria-current="page"><bdi>Failures</bdi>' in page.text
    assert "Save the change" not in page.text


def test_a_changed_view_says_so_and_can_keep_the_change(as_role, many):
    browser = as_role("owner")
    view = save(browser)

    page = browser.get(f"/runs?view={view}&status=failed&status=running&sort=started")
    assert "Save the change" in page.text and "Back to the view" in page.text
    assert len(run_ids(page)) == 4
    query = unescape(re.search(r'name="query" value="([^"]*)"', page.text).group(1))
    browser.post(f"/views/{view}/update", data={"query": query})

    assert run_ids(browser.get(f"/runs?view={view}")) == run_ids(page)


def test_taking_the_last_filter_away_does_not_bring_the_view_back(as_role, many):
    browser = as_role("owner")
    view = save(browser)

    page = browser.get(f"/runs?view={view}")
    href = unescape(re.search(r'class="chip chip-set" href="([^"]*)"', page.text).group(1))

    assert len(run_ids(browser.get(href))) == 7


def test_the_pages_of_a_view_stay_in_it(as_role, ground):
    from tests.lists.conftest import NOON

    workflow = ground.workflow("Many")
    for _each in range(51):
        ground.run(workflow, NOON, "failed")
    browser = as_role("owner")
    view = save(browser)

    page = browser.get(f"/runs?view={view}")
    following = browser.get(unescape(re.search(r'href="([^"]*after=[^"]*)" rel="next"', page.text).group(1)))

    assert len(run_ids(following)) == 1
    assert 'aria-current="page"><bdi>Failures</bdi>' in following.text


def test_a_view_opens_first_until_it_does_not(as_role, many):
    browser = as_role("owner")
    view = save(browser)

    browser.post(f"/views/{view}/first", data={"first": "1"})
    assert len(run_ids(browser.get("/runs"))) == 2
    assert len(run_ids(browser.get("/runs?view=all"))) == 7
    assert len(run_ids(browser.get("/runs?status=running"))) == 2
    assert len(run_ids(as_role("member").get("/runs"))) == 7

    browser.post(f"/views/{view}/first", data={"first": "0"})
    assert len(run_ids(browser.get("/runs"))) == 7


def test_a_private_view_is_its_owners_a_shared_one_the_teams(as_role, many):
    owner, member = as_role("owner"), as_role("member")
    private, shared = save(owner, "Mine"), save(owner, "Ours", is_shared="1")

    page = member.get("/runs")
    assert "Ours" in page.text and "Mine" not in page.text
    assert member.get(f"/runs?view={shared}").status_code == 200
    refused = member.get(f"/runs?view={private}")
    assert refused.status_code == 404 and "This view is not there" in refused.text
    for path in ("", "/update", "/delete"):
        assert member.post(f"/views/{shared}{path}", data={"name": "x", "query": ""}).status_code == 404
    assert member.post(f"/views/{shared}/first", data={"first": "1"}).status_code == 303
    assert len(run_ids(member.get("/runs"))) == 2


@pytest.mark.parametrize(("locale", "sentence"), [("en", "This view is not there"), ("ar", "هذا العرض غير موجود")])
def test_a_view_of_another_tenant_is_refused_in_the_readers_language(as_role, other_tenant, sign_in, many, locale, sentence):
    view = save(as_role("owner"), "Canary-8841", is_shared="1")
    stranger = sign_in(other_tenant, "owner", locale)

    page = stranger.get(f"/runs?view={view}")
    assert page.status_code == 404
    assert sentence in page.text
    for url in (f"/views/{view}", "/runs", "/workflows"):
        assert "Canary-8841" not in stranger.get(url).text
    for path in ("", "/update", "/first", "/delete", "/restore"):
        assert stranger.post(f"/views/{view}{path}", data={"name": "x", "query": "", "first": "1"}).status_code == 404


@pytest.mark.parametrize("view", ["x", "00000000-0000-0000-0000-000000000000", "%00", "' or 1=1"])
def test_a_view_that_never_was_is_refused(as_role, many, view):
    assert as_role("owner").get(f"/runs?view={view}").status_code == 404


def test_a_view_of_another_list_is_refused(as_role, many):
    browser = as_role("owner")
    view = save(browser, list_name="workflows", query="state=live")

    assert browser.get(f"/workflows?view={view}").status_code == 200
    assert browser.get(f"/runs?view={view}").status_code == 404


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\u202eb", "a\x07b", "Failures", "Fail\u200fures\u2069"])
def test_a_name_that_will_not_do(as_role, many, name):
    browser = as_role("owner")
    save(browser)

    page = save(browser, name)

    assert page.status_code == 422
    assert "Error:" in page.text_of("body//p")[-1] or "There is a problem" in page.text


def test_only_who_may_share_shares(as_role, many):
    member = as_role("member")

    assert "Share with the team" not in member.get("/views/new?list=runs&status=failed").text
    assert save(member, is_shared="1").status_code == 403
    view = save(member)
    assert member.post(f"/views/{view}", data={"name": "New", "is_shared": "1"}).status_code == 403
    assert member.post(f"/views/{view}", data={"name": "New"}).status_code == 303
    assert "New" in member.get("/runs").text


def test_thirty_views_are_enough(app, tenant, as_role, many):
    with app.test_request_context(), db.transaction(tenant.id):
        kind = service.get("runs")
        for number in range(30):
            service.save_view(access_of(tenant), kind, name=f"View {number}", state=service.read(kind, {}), is_shared=False)
    browser = as_role("owner")

    refused = browser.post("/views", data={"list": "runs", "name": "One more", "query": "status=failed"})
    assert refused.headers["Location"] == "/runs?status=failed"
    assert "You have 30 saved views of this list." in browser.get("/runs").text
    assert "One more" not in browser.get("/runs").text
    with db.transaction(tenant.id):
        assert len(queries.names_taken(tenant.id, tenant.people["owner"], "runs")) == 30


def test_a_deleted_view_comes_back_by_undo(as_role, many):
    browser = as_role("owner")
    view = save(browser)
    browser.post(f"/views/{view}/first", data={"first": "1"})

    gone = browser.post(f"/views/{view}/delete")
    page = browser.get(gone.headers["Location"])
    assert "is deleted" in page.text and "Undo" in page.text
    assert len(run_ids(browser.get("/runs"))) == 7
    assert browser.get(f"/runs?view={view}").status_code == 404
    assert "is deleted" not in as_role("member").get(gone.headers["Location"]).text

    browser.post(f"/views/{view}/restore")
    assert len(run_ids(browser.get(f"/runs?view={view}"))) == 2
    assert len(run_ids(browser.get("/runs"))) == 2
    assert browser.post(f"/views/{view}/restore").status_code == 404


def test_what_a_list_no_longer_knows_is_left_out_of_a_stored_view(app, tenant, as_role, many):
    browser = as_role("owner")
    view = save(browser)
    stored = '{"filters": {"status": ["failed", "gone"], "colour": ["red"], "workflow": 5}, "sort": "colour", "columns": [1, "status"]}'
    with db.transaction(tenant.id) as session:
        session.execute(text("update saved_views set query = cast(:query as jsonb) where id = :id"), {"query": stored, "id": view})

    page = browser.get(f"/runs?view={view}")

    assert page.status_code == 200
    assert sorted(run_ids(page)) == sorted([str(many[1]), str(many[2])])


def test_a_view_survives_as_columns_are_changed_in_it(as_role, many):
    browser = as_role("owner")
    view = save(browser)

    answer = browser.post("/columns", data={"list": "runs", "query": "status=failed&sort=-duration", "view": view, "cols": ["status"]})
    page = browser.get(answer.headers["Location"])

    assert page.text_of("body//thead/tr/th") == ["Choose", "Workflow", "Status"]
    assert "Save the change" in page.text
    assert len(browser.get("/runs").text_of("body//thead/tr/th")) == 6


@pytest.mark.parametrize("path", ["/views", "/columns", "/bulk"])
@pytest.mark.parametrize("name", ["", "people", "%00"])
def test_a_list_that_is_not_there(as_role, path, name):
    assert as_role("owner").post(path, data={"list": name, "name": "x", "verb": "cancel"}).status_code == 404


def test_old_deleted_views_go(app, tenant, as_role, many):
    browser = as_role("owner")
    view = save(browser)
    browser.post(f"/views/{view}/first", data={"first": "1"})
    browser.post(f"/views/{view}/delete")
    with app.app_context():
        service.sweep()
        with db.transaction(tenant.id) as session:
            session.execute(text("update saved_views set deleted_at = deleted_at - interval '31 days'"))
        service.sweep()
        with db.transaction(tenant.id) as session:
            assert session.scalar(text("select count(*) from saved_views")) == 0
            assert session.execute(text("select view_id, tenant_id from list_choices")).one() == (None, tenant.id)


def test_a_view_cannot_point_at_another_tenants(app, tenant, other_tenant, many, as_role):
    from sqlalchemy.exc import IntegrityError

    view = save(as_role("owner"))
    with pytest.raises(IntegrityError), db.transaction(other_tenant.id) as session:
        session.execute(
            text("insert into list_choices (tenant_id, person_id, list_name, view_id) values (:tenant, :person, 'runs', :view)"),
            {"tenant": other_tenant.id, "person": other_tenant.people["owner"], "view": view},
        )
    assert new_id() != view

"""Sort, filters, pages and columns of the two lists, as a person meets them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.core import db, paging
from portal.core.ids import new_id
from portal.lists import periods
from portal.workflows import list_queries
from portal.workflows.lists import RUNS, WORKFLOWS
from tests.lists.conftest import NOON

RUN_SORTS = [f"{sign}{name}" for name in sorted(RUNS.sorts) for sign in ("", "-")]
WORKFLOW_SORTS = [f"{sign}{name}" for name in sorted(WORKFLOWS.sorts) for sign in ("", "-")]


def run_ids(page):
    """The runs that a page shows, in its order."""
    return re.findall(r'name="ids" value="([0-9a-f-]{36})"', page.text)


def page_of(list_rows, tenant_id, sort, place, limit):
    return list_rows(tenant_id, sort=sort, place=place, limit=limit)


def walk(read, kind, *, limit):
    """Follow the next pages to the end and the previous ones back; return the rows both ways, with how many stood before each page."""
    there, place, pages = [], None, 0
    while True:
        listing = read(place, limit)
        assert listing.before == len(there)
        there += [row.id for row in listing.items]
        pages += 1
        if listing.next_cursor is None:
            break
        place = paging.read_place(listing.next_cursor, kind)
        assert place is not None
    back = [[row.id for row in listing.items]]
    while listing.previous_cursor:
        listing = read(paging.read_place(listing.previous_cursor, kind), limit)
        assert listing.before == len(there) - sum(map(len, back)) - len(listing.items)
        back.insert(0, [row.id for row in listing.items])
    assert len(back) == pages
    return there, [each for page in back for each in page]


def test_the_pages_of_runs_join_to_the_whole_list_under_every_sort(app, tenant, many):
    for sort in RUN_SORTS:
        for limit in (1, 2, 3, 7, 50):
            with app.test_request_context(), db.transaction(tenant.id):
                kind = list_queries.run_sorts()[sort.removeprefix("-")].kind
                whole = [row.id for row in list_queries.list_runs(tenant.id, sort=sort).items]
                there, back = walk(partial(page_of, list_queries.list_runs, tenant.id, sort), kind, limit=limit)

            assert sorted(whole) == sorted(many), sort
            assert there == whole == back, (sort, limit)


def test_the_pages_of_workflows_join_to_the_whole_list_under_every_sort(app, tenant, ground):
    made = [
        ground.workflow(name, is_published=is_published) for name, is_published in (("b", True), ("A", False), ("b", True), ("ج", False))
    ]
    ground.run(made[0], NOON)
    for sort in WORKFLOW_SORTS:
        with app.test_request_context(), db.transaction(tenant.id):
            kind = list_queries.workflow_sorts()[sort.removeprefix("-")].kind
            whole = [row.id for row in list_queries.list_workflows(tenant.id, sort=sort).items]
            there, back = walk(partial(page_of, list_queries.list_workflows, tenant.id, sort), kind, limit=2)

        assert sorted(whole) == sorted(made)
        assert there == whole == back, sort


def test_sorts_put_in_order_what_they_say(app, tenant, many):
    with app.test_request_context(), db.transaction(tenant.id):
        by_name = [row.name for row in list_queries.list_runs(tenant.id, sort="workflow").items]
        shortest = list_queries.list_runs(tenant.id, sort="-duration").items[0]
        newest = list_queries.list_runs(tenant.id).items

    assert by_name == ["Alpha"] * 4 + ["beta"] * 3
    assert (shortest.completed_at - shortest.started_at).seconds == 9
    assert [row.created_at for row in newest] == sorted((row.created_at for row in newest), reverse=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda raw: raw.hex())))
def test_any_text_is_a_cursor_or_the_first_page(text):
    for kind in ("time", "number", "text"):
        place = paging.read_place(text, kind)
        assert place is None or isinstance(place, paging.Place)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("1e999999", "number"), ("NaN", "number"), ("2026-01-01", "time"), ("0001-01-01T00:00:00+23:59", "time"), ("a\x00b", "text"), ("\ud800", "text"),
     ("x" * 5_000, "text"), (5, "text")],
)  # fmt: skip
def test_a_cursor_never_brings_what_the_database_refuses(value, kind):
    assert paging.read_place(paging.write_place(value, new_id(), before=0) if isinstance(value, str) else None, kind) is None


def test_headers_sort_without_a_script_and_say_how(as_role, many):
    browser = as_role("owner")

    page = browser.get("/runs")
    assert 'aria-sort="descending"' in page.text
    link = unescape(re.search(r'class="th-sort" href="([^"]*sort=duration)"', page.text).group(1))
    sorted_page = browser.get(link)

    assert 'aria-sort="ascending"' in sorted_page.text
    assert sorted_page.text.count("aria-sort") == 1
    assert "sort=-duration" in sorted_page.text
    assert sorted(run_ids(sorted_page)) == sorted(map(str, many))


def test_a_page_says_which_rows_of_how_many(as_role, ground):
    workflow = ground.workflow("Many")
    for minute in range(60):
        ground.run(workflow, NOON + timedelta(minutes=minute))
    browser = as_role("owner")

    page = browser.get("/runs?sort=started")
    assert page.text_of(".list-range") == ["1–50 of 60"] * 2
    following = browser.get(unescape(re.search(r'href="([^"]*after=[^"]*)" rel="next"', page.text).group(1)))
    assert following.text_of(".list-range") == ["51–60 of 60"] * 2
    assert not set(run_ids(page)) & set(run_ids(following))
    back = browser.get(unescape(re.search(r'href="([^"]*after=[^"]*)" rel="prev"', following.text).group(1)))
    assert run_ids(back) == run_ids(page)
    assert 'rel="prev"' not in back.text


def test_more_than_ten_thousand_are_not_counted_out():
    listing = paging.counted(paging.Listing([1], "more"), lambda limit: limit)

    assert listing.total == 10_001
    from portal.lists.showing import range_of

    assert range_of(listing).total is None


def test_filters_stand_in_the_url_and_as_chips(as_role, many, tenant):
    browser = as_role("owner")

    page = browser.get("/runs?status=failed&status=running")

    assert sorted(run_ids(page)) == sorted(str(many[place]) for place in (1, 2, 3, 4))
    chips = [unescape(href) for href in re.findall(r'class="chip chip-set" href="([^"]*)"', page.text)]
    assert chips == ["/runs?status=running", "/runs?status=failed"]
    assert page.text.count('name="status" value="failed" checked') == 1


def test_started_by_me_means_the_reader(as_role, ground):
    workflow = ground.workflow("Mine")
    theirs, mine = ground.run(workflow, NOON), ground.run(workflow, NOON, by="member")

    assert run_ids(as_role("member").get("/runs?by=me")) == [str(mine)]
    assert run_ids(as_role("owner").get("/runs?by=me")) == [str(theirs)]


def test_own_days_are_days_of_the_tenant(as_role, ground):
    workflow = ground.workflow("Late")
    before, first, last, after = (
        ground.run(workflow, datetime(2026, 3, day, hour, 59, tzinfo=UTC)) for day, hour in ((9, 20), (9, 21), (10, 20), (10, 21))
    )  # midnight in Riyadh is 21:00 UTC

    for url in (
        "/runs?period=own&from=2026-03-10&to=2026-03-10",
        "/runs?from=2026-03-10&to=2026-03-10",
        "/runs?period=2026-03-10..2026-03-10",
    ):
        assert set(run_ids(as_role("owner").get(url))) == {str(first), str(last)}
    assert set(run_ids(as_role("owner").get("/runs?from=2026-03-11"))) == {str(after)}
    assert set(run_ids(as_role("owner").get("/runs?to=2026-03-09"))) == {str(before)}


def test_periods_begin_at_midnight_of_the_zone_also_when_the_clocks_change():
    zone = ZoneInfo("Europe/Berlin")
    since, before = periods.bounds("2026-03-29..2026-03-29", now=datetime.now(UTC), zone=zone)

    assert before - since == timedelta(hours=23)
    today, _open = periods.bounds("today", now=datetime(2026, 6, 1, 22, 30, tzinfo=UTC), zone=zone)
    assert today == datetime(2026, 6, 1, 22, tzinfo=UTC)


HEADS = "body//thead/tr/th"
BAD = [
    "status=nonsense", "status=' or 1=1", "workflow=1", "workflow=../../etc", "by=you", "period=yesterday", "from=2026-13-01", "from=2026-03-10&to=2026-03-01",
    "from=٢٠٢٦-٠٣-١٠", "period=9999-12-31..", "period=0001-01-01..0001-01-02", "sort=password", "sort=--started", "status=%00",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD)
def test_what_a_list_does_not_know_is_said_and_the_list_still_shown(as_role, many, query):
    page = as_role("owner").get(f"/runs?{query}")

    assert page.status_code == 200
    assert "Part of the address is not known to this list" in page.text
    assert len(run_ids(page)) == 7


@pytest.mark.parametrize(
    "query",
    [
        "after=%00",
        "after=" + "A" * 900,
        "cols=x&cols=status",
        "cols=",
        "page=2",
        "deleted=x",
        "view=all",
        "status=",
        "period=own&from=&to=",
    ],
)
def test_what_means_nothing_is_ignored(as_role, many, query):
    page = as_role("owner").get(f"/runs?{query}")

    assert page.status_code == 200
    assert "Part of the address" not in page.text
    assert len(run_ids(page)) == 7


def test_a_cursor_of_another_sort_means_the_first_page(as_role, many):
    cursor = paging.write_place("alpha", new_id(), before=3)

    assert len(run_ids(as_role("owner").get(f"/runs?sort=duration&after={cursor}"))) == 7


def test_the_sentence_is_in_the_readers_language(tenant, sign_in, many):
    assert "جزء من العنوان" in sign_in(tenant, "owner", "ar").get("/runs?status=x").text


def test_nothing_matches_is_told_apart_from_nothing_there(as_role, ground):
    browser = as_role("owner")
    assert "No runs yet" in browser.get("/runs").text
    ground.run(ground.workflow("One"), NOON)

    page = browser.get("/runs?status=cancelled")
    assert "No run matches" in page.text and "Show all runs" in page.text
    assert "Filter" in page.text


def test_workflows_by_state(app, tenant, as_role, ground):
    from portal.workflows import service

    live, draft, off = ground.workflow("Live"), ground.workflow("Draft", is_published=False), ground.workflow("Off")
    with app.app_context(), db.transaction(tenant.id):
        service.switch_workflow(tenant.id, off, is_active=False, by=ground.by)
    browser = as_role("owner")

    for state, wanted in (("live", live), ("draft", draft), ("off", off)):
        assert run_ids(browser.get(f"/workflows?state={state}")) == [str(wanted)]
    assert set(run_ids(browser.get("/workflows?state=draft&state=off"))) == {str(draft), str(off)}
    assert "Part of the address" in browser.get("/workflows?state=x").text


def test_a_list_of_workflows_offers_a_run_to_who_may_start_one(as_role, ground):
    workflow = ground.workflow("Live")

    assert f"/workflows/{workflow}/run" in as_role("member").get("/workflows").text
    assert f"/workflows/{workflow}/run" not in as_role("auditor").get("/workflows").text


def test_columns_are_remembered_for_the_person_and_the_name_stays(as_role, many):
    browser = as_role("owner")

    asked = browser.post("/columns", data={"list": "runs", "query": "status=failed", "cols": ["duration", "nonsense"]})
    assert asked.headers["Location"] == "/runs?status=failed"
    heads = browser.get("/runs").text_of(HEADS)
    assert heads == ["Choose", "Workflow", "Duration"]
    assert as_role("member").get("/runs").text_of(HEADS)[1:] == ["Workflow", "Status", "Started", "Duration", "Started by"]

    browser.post("/columns", data={"list": "runs", "query": "", "usual": "1"})
    assert len(browser.get("/runs").text_of(HEADS)) == 6


def test_a_file_holds_what_filter_and_sort_show(app, tenant, as_role, many):
    from sqlalchemy import text

    from portal.core import jobs

    browser = as_role("owner")
    page = browser.get("/runs?status=failed&status=running&by=me&sort=duration")
    fields = re.findall(
        r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text[page.text.index('export-menu" popover') :].split("</form>")[0]
    )
    data = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)

    browser.post("/exports", data={**data, "format": "csv"})
    with app.app_context():
        with db.transaction(system=True) as session:
            waiting = [str(each) for each in session.scalars(text("select id from outbox where name = 'exports.make'"))]
        for each in waiting:
            jobs.perform_outbox(each)
    link = browser.get("/exports").text.split("/exports/")[1].split("/file")[0]
    rows = browser.client.get(f"/exports/{link}/file").get_data().decode("utf-8-sig").splitlines()[1:]

    assert [row.rsplit(",", 1)[1] for row in rows] == run_ids(page)

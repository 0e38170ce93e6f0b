"""The list of workflows by words of their names: found however they are spelled, sorted by the same key, kept by everything else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.core import clock, db
from portal.core.paging import read_place
from portal.workflows import list_queries
from portal.workflows.list_queries import WorkflowFilter
from tests.workflows.home.conftest import Ground


@pytest.fixture
def named(app, tenant):
    ground = Ground(tenant)
    names = (("Ahmad's leave", "إجازة أحمد"), ("Purchase 12", "شراء ١٢"), ("Zayd", "احمد زيد"), ("100% sure", "بالتأكيد"))
    return {english: ground.workflow(english, name_ar=arabic) for english, arabic in names}


def rows(page):
    return page.text_of(".row-title")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("احمد", {"Ahmad's leave", "Zayd"}), ("أَحْمَد", {"Ahmad's leave", "Zayd"}), ("اجازه احمد", {"Ahmad's leave"}), ("AHMAD", {"Ahmad's leave"}),
        ("١٢", {"Purchase 12"}), ("100%", {"100% sure"}), ("%", {"100% sure"}), ("_", set()), ("leave zayd", set()),
    ],
)  # fmt: skip
def test_names_are_found_however_they_are_spelled(as_role, named, words, found):
    assert set(rows(as_role("owner").get("/workflows", query_string={"q": words}))) == found


def test_what_was_typed_stands_in_the_box_and_can_be_taken_away(as_role, named):
    page = as_role("owner").get("/workflows", query_string={"q": " \u202bزيد ", "state": "draft", "sort": "name"})

    box = next(each for each in page.tree().iter("input") if each.get("name") == "q" and each.get("type") == "search")
    assert box.get("value") == "زيد" and box.get("dir") == "auto"
    form = next(each for each in page.tree().iter("form") if each.get("role") == "search")
    assert {(each.get("name"), each.get("value")) for each in form.iter("input") if each.get("type") == "hidden"} == {
        ("state", "draft"), ("sort", "name"),
    }  # fmt: skip
    panel = next(each for each in page.tree().iter("form") if each.get("class") == "filter-form")
    assert ("q", "زيد") in {(each.get("name"), each.get("value")) for each in panel.iter("input")}
    assert any("زيد" in chip for chip in page.text_of(".chip-set"))


def test_a_word_without_letters_narrows_nothing_and_says_so(as_role, named):
    page = as_role("owner").get("/workflows", query_string={"q": "ـــ"})

    assert page.status_code == 200 and len(rows(page)) == 4


def test_nothing_found_says_what_to_try(as_role, named):
    page = as_role("owner").get("/workflows", query_string={"q": "قسطنطينية"})

    assert rows(page) == [] and "Try another word" in page.text


def test_many_rows_are_chosen_by_the_words_too(app, tenant, as_role, named):
    with app.app_context(), db.transaction(tenant.id):
        wanted, soon = WorkflowFilter(words="احمد"), clock.now() + timedelta(minutes=1)
        assert set(list_queries.workflow_ids(tenant.id, wanted=wanted, at=soon, after=None, limit=9)) == {
            named["Ahmad's leave"],
            named["Zayd"],
        }
        assert list_queries.count_workflows(tenant.id, wanted=wanted) == 2


@pytest.mark.parametrize(
    ("locale", "order"),
    [("en", ["100% sure", "Ahmad's leave", "Purchase 12", "Zayd"]), ("ar", ["إجازة أحمد", "احمد زيد", "بالتأكيد", "شراء ١٢"])],
)
def test_names_are_sorted_by_their_keys(tenant, sign_in, named, locale, order):
    browser = sign_in(tenant, "owner", locale)

    assert rows(browser.get("/workflows?sort=name")) == order
    assert rows(browser.get("/workflows?sort=-name")) == order[::-1]


def test_pages_of_a_search_go_on_where_they_ended(app, tenant, named):
    with app.app_context(), db.transaction(tenant.id):
        first = list_queries.list_workflows(tenant.id, wanted=WorkflowFilter(words="احمد"), sort="name", limit=1)
        place = read_place(first.next_cursor, "text")
        second = list_queries.list_workflows(tenant.id, wanted=WorkflowFilter(words="احمد"), sort="name", place=place, limit=1)

    assert {row.id for row in (*first.items, *second.items)} == {named["Ahmad's leave"], named["Zayd"]}


@pytest.mark.parametrize(("table", "index"), [("people", "ix_people_search"), ("workflow_templates", "ix_workflow_templates_changed")])
def test_a_search_reads_an_index(app, tenant, table, index):
    """Behind the wall LIKE may not choose the rows (it is not leakproof), so there the tenant's own rows are read, and no others."""
    with app.app_context(), db.transaction(tenant.id) as session:
        session.execute(text("set local enable_seqscan = off"))
        plan = "\n".join(session.scalars(text(f"explain select id from {table} where search_key like '%احمد%'")))

    assert index in plan

"""Data tables as a person makes and reads them."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import SYSTEM
from portal.core.errors import Invalid
from portal.datatables import service as tables
from portal.datatables.columns import read_values

COLUMNS = [
    {"key": "name", "type": "text", "label": "Name", "label_ar": "الاسم", "required": True},
    {"key": "days", "type": "number", "label": "Days", "label_ar": "الأيام", "required": False},
    {"key": "urgent", "type": "boolean", "label": "Urgent", "label_ar": None, "required": False},
    {"key": "since", "type": "date", "label": "Since", "label_ar": None, "required": False},
    {"key": "more", "type": "json", "label": "More", "label_ar": None, "required": False},
]


@pytest.fixture
def table(app, tenant):
    with app.app_context(), db.transaction(tenant.id):
        return tables.create_table(tenant.id, "people", name="People", name_ar="أشخاص", columns=COLUMNS, by=SYSTEM)


def test_a_table_is_made_through_the_form_and_shown(as_role):
    browser = as_role("builder")
    given = {
        "name": "Suppliers",
        "name_ar": "المورّدون",
        "slug": "Suppliers",
        "column-0-label": "Company name",
        "column-0-type": "text",
        "column-2-key": "score",
        "column-2-type": "number",
        "column-2-required": "on",
    }

    made = browser.post("/tables/new", data=given)
    page = browser.get(made.headers["Location"])

    assert made.status_code == 303
    assert page.text_of("body//h1") == ["Suppliers"]
    assert "company_name" in page.text and "score" in page.text
    assert "Suppliers" in browser.get("/tables").text


def test_a_column_needs_no_more_than_its_name_in_either_language(as_role):
    """A column with only an Arabic name was left out without a word, and a name with other signs than letters was refused for its key."""
    browser = as_role("builder")
    given = {
        "name": "عملائي", "slug": "mine",
        "column-0-label_ar": "العميل", "column-0-type": "text",
        "column-1-label": "المبلغ الكلي", "column-1-type": "number",
        "column-3-label": "Amount (SAR)", "column-3-type": "number",
        "column-4-label": "Amount SAR", "column-4-type": "number",
    }  # fmt: skip

    made = browser.post("/tables/new", data=given)

    assert made.status_code == 303
    page = browser.get(made.headers["Location"])
    named = page.text_of("body//tbody//th")
    assert [
        name for name in ("العميل", "المبلغ الكلي", "Amount (SAR)", "Amount SAR") if not any(each.startswith(name) for each in named)
    ] == []
    assert page.text_of("body//tbody//td[@data-label='Key']") == ["column_1", "column_2", "amount_sar", "amount_sar_2"]


def test_a_wrong_form_keeps_what_was_typed_and_names_each_field(as_role, table):
    given = {"name": "", "slug": "people", "column-1-key": "9lives", "column-1-label": "Lives", "column-1-type": "text"}

    no_name = as_role("builder").post("/tables/new", data=given)
    wrong = as_role("builder").post("/tables/new", data={**given, "name": "Cats"})

    assert (no_name.status_code, wrong.status_code) == (422, 422)
    assert "Give the data table a name." in no_name.text
    assert 'value="Lives"' in wrong.text and 'value="9lives"' in wrong.text
    assert wrong.text_of("#f-column-1-key-error") == ["Error: Use a–z, 0–9 and _, beginning with a letter."]
    assert wrong.text_of("#f-slug-error") == ["Error: Another data table has this short name."]
    assert "<title>Error:" in wrong.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"days": "١٢٫٥".replace("٫", ".")}, {"days": 12.5}),
        ({"days": "1,250"}, {"days": 1250}),
        ({"urgent": "yes"}, {"urgent": True}),
        ({"since": "2026-11-23T08:00"}, {"since": "2026-11-23"}),
        ({"more": {"a": [1]}}, {"more": {"a": [1]}}),
        ({"name": ""}, {"name": None}),
        ({"name": {"a": "ب"}}, {"name": '{"a": "ب"}'}),
    ],
)
def test_values_are_read_as_their_column_says(given, kept):
    assert read_values(COLUMNS, given, whole=False) == kept


@pytest.mark.parametrize(
    "given",
    [
        {"days": "many"},
        {"days": True},
        {"days": float("nan")},
        {"days": float("inf")},
        {"urgent": "perhaps"},
        {"since": "23/11/2026"},
        {"name": "x" * 10_001},
        {"nobody": "1"},
    ],
)
def test_a_wrong_value_is_refused_with_its_column(given):
    with pytest.raises(Invalid) as refused:
        read_values(COLUMNS, given, whole=False)

    assert set(refused.value.problems) == set(given)


def test_a_new_row_needs_its_required_columns(app, tenant, table):
    with app.app_context(), db.transaction(tenant.id), pytest.raises(Invalid) as refused:
        tables.insert_row(tenant.id, "people", {"days": 1})

    assert set(refused.value.problems) == {"name"}


def test_rows_are_shown_newest_first_page_by_page(app, tenant, table, as_role):
    with app.app_context(), db.transaction(tenant.id):
        for number in range(52):
            tables.insert_row(tenant.id, "people", {"name": f"person {number:02} <i>", "more": {"n": number}})
    browser = as_role("auditor")

    page = browser.get(f"/tables/{table}")
    after = page.text.split("after=")[1].split('"')[0]

    assert page.text.index("person 51 &lt;i&gt;") < page.text.index("person 02")
    assert "person 01" not in page.text
    assert "person 00" in browser.get(f"/tables/{table}?after={after}").text


def test_an_arabic_reader_sees_arabic_names(sign_in, tenant, table):
    page = sign_in(tenant, "member", "ar").get(f"/tables/{table}")

    assert page.text_of("body//h1") == ["أشخاص"]
    assert "الأيام" in page.text


def test_another_tenants_table_is_not_there(table, stranger):
    assert stranger.get(f"/tables/{table}").status_code == 404
    assert "People" not in stranger.get("/tables").text


def test_a_row_that_many_change_or_add_at_once_is_added_once(app, tenant):
    from concurrent.futures import ThreadPoolExecutor

    columns = [{"key": each, "type": "text", "label": each, "label_ar": None, "required": False} for each in ("key", "value")]
    with app.app_context(), db.transaction(tenant.id):
        tables.ensure_table(tenant.id, "once", name="Once", name_ar=None, columns=columns)

    def change(number):
        with app.app_context(), db.transaction(tenant.id):
            return tables.upsert_row(tenant.id, "once", {"key": "k"}, {"value": str(number)})

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(change, range(24)))
    with app.app_context(), db.transaction(tenant.id):
        assert tables.count_rows(tenant.id, "once", {}) == 1
    assert sorted(is_new for _count, is_new in done) == [False] * 23 + [True]

"""Finding runs by the value of a field: the form, its chip, refusals, and what else uses the filters of the list."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from portal.core import clock, db
from portal.lists import service as lists
from portal.workflows import files, searching
from portal.workflows.lists import RUNS
from tests.workflows.engine.conftest import step, values


@pytest.fixture
def three(engine):
    workflow = engine.publish(step("first", "set", **values(id="${ input.who + '-1' }", n="${ size(input.who) }")), inputs=("who",))
    return {who: engine.go(workflow, who=who).id for who in ("ليلى", "omar", "noor_x")}


def found(page):
    return set(re.findall(r'name="ids" value="([0-9a-f-]{36})"', page.text))


@pytest.mark.parametrize(
    ("path", "op", "value", "expected"),
    [
        ("input.who", "is", "omar", {"omar"}),
        ("input.who", "is_not", "omar", {"ليلى", "noor_x"}),
        ("input.who", "contains", "O", {"omar", "noor_x"}),
        ("steps.first.id", "is", "ليلى-1", {"ليلى"}),
        ("steps.first.output.n", "gt", "٤", {"noor_x"}),
        ("steps.first.n", "lt", "5", {"ليلى", "omar"}),
        ("output.id", "exists", "", {"ليلى", "omar", "noor_x"}),
        ("input.who", "contains", "%", set()),
        ("input.who", "is", "' or 1=1 --", set()),
    ],
)
def test_runs_are_found_by_the_form(three, as_role, path, op, value, expected):
    page = as_role("owner").get("/runs", query_string={"where_path": path, "where_op": op, "where_value": value})

    assert page.status_code == 200
    assert found(page) == {str(three[each]) for each in expected}
    assert [each for each in page.text_of(".chip-set") if path in each]


def test_several_conditions_are_all_met_and_each_can_be_taken_away(three, as_role):
    browser = as_role("owner")
    page = browser.get("/runs", query_string={"where": ["input.who contains o", "steps.first.n gt 4"]})
    assert found(page) == {str(three["noor_x"])}
    assert len(page.text_of(".chip-set")) == 2
    more = browser.get(
        "/runs", query_string={"where": "input.who contains o", "where_path": "steps.first.n", "where_op": "lt", "where_value": "5"}
    )
    assert found(more) == {str(three["omar"])}
    assert len(more.text_of(".chip-set")) == 2


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize(
    ("path", "op", "value", "field"),
    [("amount", "is", "4", "where_path"), ("input.a[", "is", "4", "where_path"), ("input.a", "gt", "many", "where_value"), ("input.a", "is", "", "where_value"),
     ("", "is", "4", "where_path"), ("input.a", "near", "4", "where_op")],
)  # fmt: skip
def test_what_is_no_condition_is_said_at_its_field_and_the_form_is_kept(three, tenant, sign_in, locale, path, op, value, field):
    page = sign_in(tenant, "owner", locale).get("/runs", query_string={"where_path": path, "where_op": op, "where_value": value})

    assert page.status_code == 422
    assert page.text_of(f"#f-{field}-error"), field
    assert found(page) == set(), "rows that nobody asked for would pass for those that were found"
    assert f'value="{path}"' in page.text and f'value="{value}"' in page.text
    assert '<details class="list-filters" open>' in page.text


def test_an_address_that_is_no_condition_is_left_out_and_said(three, as_role):
    page = as_role("owner").get("/runs", query_string={"where": "drop table"})
    assert page.status_code == 200 and len(found(page)) == 3 and "was left out" in page.text


def test_a_search_that_takes_too_long_is_given_up_with_a_sentence(engine, three, tenant, as_role, monkeypatch):
    with engine.in_house() as session:
        session.execute(
            text(
                "insert into workflow_executions (id, tenant_id, workflow_id, version_id, status, completed_at, input_data) select gen_random_uuid(), tenant_id, workflow_id,"
                " version_id, 'succeeded', completed_at, jsonb_build_object('who', repeat('x', 2000)) from workflow_executions, generate_series(1, 20000) where id = :id"
            ),
            {"id": three["omar"]},
        )
    browser = as_role("owner")
    monkeypatch.setattr(searching, "PATIENCE_S", 0.002)

    page = browser.get("/runs", query_string={"where": "input.who contains nobody"})

    assert page.status_code == 422
    assert "Narrow the list" in page.text_of("#too-broad")[0] and page.text_of(".chip-set")
    monkeypatch.undo()
    assert browser.get("/runs", query_string={"where": "input.who contains nobody"}).status_code == 200


def test_a_read_that_is_given_up_leaves_the_transaction_usable(app, tenant):
    with db.transaction(tenant.id) as session:
        with pytest.raises(db.TooSlow), db.at_most(0.05):
            session.execute(text("select pg_sleep(5)"))
        assert session.scalar(text("select 1")) == 1
        with db.at_most(5):
            session.execute(text("select 1"))
        assert session.scalar(text("select current_setting('statement_timeout')")) in ("0", "0ms")


def test_saved_views_files_and_bulk_actions_take_the_condition_along(app, engine, tenant, three):
    where = {"where": ["input.who contains o"]}
    state = lists.read(RUNS, where)
    assert lists.read_stored(RUNS, state.as_json()) == state
    expected = {three["omar"], three["noor_x"]}
    with app.test_request_context(), db.transaction(tenant.id):
        asked = lists.Asked(tenant.people["owner"], dict(state.filters), clock.now())
        assert set(RUNS.pick(tenant.id, asked, None, 10)) == expected and RUNS.count(tenant.id, asked) == 2
        assert {row[6] for row in files.run_rows(tenant.id, state.as_json()["filters"])} == {str(each) for each in expected}


def test_a_file_of_the_list_has_the_fields_that_it_was_searched_by(app, engine, tenant, three):
    kept = lists.read(RUNS, {"where": ["input.who is_not omar", "steps.first exists", "steps.first.n gt 0"]}).as_json()["filters"]
    with app.test_request_context(), db.transaction(tenant.id):
        rows = {row[6]: row[7:] for row in files.run_rows(tenant.id, kept)}
        assert files.run_heads(kept) == ["input.who", "steps.first", "steps.first.n"]
    who, whole, size = rows[str(three["ليلى"])]
    assert (who, size) == ("ليلى", 4) and '"id": "ليلى-1"' in whole
    assert len(rows) == 2


def test_others_find_nothing(three, stranger):
    assert found(stranger.get("/runs", query_string={"where": "input.who exists"})) == set()

"""The order of a list's columns, how many runs are in each state, and runs by who started them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.core import db
from portal.identity.models import Person
from tests.lists.conftest import NOON

HEADS = "body//thead/tr/th"
KEYS = {"Duration": "duration", "Status": "status", "Started by": "by"}


def labels_of(page):
    """The names of the cells of the first row, in their order."""
    row = page.tree().find("body//tbody/tr")
    return [cell.get("data-label") for cell in row if cell.get("data-label")]


def chips_of(page):
    """State → number, as the page shows them above the list."""
    return {name.rstrip("0123456789,+"): name[len(name.rstrip("0123456789,+")) :] for name in page.text_of(".chip-state")}


def cells_of(page, label):
    return [" ".join("".join(cell.itertext()).split()) for cell in page.tree().iter() if cell.get("data-label") == label]


@pytest.mark.parametrize(
    ("pressed", "order"),
    [
        ({}, ["Duration", "Status", "Started by"]),
        ({"up": "status"}, ["Status", "Duration", "Started by"]),
        ({"down": "status"}, ["Duration", "Started by", "Status"]),
        ({"up": "duration"}, ["Duration", "Status", "Started by"]),
        ({"down": "by"}, ["Duration", "Status", "Started by"]),
        ({"up": "ended"}, ["Duration", "Status", "Started by"]),
        ({"up": "nonsense"}, ["Duration", "Status", "Started by"]),
    ],
    ids=str,
)
def test_columns_stand_in_the_order_that_was_chosen(as_role, many, pressed, order):
    browser = as_role("owner")
    browser.post("/columns", data={"list": "runs", "query": "", "cols": ["duration", "status", "by"], **pressed})

    page = browser.get("/runs")
    assert page.text_of(HEADS) == ["Choose", "Workflow", *order]
    assert labels_of(page) == order
    assert re.findall(r'name="cols" value="(\w+)"', page.text) == ["workflow", *(KEYS[name] for name in order), "started", "ended"]


def test_the_order_of_columns_stands_in_the_url_and_in_a_view(as_role, many):
    browser = as_role("owner")
    query = "cols=&cols=by&cols=started"
    assert browser.get(f"/runs?{query}").text_of(HEADS) == ["Choose", "Workflow", "Started by", "Started"]

    view = browser.post("/views", data={"list": "runs", "query": query, "name": "Mine"}).headers["Location"]
    assert browser.get(view).text_of(HEADS) == ["Choose", "Workflow", "Started by", "Started"]
    assert "Save the change" in browser.get(f"{view}&cols=&cols=started&cols=by").text


def test_a_list_of_workflows_has_its_columns_in_order(as_role, many):
    browser = as_role("owner")
    page = browser.get("/workflows?cols=&cols=changed&cols=state")
    assert page.text_of(HEADS) == ["Choose", "Name", "Changed", "State", "Actions"]
    assert labels_of(page) == ["Changed", "State"]


def test_states_are_counted_above_the_list_and_lead_to_their_runs(as_role, many):
    browser = as_role("owner")
    page = browser.get("/runs")
    assert chips_of(page) == {"Running": "2", "Succeeded": "2", "Failed": "2", "Cancelled": "1"}

    failed = browser.get("/runs?status=failed&sort=duration")
    assert chips_of(failed) == chips_of(page)
    links = {link.get("href"): link.get("aria-current") for link in failed.tree().iter() if "chip-state" in (link.get("class") or "")}
    assert links == {
        "/runs?status=running&sort=duration": None, "/runs?status=succeeded&sort=duration": None,
        "/runs?sort=duration": "true", "/runs?status=cancelled&sort=duration": None,
    }  # fmt: skip


def test_states_are_counted_under_the_other_filters(as_role, ground, many):
    workflow = ground.workflow("Gamma")
    ground.run(workflow, NOON, "failed")
    ground.run(workflow, NOON + timedelta(days=40), "succeeded", by="member")
    browser = as_role("owner")

    assert chips_of(browser.get(f"/runs?workflow={workflow}&status=failed")) == {"Succeeded": "1", "Failed": "1"}
    assert chips_of(browser.get("/runs?by=me&status=failed"))["Succeeded"] == "2"
    assert chips_of(browser.get("/runs?from=2026-04-01&status=failed")) == {"Succeeded": "1", "Failed": "0"}
    assert chips_of(browser.get(f"/runs?workflow={workflow}&from=2026-04-01")) == {}


def test_many_runs_of_a_state_are_not_counted_out(app, tenant, as_role, ground):
    workflow = ground.workflow("Much")
    ground.run(workflow, NOON, "failed")
    add_many(tenant, workflow, 1_200)
    page = as_role("owner").get("/runs")

    assert chips_of(page) == {"Succeeded": "1,000+", "Failed": "1"}
    assert "1–50 of 1,201" in page.text
    assert chips_of(as_role("owner").get(f"/runs?workflow={workflow}")) == {"Succeeded": "1,200", "Failed": "1"}


def add_many(house, workflow_id, number):
    """Plant finished runs, quickly."""
    with db.transaction(house.id) as session:
        session.execute(
            text(
                "insert into workflow_executions (id, tenant_id, workflow_id, version_id, status, created_at, started_at, completed_at)"
                " select gen_random_uuid(), tenant_id, workflow_id, version_id, 'succeeded', created_at, created_at, created_at"
                " from workflow_executions, generate_series(1, :number) where workflow_id = :workflow"
            ),
            {"number": number, "workflow": workflow_id},
        )


@pytest.mark.parametrize(("locale", "order"), [("en", ["Adam", "Zoe", "زيد"]), ("ar", ["Zoe", "آدم", "زيد"])])
def test_runs_are_sorted_by_who_started_them_as_their_names_are_read(app, tenant, sign_in, ground, locale, order):
    workflow = ground.workflow("Names")
    with app.app_context(), db.transaction(tenant.id) as session:
        for role, name, name_ar in (("owner", "Adam", "آدم"), ("member", "Zoe", None), ("builder", "زيد", None)):
            person = session.get_one(Person, tenant.people[role])
            person.name, person.name_ar = name, name_ar
    for minute, role in enumerate(("member", "owner", "builder")):
        ground.run(workflow, NOON + timedelta(minutes=minute), by=role)
        if minute == 0:
            add_many(tenant, workflow, 1)
    browser, label = sign_in(tenant, "owner", locale), {"en": "Started by", "ar": "صاحب التشغيل"}[locale]
    nobody = {"en": "–none", "ar": "–لا يوجد"}[locale]
    assert cells_of(browser.get("/runs?sort=by"), label) == [nobody, *order]
    assert cells_of(browser.get("/runs?sort=-by"), label) == [*order[::-1], nobody]

"""Steps on the tenant's own tables: done in the transaction that settles them, and so exactly once."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core.access import SYSTEM
from portal.datatables import service as tables
from portal.workflows.engine.store import following, settling
from tests.workflows.engine.conftest import Engine, step

COLUMNS = [
    {"key": "n", "type": "number", "label": "N", "label_ar": None, "required": True},
    {"key": "who", "type": "text", "label": "Who", "label_ar": None, "required": False},
]


@pytest.fixture
def rows(engine):
    with engine.in_house():
        tables.create_table(engine.house.id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)

    def found(**wanted):
        with engine.in_house():
            return tables.find_rows(engine.house.id, "rows", wanted)

    return found


def insert(key, value, **more):
    return step(key, "database", table="rows", operation="insert", values=[{"name": "n", "value": value}], **more)


def work(key, operation, *, filters=(), values=(), table="rows", **more):
    given = {"filters": [{"name": name, "value": value} for name, value in filters], "values": [{"name": n, "value": v} for n, v in values]}
    return step(key, "database", table=table, operation=operation, **given, **more)


def test_rows_are_added_found_changed_and_deleted_in_one_run(engine, rows):
    run_id = engine.start(
        engine.publish(
            insert("first", "1"),
            insert("second", "2"),
            work("found", "find", filters=[("n", "${ 1 }")]),
            work("changed", "update", filters=[("n", "2")], values=[("who", "${ steps.found.rows[0]._id }")]),
            work("gone", "delete", filters=[("n", "1")]),
        )
    )

    assert engine.finish(run_id).status == "succeeded"

    steps = engine.steps(run_id)
    assert [row["who"] for row in rows()] == [steps["first"].output["id"]]
    assert (steps["changed"].output, steps["gone"].output) == ({"count": 1}, {"count": 1})


def test_steps_done_in_one_transaction_tell_the_same_story_as_steps_done_alone(engine, rows, monkeypatch):
    workflow = engine.publish(insert("a", "1"), insert("b", "2"), insert("c", "3"))
    together = engine.start(workflow)
    engine.pump()
    monkeypatch.setattr(following, "MAX_APPLIED", 0)
    alone = engine.start(workflow)
    engine.pump()

    assert engine.story(together) == engine.story(alone)
    assert len(rows()) == 6


def test_a_step_that_fails_keeps_what_the_steps_before_it_did(engine, rows):
    run_id = engine.start(engine.publish(insert("a", "1"), insert("b", "2"), insert("c", "many"), insert("d", "4")))

    assert engine.finish(run_id).status == "failed"

    assert engine.states(run_id) == {"a": "succeeded", "b": "succeeded", "c": "failed"}
    assert engine.steps(run_id)["c"].error["code"] == "row_invalid"
    assert sorted(row["n"] for row in rows()) == [1, 2]


def test_a_statement_that_breaks_in_the_middle_is_retried_and_leaves_no_half(engine, rows, monkeypatch):
    workflow = engine.publish(insert("a", "1"), insert("b", "2"), insert("c", "3"))
    broken = []
    insert_row = tables.insert_row

    def break_once(tenant_id, slug, values):
        row_id = insert_row(tenant_id, slug, values)
        if values["n"] == "2" and len(broken) < 2:
            broken.append(1)
            raise RuntimeError("the statement broke after it wrote")
        return row_id

    monkeypatch.setattr(tables, "insert_row", break_once)
    run_id = engine.start(workflow)
    engine.pump()

    assert engine.states(run_id) == {"a": "succeeded", "b": "ready"}
    with engine.in_house() as session:
        session.execute(text("update workflow_steps set available_at = clock_timestamp() where state = 'ready'"))
    assert engine.finish(run_id).status == "succeeded"
    assert sorted(row["n"] for row in rows()) == [1, 2, 3]


def test_a_long_chain_is_cut_into_short_transactions(engine, rows, monkeypatch):
    monkeypatch.setattr(following, "MAX_APPLIED", 2)
    run_id = engine.start(engine.publish(*(insert(f"s{number}", str(number)) for number in range(7))))
    settled = []
    write_settle = settling.write_settle
    monkeypatch.setattr(settling, "write_settle", lambda *args, **more: settled.append(1) or write_settle(*args, **more))

    assert engine.finish(run_id).status == "succeeded"

    assert len(settled) == 3  # 1 + 2, 1 + 2, 1
    assert len(rows()) == 7


def test_an_empty_filter_changes_nothing(engine, rows):
    run_id = engine.start(engine.publish(insert("a", "1"), work("all", "delete")))

    assert engine.finish(run_id).error["step"] == "all"
    assert len(rows()) == 1


def test_a_table_that_went_after_publishing_fails_with_its_name(engine, rows):
    workflow = engine.publish(insert("lost", "1"))
    with engine.in_house() as session:
        session.execute(text("update data_tables set slug = 'moved' where slug = 'rows'"))

    run = engine.finish(engine.start(workflow))

    assert (run.error["code"], run.error["detail"]) == ("table_not_found", "rows")


def test_rows_of_another_tenant_are_out_of_reach(engine, rows, other_tenant):
    engine.finish(engine.start(engine.publish(insert("a", "1"))))
    stranger = Engine(other_tenant)
    with stranger.in_house():
        tables.create_table(other_tenant.id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)
    run_id = stranger.start(stranger.publish(work("peek", "find", filters=[("n", "1")])))
    stranger.pump()

    assert stranger.run(run_id).output_data == {"rows": [], "count": 0, "first": None}


def test_rows_are_compared_counted_and_put_in_order(engine, rows):
    engine.finish(engine.start(engine.publish(*(insert(f"s{n}", str(n)) for n in (2, 10, 1)))))

    def find(**config):
        run = engine.finish(engine.start(engine.publish(work("it", config.pop("operation", "find"), **config))))
        assert run.status == "succeeded", run.error
        return run.output_data

    assert [row["n"] for row in find(filters=[("n >=", "2")], order="n")["rows"]] == [2, 10]
    assert [row["n"] for row in find(filters=[("n !=", "2")], order="-n")["rows"]] == [10, 1]
    assert find(operation="count", filters=[("n <", "10")]) == {"count": 2}
    assert find(filters=[("who contains", "zzz")])["first"] is None
    refused = engine.finish(engine.start(engine.publish(work("it", "find", filters=[("n like", "2")]))))
    assert refused.error["code"] == "row_invalid"


def test_a_row_is_changed_or_added_once(engine, rows):
    change = work("it", "upsert", filters=[("n", "7")], values=[("who", "x")])
    first, second = (engine.finish(engine.start(engine.publish(change))).output_data for _run in range(2))
    assert (first, second) == ({"count": 1, "added": True}, {"count": 1, "added": False})
    assert [(row["n"], row["who"]) for row in rows()] == [(7, "x")]

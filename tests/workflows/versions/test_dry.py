"""Dry runs: the real engine, and nothing of it stays or leaves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from portal.core import db
from portal.datatables import service as tables
from portal.workflows import list_queries, literals
from portal.workflows.actions.base import Done, Failed
from portal.workflows.versions import dry
from tests.workflows.engine.conftest import step, values


class Nothing:
    """No real run is known."""

    def result(self, node: Any, scope: str) -> Any:
        return None

    def answer(self, node: Any, scope: str, outcomes: list[str]) -> Any:
        return None


class Told(Nothing):
    def __init__(self, results=None, answers=None):
        self.results, self.answers = results or {}, answers or {}

    def result(self, node, scope):
        return self.results.get(node["key"])

    def answer(self, node, scope, outcomes):
        return self.answers.get(node["key"])


def counted(engine):
    """Count every row of the house's tables: what a trial leaves would show."""
    with engine.in_house() as session:
        names = session.scalars(
            text("select distinct table_name from information_schema.columns where table_schema = 'public' and column_name = 'tenant_id'")
        ).all()
        found = {name: session.scalar(text(f"select count(*) from {name}")) for name in names}
        return {**found, "outbox": session.scalar(text("select count(*) from outbox"))}


def rehearse(engine, *nodes, samples=None, settings=None, **given):
    workflow_id = engine.publish(step("old", "set", **values(x="1")))
    before = counted(engine)
    with db.unit_of_work(engine.house.id):
        found = dry.rehearse(
            engine.house.id, workflow_id, list(nodes), settings or {"inputs": []}, values=given, samples=samples or Nothing(), by=engine.by
        )
    assert counted(engine) == before, "nothing of a trial stays"
    return found


def by_key(found):
    return {each["key"]: each for each in found.steps}


def test_pure_steps_are_worked_out_as_in_a_run(engine):
    found = rehearse(engine, step("a", "set", **values(x="${ input.n }")), step("b", "set", **values(y="${ steps.a.x + '!' }")), n="5")

    assert found.status == "succeeded"
    assert found.output == {"y": "5!"}
    assert [each["key"] for each in found.steps] == ["a", "b"]


def test_what_would_leave_is_written_down_with_secrets_masked_and_nothing_is_sent(engine, monkeypatch):
    from portal.core import egress
    from portal.mail import service as mail

    for module, name in ((egress, "send"), (mail, "send")):
        monkeypatch.setattr(module, name, lambda *_a, **_k: pytest.fail("a trial sent something"))
    secret = "Bearer abcdefgh12345678"
    found = rehearse(
        engine,
        step("mail", "email", to="a@example.com", subject="Hello ${ input.who }", body="x"),
        step("call", "webhook", url="https://api.example.com/x", method="POST", headers=[{"name": "Authorization", "value": secret}]),
        step("tell", "notification", title="t", message="m ${ input.who }"),
        step("after", "set", **values(x="${ string(steps.call.status) }")),
        samples=Told({"call": Done({"status": 201, "body": {}})}),
        who="Sara",
    )

    steps = by_key(found)
    assert found.status == "succeeded", found.error
    assert steps["mail"]["effect"] == steps["call"]["effect"] == steps["tell"]["effect"] == "not_sent"
    assert steps["mail"]["would"]["subject"] == "Hello Sara"
    assert secret not in str(found) and literals.MASKED in str(steps["call"]["would"])
    assert (steps["mail"]["sample"], steps["call"]["sample"]) == ("empty", "known")
    assert steps["after"]["output"] == {"x": "201"}


def test_data_tables_are_written_and_read_within_the_trial_only(engine, tenant):
    columns = [{"key": "n", "type": "text", "label": "N", "label_ar": None, "required": False}]
    with engine.in_house():
        tables.create_table(tenant.id, "notes", name="Notes", name_ar=None, columns=columns, by=engine.by)
    found = rehearse(
        engine,
        step("write", "database", operation="insert", table="notes", values=[{"name": "n", "value": "one"}]),
        step("read", "database", operation="find", table="notes"),
    )

    steps = by_key(found)
    assert found.status == "succeeded", (found.error, steps)
    assert "one" in str(steps["read"]["output"])
    assert steps["write"]["effect"] == "written"


def test_waits_and_questions_are_answered_at_once(engine):
    people = {"title": "May I?", "candidates": ["role:owner", "role:admin"]}
    flow = (
        step("pause", "wait", mode="for", amount=5, unit="days"),
        step("ask", "approval", **people),
        step("which", "condition", when="steps.ask.outcome == 'approve'"),
        step("yes", "set", parent="which", lane="then", **values(x="1")),
        step("no", "set", parent="which", lane="else", **values(x="1")),
        step("sign", "signal", signal="paid"),
    )

    whole = rehearse(engine, *flow)
    agreed = by_key(whole)
    assert whole.status == "succeeded", (whole.error, whole.steps)
    refused = by_key(rehearse(engine, *flow, samples=Told(answers={"ask": dry.decided("reject")})))
    late = by_key(rehearse(engine, *flow, samples=Told(answers={"ask": Failed("task_expired")})))

    assert (agreed["yes"]["state"], agreed["no"]["state"]) == ("succeeded", "skipped")
    assert (refused["yes"]["state"], refused["no"]["state"]) == ("skipped", "succeeded")
    assert agreed["pause"]["effect"] == agreed["sign"]["effect"] == "answered"
    assert late["ask"]["state"] == "failed" and "sign" not in late


def test_loops_called_workflows_failures_and_undoing_go_as_in_a_run(engine):
    inner = engine.publish(step("mail", "email", to="a@example.com", subject="s", body="b"), step("two", "set", **values(x="2")))
    found = rehearse(
        engine,
        step("each", "foreach", source="times", times=3),
        step("item", "email", parent="each", lane="each", to="a@example.com", subject="${ string(index) }", body="b"),
        step("call", "subworkflow", workflow=str(inner), inputs=[]),
        step("work", "set", undo=True, **values(x="1")),
        step("back", "email", parent="work", lane="undo", to="a@example.com", subject="sorry", body="b"),
        step("bad", "set", **values(x="${ int('x') }")),
    )

    assert found.status == "compensated", found.error
    assert Counter(each["key"] for each in found.steps)["item"] == 3
    assert sorted(each["would"]["subject"] for each in found.steps if each["key"] == "item") == ["0", "1", "2"]
    assert {each["key"] for each in found.steps if each["is_inner"]} == {"mail", "two"}
    assert by_key(found)["back"]["would"]["subject"] == "sorry"


def test_a_failed_call_is_tried_again_without_waiting_and_a_trial_ends_in_any_case(engine, monkeypatch):
    monkeypatch.setattr(dry, "BUDGET_S", 60.0)  # how busy the machine is says nothing here
    failing = Told({"call": Failed("call_status", "503", again=True)})
    found = rehearse(engine, step("call", "webhook", attempts=3, url="https://api.example.com", method="GET"), samples=failing)
    assert found.status == "failed"

    monkeypatch.setattr(dry, "MOST_MOVES", 20)
    endless = rehearse(
        engine,
        step("each", "foreach", source="times", times=1000, at_once=1),
        step("item", "email", parent="each", lane="each", to="a@example.com", subject="s", body="b"),
    )
    assert endless.status == "cut"


def test_no_page_and_no_other_transaction_sees_a_trial(engine, monkeypatch):
    seen = []

    class Looking(Nothing):
        def result(self, node, scope):
            with db.unit_of_work(engine.house.id):
                seen.append(list_queries.count_runs(engine.house.id))
            return

    rehearse(engine, step("mail", "email", to="a@example.com", subject="s", body="b"), samples=Looking())
    assert seen == [0]

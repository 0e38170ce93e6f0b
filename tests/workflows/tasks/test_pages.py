"""The pages of tasks, as people use them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.lists import filing
from portal.workflows.tasks.lists import task_rows
from tests.workflows.engine.conftest import step

FORM = [{"key": "days", "type": "number", "label": "Days granted", "label_ar": "الأيام الممنوحة", "required": True, "choices": []}]


@pytest.fixture
def task(engine):
    """A task for members and admins, with a form."""
    node = step(
        "ask", "approval", title="Leave of Sara", title_ar="إجازة سارة", details="Ten days in Ramadan", candidates=["role:member", "role:admin"], form=FORM,
        may_return=True,
    )  # fmt: skip
    engine.run_id = engine.start(engine.publish(node))
    engine.pump()
    return path_of(engine)


def path_of(engine):
    with engine.in_house() as session:
        return f"/tasks/{session.scalar(text('select id from workflow_tasks order by created_at desc limit 1'))}"


def test_a_member_finds_decides_and_the_run_goes_on(engine, task, as_role):
    member = as_role("member")
    assert "Leave of Sara" in member.get("/tasks").text
    assert "Leave of Sara" in member.get("/home").text
    assert "Leave of Sara" in member.get("/search?q=leave of sara").text
    page = member.get(task)
    assert "Ten days in Ramadan" in page.text and "Days granted" in page.text
    assert engine.run(engine.run_id).status == "running", "a link decides nothing"
    assert member.get(f"{task}/decide?outcome=approve").status_code == 405

    refused = member.post(f"{task}/decide", data={"outcome": "approve", "days": "many", "note": "with pleasure"})
    assert refused.status_code == 422
    assert 'href="#f-days"' in refused.text and "with pleasure" in refused.text

    answer = member.post(f"{task}/decide", data={"outcome": "approve", "days": "١٠", "note": "with pleasure"})
    assert answer.status_code == 303
    output = engine.steps(engine.run_id)["ask"].output
    assert (output["outcome"], output["values"], output["note"], output["by"]) == ("approve", {"days": 10}, "with pleasure", "Member")
    assert engine.run(engine.run_id).status == "succeeded"
    assert "Decided: " in member.get(task).text
    assert "Leave of Sara" not in member.get("/tasks").text and "Leave of Sara" in member.get("/tasks?show=decided").text


def test_who_is_late_is_told_and_changes_nothing(engine, task, as_role):
    member, admin = as_role("member"), as_role("admin")
    member.post(f"{task}/decide", data={"outcome": "approve", "days": "3"})

    late = admin.post(f"{task}/decide", data={"outcome": "reject", "days": "0"})

    assert late.status_code == 409
    assert "Somebody else was faster" in late.text
    assert engine.steps(engine.run_id)["ask"].output["outcome"] == "approve"


def test_what_was_written_for_a_decision_that_came_too_late_is_not_lost(engine, task, as_role):
    as_role("admin").post(f"{task}/decide", data={"outcome": "approve", "days": "3"})

    late = as_role("member").post(f"{task}/decide", data={"outcome": "approve", "days": "5", "note": "She asked in\nMay"})

    assert late.status_code == 409 and late.tree().find(".//textarea[@name='comment']").text.strip() == "She asked in\nMay"
    assert as_role("member").post(f"{task}/comments", data={"comment": "She asked in\nMay"}).status_code == 303
    assert as_role("member").get(task).text_of("body//ol/li/p")[-2:] == ["She asked in", "May"], "a line stays a line"


def test_who_is_not_asked_does_not_see_it(task, as_role, stranger):
    assert as_role("auditor").get(task).status_code == 404
    assert stranger.get(task).status_code == 404
    assert stranger.post(f"{task}/decide", data={"outcome": "approve", "days": "1"}).status_code == 404
    assert as_role("builder").get(task).status_code == 200, "who manages all tasks looks"
    assert as_role("builder").post(f"{task}/decide", data={"outcome": "approve", "days": "1"}).status_code == 404
    assert as_role("builder").get("/tasks?show=all").text.count("Leave of Sara") >= 1


def test_taken_given_back_handed_on_and_talked_about(engine, task, as_role, tenant):
    member, admin = as_role("member"), as_role("admin")
    assert member.post(f"{task}/claim").status_code == 303
    assert admin.post(f"{task}/claim").status_code == 409
    assert admin.post(f"{task}/decide", data={"outcome": "approve", "days": "1"}).status_code == 409
    assert "has taken this task" in admin.get(task).text
    assert "Leave of Sara" not in admin.get("/tasks").text and "Leave of Sara" in admin.get("/tasks?show=team").text

    assert member.post(f"{task}/return").status_code == 303
    assert member.post(f"{task}/comments", data={"comment": "  "}).status_code == 422
    assert member.post(f"{task}/comments", data={"comment": "Ask her <first>"}).status_code == 303
    assert "Ask her &lt;first&gt;" in admin.get(task).text

    assert member.post(f"{task}/delegate", data={"person": ""}).status_code == 422
    assert member.post(f"{task}/delegate", data={"person": str(tenant.people["auditor"])}).status_code == 303
    assert member.post(f"{task}/decide", data={"outcome": "approve", "days": "1"}).status_code == 404
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from notifications where type = 'task.delegated'")) == 1
        actions = set(session.scalars(text("select action from audit_entries where action like 'task.%'")))
    assert actions == {"task.claimed", "task.returned", "task.commented", "task.delegated"}


def test_arabic_says_it_in_arabic(task, sign_in, tenant):
    page = sign_in(tenant, "member", "ar").get(task)
    assert page.text_of("body//h1") == ["إجازة سارة"]
    assert "موافقة" in page.text and "الأيام الممنوحة" in page.text and "إعادة للتعديل" in page.text


def test_who_took_a_task_is_no_man_by_grammar(task, sign_in, tenant):
    sign_in(tenant, "member", "ar").post(f"{task}/claim")
    listed = sign_in(tenant, "admin", "ar").get("/tasks?show=all").text
    assert "لدى" in listed and "تولّاها" not in listed


def test_the_designer_builds_the_form_of_an_approval(engine, as_role):
    workflow_id = engine.publish(step("ask", "task", title="x", candidates=["role:admin"]))
    browser, where = as_role("builder"), f"/workflows/{workflow_id}/design/steps/ask"
    page = browser.get(f"/workflows/{workflow_id}/design?step=ask")
    assert 'name="c-candidates"' in page.text and 'name="c-outcomes-label"' in page.text
    revision = page.tree().find(".//input[@name='revision']").get("value")

    answer = browser.post(where, data={
        "revision": revision, "name": "Ask", "c-title": "Check", "c-candidates": ["", "role:builder", "nobody"], "c-outcomes-key": ["", ""],
        "c-outcomes-label": ["All good", "Broken"], "c-outcomes-label_ar": ["تمام", "معطل"], "c-form-count": "1", "c-form-0-label": "How many",
        "c-form-0-type": "number", "do": "form:add",
    })  # fmt: skip

    assert answer.status_code == 303
    with engine.in_house() as session:
        config = session.scalar(text("select nodes -> 0 -> 'config' from workflow_templates where id = :id"), {"id": workflow_id})
    assert config["candidates"] == ["role:builder"]
    assert [each["key"] for each in config["outcomes"]] == ["all_good", "broken"]
    assert [each["key"] for each in config["form"]] == ["how_many", "input"]


def test_the_inbox_is_narrowed_sorted_kept_and_saved_as_a_file(engine, task, as_role):
    member = as_role("member")
    with engine.in_house() as session:
        session.execute(
            text("update workflow_tasks set due_at = clock_timestamp() - interval '1 hour' where execution_id = :run"),
            {"run": engine.run_id},
        )

    page = member.get("/tasks?due=late&sort=-due")
    assert "Leave of Sara" in page.text and "Overdue" in page.text and "Save as a view" in page.text
    assert "No task matches" in member.get("/tasks?due=7d").text
    assert "Leave of Sara" in member.get("/tasks?show=all").text, (
        "without the right to all of them, these are the ones that are open to them"
    )

    saved = member.post("/views", data={"list": "tasks", "query": "due=late&sort=-due", "name": "Late ones"})
    assert saved.status_code == 303 and "Late ones" in member.get(saved.headers["Location"]).text
    assert member.post("/exports", data={"source": "tasks.listing", "format": "csv"}).status_code == 303


def test_a_file_of_the_inbox_holds_what_its_reader_may_see(engine, task, as_role, tenant):
    def titles(role, **filters):
        with engine.in_house():
            return [row[0] for row in task_rows(engine.house.id, {filing.READER: [str(tenant.people[role])], **filters})]

    assert titles("member") == ["Leave of Sara"]
    assert titles("auditor", show=["all"]) == []
    assert "Leave of Sara" in titles("builder", show=["all"])


def test_many_tasks_are_taken_at_once_and_given_back(engine, task, as_role, tenant):
    from portal.lists import bulk

    member, admin = as_role("member"), as_role("admin")
    assert admin.post(f"{task}/claim").status_code == 303
    other = engine.start(engine.publish(step("ask", "approval", title="Second", candidates=["role:member"])))
    engine.pump()

    def carried(query, verb="claim"):
        asked = member.post("/bulk", data={"list": "tasks", "verb": verb, "all": "1", "query": query})
        assert asked.status_code == 303
        with engine.in_house() as session:
            bulk_id = session.scalar(text("select id from bulk_actions order by asked_at desc limit 1"))
            session.execute(text("update bulk_actions set starts_at = clock_timestamp() where id = :id"), {"id": bulk_id})
        bulk.carry_out(engine.house.id, bulk_id)
        with engine.in_house() as session:
            return session.execute(
                text("select done_count, skipped_count, reasons from bulk_actions where id = :id"), {"id": bulk_id}
            ).one()

    taken = carried("show=team")
    assert (taken.done_count, taken.skipped_count) == (1, 1) and taken.reasons[0]["code"] == "taken"
    with engine.in_house() as session:
        holder = session.scalar(text("select claimed_by from workflow_tasks where execution_id = :run"), {"run": other})
    assert holder == tenant.people["member"]
    assert carried("show=mine", "free").done_count == 1


@pytest.mark.parametrize(("outcome", "tone"), [("approve", "success"), ("reject", "danger"), ("return", "info")])
def test_a_decision_looks_like_what_it_is_and_the_bell_names_its_task(task, as_role, outcome, tone):
    member = as_role("member")
    assert any("Leave of Sara" in line for line in member.get("/notifications").text_of(".notice-row"))
    member.post(f"{task}/decide", data={"outcome": outcome, "days": "10"})

    assert any("Decided" in line for line in member.get(task).text_of(f".tone-{tone}"))

"""The page of a run with one of its steps open: what it shows, and what is done there in place."""

from __future__ import annotations

import json
import time

import pytest
from sqlalchemy import text

from portal.core.ids import new_id
from portal.workflows.actions.base import Failed
from portal.workflows.engine.store import leasing, settling
from tests.workflows.engine.conftest import step, values
from tests.workflows.history.test_redaction import publish

__all__ = ["publish"]


def rows_of(engine, query, **given):
    with engine.in_house() as session:
        return session.execute(text(query), given).all()


def shown(browser, run_id, key, **more):
    query = "".join(f"&{name}={value}" for name, value in more.items())
    return browser.get(f"/runs/{run_id}?step={key}{query}")


@pytest.fixture
def failed(engine):
    """A run that failed at its second step, at the second attempt."""
    workflow = engine.publish(
        step("first", "set", **values(amount="${ 12 }", who="ليلى")),
        step("call", "set", attempts=2, **values(x="${ int('no number') }")),
        step("after", "set", **values(y="1")),
    )
    return engine.go(workflow)


def test_a_step_is_shown_with_its_state_values_time_key_and_log(engine, failed, as_role):
    page = shown(as_role("owner"), failed.id, "first")

    (inside,) = page.text_of("#inspector")
    assert "first" in inside and "Succeeded" in inside
    assert "ليلى" in inside and "12" in inside
    assert engine.steps(failed.id)["first"].idem_key in inside
    assert "Attempt 1" in inside and "At work" in inside
    assert 'data-copy="steps.first.amount"' in page.text
    assert [each for each in page.text_of(".timeline") if "Succeeded" in each]
    assert page.text.count('aria-current="true"') >= 2  # the card and its bar


def test_a_failed_step_says_why_in_words_and_offers_to_retry_from_it(engine, failed, as_role):
    browser = as_role("owner")
    (inside,) = shown(browser, failed.id, "call").text_of("#inspector")

    assert "A value could not be worked out." in inside
    assert "Retry from this step" in inside
    answer = browser.post(f"/runs/{failed.id}/retry")
    assert answer.status_code == 303 and str(failed.id) not in answer.headers["Location"]


def test_a_step_that_was_not_reached_and_one_that_is_not_there(failed, as_role):
    browser = as_role("owner")

    assert "ended without this step" in shown(browser, failed.id, "after").text_of("#inspector")[0]
    assert shown(browser, failed.id, "nothing").text_of("#inspector") == []
    assert shown(browser, failed.id, "x'%00%22").status_code == 200


def test_the_inspector_comes_with_the_part_that_htmx_asks_for(failed, as_role):
    page = as_role("owner").get(f"/runs/{failed.id}?step=first", fragment=True)
    assert 'id="inspector"' in page.text and "<html" not in page.text


def test_values_are_shown_as_a_tree_or_as_json(failed, as_role):
    browser = as_role("owner")
    assert 'class="tree"' in shown(browser, failed.id, "first").text
    page = shown(browser, failed.id, "first", view="json")
    assert 'class="tree"' not in page.text and '"amount": 12' in page.text.replace("&#34;", '"')


def test_a_sealed_value_is_dots_in_the_tree_and_in_the_file(engine, publish, as_role):
    run_id = engine.start(publish(step("first", "set", **values(token="${ input.given }", open="seen"))), given="hush-5502-hush")
    engine.pump()
    browser = as_role("owner")

    page, file = shown(browser, run_id, "first"), browser.get(f"/runs/{run_id}/export")

    assert engine.run(run_id).status == "succeeded"
    for answer in (page.text, file.text):
        assert "seen" in answer and "hush-5502" not in answer and "$sealed" not in answer


def test_every_attempt_keeps_when_it_began(engine, as_role):
    """The first one, the next after a pause: each with its own time, and all with the same key."""
    workflow = engine.publish(
        {**step("call", "webhook", url="https://example.com/"), "retry": {"attempts": 3, "base_s": 0.01, "cap_s": 0.02}}
    )
    run_id = engine.start(workflow)
    for _ in range(2):
        lease = next(filter(None, (engine.claim() for _ in range(50))))
        settling.settle(lease, leasing.open_run(lease), Failed("call_connect", again=True, sent=False), carry=False)
        time.sleep(0.05)

    tries = rows_of(
        engine,
        "select a.* from workflow_attempts a join workflow_steps s on s.id = a.step_id where s.execution_id = :r order by epoch",
        r=run_id,
    )
    assert [each.outcome for each in tries] == ["ready", "ready"]
    assert tries[0].started_at <= tries[0].ended_at <= tries[1].started_at <= tries[1].ended_at
    (inside,) = shown(as_role("owner"), run_id, "call").text_of("#inspector")
    assert "Attempt 1" in inside and "Attempt 2" in inside and "The other system could not be reached." in inside
    assert inside.count(engine.steps(run_id)["call"].idem_key) == 1


def claimed_again(engine, run_id, *, seconds=3600):
    """Let the leased step of a run fail so that it is tried again in an hour."""
    with engine.in_house() as session:
        session.execute(
            text(
                "update workflow_steps set state = 'ready', attempt = 1, lease_owner = null, lease_until = null, hard_until = null,"
                " available_at = clock_timestamp() + make_interval(secs => :s) where execution_id = :r and state = 'ready'"
            ),
            {"r": run_id, "s": seconds},
        )


def test_the_next_attempt_is_sent_on_at_once(engine, as_role):
    workflow = engine.publish(step("call", "webhook", url="https://example.com/"))
    run_id = engine.start(workflow)
    claimed_again(engine, run_id)
    step_id = engine.steps(run_id)["call"].id
    browser = as_role("owner")
    assert "Try again now" in shown(browser, run_id, "call").text

    answer = browser.post(f"/runs/{run_id}/steps/{step_id}/hurry", data={"step": "call"})

    assert answer.status_code == 303 and "step=call" in answer.headers["Location"]
    (row,) = rows_of(engine, "select available_at <= clock_timestamp() as is_due from workflow_steps where id = :id", id=step_id)
    assert row.is_due
    assert rows_of(engine, "select 1 from workflow_events where execution_id = :r and kind = 'step.hurried'", r=run_id)
    assert rows_of(engine, "select 1 from audit_entries where target_id = :r and action = 'step.hurried'", r=run_id)
    late = browser.post(f"/runs/{run_id}/steps/{step_id}/hurry", data={"step": "call"}, fragment=True)
    assert "waits for no other attempt" in late.text_of("#run-refused")[0]


def test_a_wait_is_skipped_and_the_run_goes_on(engine, as_role):
    run = engine.go(engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours"), step("then", "set", **values(x="1"))))
    step_id = engine.steps(run.id)["pause"].id
    browser = as_role("owner")

    part = browser.post(f"/runs/{run.id}/steps/{step_id}/skip", data={"step": "pause"}, fragment=True)
    engine.pump()

    assert part.status_code == 200 and 'id="inspector"' in part.text and "data-announce" in part.text
    assert engine.run(run.id).status == "succeeded"
    engine.assert_sound(run.id)
    assert rows_of(engine, "select 1 from audit_entries where target_id = :r and action = 'step.ended_early'", r=run.id)


def test_a_signal_that_nobody_sends_is_skipped(engine, as_role):
    run = engine.go(engine.publish(step("sig", "signal", signal="paid", corr_key="k"), step("then", "set", **values(x="1"))))
    step_id = engine.steps(run.id)["sig"].id

    as_role("owner").post(f"/runs/{run.id}/steps/{step_id}/skip", data={"step": "sig"})
    engine.pump()

    assert engine.run(run.id).status == "succeeded"
    engine.assert_sound(run.id)


def test_what_is_no_wait_is_not_skipped(engine, as_role):
    run = engine.go(engine.publish(step("ask", "approval", title="May it?", candidates=["role:owner"])))
    step_id = engine.steps(run.id)["ask"].id
    browser = as_role("owner")

    assert "Skip the wait" not in shown(browser, run.id, "ask").text
    browser.post(f"/runs/{run.id}/steps/{step_id}/skip", data={"step": "ask"})

    assert engine.states(run.id)["ask"] == "waiting"


def test_a_task_is_decided_in_the_inspector(engine, as_role):
    form = [{"type": "text", "label": "Why", "label_ar": "لماذا", "key": "why", "required": True}]
    run = engine.go(engine.publish(step("ask", "approval", title="May it?", candidates=["role:owner"], form=form)))
    ((task_id,),) = rows_of(engine, "select id from workflow_tasks where execution_id = :r", r=run.id)
    browser = as_role("owner")
    url = f"/runs/{run.id}/tasks/{task_id}/decide"
    assert f'action="{url}"' in shown(browser, run.id, "ask").text

    refused = browser.post(url, data={"step": "ask", "outcome": "approve", "why": "", "note": "kept"}, fragment=True)
    assert refused.status_code == 422 and "kept" in refused.text and 'id="f-why-error"' in refused.text
    assert "Why: Fill this in." in [" ".join(each.split()) for each in refused.text_of("*//ul/li")]
    done = browser.post(url, data={"step": "ask", "outcome": "approve", "why": "because"}, fragment=True)
    engine.pump()

    assert done.status_code == 200 and "Your decision stands" in done.text
    assert engine.run(run.id).status == "succeeded"
    assert "Owner" in shown(browser, run.id, "ask").text_of("#inspect-answers")[0]


def test_what_was_written_for_a_late_decision_is_kept_in_the_inspector(engine, as_role):
    run = engine.go(engine.publish(step("ask", "approval", title="May it?", candidates=["role:owner"])))
    ((task_id,),) = rows_of(engine, "select id from workflow_tasks where execution_id = :r", r=run.id)
    url, browser = f"/runs/{run.id}/tasks/{task_id}/decide", as_role("owner")
    browser.post(url, data={"step": "ask", "outcome": "approve"}, fragment=True)

    for is_fragment in (True, False):
        late = browser.post(url, data={"step": "ask", "outcome": "reject", "note": "Too dear"}, fragment=is_fragment)
        assert "Somebody else was faster" in late.text
        assert [each.text.strip() for each in late.tree().iter("textarea") if each.get("name") == "comment"] == ["Too dear"]


def test_a_task_is_decided_only_at_its_own_run(engine, as_role, failed):
    run = engine.go(engine.publish(step("ask", "approval", title="May it?", candidates=["role:owner"])))
    ((task_id,),) = rows_of(engine, "select id from workflow_tasks where execution_id = :r", r=run.id)
    browser = as_role("owner")
    for path in (f"/runs/{failed.id}/tasks/{task_id}/decide", f"/runs/{run.id}/tasks/{new_id()}/decide"):
        assert browser.post(path, data={"outcome": "approve"}).status_code == 404
    assert engine.states(run.id)["ask"] == "waiting"


def test_who_only_looks_has_no_buttons_and_cannot_use_them(engine, as_role):
    run = engine.go(engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours")))
    step_id = engine.steps(run.id)["pause"].id

    auditor, member = as_role("auditor"), as_role("member")
    assert "Skip the wait" not in shown(auditor, run.id, "pause").text
    assert auditor.post(f"/runs/{run.id}/steps/{step_id}/skip").status_code == 403
    assert member.post(f"/runs/{run.id}/steps/{step_id}/skip").status_code == 404
    assert engine.states(run.id)["pause"] == "waiting"


def test_one_of_many_rounds_is_chosen_by_its_frame(engine, as_role):
    run = engine.go(
        engine.publish(
            step("each", "foreach", source="list", list="['a', 'b', 'c']"),
            step("work", "set", parent="each", lane="each", **values(n="${ item }")),
        )
    )
    browser = as_role("owner")

    page = shown(browser, run.id, "work", scope="each:1")
    (inside,) = page.text_of("#inspector")

    assert "No. 2" in inside and "No. 1" in inside
    tree = page.text_of(".tree")
    assert any("b" in each.split() for each in tree) and not any("c" in each.split() for each in tree)
    assert shown(browser, run.id, "work", scope="nowhere:9").status_code == 200
    items = browser.get(f"/runs/{run.id}/steps/{engine.steps(run.id)['each'].id}/items")
    assert f'href="/runs/{run.id}?step=work&amp;scope=each:1#inspector"' in items.text.replace("%3A", ":")


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_timeline_has_a_bar_and_a_row_for_each_step(engine, failed, tenant, sign_in, locale):
    page = sign_in(tenant, "owner", locale).get(f"/runs/{failed.id}")
    assert page.text.count('class="gantt-row"') == 3
    assert page.text.count('class="gantt-ran') >= 2
    legend, bar, *_more = [line for line in page.text.splitlines() if "gantt-ran" in line and "is-failed" in line]
    assert "</li>" in legend, "what a red bar means is said"
    assert "%" in bar and "style=" not in page.text


def test_the_file_of_a_run_holds_all_of_it(engine, failed, as_role):
    answer = as_role("owner").get(f"/runs/{failed.id}/export")

    file = json.loads(answer.text)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="run-{failed.id}.json"'
    assert file["format"] == "nasij-run/1" and file["run"]["status"] == "failed"
    assert [each["key"] for each in file["version"]["nodes"]] == ["first", "call", "after"]
    assert {each["node_key"]: each["state"] for each in file["steps"]}["first"] == "succeeded"
    assert {each["node_key"]: each["output"] for each in file["steps"]}["first"] == {"amount": 12, "who": "ليلى"}
    assert [each["seq"] for each in file["events"]] == list(range(1, len(file["events"]) + 1))


def test_the_version_of_a_run_is_a_page_of_its_own(engine, as_role):
    workflow = engine.publish(step("old_step", "set", **values(x="1")))
    run = engine.go(workflow)
    engine.publish_again(workflow, [step("new_step", "set", **values(x="2"))])
    browser = as_role("owner")

    assert f'href="/workflows/{workflow}/versions/1"' in browser.get(f"/runs/{run.id}").text
    page = browser.get(f"/workflows/{workflow}/versions/1")
    assert "old_step" in page.text and "new_step" not in page.text
    assert browser.get(f"/workflows/{workflow}/versions/3").status_code == 404

"""One verb for many rows: asked for, undone, carried out once whatever breaks, told at the end."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from portal.core import db, jobs
from portal.core.errors import Invalid
from portal.core.ids import new_id
from portal.lists import bulk, queries, service
from portal.lists.kinds import Verb
from portal.workflows import list_queries
from portal.workflows import lists as ours
from portal.workflows import queries as workflows
from portal.workflows.list_queries import WorkflowFilter
from tests.lists.conftest import NOON, access_of, bulk_of
from tests.workflows.engine.conftest import Engine, step, values


@pytest.fixture
def waiting(app, tenant):
    """Five runs that wait, and one that has ended."""
    with app.app_context():
        engine = Engine(tenant)
        long = engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours"))
        short = engine.publish(step("only", "set", **values(x="1")))
        runs = [engine.start(long) for _each in range(5)] + [engine.start(short)]
        engine.pump()
    return runs


def statuses(tenant, runs):
    with db.transaction(tenant.id):
        return [workflows.get_run(tenant.id, run).status for run in runs]


def ask(browser, verb="cancel", list_name="runs", **data):
    answer = browser.post("/bulk", data={"list": list_name, "verb": verb, "query": "", **data})
    place = answer.headers.get("Location", "")
    return place.rsplit("/", 1)[1] if place.startswith("/bulk/") else answer


def test_chosen_rows_are_cancelled_and_the_bell_says_so(tenant, as_role, waiting, work):
    browser = as_role("owner")

    asked = ask(browser, ids=[str(each) for each in (*waiting[:2], waiting[5], waiting[0])])
    page = browser.get(f"/bulk/{asked}")
    assert "Cancel 3 runs" in page.text and "Undo" in page.text
    assert "running" in statuses(tenant, waiting)[0]
    work(tenant)

    assert statuses(tenant, waiting) == ["cancelled"] * 2 + ["running"] * 3 + ["succeeded"]
    page = browser.get(f"/bulk/{asked}")
    assert page.text_of("body//main//dd") == ["2", "1", "0"]
    assert "It had ended already." in page.text
    assert "load delay" not in page.text
    assert "What you asked for many rows at once is done." in browser.get("/notifications").text


def test_all_that_match_are_meant_as_they_were_when_asked(app, tenant, as_role, waiting, work):
    browser = as_role("owner")

    asked = ask(browser, all="1", query="status=running")
    with app.app_context():
        engine = Engine(tenant)
        later = engine.start(engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours")))
        engine.pump()
    work(tenant)

    assert statuses(tenant, waiting) == ["cancelled"] * 5 + ["succeeded"]
    assert statuses(tenant, [later]) == ["running"]
    assert (bulk_of(tenant, asked).total, bulk_of(tenant, asked).done_count) == (5, 5)


def test_undo_within_ten_seconds_changes_nothing(tenant, as_role, waiting, work):
    browser = as_role("owner")
    asked = ask(browser, all="1", query="status=running")

    assert browser.post(f"/bulk/{asked}/undo").status_code == 303
    work(tenant)

    assert statuses(tenant, waiting) == ["running"] * 5 + ["succeeded"]
    assert "Undone. Nothing was changed." in browser.get(f"/bulk/{asked}").text
    assert "Undone" in browser.post(f"/bulk/{asked}/undo", fragment=True).text


@pytest.mark.parametrize(("role", "left"), [("auditor", 5), (None, 5), ("member", 5)])
def test_who_lost_the_right_meanwhile_changes_nothing(tenant, as_role, waiting, work, role, left):
    """An auditor may do nothing, who is gone even less, and a member only to runs of their own: these were started by another."""
    asked = ask(as_role("admin"), all="1", query="status=running")
    with db.transaction(tenant.id) as session:
        who = {"tenant": tenant.id, "person": tenant.people["admin"], "role": role}
        if role:
            session.execute(text("update memberships set role = :role where tenant_id = :tenant and person_id = :person"), who)
        else:
            session.execute(text("update people set is_active = false where id = :person"), who)
    work(tenant)

    assert statuses(tenant, waiting).count("running") == left
    with db.transaction(tenant.id):
        assert queries.locked_bulk(tenant.id, UUID(asked)).state == ("done" if role == "member" else "stopped")


def test_a_ticket_that_comes_early_waits(app, tenant, as_role, waiting, work):
    asked = ask(as_role("owner"), all="1", query="status=running")

    work(tenant, is_due=False)

    assert bulk_of(tenant, asked).state == "waiting"
    with db.transaction(system=True) as session:
        again = session.execute(
            text("select available_at > clock_timestamp() as later from outbox where name = 'lists.carry_out' and arguments ->> 1 = :id"),
            {"id": asked},
        ).all()
    assert [each.later for each in again] == [True]


def counting(monkeypatch, verb_key, *, die_at=None, break_at=None):
    """Count what a verb does to each row; die like a killed process, or break, at one of them."""
    seen = []
    kind = ours.RUNS
    verb = kind.verb(verb_key)

    def perform(tenant_id, row_id, *, by, own_only):
        seen.append(row_id)
        if break_at == len(seen):
            raise RuntimeError("broke")
        reason = verb.perform(tenant_id, row_id, by=by, own_only=own_only)
        if die_at == len(seen):
            raise KeyboardInterrupt
        return reason

    changed = Verb(**{**{name: getattr(verb, name) for name in verb.__slots__}, "perform": perform})
    others = tuple(changed if each.key == verb_key else each for each in kind.verbs)
    from portal.lists import kinds

    monkeypatch.setitem(kinds._kinds, "runs", type(kind)(**{**{name: getattr(kind, name) for name in kind.__slots__}, "verbs": others}))
    return seen


@pytest.mark.parametrize("die_at", [1, 3, 5])
def test_a_worker_that_dies_leaves_nothing_half_and_nothing_is_done_twice(app, tenant, as_role, waiting, work, monkeypatch, die_at):
    seen = counting(monkeypatch, "cancel", die_at=die_at)
    asked = ask(as_role("owner"), all="1", query="status=running")

    with pytest.raises(KeyboardInterrupt):
        work(tenant)
    half = bulk_of(tenant, asked)
    assert (half.state, half.done_count) == ("running", die_at - 1)
    assert statuses(tenant, waiting).count("cancelled") == die_at - 1
    with app.app_context():
        service.carry_out(tenant.id, half.id)
        service.carry_out(tenant.id, half.id)

    done = bulk_of(tenant, asked)
    assert (done.state, done.done_count, done.skipped_count, done.failed_count) == ("done", 5, 0, 0)
    assert len(seen) == 6 and len(set(seen)) == 5
    with db.transaction(tenant.id) as session:
        entries = session.scalar(text("select count(*) from audit_entries where action = 'run.cancel_asked'"))
        told = session.scalar(text("select count(*) from notifications where type = 'bulk.done'"))
    assert (entries, told) == (5, 1)


def test_what_was_retried_already_is_left_alone_and_says_so(tenant, as_role, ground, work):
    workflow = ground.workflow("Retry me")
    for _each in range(2):
        ground.run(workflow, NOON, "failed")
    browser = as_role("owner")
    ask(browser, "retry", all="1", query="status=failed")
    work(tenant)
    again = ask(browser, "retry", all="1", query="status=failed")
    work(tenant)

    second = bulk_of(tenant, again)
    assert second.total > 0 and (second.done_count, second.skipped_count) == (0, second.total)
    assert "It was retried already." in browser.get(f"/bulk/{again}").text


def test_a_retry_that_is_cut_off_starts_each_run_once(app, tenant, as_role, ground, work, monkeypatch):
    workflow = ground.workflow("Retry me")
    failed = [ground.run(workflow, NOON, "failed") for _each in range(4)]
    counting(monkeypatch, "retry", die_at=3)
    asked = ask(as_role("owner"), "retry", all="1", query="status=failed")

    with pytest.raises(KeyboardInterrupt):
        work(tenant)
    with app.app_context():
        service.carry_out(tenant.id, bulk_of(tenant, asked).id)

    with db.transaction(tenant.id) as session:
        again = session.scalars(text("select replay_of from workflow_executions where replay_of is not null")).all()
    assert sorted(again) == sorted(failed)
    assert bulk_of(tenant, asked).done_count == 4


def test_a_row_that_breaks_is_counted_and_the_others_go_on(tenant, as_role, waiting, work, monkeypatch):
    counting(monkeypatch, "cancel", break_at=2)
    browser = as_role("owner")
    asked = ask(browser, all="1", query="status=running")

    work(tenant)

    done = bulk_of(tenant, asked)
    assert (done.done_count, done.failed_count) == (4, 1)
    assert "It could not be changed." in browser.get(f"/bulk/{asked}").text
    assert "some rows could not be changed" in browser.get("/notifications").text


def test_an_action_that_takes_long_goes_on_in_another_job(app, tenant, as_role, waiting):
    asked = ask(as_role("owner"), all="1", query="status=running")
    with app.app_context():
        with db.transaction(tenant.id) as session:
            session.execute(text("update bulk_actions set starts_at = clock_timestamp() where id = :id"), {"id": asked})
        service.carry_out(tenant.id, bulk_of(tenant, asked).id, budget_s=-1)
        assert bulk_of(tenant, asked).state == "running"
        with db.transaction(system=True) as session:
            waiting_jobs = session.execute(
                text("select id from outbox where arguments ->> 1 = :id order by created_at"), {"id": asked}
            ).all()
        assert len(waiting_jobs) == 2
        for each in waiting_jobs:
            jobs.perform_outbox(str(each.id))

    assert bulk_of(tenant, asked).done_count == 5


def test_a_running_action_can_be_stopped(app, tenant, as_role, waiting, work, monkeypatch):
    browser = as_role("owner")
    seen = counting(monkeypatch, "cancel", die_at=2)
    asked = ask(browser, all="1", query="status=running")
    with pytest.raises(KeyboardInterrupt):
        work(tenant)

    assert "Stop" in browser.get(f"/bulk/{asked}").text
    assert "Stopped." in browser.post(f"/bulk/{asked}/stop", fragment=True).text
    with app.app_context():
        service.carry_out(tenant.id, bulk_of(tenant, asked).id)

    assert len(seen) == 2
    assert statuses(tenant, waiting).count("cancelled") == 1


def test_a_member_cancels_only_their_own_of_many(app, tenant, as_role, waiting, work):
    with db.transaction(tenant.id) as session:
        session.execute(
            text("update workflow_executions set executed_by = :me where id = :id"), {"me": tenant.people["member"], "id": waiting[0]}
        )
    member = as_role("member")

    every = ask(member, all="1", query="status=running")
    chosen = ask(member, ids=[str(waiting[0]), str(waiting[1])])
    work(tenant)

    assert statuses(tenant, waiting) == ["cancelled"] + ["running"] * 4 + ["succeeded"]
    assert "0 runs" not in member.get(f"/bulk/{every}").text
    assert "Somebody else started it" in member.get(f"/bulk/{chosen}").text
    assert ask(member, all="1", query=f"by={tenant.people['owner']}").headers["Location"].startswith("/runs")


def test_who_may_not_do_it_to_one_may_not_do_it_to_many(as_role, waiting):
    auditor = as_role("auditor")

    assert 'name="ids"' not in auditor.get("/runs").text
    assert ask(auditor, all="1").status_code == 403
    assert ask(as_role("member"), "off", "workflows", all="1").status_code == 403


@pytest.mark.parametrize(
    "data", [{}, {"ids": ["x"]}, {"ids": []}, {"all": "1", "query": "status=cancelling"}, {"ids": [str(new_id()) for _each in range(201)]}]
)
def test_what_chooses_nothing_or_too_much_is_said(as_role, waiting, data):
    browser = as_role("owner")

    answer = ask(browser, **data)

    assert answer.headers["Location"].startswith("/runs")
    assert "data-toast" in browser.get("/runs").text


def test_rows_of_others_are_not_there(app, tenant, other_tenant, stranger, waiting, work):
    asked = ask(stranger, ids=[str(waiting[0])])
    work(other_tenant)

    assert statuses(tenant, waiting)[0] == "running"
    with db.transaction(other_tenant.id):
        theirs = queries.get_bulk(other_tenant.id, other_tenant.people["owner"], asked)
    assert (theirs.done_count, theirs.skipped_count, theirs.reasons[0]["code"]) == (0, 1, "gone")


def test_an_action_is_its_askers_alone(tenant, as_role, stranger, waiting):
    asked = ask(as_role("owner"), all="1", query="status=running")

    for browser in (as_role("admin"), stranger):
        assert browser.get(f"/bulk/{asked}").status_code == 404
        assert browser.post(f"/bulk/{asked}/undo").status_code == 404
        assert browser.post(f"/bulk/{asked}/stop").status_code == 404


def test_pausing_workflows_can_be_undone_after_it_is_over(app, tenant, as_role, ground, work):
    browser = as_role("owner")
    first, second, off = (ground.workflow(name) for name in ("A", "B", "C"))
    with app.app_context(), db.transaction(tenant.id):
        workflows_service = ours.service
        workflows_service.switch_workflow(tenant.id, off, is_active=False, by=ground.by)

    asked = ask(browser, "off", "workflows", all="1")
    work(tenant)
    with db.transaction(tenant.id):
        assert list_queries.count_workflows(tenant.id, wanted=WorkflowFilter(states=("off",))) == 3
    page = browser.get(f"/bulk/{asked}")
    assert "Undo" in page.text and "It was paused already." in page.text

    back = browser.post(f"/bulk/{asked}/undo").headers["Location"].rsplit("/", 1)[1]
    work(tenant)
    with db.transaction(tenant.id):
        assert list_queries.workflow_ids(
            tenant.id, wanted=WorkflowFilter(states=("off",)), at=bulk_of(tenant, back).finished_at, after=None, limit=9
        ) == [off]
    assert bulk_of(tenant, back).done_count == 2
    assert browser.post(f"/bulk/{asked}/undo").headers["Location"] == f"/bulk/{asked}"
    assert "It was taken back" in browser.get(f"/bulk/{asked}").text
    assert first != second


def test_five_actions_at_a_time(app, tenant, here, waiting):
    kind = service.get("runs")
    with app.test_request_context(), db.transaction(tenant.id):
        for _each in range(5):
            bulk.ask(here, kind, kind.verb("cancel"), ids=[waiting[0]], state=service.read(kind, {}))
        with pytest.raises(Invalid):
            bulk.ask(here, kind, kind.verb("cancel"), ids=[waiting[0]], state=service.read(kind, {}))
    assert access_of(tenant) == here

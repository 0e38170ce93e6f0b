"""Signals: exactly one step takes each, whichever comes first, whoever dies."""

from __future__ import annotations

import threading

import psycopg
import pytest
from sqlalchemy import text

from portal.core.access import Actor
from portal.core.config import current_settings
from portal.core.errors import Invalid
from portal.workflows.engine.store import answering, ending, look, rows
from portal.workflows.errors import DraftInvalid, WrongState
from portal.workflows.signals import callbacks, service
from tests.workflows.engine.conftest import step, values


def waits(key="wait", **config):
    return step(key, "signal", **{"signal": "paid", "corr_key": "${ input.number }", **config})


def after(key="wait"):
    return step("then", "set", **values(outcome=f"${{ steps.{key}.outcome }}", paid=f"${{ steps.{key}.payload }}"))


def send(engine, key="7", *, name="paid", payload=None, dedup=None, run_id=None):
    with engine.in_house():
        return service.send_signal(
            engine.house.id, name, key=key, payload=payload, by=engine.by, source="api", dedup_key=dedup, run_id=run_id
        )


def signal_rows(engine):
    with engine.in_house() as session:
        return session.execute(text("select * from workflow_signals order by created_at")).all()


def pass_time(engine, seconds, table="workflow_timers", column="due_at"):
    """Let time pass as the database sees it: what is due later is due so much sooner."""
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute(
            f"update {table} set {column} = {column} - make_interval(secs => %s) where tenant_id = %s", (seconds, engine.house.id)
        )


def test_a_signal_ends_the_wait_and_its_payload_goes_on(engine):
    run_id = engine.start(engine.publish(waits(), after(), inputs=("number",)), number="7")
    engine.pump()
    assert engine.states(run_id) == {"wait": "waiting"}

    send(engine, payload={"amount": 12})
    engine.pump()

    steps = engine.steps(run_id)
    assert engine.run(run_id).status == "succeeded"
    assert steps["then"].output == {"outcome": "received", "paid": {"amount": 12}}
    assert run_id not in look.stuck() and not open_rows(engine)


def open_rows(engine):
    with engine.in_house() as session:
        return session.scalar(
            text(
                "select (select count(*) from workflow_waits where ended_at is null) + (select count(*) from workflow_timers where fired_at is null)"
            )
        )


def test_a_signal_may_come_before_anybody_waits(engine):
    send(engine, payload="early")
    send(engine, "8", payload="of another")

    run_id = engine.start(engine.publish(waits(), after(), inputs=("number",)), number="7")
    engine.pump()

    assert engine.steps(run_id)["then"].output == {"outcome": "received", "paid": "early"}
    assert [row.consumed_by is not None for row in signal_rows(engine)] == [True, False]


def test_one_signal_ends_one_wait_the_oldest(engine):
    workflow_id = engine.publish(waits(), inputs=("number",))
    runs = [engine.start(workflow_id, number="7") for _ in range(3)]
    engine.pump()

    send(engine)
    engine.sweep()
    engine.sweep()

    assert sorted(engine.run(each).status for each in runs) == ["running", "running", "succeeded"]
    assert engine.run(runs[0]).status == "succeeded"


def test_the_same_key_is_the_same_signal(engine):
    (first, is_new), (second, is_newer) = send(engine, dedup="a"), send(engine, dedup="a", payload="otherwise")
    assert (first, is_new, is_newer) == (second, True, False)
    assert len(signal_rows(engine)) == 1


def test_a_signal_for_one_run_is_taken_by_no_other(engine):
    workflow_id = engine.publish(waits(), inputs=("number",))
    runs = [engine.start(workflow_id, number="7") for _ in range(2)]
    engine.pump()

    send(engine, run_id=runs[1])

    assert [engine.run(each).status for each in runs] == ["running", "succeeded"]


@pytest.mark.parametrize(("if_late", "status"), [("go_on", "succeeded"), ("fail", "failed")])
def test_a_limit_ends_the_wait_and_what_comes_later_waits_for_the_next(engine, if_late, status):
    node = waits(limit=2, limit_unit="hours", if_late=if_late)
    run_id = engine.start(engine.publish(node, after(), inputs=("number",)), number="7")
    engine.pump()
    engine.sweep()
    assert engine.states(run_id)["wait"] == "waiting"

    pass_time(engine, 7201)
    engine.sweep()
    engine.pump()
    send(engine)

    assert engine.run(run_id).status == status
    if status == "failed":
        assert engine.steps(run_id)["wait"].error["code"] == "signal_timeout"
    else:
        assert engine.steps(run_id)["then"].output["outcome"] == "timeout"
    assert signal_rows(engine)[0].consumed_at is None


def test_a_timer_that_is_stale_changes_nothing(engine):
    run_id = engine.start(engine.publish(waits(limit=1, limit_unit="hours"), waits("again"), inputs=("number",)), number="7")
    engine.pump()
    with psycopg.connect(current_settings().database_owner_url) as connection:
        timer = connection.execute("select id from workflow_timers where tenant_id = %s", (engine.house.id,)).fetchone()[0]
    send(engine)
    engine.pump()
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("update workflow_timers set fired_at = null, due_at = clock_timestamp() where id = %s", (timer,))

    engine.sweep()

    assert engine.states(run_id) == {"wait": "succeeded", "again": "waiting"}


def test_a_signal_whose_sender_died_after_its_commit_is_handed_over_by_the_dispatcher(engine, monkeypatch):
    run_id = engine.start(engine.publish(waits(), inputs=("number",)), number="7")
    engine.pump()

    def die(*_ids):
        raise SystemExit

    monkeypatch.setattr(answering, "deliver_signal", die)
    with pytest.raises(SystemExit):
        send(engine)
    assert engine.run(run_id).status == "running"
    monkeypatch.undo()

    engine.sweep()

    assert engine.run(run_id).status == "succeeded"


def test_a_cancelled_run_takes_no_signal(engine):
    run_id = engine.start(engine.publish(waits(), inputs=("number",)), number="7")
    engine.pump()
    ending.cancel(engine.house.id, run_id, actor="test")

    send(engine)
    engine.sweep()

    assert engine.run(run_id).status == "cancelled"
    assert signal_rows(engine)[0].consumed_at is None and not open_rows(engine)


def test_one_run_tells_another_exactly_once(engine):
    waiting = engine.start(engine.publish(waits(), after(), inputs=("number",)), number="7")
    engine.pump()
    sender = engine.publish(step("tell", "send_signal", signal="paid", corr_key="7", **values(amount="${ 6 * 2 }")))

    engine.start(sender)
    engine.pump()
    engine.pump()

    assert engine.steps(waiting)["then"].output == {"outcome": "received", "paid": {"amount": 12}}
    assert len(signal_rows(engine)) == 1


def test_many_senders_and_many_waits_at_once_lose_and_double_nothing(engine, app):
    workflow_id = engine.publish(waits(), after(), inputs=("number",))
    runs = [engine.start(workflow_id, number="7") for _ in range(12)]
    failures = []

    def in_thread(work):
        def safe():
            try:
                with app.app_context():
                    work()
            except Exception as broken:
                failures.append(broken)

        return threading.Thread(target=safe)

    threads = [in_thread(engine.pump) for _ in range(3)]
    threads += [in_thread(lambda n=n: send(engine, payload=n, dedup=str(n % 12))) for n in range(24)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for _ in range(20):
        engine.sweep()
        engine.pump()

    assert failures == []
    taken = [engine.steps(each)["wait"].output["payload"] % 12 for each in runs]
    assert sorted(taken) == list(range(12))
    assert {engine.run(each).status for each in runs} == {"succeeded"}


@pytest.mark.parametrize("name", ["", "@callback", "a b", "x" * 81])
def test_names_that_no_step_can_have_are_refused(engine, name):
    with pytest.raises(Invalid):
        send(engine, name=name)
    with pytest.raises(DraftInvalid):
        engine.publish(step("wait", "signal", signal=name))


def test_a_limit_beyond_that_of_the_run_is_a_problem_before_publishing(engine):
    with pytest.raises(DraftInvalid) as refused:
        engine.publish(step("wait", "signal", signal="paid", limit=3, limit_unit="days"))
    assert [(each.step, each.field) for each in refused.value.problems] == [("wait", "limit")]


# Callbacks


def with_callback(**config):
    address = step("ask", "set", **values(url="${ run.callback.answer }"))
    return address, step("answer", "callback", **config), step("then", "set", **values(said="${ steps.answer.payload.said }"))


@pytest.fixture
def called(engine):
    """A run that waits for a callback, and the path of its address."""
    run_id = engine.start(engine.publish(*with_callback()))
    engine.pump()
    url = engine.steps(run_id)["ask"].output["url"]
    return run_id, url.removeprefix(current_settings().public_url)


def test_another_system_answers_once(engine, called, visitor):
    run_id, path = called
    assert visitor.get(path).status_code == 405
    assert engine.states(run_id)["answer"] == "waiting"

    first = visitor.post(path, json={"said": "yes"})
    again = visitor.post(path, json={"said": "no"})
    engine.pump()

    assert first.status_code == again.status_code == 202
    assert first.json == again.json
    assert engine.steps(run_id)["then"].output == {"said": "yes"}
    assert engine.run(run_id).status == "succeeded"
    assert visitor.post(path, json={"said": "late"}).json == first.json
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from audit_entries where action = 'callback.received'")) == 1


def test_an_answer_before_the_step_waits_is_kept(engine, visitor):
    run_id = engine.start(engine.publish(step("first", "wait", mode="for", amount=1, unit="hours"), *with_callback()))
    engine.pump()
    path = callbacks.url(engine.house.id, run_id, "answer", rows.idem_key(run_id, "answer")).removeprefix(current_settings().public_url)

    assert visitor.post(path, json={"said": "early"}).status_code == 202
    pass_time(engine, 3601)
    engine.sweep()
    engine.pump()

    assert engine.steps(run_id)["then"].output == {"said": "early"}


def test_wrong_and_expired_addresses_do_not_exist(engine, called, visitor, other_tenant):
    run_id, path = called
    head, _slash, token = path.rpartition("/")
    changed = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for wrong in (f"{head}/x", f"{head}/{changed}", f"{head}/{token[1:]}", f"{head}/{'é' * 10}"):
        assert visitor.post(wrong, json={}).status_code == 404, wrong
    ending.cancel(engine.house.id, run_id, actor="test")
    assert visitor.post(path, json={"said": "late"}).status_code == 404


@pytest.mark.parametrize(("body", "kind", "status"), [
    (b"{", "application/json", 400), (b"a=b", "application/x-www-form-urlencoded", 415), (b'"' + b"x" * 260_000 + b'"', "application/json", 413),
    (b'"' + b"x" * 210_000 + b'"', "application/json", 422),
])  # fmt: skip
def test_what_cannot_be_taken_is_refused_and_the_step_waits_on(engine, called, visitor, body, kind, status):
    run_id, path = called
    assert visitor.post(path, data=body, content_type=kind).status_code == status
    assert engine.states(run_id)["answer"] == "waiting"


def test_a_callback_of_no_step_is_a_problem_before_publishing(engine):
    with pytest.raises(DraftInvalid) as refused:
        engine.publish(step("ask", "set", **values(url="${ run.callback.nothing }")), step("answer", "callback"))
    assert [(each.step, each.field) for each in refused.value.problems] == [("ask", "values")]


# By the page of the run


def test_who_may_sends_it_from_the_page_of_the_run(engine, as_role, stranger):
    run_id = engine.start(engine.publish(waits(), after(), inputs=("number",)), number="7")
    engine.pump()
    where = f"/runs/{run_id}/steps/wait/signal"
    assert "paid" in as_role("builder").get(f"/runs/{run_id}").text
    assert as_role("member").post(where, data={"payload": ""}).status_code == 403
    assert stranger.post(where, data={"payload": ""}).status_code == 404
    assert as_role("builder").post(where, data={"payload": "{"}).status_code == 422

    assert as_role("builder").post(where, data={"payload": '{"amount": 5}'}).status_code == 303
    engine.pump()

    assert engine.steps(run_id)["then"].output == {"outcome": "received", "paid": {"amount": 5}}
    with engine.in_house(), pytest.raises(WrongState):
        service.send_to_step(engine.house.id, run_id, "wait", None, by=Actor("person", engine.house.people["owner"]))

"""What steps used: counted by who sends, added up over attempts, shown for a step and for a run."""

from __future__ import annotations

import json
import re
import socket
import threading

import pytest
from sqlalchemy import text

from portal.core import metering
from portal.core.access import SYSTEM
from portal.datatables import service as tables
from portal.workflows.actions.base import Done
from portal.workflows.engine.store import leasing, rescuing, settling
from tests.connections.systems import Reply, connect
from tests.workflows.actions.conftest import outside, pairs
from tests.workflows.engine.conftest import step, values

__all__ = ["outside"]

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: application/json\r\n\r\n{"ok": "\xd9\x86"} '


@pytest.fixture
def wire(opened):
    """A server that remembers every byte which it got, and answers the same."""
    server = socket.create_server(("127.0.0.1", 0))
    heard = []

    def serve():
        while True:
            try:
                line, _address = server.accept()
            except OSError:
                return
            with line:
                got = b""
                while b"\r\n\r\n" not in got:
                    got += line.recv(65536)
                head, _, body = got.partition(b"\r\n\r\n")
                length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
                while len(body) < length:
                    body += line.recv(65536)
                heard.append(head + b"\r\n\r\n" + body)
                line.sendall(ANSWER)

    threading.Thread(target=serve, daemon=True).start()
    opened(server.getsockname()[1])
    yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
    server.close()


def used(engine, run_id, key="call"):
    return engine.steps(run_id)[key].used


def test_every_byte_of_a_call_is_counted_and_shown(engine, wire, as_role):
    url, heard = wire
    run = engine.go(engine.publish(step("call", "webhook", url=f"{url}/x", body='{"name": "ليلى"}')))

    assert run.status == "succeeded"
    found = used(engine, run.id)
    assert found.pop("busy_ms") >= 1
    assert found == {"calls": 1, "sent": len(heard[0]), "received": len(ANSWER)}
    browser = as_role("owner")
    page = browser.get(f"/runs/{run.id}?step=call")
    for part in page.text_of("#inspect-time") + page.text_of("#run-use"):
        assert re.search(r"Calls to other systems\s*1\b", part) and "Came back" in part
    file = json.loads(browser.get(f"/runs/{run.id}/export").text)
    assert file["steps"][0]["used"]["sent"] == len(heard[0])
    assert file["run"]["used"]["calls"] == 1 and file["run"]["used"]["received"] == len(ANSWER)


def test_pages_and_repetitions_are_calls_and_attempts_add_up(engine, other):
    def answer(asked):
        page = int(asked.query.get("page", ["1"])[0])
        if page == 3 and len(other.calls) < 4:
            return Reply(503)
        return Reply(body=[page], headers={"Link": f'<{other.url}/?page={page + 1}>; rel="next"'} if page < 3 else {})

    other.answer = answer
    call = step("call", "webhook", method="GET", url=f"{other.url}/", paging="link")
    run = engine.go(engine.publish({**call, "retry": {"attempts": 3, "base_s": 0.01, "cap_s": 0.02}}))
    for _ in range(100):
        if engine.run(run.id).status == "succeeded":
            break
        engine.pump()

    assert engine.run(run.id).status == "succeeded" and engine.steps(run.id)["call"].attempt == 2
    assert used(engine, run.id)["calls"] == len(other.calls) == 6


def test_a_call_that_came_to_nobody_is_none_and_what_calls_nobody_pays_nothing(engine, opened):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    opened(port)
    call = step("call", "webhook", url=f"http://127.0.0.1:{port}/", attempts=1)
    run = engine.go(engine.publish(step("first", "set", **values(a="1")), call))

    assert run.status == "failed"
    assert set(used(engine, run.id)) == {"busy_ms"}
    assert used(engine, run.id, "first") is None


def test_mails_are_one_for_each_address(engine, post, settings):
    settings(post.port)
    run = engine.go(engine.publish(step("call", "email", to="a@example.org, b@example.org", cc="c@example.org", subject="s", body="b")))

    assert run.status == "succeeded"
    found = used(engine, run.id)
    assert (found["calls"], found["mails"]) == (1, 3)
    assert abs(found["sent"] - len(post.raw[0])) <= 2


def test_a_refused_mail_is_a_call_and_no_mail(engine, post, settings):
    settings(post.port)
    post.after_data = "554 no"
    run = engine.go(engine.publish(step("call", "email", to="a@example.org", subject="s", body="b", attempts=1)))

    assert used(engine, run.id)["calls"] == 1 and "mails" not in used(engine, run.id)


def test_statements_and_their_rows_are_counted(engine, outside):
    chosen = {"connection": str(connect(engine.house.id, "postgresql", **{**outside, "read_only": ""}))}
    write = "insert into people (id, name) select n, 'x' from generate_series(1, 7) n"
    run = engine.go(
        engine.publish(
            step("call", "sql", does="write", statement=write, **chosen),
            step("read", "sql", statement="select * from people limit 3", **chosen),
        )
    )

    assert run.status == "succeeded"
    assert [(used(engine, run.id, key)["calls"], used(engine, run.id, key)["rows"]) for key in ("call", "read")] == [(1, 7), (1, 3)]


@pytest.mark.parametrize("is_first", [True, False])
def test_rows_of_own_tables_are_counted_wherever_the_step_is_done(engine, is_first):
    """As the first step a worker leases it; behind others it is done in their transaction."""
    with engine.in_house():
        column = {"key": "n", "type": "number", "label": "N", "label_ar": None, "required": True}
        tables.create_table(engine.house.id, "rows", name="Rows", name_ar=None, columns=[column], by=SYSTEM)
    work = {"table": "rows", "operation": "insert", "values": pairs(n="1")}
    nodes = [step("a", "database", **work), step("b", "database", **work), step("c", "database", table="rows", operation="find")]
    run_id = engine.start(engine.publish(*([] if is_first else [step("zero", "set", **values(a="1"))]), *nodes))
    engine.pump()

    assert engine.run(run_id).status == "succeeded"
    assert [used(engine, run_id, key) for key in "abc"] == [{"rows": 1}, {"rows": 1}, {"rows": 2}]


def test_what_a_refused_row_step_did_is_not_counted(engine):
    with engine.in_house():
        column = {"key": "n", "type": "number", "label": "N", "label_ar": None, "required": True}
        tables.create_table(engine.house.id, "rows", name="Rows", name_ar=None, columns=[column], by=SYSTEM)
    work = {"table": "rows", "operation": "insert", "values": pairs(n="no number")}
    run = engine.go(engine.publish(step("call", "database", attempts=1, **work)))
    assert run.status == "failed" and used(engine, run.id) is None


def test_the_page_says_what_was_not_counted(engine, other, as_role):
    run_id = engine.start(engine.publish(step("call", "webhook", url=f"{other.url}/", attempts=1)))
    for _ in range(2):
        lease = next(filter(None, (engine.claim() for _ in range(50))))
        leasing.fence(lease, {}, leasing.open_run(lease).secrets)
        with engine.in_house() as session:
            session.execute(
                text("update workflow_steps set lease_until = clock_timestamp() - interval '1 s' where id = :s"), {"s": lease.step_id}
            )
        assert rescuing.rescue(engine.house.id, run_id, lease.step_id) == "ready"
    lease = next(filter(None, (engine.claim() for _ in range(50))))
    run = leasing.open_run(lease)
    leasing.fence(lease, {}, run.secrets)
    settling.settle(lease, run, Done({}), carry=False)

    page = as_role("owner").get(f"/runs/{run_id}?step=call")
    (inside,), (whole,) = page.text_of("#inspect-time"), page.text_of("#run-use")
    assert "was not counted yet" in inside and "Calls to other systems" not in inside and "2 attempts ended together" in inside
    assert "before calls were counted" in whole and "2 attempts ended together" in whole


def test_a_measurement_inside_another_keeps_its_own():
    metering.count(calls=1)
    with metering.measured() as around:
        metering.count(calls=1, rows=0)
        with metering.measured() as inside:
            metering.count(calls=5)
        metering.count(calls=1)
    assert (around, inside) == ({"calls": 2}, {"calls": 5})

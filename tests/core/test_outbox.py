"""Jobs that must run: written with the change that wants them, run at least once, gone when they have run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from portal.core import db, jobs, outbox

NAME = "test.note"


@pytest.fixture
def ran(app):
    """What the job was called with; `ran.trouble` makes it raise."""

    class Ran(list):
        trouble = None

    calls = Ran()

    def note(*ids):
        calls.append(ids)
        if calls.trouble:
            raise calls.trouble

    jobs.job(NAME, queue="mail", timeout_s=5)(note)
    with app.app_context():
        jobs.connection().flushall()
        with db.transaction(system=True) as session:
            session.execute(text("delete from outbox"))
        yield calls
    jobs._jobs.pop(NAME)


def rows():
    with db.transaction(system=True) as session:
        return session.execute(text("select id::text, name, arguments, attempts from outbox")).all()


def tickets():
    queue = Queue("mail", connection=jobs.connection(), serializer=JSONSerializer)
    return [(job.func_name, list(job.args)) for job in queue.jobs]


def ask(*ids):
    with db.transaction():
        jobs.enqueue(NAME, *ids)
    return rows()[0].id


def test_a_job_leaves_with_the_commit_and_its_row_goes_when_it_has_run(ran):
    outbox_id = ask("a", "b")

    assert tickets() == [("portal.core.jobs.perform_outbox", [outbox_id])]
    jobs.perform_outbox(outbox_id)
    assert (ran, rows()) == ([("a", "b")], [])


def test_a_waiting_ticket_is_seen(ran):
    assert not jobs.are_waiting("mail", "bulk")
    ask("a")
    assert jobs.are_waiting("mail", "bulk") and not jobs.are_waiting("bulk")


def test_a_change_that_is_rolled_back_asks_for_nothing(ran):
    def change():
        with db.transaction():
            jobs.enqueue(NAME, "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()

    assert (rows(), tickets()) == ([], [])


def test_a_ticket_that_redis_lost_is_sent_again_and_a_doubled_one_does_nothing(ran):
    outbox_id = ask("a")
    jobs.connection().flushall()

    assert outbox.send_due() == 1
    assert len(tickets()) == 1
    jobs.perform_outbox(outbox_id)
    jobs.perform_outbox(outbox_id)
    assert ran == [("a",)]


def test_a_job_that_fails_stays_and_is_sent_again_later(ran):
    ran.trouble = RuntimeError("the mail server is away")
    outbox_id = ask("a")
    outbox.send_due()

    with pytest.raises(RuntimeError):
        jobs.perform_outbox(outbox_id)

    assert rows()[0].attempts == 1
    assert outbox.send_due() == 0  # not yet
    ran.trouble = None
    jobs.perform_outbox(outbox_id)
    assert rows() == []


def test_a_job_in_the_hands_of_one_worker_is_not_given_to_another(ran):
    outbox_id = ask("a")
    seen = []
    ran.trouble = None

    def look_from_inside(*_ids):
        jobs.perform_outbox(outbox_id)
        seen.append(outbox.send_due())

    jobs.job(NAME, queue="mail", timeout_s=5)(look_from_inside)
    jobs.perform_outbox(outbox_id)

    assert seen == [0]
    assert rows() == []


def test_a_row_is_held_as_long_as_its_own_job_may_take(ran, monkeypatch):
    """A worker that is killed leaves the row for another soon, whatever the slowest job of the house may take."""
    held = []

    def look(*_ids):
        with db.transaction(system=True) as session:
            held.append(session.scalar(text("select extract(epoch from taken_until - clock_timestamp()) from outbox")))

    monkeypatch.setitem(jobs._jobs, NAME, replace(jobs._jobs[NAME], run=look))
    jobs.perform_outbox(ask("a"))

    assert max(each.timeout_s for each in jobs.registered().values()) > 30
    assert 10 < held[0] <= 15

"""Statements that travel with the next one: their order stays, nothing is lost, and what is wrong with one rolls all back."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.ids import new_id
from portal.workflows.engine.runner import again

ADD = "insert into audit_entries (id, tenant_id, actor_kind, action) values (%(id)s, %(tenant)s, 'system', 'wire.tested')"
COUNT = text("select count(*) from audit_entries where action = 'wire.tested'")


@pytest.fixture(params=[True, False], ids=["pages", "workers"])
def house(app, tenant, request, monkeypatch):
    """Give a tenant, with the connections of pages and of workers."""
    monkeypatch.setattr(db, "_looks_first", request.param)
    db.engine.cache_clear()
    with app.app_context():
        yield tenant.id
        db.engine().dispose()
    db.engine.cache_clear()


def count(house):
    with db.transaction(house) as session:
        return session.scalar(COUNT)


def add(session, house, row_id=None):
    db.write_later(session.connection(), ADD, {"id": row_id or new_id(), "tenant": house})


def test_what_is_written_later_is_seen_by_the_next_statement_and_kept_by_the_commit(house):
    with db.transaction(house) as session:
        add(session, house)
        assert session.scalar(COUNT) == 1
        add(session, house)

    assert count(house) == 2


def test_a_rollback_takes_along_what_was_not_sent_yet(house):
    with pytest.raises(ZeroDivisionError):
        add_and_break(house)

    assert count(house) == 0


def add_and_break(house):
    with db.transaction(house) as session:
        add(session, house)
        raise ZeroDivisionError


@pytest.mark.parametrize("reads", [True, False], ids=["with a statement", "with the commit"])
def test_what_is_wrong_is_raised_by_what_it_travels_with_and_rolls_all_back(house, reads):
    with pytest.raises(DBAPIError):
        add_twice(house, reads=reads)

    assert count(house) == 0


def add_twice(house, *, reads):
    with db.transaction(house) as session:
        add(session, house)
        session.scalar(COUNT)
        for row_id in [new_id()] * 2:
            add(session, house, row_id)
        if reads:
            session.scalar(COUNT)


def test_a_savepoint_goes_back_to_before_what_was_written_later(house):
    with db.transaction(house) as session:
        add(session, house)
        savepoint = session.begin_nested()
        add(session, house)
        savepoint.rollback()

    assert count(house) == 1


def test_a_connection_names_the_tenant_of_its_own_transaction_only(house):
    told = text("select current_setting('app.tenant_id', true)")
    with db.transaction(house) as session:
        assert session.scalar(told) == str(house)
    with db.transaction(house):
        pass  # a transaction without a statement leaves nothing behind
    with db.transaction() as session:
        assert not session.scalar(told)


def go_ahead(house, *row_ids):
    """Add rows in a transaction that is sent in one go, and not waited for."""
    with db.optimistic(), db.transaction(house) as session:
        for row_id in row_ids:
            add(session, house, row_id)


def test_a_transaction_that_is_gone_ahead_of_is_waited_for_by_whatever_comes_next(house):
    told = []
    with db.ahead():
        for number in (1, 2):
            with db.optimistic(), db.transaction(house) as session:
                add(session, house)
                db.after_commit(lambda number=number: told.append(number))
            assert told == [1][: number - 1], "the one before is kept, this one nobody has asked for"
        assert count(house) == 2
        assert told == [1, 2]
        go_ahead(house, new_id())

    assert count(house) == 3


def test_only_an_optimistic_transaction_is_gone_ahead_of(house):
    with db.ahead(), pytest.raises(DBAPIError):
        add_twice(house, reads=False)

    assert count(house) == 0


@pytest.mark.parametrize("asks", ["a statement", "a commit", "nothing"])
def test_what_was_not_kept_is_said_before_anything_else_is_sent(house, asks):
    told, row_id = [], new_id()

    def more():
        with db.optimistic(), db.transaction(house) as session:
            add(session, house)
            db.after_commit(lambda: told.append("kept"))
            if asks == "a statement":
                session.scalar(COUNT)

    with db.ahead():
        go_ahead(house, row_id, row_id)
        with pytest.raises(db.NotKept):
            db.arrive() if asks == "nothing" else more()
        assert count(house) == 0
        more()
        db.arrive()

    assert (count(house), told) == (1, ["kept"])


def test_a_connection_that_breaks_under_way_is_said_and_another_goes_on(house):
    with db.ahead():
        with db.transaction(house) as session:
            session.connection().exec_driver_sql("select set_config('idle_session_timeout', '1', false)")
        time.sleep(0.2)
        with pytest.raises((db.NotKept, DBAPIError)):
            go_ahead_and_arrive(house)
        assert again(lambda: count(house)) == 0


def go_ahead_and_arrive(house):
    go_ahead(house, new_id())
    db.arrive()


def test_what_is_left_under_way_disturbs_nobody(house):
    row_id = new_id()
    with pytest.raises(ZeroDivisionError):
        go_ahead_and_break(house, row_id)

    assert count(house) == 0
    with db.ahead():
        go_ahead(house, row_id)
    assert count(house) == 1


def go_ahead_and_break(house, row_id):
    with db.ahead():
        go_ahead(house, row_id, row_id)
        raise ZeroDivisionError

"""Statements that travel with the next one: their order stays, nothing is lost, and what is wrong with one rolls all back."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.ids import new_id

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

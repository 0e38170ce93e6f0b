"""SQL on databases outside: a real PostgreSQL, and a server that speaks MySQL made by others."""

from __future__ import annotations

import socket
import time

import psycopg
import pytest
from psycopg import sql as psql

from portal.connections import service as connections
from portal.core.access import SYSTEM
from portal.core.config import current_settings
from tests.connections.systems import connect
from tests.workflows.actions.conftest import PASSWORD, error_of, output_of, pairs, run_one


@pytest.fixture
def people(engine, outside):
    return {"connection": str(connect(engine.house.id, "postgresql", **{**outside, "read_only": ""}))}


def write(engine, people, statement, **values):
    return output_of(engine, "sql", does="write", statement=statement, values=pairs(**values), **people)


def test_values_are_bound_whatever_stands_in_them(engine, people):
    evil = "'; drop table people; -- \\' %s :name ${x}".replace("${x}", "$${x}")
    written = write(
        engine, people, "insert into people (id, name, born) values (:id, :name, :born)", id="${1}", name=evil, born="2026-01-02"
    )
    assert written == {"rows": [], "first": None, "count": 1}

    read = output_of(
        engine,
        "sql",
        statement="select name, born, 5 % 3 as rest, 'a:b' as text, '1'::int as n from people where name = :name",
        values=pairs(name=evil),
        **people,
    )

    assert read["first"] == {"name": evil.replace("$${x}", "${x}"), "born": "2026-01-02", "rest": 2, "text": "a:b", "n": 1}


def test_two_statements_are_refused(engine, people):
    code, detail = error_of(
        engine, "sql", does="write", statement="insert into people values (1, 'a'); drop table people", if_cut_off="repeat", **people
    )
    assert code == "db_query" and detail.startswith("42601")
    assert output_of(engine, "sql", statement="select count(*) as n from people", **people)["first"] == {"n": 0}


def test_a_reading_step_and_a_reading_connection_change_nothing(engine, outside, people):
    insert = "insert into people values (1, 'a')"
    assert error_of(engine, "sql", statement=insert, **people) == ("db_query", "25006 cannot execute INSERT in a read-only transaction")
    only = {"connection": str(connect(engine.house.id, "postgresql", name="reader", **{**outside, "read_only": "1"}))}
    assert error_of(engine, "sql", does="write", statement=insert, if_cut_off="repeat", **only)[0] == "db_query"
    undo = "select set_config('transaction_read_only', 'off', false), set_config('default_transaction_read_only', 'off', false)"
    assert error_of(engine, "sql", statement=undo, **only)[0] == "db_query"


def test_rows_are_capped_and_the_rest_is_not_fetched(engine, people):
    began = time.monotonic()
    read = output_of(engine, "sql", statement="select n, repeat('x', 100) as x from generate_series(1, 50000000) n", limit=50, **people)
    assert (read["count"], read["truncated"], len(read["rows"])) == (50, True, 50)
    assert time.monotonic() - began < 15


def test_wide_rows_fit_into_a_steps_result(engine, people):
    read = output_of(engine, "sql", statement="select repeat('x', 60000) as x from generate_series(1, 100) n", **people)
    assert read["truncated"] and 1 <= read["count"] <= 69


def test_a_slow_statement_ends_in_time(engine, people):
    began = time.monotonic()
    assert error_of(engine, "sql", statement="select pg_sleep(20)", timeout_s=1, **people)[0] == "db_timeout"
    assert time.monotonic() - began < 6


def test_a_wrong_password_is_said_without_it(engine, outside):
    wrong = {"connection": str(connect(engine.house.id, "postgresql", **{**outside, "password": "canary-wrong-1"}))}
    row = run_one(engine, "sql", statement="select 1", **wrong)
    assert row.error["code"] == "db_refused" and "canary" not in str(row.error)


def test_a_secret_that_the_database_says_is_masked(engine, people):
    code, detail = error_of(engine, "sql", statement="select cast(:it as int)", values=pairs(it=PASSWORD), **people)
    assert code == "db_query" and PASSWORD not in detail and "•••" in detail
    assert output_of(engine, "sql", statement="select cast(:it as text) as it", values=pairs(it=PASSWORD), **people)["first"] == {
        "it": "•••"
    }


def test_missing_values_and_unclear_quotes_are_refused_before_anything_is_sent(engine, people):
    assert error_of(engine, "sql", statement="select :name", **people) == ("db_statement", "missing: name")
    assert error_of(engine, "sql", statement=r"select 'a\' or :b", values=pairs(b="1"), **people)[0] == "db_statement"


def test_an_address_that_is_not_opened_is_not_reached(engine, outside, monkeypatch):
    chosen = connect(engine.house.id, "postgresql", **outside)
    monkeypatch.setenv("EGRESS_ALLOW", "")
    current_settings.cache_clear()
    assert error_of(engine, "sql", statement="select 1", connection=str(chosen))[0] == "db_blocked"


def test_a_line_that_breaks_before_the_commit_is_tried_again(engine, people):
    statement = "with killed as (select pg_terminate_backend(pg_backend_pid())) insert into people select 1, 'a' from killed"
    row = run_one(engine, "sql", does="write", statement=statement, attempts=2, **people)
    assert row.state in ("ready", "failed") and row.error["code"] == "db_query"
    assert output_of(engine, "sql", statement="select count(*) as n from people", **people)["first"] == {"n": 0}


def test_a_line_that_breaks_in_the_commit_is_a_question_to_a_person(engine, outside, people):
    with psycopg.connect(current_settings().database_owner_url, autocommit=True) as owner:
        schema = psql.Identifier(outside["username"])
        body = "create function {}.die() returns trigger language plpgsql as 'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'"
        owner.execute(psql.SQL(body).format(schema))
        owner.execute(
            psql.SQL(
                "create constraint trigger t after insert on {0}.people deferrable initially deferred for each row execute function {0}.die()"
            ).format(schema)
        )
    row = run_one(engine, "sql", does="write", statement="insert into people values (1, 'a')", attempts=3, **people)
    assert (row.state, row.error["code"]) == ("in_doubt", "db_cut_off")


def test_the_test_button_says_what_is_wrong(engine, outside):
    good = connect(engine.house.id, "postgresql", **outside)
    bad = connect(engine.house.id, "postgresql", **{**outside, "name": "bad", "password": "canary-wrong-2"})
    assert connections_test(engine, good) == "ok"
    assert connections_test(engine, bad) == "refused"


def connections_test(engine, connection_id):
    with engine.in_house():
        return connections.test_connection(engine.house.id, connection_id, by=SYSTEM)


def test_mysql_is_asked_with_values_as_digits_only(engine, mysql):
    values, asked = mysql
    chosen = str(connect(engine.house.id, "mysql", **values))
    evil = "x' or 1=1 -- \\"

    read = output_of(
        engine,
        "sql",
        statement="select id, name from people where name = :name and n = :n",
        values=pairs(name=evil, n="${5}"),
        connection=chosen,
    )

    assert read["rows"] == [{"id": 1, "name": "سارة"}, {"id": 2, "name": "•••"}]
    sent = next(each for each in asked if "people" in each)
    assert "or 1=1" not in sent and evil.encode().hex() in sent.lower() and "5" in sent


def test_mysql_refuses_a_wrong_password_without_saying_it(engine, mysql):
    values, _asked = mysql
    chosen = str(connect(engine.house.id, "mysql", **{**values, "password": "canary-wrong-3"}))
    row = run_one(engine, "sql", statement="select 1", connection=chosen)
    assert row.error["code"] == "db_refused" and "canary" not in str(row.error)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_says_nothing_ends_in_time(engine, opened, kind):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        opened(port)
        values = {"host": "127.0.0.1", "port": str(port), "database": "d", "username": "u", "password": PASSWORD, "tls": "none"}
        began = time.monotonic()
        code, _detail = error_of(engine, "sql", statement="select 1", timeout_s=2, connection=str(connect(engine.house.id, kind, **values)))
    assert code in ("db_connect", "db_timeout") and time.monotonic() - began < 8


def test_a_server_that_is_not_there_is_tried_again(engine, opened):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    opened(port)
    values = {"host": "127.0.0.1", "port": str(port), "database": "d", "username": "u", "password": PASSWORD, "tls": "none"}
    for kind in ("postgresql", "mysql"):
        row = run_one(engine, "sql", statement="select 1", attempts=2, connection=str(connect(engine.house.id, kind, **values)))
        assert row.error["code"] == "db_connect" and (row.state == "ready" or row.attempt == 2)

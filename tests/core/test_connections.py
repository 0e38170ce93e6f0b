"""A restarted PostgreSQL leaves dead connections in the pool; nobody may meet one."""

from __future__ import annotations

from sqlalchemy import text

from portal.core import db


def _backend() -> int:
    with db.unit_of_work() as session:
        return session.scalar(text("select pg_backend_pid()"))


def test_a_dead_connection_is_replaced_before_anybody_meets_it(app, servers):
    import psycopg

    with app.app_context():
        before = {_backend() for _time in range(50)}
        assert len(before) < 50, "living ones are used again"
        with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as owner:
            owner.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'nasij'")
        after = _backend()

    assert after not in before
